"""The client of the control socket: what every command but `freeze` and `run` speaks to the daemon with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlencode

from guardian.errors import Absent, Doubt, GuardianError, Illegal, Mistake, NotAllowed, Unfound, Unwritable
from guardian.fence.reading import daemon_state
from guardian.fence.telling import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from guardian.fence.house import House

WITHIN = 10.0
EXPORT_WITHIN = 4 * 3600.0
MAX_ANSWER = 1 << 30  # a released or imported plan is answered post by post
FAMILIES: dict[int, type[GuardianError]] = {
    403: NotAllowed,
    404: Unfound,
    409: Illegal,
    413: Mistake,
    422: Mistake,
    503: Doubt,
    507: Unwritable,
}


class Client:
    """Asks the daemon of one house. Raises the error that the daemon names; Absent when there is no daemon to ask."""

    def __init__(self, house: House, *, within: float = WITHIN) -> None:
        self.house = house
        self.within = within

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 (a JSON document)
        """A document."""
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path, None)

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 (a JSON document)
        """What came of it."""
        return self._ask("POST", path, body)

    def upload(self, file: str | PathLike[str] | BinaryIO) -> Any:  # noqa: ANN401 (a JSON document)
        """Hand a file over, read with the rights of whoever calls: what it is, and its SHA-256.

        Raises Mistake, with the path in its words, when it cannot be read or is nothing to be published.
        """
        from guardian import handing

        with handing.opened(file) as source:
            if daemon_state(self.house)[0] == "hung":
                raise self._unanswered(TimeoutError())
            with self._reaching():
                status, document, sha256 = handing.send(self.house.socket, source)
            try:
                answer = self._judged(status, document)
            except Mistake as error:
                why = error.message.partition("because ")[2] or error.message
                named = handing.wrong(source.name, why, fix=error.fix or handing.INSTEAD)
                named.code = error.code
                raise named from error
        if answer["sha256"] != sha256:
            raise Doubt(f"cannot say whether {source.name} was handed over, because the daemon has another content")
        return answer

    def stage(self, file: BinaryIO) -> str:
        """Hand over a file to import; the id to import it by. Raises Mistake when it is empty or too large."""
        from guardian import handing

        with handing.opened(file) as source, self._reaching():
            status, document, _ = handing.send(self.house.socket, source, handing.STAGE)
        return str(self._judged(status, document)["import"])

    def fetch(self, sha256: str, into: BinaryIO) -> None:
        """The content of a file of the spool, piece by piece. Raises Unfound, and Doubt when it is not what it says."""
        from guardian import handing

        with self._reaching():
            status, document, found = handing.fetch(self.house.socket, sha256, into)
        self._judged(status, document)
        if found != sha256:
            raise Doubt(f"cannot fetch the file {sha256}, because what came is another content", fix="try again")

    def export(self, name: str, into: BinaryIO, *, form: str, others: bool = False) -> str:
        """A copy of a bundle of evidence, piece by piece; its SHA-256. Raises Unfound, NotAllowed."""
        from guardian import handing

        query = urlencode({"form": form, "others": "true" if others else "false"})
        with self._reaching():
            status, document, sha256 = handing.download(
                self.house.socket, f"/v1/evidence/{name}/export?{query}", into, within=EXPORT_WITHIN
            )
        self._judged(status, document)
        return sha256

    def _ask(self, method: str, target: str, body: object) -> Any:  # noqa: ANN401 (a JSON document)
        with self._reaching():
            status, document = ask(self.house.socket, method, target, body, within=self.within, most=MAX_ANSWER)
        return self._judged(status, document)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """What it means when the socket cannot be opened, or does not answer."""
        try:
            yield
        except PermissionError as error:
            raise NotAllowed(
                f"cannot open {self.house.socket}, because you may not",
                fix="ask to be put into the group of the socket",
            ) from error
        except OSError as error:
            raise self._unanswered(error) from error

    @staticmethod
    def _judged(status: int, document: Any) -> Any:  # noqa: ANN401 (a JSON document)
        """The document, unless it is an error."""
        named = document.get("error") if isinstance(document, dict) else None
        if isinstance(named, dict):
            family = FAMILIES.get(status, GuardianError)
            refusal = family(str(named.get("message")), fix=str(named.get("fix") or ""))
            refusal.code = str(named.get("code") or family.code)
            raise refusal
        return document

    def _unanswered(self, error: OSError) -> GuardianError:
        """Why there is no answer: nobody there, somebody who cannot answer, or one who did not in time."""
        state, pid = daemon_state(self.house)
        if state == "absent":
            return Absent(
                f"cannot reach the daemon of {self.house.state_dir}, because it does not run",
                fix="start it: guardian run",
            )
        if state == "hung":
            return Doubt(
                f"cannot reach the daemon, because process {pid} is stopped", fix=f"kill -CONT {pid}, or kill it"
            )
        return Doubt(f"cannot reach the daemon (pid {pid}), because it did not answer: {error}", fix="try again")
