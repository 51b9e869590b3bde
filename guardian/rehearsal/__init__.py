"""The rehearsal platform: a small local Mastodon that logs exactly and misbehaves on demand; any thread may use it.

Standard library and h11 only, nothing of guardian: it is the witness, and a witness shares no code with the accused.
"""

from guardian.rehearsal.platform import RehearsalPlatform

__all__ = ["RehearsalPlatform"]
