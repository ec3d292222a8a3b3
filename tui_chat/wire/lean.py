"""httpx without its command line, which would load click, rich and pygments: 60 of 130 ms.

Import httpx from here, and never before the first paint. httpx does without its command line when that cannot
be imported, and None in `sys.modules` says just that.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

__all__ = ["httpx"]
