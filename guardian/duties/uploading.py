"""Handing a part's pictures to the platform before the part is sent. Called by the account's lane thread only.

An upload publishes nothing: it passes the fence like a look, holds no lock, and may be made again. One upload a turn:
then the post goes back into the queue and through the claim once more, where freezes, holds, time and people have their
say. So nobody waits with a claimed post for a platform that works on a film for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.adapter import Kind, Readiness
from guardian.errors import GuardianError, Mistake, TokenRefused
from guardian.failpoint import failpoint
from guardian.fence import passage
from guardian.gate.intents import Intent, declare
from guardian.gate.verdicts import Accepted, NotSent, Rejected, Shut, Stopped, Throttled, verdict_of_upload
from guardian.model import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from guardian.adapter import Adapter
    from guardian.fence.house import House
    from guardian.gate.verdicts import Verdict
    from guardian.model import Account, Media, Post

    class Spool(Protocol):
        """Where the files lie."""

        def read(self, sha256: str) -> bytes:
            """One file, its hash checked again. Raises GuardianError when it is not there, or not what it was."""
            ...


UNAUTHORISED = 401
LOOK_AGAIN = 1_000
LOOK_LATER = 5_000
IMPATIENT = 30_000
LONGEST_PROCESSING = 30 * 60_000
GOOD_FOR = 60 * 60_000  # platforms throw away what no post shows after a day


@dataclass(frozen=True, slots=True)
class Handed:
    """Everything is on the platform and fit to be shown; its ids there, in order."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Underway:
    """One file more is there, or the platform works on it: look again after so many ms."""

    why: str
    after: int


@dataclass(frozen=True, slots=True)
class Barred:
    """The fence said no."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """The platform could not be reached or said not now; try again `after` seconds (None: as we like)."""

    why: str
    after: float | None
    token_refused: bool = False
    shut: str = ""  # why the platform takes nothing from this account until a person has acted


@dataclass(frozen=True, slots=True)
class Unfit:
    """It will never be shown like this: a person has to look."""

    problem: Problem


NotHanded = Underway | Barred | Later | Unfit


@dataclass(slots=True)
class _Given:
    """What of one part is on the platform."""

    since: int
    ids: list[str] = field(default_factory=list)
    ready: int = 0  # how many of them, from the first
    looking_since: int = 0


class Uploading:
    """What one account has handed over. In memory: after a crash the platform forgets it as we do."""

    def __init__(
        self, *, account: Account, adapter: Adapter, spool: Spool, house: House, clock: Callable[[], int]
    ) -> None:
        self.account = account
        self.adapter = adapter
        self.spool = spool
        self.house = house
        self.clock = clock
        self._given: dict[tuple[str, int], _Given] = {}

    def hand_over(self, post: Post) -> Handed | NotHanded:
        """One step towards having every picture of the part that is due on the platform."""
        media = post.due_part.media
        if not media:
            return Handed(())
        now = self.clock()
        self._given = {place: one for place, one in self._given.items() if 0 <= now - one.since <= GOOD_FOR}
        given = self._given.setdefault((post.id, post.live), _Given(now))
        if given.ready < len(given.ids):
            return self._look(given, len(media), now)
        if len(given.ids) < len(media):
            return self._upload(media[len(given.ids)], given)
        return Handed(tuple(given.ids))

    def forget(self, post: Post) -> None:
        """The part is settled; should it ever go out again, then with new uploads."""
        self._given.pop((post.id, post.live), None)

    def _upload(self, media: Media, given: _Given) -> NotHanded:
        try:
            data = self.spool.read(media.sha256)
        except GuardianError as error:
            return Unfit(Problem(field="media", message=str(error)))
        try:
            ticket = passage.look(self.house, self.account.scopes)
        except passage.Stopped as stopped:
            return Barred(str(stopped))
        failpoint("lane.uploading")
        upload, said, unfit = None, "", ""
        with declare(Intent(Kind.UPLOAD, self.account.name, ticket)) as receipt:
            try:
                upload = self.adapter.upload(data, media)
            except Mistake as mistake:
                unfit = str(mistake)
            except Exception as error:  # noqa: BLE001 (libraries disguise; the receipt decides)
                said = type(error).__name__
        failpoint("lane.uploaded")
        if unfit and receipt.uploading is None:
            return Unfit(Problem(field="media", message=f"{media.sha256[:12]}: {unfit}"))
        found = verdict_of_upload(receipt)
        if isinstance(found, Accepted) and upload is not None:
            given.ids.append(upload)
            given.looking_since = self.clock()
            return Underway(f"{len(given.ids)} of its pictures handed over", 0)
        return _not_taken(found, media, said)

    def _look(self, given: _Given, of: int, now: int) -> NotHanded:
        """Whether the file that was handed over last can be shown by now."""
        try:
            found = self.adapter.ready(given.ids[given.ready])
        except Exception as error:  # noqa: BLE001 (whatever it is, it says nothing about the file)
            return Later(f"cannot ask for a picture, because {type(error).__name__}: {error}", None)
        waited = max(now - given.looking_since, 0)
        if found is Readiness.READY:
            given.ready += 1
            return Underway(f"{given.ready} of its {of} pictures are ready", 0)
        if found is Readiness.FAILED or waited > LONGEST_PROCESSING:
            why = "could not" if found is Readiness.FAILED else "has not come to an end in half an hour to"
            given.ids.pop()  # so that a person who tries again hands it over again
            return Unfit(Problem(field="media", message=f"the platform {why} process file {given.ready + 1}"))
        return Underway("the platform works on its pictures", LOOK_AGAIN if waited < IMPATIENT else LOOK_LATER)


def _not_taken(found: Verdict, media: Media, said: str) -> NotHanded:
    """Nothing was published, whatever became of the file."""
    if isinstance(found, Stopped):
        return Barred(found.why)
    if isinstance(found, Shut):
        return Later(found.why, None, shut=found.why)
    if isinstance(found, Rejected) and found.status != UNAUTHORISED:
        return Unfit(Problem(field="media", message=f"{media.sha256[:12]}: {found.why}"))
    why = f"a picture could not be handed over: {getattr(found, 'why', '') or said}"
    after = found.after if isinstance(found, Throttled) else None
    no_login = isinstance(found, NotSent) and said == TokenRefused.__name__  # it had to log in first
    return Later(why, after, token_refused=no_login or isinstance(found, Rejected))
