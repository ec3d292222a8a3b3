"""The entry point: answers `--version` before anything is imported, and hands the rest to `cli`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run `tui-chat` with the arguments of this process and return its exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["--version"], ["-V"]):
        from tui_chat import __version__

        sys.stdout.write(f"tui-chat {__version__}\n")
        return 0
    from tui_chat.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
