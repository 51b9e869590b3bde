"""A platform to rehearse on, and clients that know nothing of the guardian."""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest
from mastodon import Mastodon

from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.rehearsal.log import Entry


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON is what it is
        return json.loads(self.body)


@dataclass
class Plain:
    """A client of bare sockets: one connection per request unless `keep` is asked for."""

    platform: RehearsalPlatform
    _sockets: list[socket.socket] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Reply:
        place = urlsplit(self.platform.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def post(self, text: str, *, account: str = "acme", key: str | None = None) -> Reply:
        keyed = {} if key is None else {"Idempotency_Key": key}
        form = {"Content_Type": "application/x-www-form-urlencoded", **keyed}
        return self.ask("POST", "/api/v1/statuses", urlencode({"status": text}), **self.as_account(account), **form)

    def as_account(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.platform.token(name)}"}

    def connect(self) -> socket.socket:
        place = urlsplit(self.platform.url)
        connection = socket.create_connection((place.hostname, place.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets.append(connection)
        return connection

    def last(self, fits: Callable[[Entry], bool] = lambda _entry: True) -> Entry:
        """The latest log entry, once it fits: the platform's own thread may still be writing it."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if (entries := self.platform.log()) and fits(entries[-1]):
                return entries[-1]
            time.sleep(0.005)
        raise AssertionError(f"no such entry came: {self.platform.log()}")

    def close(self) -> None:
        for connection in self._sockets:
            connection.close()


@pytest.fixture
def platform() -> Iterator[RehearsalPlatform]:
    with RehearsalPlatform() as running:
        yield running


@pytest.fixture
def client_of() -> Iterator[Callable[[RehearsalPlatform], Plain]]:
    clients: list[Plain] = []

    def of(platform: RehearsalPlatform) -> Plain:
        clients.append(Plain(platform))
        return clients[-1]

    yield of
    for client in clients:
        client.close()


@pytest.fixture
def plain(platform: RehearsalPlatform, client_of: Callable[[RehearsalPlatform], Plain]) -> Plain:
    return client_of(platform)


@pytest.fixture
def login(platform: RehearsalPlatform) -> Iterator[Callable[[str], Mastodon]]:
    clients: list[Mastodon] = []

    def of(name: str) -> Mastodon:
        client = Mastodon(
            access_token=platform.token(name),
            api_base_url=platform.url,
            ratelimit_method="throw",
            request_timeout=10,
        )
        clients.append(client)
        return client

    yield of
    for client in clients:
        client.session.close()


@pytest.fixture
def acme(login: Callable[[str], Mastodon]) -> Mastodon:
    return login("acme")
