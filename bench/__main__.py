"""`make bench`: runs every benchmark, or the ones that are named, and prints ratios."""

from __future__ import annotations

import os
import platform
import signal
import sys

from bench import freeze, stop

BENCHES = {"freeze": freeze.run, "stop": stop.run}

print(f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} processors")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whoever was started is ended, too
stop.as_installed()
for name in sys.argv[1:] or BENCHES:
    BENCHES[name]()
