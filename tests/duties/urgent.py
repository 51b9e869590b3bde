"""A scene with everything that takes posts down, wired as the daemon wires it, and driven by hand: no loop runs."""

from __future__ import annotations

import dataclasses
import http.client
import json
import time
from typing import TYPE_CHECKING, Any

from guardian.config.tables import Evidence
from guardian.daemon.emergencies import emergencies
from guardian.daemon.metrics import Metrics
from guardian.daemon.takedowns import TakedownAnswers
from guardian.duties.shelf import Shelf
from guardian.duties.takedown import Wish
from guardian.evidence import Seal
from guardian.evidence import verify as verifying
from guardian.gate.accounts import makers
from guardian.model import Capture, Decision, Part, State
from guardian.rules.takedown import OPEN
from guardian.store import bundles, posts, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from guardian.adapter import Budget, Maker
    from guardian.evidence.verify import Finding
    from guardian.model import Entry, Media, Post, Takedown, Target
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

WITHIN = 20.0
STATUSES = "/api/v1/statuses/"
WHO = "the night shift"
READING = {"method": "GET", "times": None}


class Urgent:
    """Close it. `within` is how long, in ms, the proof may keep an act waiting."""

    def __init__(
        self,
        scene: Scene,
        platform: RehearsalPlatform | None,
        *,
        within: int = 2_000,
        budget: Budget | None = None,
        found: Mapping[str, Maker] | None = None,
    ) -> None:
        self.scene = scene
        if platform is not None:
            self.platform = platform
        self.clock = scene.clock
        self.database = scene.database
        evidence = Evidence.model_validate({"within": f"{within}ms", "render": False})
        scene.in_force.swap(dataclasses.replace(scene.in_force.settings, evidence=evidence), at=0)
        self.shelf = Shelf(state_dir=scene.in_force.settings.state_dir, database=self.database, clock=self.clock)
        self.shelf.open()
        found = dict(found or {"mastodon": makers()["mastodon"]})
        if budget is not None:
            maker = found["mastodon"]
            abilities = dataclasses.replace(maker.abilities, budget=budget)
            found["mastodon"] = dataclasses.replace(maker, abilities=abilities)
        self.makers = found
        self.start()

    def start(self) -> None:
        """The next life of what takes posts down."""
        self.parts = emergencies(
            books=self.scene.books, makers=self.makers, shelf=self.shelf, spool=self.scene.spool, metrics=Metrics()
        )
        self.takedowns = self.parts.takedowns
        self.undoing = self.parts.undoing
        _, looks = self.parts.loops
        self.looking: Any = looks.polled
        self.answers = TakedownAnswers(takedowns=self.takedowns, undoing=self.undoing, in_force=self.scene.in_force)

    def close(self) -> None:
        """Nothing of it runs any more."""
        self.parts.close(WITHIN)

    def publish(self, *texts: str, media: tuple[Media, ...] = (), account: int = 0) -> Post:
        """A post, or a thread, that is live; the first part shows the files."""
        parts = [Part(text=text, media=media if nr == 0 else ()) for nr, text in enumerate(texts or ("a bad joke",))]
        post = self.scene.enter_parts(*parts, account=self.scene.accounts[account].name)
        lane = self.scene.lane(account=self.scene.accounts[account])
        self.scene.poll_until(lane, lambda: self.scene.post(post).state is State.PUBLISHED)
        return self.scene.post(post)

    def order(self, *refs: str, decision: str = "delete", capture: str = "best-effort", **more: Any) -> Takedown:  # noqa: ANN401 (the fields of a Wish)
        """An order, written down; nothing is done yet."""
        wish = Wish(refs=refs, decision=Decision(decision), capture=Capture(capture), reason="a bad joke", **more)
        return self.takedowns.order(wish, who=WHO)[0]

    def once(self) -> int | None:
        """What the loop does when it is woken: threads for all that is due, until they have ended."""
        following = self.takedowns.poll(self.clock())
        for thread in list(self.takedowns._at_work.values()):
            thread.join(WITHIN)
            assert not thread.is_alive(), "a takedown's thread does not end"
        return following

    def settle(self, order: Takedown, *, longest: float = 7_200) -> list[Target]:
        """Everything until the order is over; what has to wait waits by the scene's clock. `longest` in seconds."""
        until = self.clock() + round(1000 * longest)
        for _ in range(2_000):
            following = self.once()
            found = self.targets(order)
            if all(one.state not in OPEN for one in found):
                return found
            if following is not None and following > self.clock():
                assert following <= until, f"it waits on and on: {found}"
                self.clock.off += following - self.clock()
        raise AssertionError(f"it did not come to its end: {self.targets(order)}")

    def take_down(self, *refs: str, **more: Any) -> list[Target]:  # noqa: ANN401 (as for `order`)
        """Order it, and carry it out."""
        return self.settle(self.order(*refs, **more))

    def targets(self, order: Takedown) -> list[Target]:
        with self.database.reading() as tx:
            return takedowns.targets(tx, order.id)

    def document(self, order: Takedown) -> Any:  # noqa: ANN401 (a JSON document)
        """What the control socket tells of it."""
        return self.answers.one(order.id, 0)

    def asked(self, method: str, *, after: int = 0) -> list[Request]:
        """The requests about posts that reached the platform."""
        return [one for one in self.platform.log(after) if one["method"] == method and _about_a_post(one)]

    def deleted(self) -> list[str]:
        """Which posts the platform was asked to delete, in order."""
        return [id_in(one) for one in self.asked("DELETE")]

    def place(self, target: Target) -> Path:
        """Where its bundle is."""
        assert target.evidence is not None
        return self.shelf.place(target.evidence)

    def sealed(self, target: Target, seals: int = 2) -> Path:
        """Its bundle, as soon as it has so many seals; whole, and as the journal knows it."""
        assert target.evidence is not None
        self.scene.wait(lambda: self._seals(target) >= seals, within=WITHIN)
        assert self.wrong(target) == []
        return self.place(target)

    def _seals(self, target: Target) -> int:
        with self.database.reading() as tx:
            return bundles.get(tx, str(target.evidence)).seals

    def wrong(self, target: Target) -> list[Finding]:
        """How the bundle deviates from its seals, and from what the journal says of them."""
        with self.database.reading() as tx:
            known = bundles.seals(tx, str(target.evidence))
        return verifying.verify(self.place(target), sealed=[Seal(n, sha256) for n, sha256 in sorted(known.items())])

    def lines(self, kind: str) -> list[Mapping[str, Any]]:
        """What the journal's lines of a kind say."""
        return [entry.data for entry in self.scene.journal(kind)]

    def entries(self, kind: str) -> list[Entry]:
        return self.scene.journal(kind)

    def parts_of(self, post: Post) -> list[str]:
        """The platform's ids of its parts."""
        now = self.scene.post(post)
        with self.database.reading() as tx:
            return [platform_id for platform_id, _ in posts.live_parts(tx, now)]

    def remove_by_hand(self, post: Post) -> None:
        """Somebody takes a post down in the platform's own application."""
        account = next(one for one in self.scene.accounts if one.name == post.account)
        for platform_id in self.parts_of(post):
            self.by_hand("DELETE", f"{STATUSES}{platform_id}", account.secrets["token"].reveal())

    def by_hand(self, method: str, path: str, token: str, body: object = None) -> Any:  # noqa: ANN401 (a JSON document)
        """A request of the platform's own application."""
        connection = _Outside(self.platform.url.partition("://")[2], timeout=10)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def wait(self, done: Callable[[], bool]) -> None:
        self.scene.wait(done, within=WITHIN)


class _Outside(http.client.HTTPConnection):
    """A connection that is nobody's of the house: the tripwire lets it pass, because it never leaves this host."""

    never_leaves_this_host = True


def _about_a_post(one: Request) -> bool:
    return str(one["path"]).startswith(STATUSES)


def id_in(one: Request) -> str:
    """Which post a request is about."""
    return str(one["path"]).removeprefix(STATUSES).partition("?")[0].partition("/")[0]


def began_before(seals: Path, first_byte: int) -> bool:
    """Whether a file was there, by the time of the kernel, when a request's first byte arrived (monotonic, ns)."""
    offset = time.time_ns() - time.monotonic_ns()
    return seals.stat().st_mtime_ns < first_byte + offset
