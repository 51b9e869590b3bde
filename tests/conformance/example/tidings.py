"""An adapter for Tidings, a platform that does not exist: what docs/writing-an-adapter.md explains line by line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from guardian.adapter import Abilities, Act, Answer, Certainty, Files, Finding, Kind, Look, Maker, Route, Undoing
from guardian.errors import Doubt, Mistake, Refusal, TokenRefused
from guardian.model import Decision, Identity, Limits, PostRef, Presence, Problem, Seen, Shown
from guardian.unoffered import Unoffered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from requests import Response

    from guardian.adapter import Network
    from guardian.model import Account, Media, Part

ID = r"[0-9]{1,18}"
ROUTES = (  # every request that changes something; what is not here does not leave
    Route(Kind.UPLOAD, "POST", "/files"),
    Route(Kind.PUBLISH, "POST", "/notes"),
    Route(Kind.RETRACT, "DELETE", rf"/notes/(?P<target>{ID})"),
)
ABILITIES = Abilities(
    publishes="Words of 400 letters, for everybody.",
    media=Files(words="One picture.", alt=True),
    threads="Each part stands below the one before it.",
    finds=Finding(certainty=Certainty.LISTED, words="Our own notes are looked through."),
    acts=(Act(decision=Decision.DELETE, name="delete", reversible=False, words="It is gone at once, for good."),),
    unseen=("what people and other tools publish with this account",),
)


class Tidings(Unoffered):
    """One account there. What Tidings does not have (hiding, a queue of its own) is inherited, and says so."""

    def __init__(self, account: Account, network: Network) -> None:
        self._base, self._session = account.base_url.rstrip("/"), network.session
        self._token = {"Authorization": f"Bearer {account.secrets['token'].reveal()}"}

    def whoami(self) -> Identity:
        answer = self._ask("GET", "/me")
        if answer.status_code == 401:
            raise TokenRefused
        me = _of(answer, dict)
        return Identity(id=str(me["id"]), handle=f"@{me['name']}")

    def limits(self) -> Limits:
        return Limits(characters=400)

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        long = len(part.text) > limits.characters
        return [Problem(field="text", message=f"more than {limits.characters} letters")] if long else []

    def upload(self, data: bytes, media: Media) -> str:
        return str(_of(self._ask("POST", "/files", data=data, params={"alt": media.alt or ""}), dict)["id"])

    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:
        said = {"text": part.text, "files": list(uploads), "below": reply_to}
        return _ref(_of(self._ask("POST", "/notes", json=said), dict))

    def find(
        self, part: Part, *, since: int, known: frozenset[str], reply_to: str | None = None, key: str = ""
    ) -> PostRef | None:
        same = (n for n in self._own(since - 300_000) if n["text"] == part.text and n["below"] == reply_to)
        return next((_ref(note) for note in same if note["id"] not in known), None)

    def recent(self, *, since: int) -> Sequence[Seen]:
        return [Seen(ref=_ref(note), at=note["at"], text=note["text"]) for note in self._own(since)]

    def _own(self, since: int) -> list[dict[str, Any]]:
        notes = _of(self._ask("GET", "/notes", params={"since": str(since)}), list)
        return sorted(notes, key=lambda note: -note["at"])

    def resolve(self, url: str) -> PostRef | None:
        found = re.fullmatch(rf"{re.escape(self._base)}/notes/({ID})", url)
        return PostRef(id=found[1], url=url) if found else None

    def looks(self, ref: PostRef) -> Sequence[Look]:
        return (Look(name="status", url=f"{self._base}/notes/{_safe(ref)}"),)

    def fetch(self, look: Look) -> Answer:
        answer = self._ask("GET", look.url.removeprefix(self._base) if look.url.startswith(self._base) else look.url)
        return Answer(status=answer.status_code, body=answer.content)

    def author(self, status: bytes) -> str | None:
        by = _said(status).get("by")
        return by if isinstance(by, str) else None

    def files(self, status: bytes) -> Sequence[Shown]:
        return [Shown(url=f["url"], type="image/png", alt=f["alt"]) for f in _said(status).get("files", ())]

    def presence(self, ref: PostRef) -> Presence:
        try:
            answer = self.fetch(self.looks(ref)[0])
        except Exception:  # no answer, whatever the reason
            return Presence.UNKNOWN
        said = _said(answer.body)
        if answer.status == 200 and said.get("id") == ref.id:
            return Presence.THERE
        return Presence.GONE if answer.status == 404 and said == {"error": "no such note"} else Presence.UNKNOWN

    def prepare(self, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        if decision is Decision.HIDE:
            raise Refusal("cannot hide it, because Tidings has no such thing", fix="delete it, or keep it")
        return Undoing()

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        if decision is not Decision.DELETE:
            raise Refusal("cannot do that, because Tidings can only delete")
        self._ask("DELETE", f"/notes/{_safe(ref)}")

    def _ask(self, method: str, path: str, **said: Any) -> Response:
        url = f"{self._base}{path}" if path.startswith("/") else path
        return self._session.request(method, url, headers=self._token, allow_redirects=False, **said)


def _of(answer: Response, kind: type) -> Any:
    found = _said(answer.content, kind) if answer.ok else None
    if not found and found != []:
        raise Doubt(f"cannot tell, because Tidings answered {answer.status_code}")
    return found


def _said(body: bytes, kind: type = dict) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, kind) else kind() if kind is dict else None


def _ref(note: dict[str, Any]) -> PostRef:
    return PostRef(id=note["id"], url=note["url"])


def _safe(ref: PostRef) -> str:
    if not re.fullmatch(ID, ref.id):
        raise Mistake("cannot ask for that note, because its id is none that Tidings gives")
    return ref.id


MAKER = Maker(connect=Tidings, routes=ROUTES, secrets=("token",), abilities=ABILITIES)
