"""Guardian: owns an organisation's scheduled social-media posts, and can be stopped dead.

This file stays empty of imports: `guardian freeze` passes through it on the way to the stop.
"""

__version__ = "0.1.0"
