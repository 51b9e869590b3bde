"""What an adapter answers for what its platform does not have: a base for those whose platform has little. Pure.

Inherit from it, and write only what there is. What is answered here is what the abilities say that are not declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from guardian.adapter import Readiness
from guardian.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.adapter import Undoing
    from guardian.model import Native, PostRef


class Unoffered:
    """A platform that works on no file after it has it, undoes nothing, and publishes nothing later by itself."""

    def ready(self, upload: str) -> Readiness:  # noqa: ARG002 (the contract's)
        """At once."""
        return Readiness.READY

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:  # noqa: ARG002 (the contract's)
        """Refused."""
        raise Refusal(f"cannot undo that, because nothing about {ref.id[:100]} can be undone there")

    def natives(self) -> None:
        """It cannot be asked: it has none."""
        return

    def remove_native(self, native: Native) -> None:
        """Refused."""
        _no_natives(native)

    def deferral(self, native: Native, *, until: int) -> Undoing:  # noqa: ARG002 (the contract's)
        """Refused."""
        _no_natives(native)

    def defer_native(self, native: Native, *, until: int) -> None:  # noqa: ARG002 (the contract's)
        """Refused."""
        _no_natives(native)


def _no_natives(native: Native) -> NoReturn:
    raise Refusal(f"cannot change {native.id[:100]}, because that platform itself publishes nothing later")
