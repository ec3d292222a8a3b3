"""The JSON Schema of session files, generated from the code: ``python -m tui_chat.store.schema``."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from tui_chat.chat.model import SCHEMA, Session


def session_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a session file of today's version."""
    schema = msgspec.json.schema(Session)
    fields = schema["$defs"]["Session"]
    fields["properties"]["schema"] = {"const": SCHEMA}
    fields["required"] = ["schema", *fields["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"tui-chat session, schema {SCHEMA}",
        **schema,
    }


def main() -> None:
    """Write the schema to standard output."""
    text = msgspec.json.format(msgspec.json.encode(session_schema(), order="deterministic"), indent=2)
    sys.stdout.write(text.decode() + "\n")


if __name__ == "__main__":
    main()
