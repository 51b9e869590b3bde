"""What a proof is worth: never more than was captured."""

from __future__ import annotations

import pytest

from guardian.duties.facts import IDENTITY, PROFILE, Piece, grade_of
from guardian.evidence.record import Status

HAD, NOT_THERE, FAILED, LATE = Status.CAPTURED, Status.NOT_OFFERED, Status.FAILED, Status.LATE


@pytest.mark.parametrize(
    ("statuses", "grade", "with_our_copy"),
    [
        ([HAD, NOT_THERE], "complete", "complete"),
        ([HAD, FAILED], "partial", "partial"),
        ([HAD, LATE], "partial", "partial"),
        ([FAILED, LATE], "none", "publish-copy-only"),
        ([FAILED, NOT_THERE], "none", "publish-copy-only"),
        ([NOT_THERE], "none", "publish-copy-only"),
        ([], "none", "publish-copy-only"),
    ],
)
def test_a_grade_never_says_more_than_was_captured(statuses: list[Status], grade: str, with_our_copy: str) -> None:
    pieces = [Piece(f"piece {nr}", essential=True, status=one) for nr, one in enumerate(statuses)]
    assert grade_of(pieces, published=False) == grade
    assert grade_of(pieces, published=True) == with_our_copy
    replies = Piece("replies", essential=False, status=FAILED)
    assert grade_of([*pieces, replies], published=False) == grade, "what is not essential takes nothing from it"
    who = [Piece(IDENTITY, essential=True, status=HAD), Piece(PROFILE, essential=True, status=HAD)]
    assert grade_of([*pieces, *who], published=False) == grade, "nor do our name and our profile add to it"
