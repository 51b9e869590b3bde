"""What a bundle of a post of each kind holds, as somebody has looked at it: a change of it is seen in review.

`golden/` is made anew by GUARDIAN_GOLDEN=write. Every bundle is the one of a real takedown, whole and verified.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.model import Part, State
from tests.duties.plain import plain
from tests.duties.urgent import STATUSES, Urgent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.model import Post
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Scene

GOLDEN = Path(__file__).parent / "golden"
EMOJI = (
    "A family \U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466, a flag \U0001f3f3\ufe0f\u200d\U0001f308,"
    " a wave \U0001f44b\U0001f3fd"
)
CJK = (
    "\u4eca\u65e5\u306f\u65b0\u3057\u3044\u30d1\u30f3\u304c\u3042\u308a\u307e\u3059\u3002"
    "\uc2e0\uc120\ud55c \ube75 \u65b0\u9c9c\u9762\u5305"
)
RTL = "\u062e\u0628\u0632 \u0637\u0627\u0632\u062c (fresh bread) \u05dc\u05d7\u05dd \u05d8\u05e8\u05d9 1,50 \u20ac"
OWNER = "rehearsal-acme"


@pytest.fixture
def patient(scene: Scene, platform: RehearsalPlatform) -> Iterator[Urgent]:
    """A proof may take its time: on a slow machine, four thousand replies do not come within two seconds."""
    found = Urgent(scene, platform, within=10_000)
    yield found
    found.close()


def said(urgent: Urgent, part: Part) -> Post:
    """It goes live through the lane, as any post of ours."""
    post = urgent.scene.enter_parts(part)
    lane = urgent.scene.lane()
    urgent.scene.poll_until(lane, lambda: urgent.scene.post(post).state is State.PUBLISHED)
    return urgent.scene.post(post)


def by_hand(urgent: Urgent, path: str = "", method: str = "POST", **body: object) -> str:
    """What somebody does in the platform's own application; the id of what came of it, as a reference."""
    made: Any = urgent.by_hand(method, f"{STATUSES.rstrip('/')}{path}", OWNER, body)
    return f"acme/{made['id']}"


def emoji(urgent: Urgent) -> str:
    return said(urgent, Part(text=EMOJI, warning="\U0001f35e\u200d", language="en", visibility="unlisted")).id


def cjk(urgent: Urgent) -> str:
    return said(urgent, Part(text=CJK, language="ja")).id


def rtl(urgent: Urgent) -> str:
    return said(urgent, Part(text=RTL, language="ar")).id


def four_files(urgent: Urgent) -> str:
    alts = ("a loaf", None, EMOJI, RTL)
    return said(urgent, Part(text="four of them", media=tuple(urgent.scene.picture(alt) for alt in alts))).id


def edited(urgent: Urgent) -> str:
    post = said(urgent, Part(text="as it was first", language="en"))
    (number,) = urgent.parts_of(post)
    by_hand(urgent, f"/{number}", "PUT", status="as it was last", spoiler_text="corrected", language="en")
    return post.id


def poll(urgent: Urgent) -> str:
    options = ["rye", "wheat \U0001f33e", "\u05d7\u05d9\u05d8\u05d4"]
    ref = by_hand(urgent, status="Which?", poll={"options": options, "expires_in": 3600, "multiple": True})
    urgent.platform.stir(ref.partition("/")[2], votes=[3, 1, 0])
    return ref


def boosted_and_quoted(urgent: Urgent) -> str:
    post = said(urgent, Part(text="everybody shares this"))
    (number,) = urgent.parts_of(post)
    urgent.platform.stir(number, boosts=3, quotes=2, favourites=5, replies=1)
    return post.id


def our_boost(urgent: Urgent) -> str:
    theirs: Any = urgent.by_hand("POST", STATUSES.rstrip("/"), "rehearsal-beta", {"status": "somebody else's words"})
    return by_hand(urgent, f"/{theirs['id']}/reblog")


def our_quote(urgent: Urgent) -> str:
    theirs: Any = urgent.by_hand("POST", STATUSES.rstrip("/"), "rehearsal-beta", {"status": "somebody else's words"})
    return by_hand(urgent, status="look at this", quoted_status_id=theirs["id"])


def golden(name: str, text: str) -> None:
    """Compare with the file that somebody has looked at."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GUARDIAN_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{name} holds something else: GUARDIAN_GOLDEN=write, then look at it"


@pytest.mark.parametrize(
    "made",
    [emoji, cjk, rtl, four_files, edited, poll, boosted_and_quoted, our_boost, our_quote],
    ids=lambda made: made.__name__,
)
def test_the_bundle_of_a_post_of_any_kind_holds_what_was_looked_at(
    patient: Urgent, made: Callable[[Urgent], str]
) -> None:
    (target,) = patient.take_down(made(patient))
    assert (target.state, target.grade) == ("gone", "complete")
    bundle = patient.sealed(target)
    before, after = (json.loads((bundle / f"record-{n}.json").read_bytes())["subject"] for n in (1, 2))
    assert before == after, "what is said of the post was not known, or not sealed, before the act"
    golden(made.__name__, plain(bundle))


def test_of_four_thousand_replies_as_many_are_kept_as_were_ordered_and_all_are_counted(patient: Urgent) -> None:
    post = said(patient, Part(text="everybody answers this"))
    (number,) = patient.parts_of(post)
    patient.platform.stir(number, replies=4096)
    (target,) = patient.take_down(post.id, given={"replies": 200})
    assert (target.state, target.grade) == ("gone", "complete"), patient.lines("snapshot sealed")[0]["missing"]
    golden("four_thousand_replies", plain(patient.sealed(target)))
