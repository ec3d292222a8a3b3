"""Where engine and clients meet: the lock beside the socket, and the paths of the HTTP surface."""

from __future__ import annotations

from pathlib import Path

ENGINE = "/v1/engine"
STOP = "/v1/engine/stop"
EVENTS = "/v1/events"
MODELS = "/v1/models"
LOAD = "/v1/models/load"
UNLOAD = "/v1/models/unload"
PIN = "/v1/models/pin"
PLANS = "/v1/plans"
CACHE = "/v1/cache"
TOKENIZE = "/v1/tokenize"
COUNT = "/v1/count"
TELEMETRY = "/v1/telemetry"
GO_ON = "/v1/telemetry/go-on"
TELEMETRY_EVENTS = "/v1/telemetry/events"
KEPT = "/v1/sessions/{id}/kept"
SERVERS = "/v1/servers"
SERVERS_SHOW = "/v1/servers/show"
SERVERS_PULL = "/v1/servers/pull"
SERVERS_CREATE = "/v1/servers/create"
SERVERS_PULLS = "/v1/servers/pulls"
SERVERS_PULL_CANCEL = "/v1/servers/pull/cancel"
SERVERS_COPY = "/v1/servers/copy"
SERVERS_DELETE = "/v1/servers/delete"
HEALTH = "/health"
METRICS = "/metrics"
GENERATIONS = "/v1/generations"
GENERATION_EVENTS = "/v1/generations/{id}/events"
CANCEL = "/v1/generations/{id}/cancel"


def lock_path(socket: Path) -> Path:
    """The lock that the engine behind `socket` holds, and signs with its process id."""
    return socket.with_name("engine.lock")
