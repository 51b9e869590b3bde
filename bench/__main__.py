"""`make bench`: runs every benchmark, or the ones that are named, and prints ratios."""

from __future__ import annotations

import os
import platform
import sys

from bench import freeze, stop

BENCHES = {"freeze": freeze.run, "stop": stop.run}

print(f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} processors")
stop.as_installed()
for name in sys.argv[1:] or BENCHES:
    BENCHES[name]()
