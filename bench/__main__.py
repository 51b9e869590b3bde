"""`make bench`: runs every benchmark and prints its ratios."""

from __future__ import annotations

import os
import platform

from bench import freeze

print(f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} processors")
freeze.run()
