"""`python -m tests.benchmarks [GROUP …]`; without a name, `$GROUP` or all groups."""

from __future__ import annotations

import os
import sys

from tests.benchmarks.harness import main

sys.exit(main(sys.argv[1:] or os.environ.get("GROUP", "").split()))
