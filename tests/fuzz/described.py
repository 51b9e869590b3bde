"""schemathesis over the real control socket: what our own /openapi.json promises, asked for in every way it allows."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from requests.adapters import HTTPAdapter
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from tests.fuzz.wire import ANSWER_WITHIN, DOUBTS, judge_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemathesis.core.transport import Response

BASE = "http://guardian"
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    allow_header_conformance,
]
EVERY = list(HealthCheck)
TOO_LARGE = 413
REAL = {"account": "north-a", "at": "2099-01-01T00:00:00Z", "zone": "UTC", "visibility": "public"}


class _Connection(HTTPConnection):
    never_leaves_this_host = True  # read by the gate's tripwire

    path = ""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_WITHIN)
        self.sock.connect(self.path)


class _Pool(HTTPConnectionPool):
    def __init__(self, path: str) -> None:
        super().__init__("guardian", timeout=ANSWER_WITHIN)
        self.ConnectionCls = type("Connection", (_Connection,), {"path": path})


class SocketAdapter(HTTPAdapter):
    """Requests that go to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._pool = _Pool(path)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:  # noqa: ANN401 (requests' own)
        """Always the one socket."""
        return self._pool

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()
        super().close()


def session_to(path: str) -> requests.Session:
    """A session whose every request goes to this socket."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Connection"] = "close"
    session.mount(BASE, SocketAdapter(path))
    return session


class Described:
    """The API as it describes itself; `errors`, `asked` and `slowest` are counted."""

    def __init__(self, path: str, ids: Sequence[str] = ()) -> None:
        self.ids = ids
        self.session = session_to(path)
        document = self.session.get(f"{BASE}/openapi.json", timeout=ANSWER_WITHIN).json()
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.config.update(base_url=BASE)
        self.asked = self.errors = 0
        self.slowest = 0.0

    def operations(self) -> Mapping[str, Any]:
        """Every route by its name."""
        found = (result.ok() for result in self.schema.get_all_operations() if isinstance(result, Ok))
        return {operation.label: operation for operation in found}

    def ask_all(self, name: str, mode: GenerationMode, *, examples: int, number: int) -> None:
        """So many requests to one route, each answer judged."""

        @seed(number)
        @settings(
            max_examples=examples, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=EVERY,
            verbosity=Verbosity.quiet,
        )  # fmt: skip
        @given(self.operations()[name].as_strategy(generation_mode=mode))
        def asks(case: Any) -> None:  # noqa: ANN401 (schemathesis's own)
            if mode is GenerationMode.POSITIVE and self.asked % 2:
                self._make_real(case)
            self.judge(case)

        with contextlib.suppress(Unsatisfiable):  # a route that takes nothing cannot be asked wrongly
            asks()

    def judge(self, case: Any) -> None:  # noqa: ANN401 (schemathesis's own)
        """One request, and its answer against the document and the contract."""
        began = time.monotonic()
        response: Response = case.call(base_url=BASE, session=self.session, timeout=ANSWER_WITHIN)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.asked += 1
        self.errors += response.status_code >= 400
        self.judge_answer(case, response)

    def _make_real(self, case: Any) -> None:  # noqa: ANN401 (schemathesis's own)
        """Ids and accounts that are there, so that more is asked than whether they are."""
        if self.ids and "post_id" in (case.path_parameters or {}):
            case.path_parameters["post_id"] = self.ids[self.asked % len(self.ids)]
        if isinstance(case.body, dict):
            case.body.update({key: value for key, value in REAL.items() if key in case.body})

    def judge_answer(self, case: Any, response: Response, *, refusing: bool = True) -> None:  # noqa: ANN401 (schemathesis's own)
        """What the document promises, and that no server error is one of our own."""
        sent = response.request.body or b""
        blank = not (sent if isinstance(sent, bytes) else sent.encode()).strip()  # means {}, as documented
        refused = [] if not refusing or blank or response.status_code == TOO_LARGE else [negative_data_rejection]
        server = [] if response.status_code in DOUBTS else [not_a_server_error]
        checks = [*CHECKS, *refused, *server]
        case.validate_response(response, checks=checks)
        judge_text(response.status_code, response.content)

    def run_stories(self, *, examples: int, number: int) -> None:
        """So many stories of up to ten requests each."""
        wanted = settings(
            max_examples=examples, stateful_step_count=10, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=EVERY, verbosity=Verbosity.quiet,
        )  # fmt: skip
        machine = seed(number)(self.machine())
        with contextlib.suppress(FlakyStrategyDefinition):  # what is drawn next depends on what the daemon answered
            run_state_machine_as_test(machine, settings=wanted)

    def machine(self) -> type[Any]:
        """Posts that are entered, looked at, moved, cancelled and released, by the links of the document."""
        described = self

        made: Any = self.schema.as_state_machine()

        class Machine(made):  # type: ignore[misc]  # made by schemathesis
            def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 (schemathesis's own)
                return {"session": described.session, "timeout": ANSWER_WITHIN}

            def before_call(self, case: Any) -> None:  # noqa: ANN401 (schemathesis's own)
                if isinstance(case.body, dict):
                    case.body.update({key: value for key, value in REAL.items() if key in case.body})

            def validate_response(self, response: Response, case: Any, **_: Any) -> None:  # noqa: ANN401
                described.asked += 1
                described.errors += response.status_code >= 400
                described.judge_answer(case, response, refusing=False)

        return Machine
