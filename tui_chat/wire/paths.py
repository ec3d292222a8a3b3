"""The paths of the engine's HTTP surface."""

from __future__ import annotations

ENGINE = "/v1/engine"
STOP = "/v1/engine/stop"
EVENTS = "/v1/events"
MODELS = "/v1/models"
LOAD = "/v1/models/load"
UNLOAD = "/v1/models/unload"
TOKENIZE = "/v1/tokenize"
GENERATIONS = "/v1/generations"
GENERATION_EVENTS = "/v1/generations/{id}/events"
CANCEL = "/v1/generations/{id}/cancel"
