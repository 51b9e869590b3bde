"""The fixtures of the gate's tests."""

from __future__ import annotations

from tests.gate.gate_door import door, house, platform

__all__ = ["door", "house", "platform"]
