"""Faults on demand: rules that say which request is to go wrong and how; any thread may call the list."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, fields

KINDS = frozenset({
    "delay", "delay_before", "stall", "trickle", "lose", "lose_before", "reset_early", "status", "status_after", "429",
    "no_idempotency", "deaf", "rubbish", "login", "redirect", "processing", "processing_fails", "lingers",
    "media_lingers", "trickle_body", "stall_body", "cut",
})  # fmt: skip
OF_MEDIA = frozenset({"processing", "processing_fails"})  # for `seconds`, or until the platform is told
OF_DELETION = frozenset({"lingers", "media_lingers"})  # for so many `reads`, or for ever
_LONGEST = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault: what goes wrong, with which requests, and how often. `times` None is for ever; `method` "*" is any."""

    kind: str
    times: int | None = 1
    skip: int = 0
    method: str = "POST"
    path: str = "/api/v1/statuses"
    account: str | None = None
    seconds: float | None = None
    status: int | None = None
    retry_after: int | None = None
    location: str | None = None
    reads: int | None = None

    @classmethod
    def of(cls, options: object) -> Rule:
        """The rule that a JSON object describes; ValueError says what is wrong with it."""
        if not isinstance(options, dict):
            raise ValueError("cannot make a fault, because a rule is an object")  # noqa: TRY004  # as any bad rule is
        unknown = sorted(set(options) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"cannot make a fault, because a rule has no {', '.join(map(str, unknown))}")
        if options.get("kind") in OF_MEDIA:
            options = {"path": "/api/v2/media", **options}
        if options.get("kind") in OF_DELETION:
            options = {"method": "DELETE", "path": "/api/v1/statuses/[^/]+", **options}
        return cls(**options)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"cannot make a fault, because no kind is called {self.kind!r}")
        _need(self.times is None or (type(self.times) is int and self.times > 0), "times")
        _need(type(self.skip) is int and self.skip >= 0, "skip")
        _need(isinstance(self.method, str) and isinstance(self.path, str), "method and path")
        _need(self.account is None or isinstance(self.account, str), "account")
        _need(
            self.seconds is None or (isinstance(self.seconds, int | float) and 0 <= self.seconds <= _LONGEST), "seconds"
        )
        _need(self.status is None or self.status in range(200, 600), "status")
        _need(self.retry_after is None or (type(self.retry_after) is int and self.retry_after >= 0), "retry_after")
        _need(self.location is None or (isinstance(self.location, str) and self.location.isprintable()), "location")
        _need(self.reads is None or (type(self.reads) is int and self.reads > 0), "reads")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"cannot make a fault, because its path is no regular expression: {error}") from error

    def matches(self, method: str, path: str, account: str | None) -> bool:
        """Whether this request is meant; the path is the whole path without its query."""
        return (
            self.method in ("*", method)
            and self.account in (None, account)
            and re.fullmatch(self.path, path) is not None
        )


def _need(fine: object, name: str) -> None:
    if not fine:
        raise ValueError(f"cannot make a fault, because its {name} makes no sense")


class _Armed:
    """A rule and what is left of it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.skip = rule.skip
        self.left = rule.times


class FaultList:
    """The rules in force, oldest first; the first that matches a request takes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def add(self, rule: Rule) -> None:
        """Put a rule in force."""
        with self._lock:
            self._armed.append(_Armed(rule))

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._armed.clear()

    def take(self, method: str, path: str, account: str | None) -> Rule | None:
        """The rule for this request, used once by taking it."""
        with self._lock:
            for armed in self._armed:
                if armed.rule.kind == "deaf" or not armed.rule.matches(method, path, account):
                    continue
                if self._use(armed):
                    return armed.rule
        return None

    def take_deaf(self) -> Rule | None:
        """The rule for this new connection: a deaf platform has not read which request it will be."""
        with self._lock:
            for armed in self._armed:
                if armed.rule.kind == "deaf" and self._use(armed):
                    return armed.rule
        return None

    def any_deaf(self) -> bool:
        """Whether connections yet to come are to find the platform deaf."""
        with self._lock:
            return any(armed.rule.kind == "deaf" for armed in self._armed)

    def _use(self, armed: _Armed) -> bool:
        if armed.skip:
            armed.skip -= 1
            return False
        if armed.left is not None:
            armed.left -= 1
            if armed.left == 0:
                self._armed.remove(armed)
        return True
