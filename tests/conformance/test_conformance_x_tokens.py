"""With OAuth 2, too: who we are, what passes a closed gate, and that tokens which X says back stand nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.conformance import closed, declared, silence
from guardian.conformance.case import NotOffered, check
from tests.conformance.x_bench import x_with_tokens

if TYPE_CHECKING:
    from guardian.conformance.case import Case


@pytest.mark.parametrize("case", [*declared.CASES, *closed.CASES, *silence.CASES], ids=str)
def test_x_keeps_its_promises_with_tokens(case: Case) -> None:
    with x_with_tokens() as bench:
        try:
            check(case, bench)
        except NotOffered as error:
            pytest.skip(str(error))
