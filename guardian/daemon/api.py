"""The API as one table: method, path, the right it needs, the handler. Access is data beside the route.

Errors are `{"error": {"code", "message", "fix"}}` with the status of their family: 422 a mistake, 403 not allowed, 404
not found, 409 illegal in this state, 507 the disk cannot be written, 503 in doubt or with a broken store; a freeze
that is not confirmed answers 504 with the same document.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from guardian import __version__
from guardian.daemon import contract, doctor, evidence, incidents, limits, takedowns
from guardian.daemon.bodies import (
    AnyRecord,
    CancelBody,
    FreezeBody,
    HoldBody,
    HoldOneBody,
    ImportBody,
    NoBody,
    ReleaseBody,
    ReleaseOneBody,
    RescheduleBody,
    RescheduleOneBody,
    Select,
    ThawBody,
    UnholdBody,
)
from guardian.daemon.metrics import CONTENT_TYPE
from guardian.daemon.peers import Peer, Right
from guardian.daemon.routes import LONGEST_ID, Route, peer
from guardian.daemon.streams import Streams
from guardian.errors import Broken, Doubt, GuardianError, Mistake, NotAllowed, Refusal, TooLarge, Unfound, Unwritable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from guardian.daemon.answers import Answers

log = structlog.get_logger()
UNREADABLE = 400
FREEZE = "/v1/freeze"
Seq = Annotated[int, Query(ge=0, lt=1 << 63)]
Short = Annotated[str | None, Query(max_length=100)]
STATUS: tuple[tuple[type[GuardianError], int], ...] = (
    (Unfound, 404),
    (TooLarge, 413),
    (Mistake, 422),
    (NotAllowed, 403),
    (Broken, 503),
    (Unwritable, 507),
    (Refusal, 409),
    (Doubt, 503),
)


def table(answers: Answers) -> tuple[Route, ...]:
    """Every route there is."""

    def freeze(body: FreezeBody, who: Peer = Depends(peer)) -> JSONResponse:
        document = answers.freeze(body, who)
        return JSONResponse(document, 200 if document["confirmed"] else 504)

    def thaw(body: ThawBody, who: Peer = Depends(peer)) -> Any:
        return answers.thaw(body, who)

    def add(record: AnyRecord, who: Peer = Depends(peer)) -> Any:
        return answers.add(record, who)

    def take_in(body: ImportBody, who: Peer = Depends(peer)) -> JSONResponse:
        document = answers.take_in(body, who)
        return JSONResponse(document, 422 if document["errors"] else 200)

    def listing(select: Select = Depends(selected), cursor: str | None = None, limit: int = 100) -> Any:
        return answers.posts(select, cursor, limit)

    def post(post_id: str) -> Any:
        return answers.post(post_id)

    def records(select: Select = Depends(selected), cursor: str | None = None, limit: int = 100) -> Any:
        return answers.records(select, cursor, limit)

    def journal(after: Seq = 0, limit: int = 1000) -> Any:
        return Response(answers.journal(after, limit), media_type="application/json")

    def status() -> Any:
        return answers.status()

    def capabilities() -> Any:
        return answers.capabilities.document()

    def metrics() -> Response:
        return Response(answers.scrape(), media_type=CONTENT_TYPE)

    return (
        Route("GET", "/v1/status", Right.READ, status, "The state of everything"),
        Route("POST", FREEZE, Right.FREEZE, freeze, "Stop"),
        Route("POST", "/v1/thaw", Right.OPERATE, thaw, "Lift freezes"),
        Route("GET", "/v1/posts", Right.READ, listing, "A page of the queue"),
        Route("POST", "/v1/posts", Right.OPERATE, add, "Enter one post"),
        Route("POST", "/v1/posts/import", Right.OPERATE, take_in, "Import a file, all or nothing"),
        Route("GET", "/v1/records", Right.READ, records, "A page of the queue as import records"),
        Route("GET", "/v1/posts/{post_id}", Right.READ, post, "One post with its whole story"),
        *decisions(answers),
        *files(answers),
        *evidence.routes(answers),
        *incidents.routes(answers),
        *takedowns.routes(answers.takedowns),
        Route("GET", "/v1/journal", Right.READ, journal, "A page of the journal"),
        Route("GET", "/v1/capabilities", Right.READ, capabilities, "What can be done on each account's platform"),
        *scheduled_there(answers),
        *doctor.routes(answers),
        Route("GET", "/metrics", Right.READ, metrics, "What Prometheus asks for", answer=PlainTextResponse),
    )


def scheduled_there(answers: Answers) -> tuple[Route, ...]:
    """What the platforms would publish by themselves, which no freeze reaches."""

    def natives(incident: Short = None) -> Any:
        return answers.natives(incident)

    def restore_native(native_id: str, body: NoBody, who: Peer = Depends(peer)) -> Any:  # noqa: ARG001 (a body is refused)
        return answers.restore_native(named(native_id), who)

    return (
        Route("GET", "/v1/natives", Right.READ, natives, "What the platforms themselves would publish"),
        Route("POST", "/v1/natives/{native_id}/restore", Right.OPERATE, restore_native, "Take a deferral back"),
    )


def decisions(answers: Answers) -> tuple[Route, ...]:
    """What people may do with posts that are there: with many in one transaction, or with one."""

    def hold(body: HoldBody, who: Peer = Depends(peer)) -> Any:
        return answers.hold(body, who)

    def unhold(body: UnholdBody, who: Peer = Depends(peer)) -> Any:
        return answers.unhold(body, who)

    def release(body: ReleaseBody, who: Peer = Depends(peer)) -> Any:
        return answers.release(body, who)

    def reschedule_many(body: RescheduleBody, who: Peer = Depends(peer)) -> Any:
        return answers.reschedule(body, who)

    def cancel_many(body: CancelBody, who: Peer = Depends(peer)) -> Any:
        return answers.cancel(body, who)

    def hold_one(post_id: str, body: HoldOneBody, who: Peer = Depends(peer)) -> Any:
        return answers.hold(HoldBody(ids=[named(post_id)], reason=body.reason), who)

    def unhold_one(post_id: str, body: NoBody, who: Peer = Depends(peer)) -> Any:  # noqa: ARG001 (a body is refused)
        return answers.unhold(UnholdBody(ids=[named(post_id)]), who)

    def release_one(post_id: str, body: ReleaseOneBody, who: Peer = Depends(peer)) -> Any:
        return answers.release(ReleaseBody(ids=[named(post_id)], gap=body.gap), who)

    def reschedule(post_id: str, body: RescheduleOneBody, who: Peer = Depends(peer)) -> Any:
        return answers.reschedule_one(post_id, body, who)

    def cancel(post_id: str, body: NoBody, who: Peer = Depends(peer)) -> Any:  # noqa: ARG001 (a body is refused)
        return answers.cancel_one(post_id, who)

    return (
        Route("POST", "/v1/posts/hold", Right.OPERATE, hold, "Keep posts back, or a tag"),
        Route("POST", "/v1/posts/unhold", Right.OPERATE, unhold, "Let posts go again, or a tag"),
        Route("POST", "/v1/posts/release", Right.OPERATE, release, "Send missed posts after all"),
        Route("POST", "/v1/posts/reschedule", Right.OPERATE, reschedule_many, "Give posts a new time, all or none"),
        Route("POST", "/v1/posts/cancel", Right.OPERATE, cancel_many, "Never send them"),
        Route("POST", "/v1/posts/{post_id}/hold", Right.OPERATE, hold_one, "Keep this post back"),
        Route("POST", "/v1/posts/{post_id}/unhold", Right.OPERATE, unhold_one, "Let this post go again"),
        Route("POST", "/v1/posts/{post_id}/release", Right.OPERATE, release_one, "Send this missed post after all"),
        Route("POST", "/v1/posts/{post_id}/reschedule", Right.OPERATE, reschedule, "Give it a new time"),
        Route("POST", "/v1/posts/{post_id}/cancel", Right.OPERATE, cancel, "Never send it"),
    )


def named(post_id: str) -> str:
    """The id in a path. Raises Unfound for what is too long to be one."""
    if len(post_id) > LONGEST_ID:
        raise Unfound("cannot find that post, because its id is too long", fix="look it up: guardian queue list")
    return post_id


async def selected(
    account: Short = None,
    brand: Short = None,
    tag: Short = None,
    campaign: Short = None,
    state: Annotated[list[str] | None, Query(max_length=20)] = None,
    after: Short = None,
    before: Short = None,
    *,
    held: bool = False,
) -> Select:
    """The filter of a list, from its query."""
    try:
        return Select(
            account=account, brand=brand, tag=tag, campaign=campaign, states=state or [], after=after, before=before,
            held=held,
        )  # fmt: skip
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


def files(answers: Answers) -> tuple[Route, ...]:
    """The routes of whole files: handed over to be shown or to be imported, and given back."""
    streams = Streams(answers)

    async def upload(request: Request, who: Peer = Depends(peer)) -> Response:
        return await streams.take_in(request, who, answers.handed)

    async def stage(request: Request, who: Peer = Depends(peer)) -> Response:
        return await streams.take_in(request, who, answers.staged)

    def importing(name: str) -> Any:
        return answers.importing(name)

    async def media(sha256: str) -> Response:
        return await streams.give(sha256)

    return (
        Route("POST", "/v1/imports", Right.OPERATE, stage, "Hand over a file to import", streams=True),
        Route("GET", "/v1/imports/{name}", Right.READ, importing, "How far an import is"),
        Route("POST", "/v1/media", Right.OPERATE, upload, "Hand a file over", streams=True),
        Route("GET", "/v1/media/{sha256}", Right.READ, media, "A file that was handed over", streams=True),
    )


def application(answers: Answers, rights: Mapping[Right, Iterable[str]]) -> FastAPI:
    """The table as an ASGI application with its own /openapi.json."""
    app = FastAPI(
        title="Guardian control socket", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    freezers, workers = CapacityLimiter(limits.FREEZERS), CapacityLimiter(limits.WORKERS)
    waiters = CapacityLimiter(limits.WAITERS)
    for route in table(answers):
        threads = (
            freezers if route.path == FREEZE else waiters if route.waits else workers
        )  # a note never takes the place of a stop
        app.add_api_route(
            route.path,
            route.handler if route.streams else _in_thread(route.handler, threads),
            methods=[route.method],
            summary=route.summary,
            description=f"Needs the right `{route.right}`.",
            dependencies=[Depends(_guard(route.right, rights, threads))],
            response_model=None,
            operation_id=route.handler.__name__,
            responses=contract.answers_of(route.method, route.path),
            response_class=Response if route.streams else route.answer,
            openapi_extra=contract.request_of(route.method, route.path),
        )
    app.add_exception_handler(GuardianError, _guardian_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    return app


def _guard(
    right: Right, rights: Mapping[Right, Iterable[str]], threads: CapacityLimiter
) -> Callable[[Request], Awaitable[None]]:
    def check(request: Request, who: Peer) -> None:
        if not who.may(right, rights):
            log.warning("not allowed", right=right, who=who.name, path=request.url.path)
            groups = ", ".join(rights[right]) or "nobody"
            raise NotAllowed(
                f"cannot do that as {who.name}, because it needs the right {right.value!r}", fix=f"ask one of: {groups}"
            )

    async def checked(request: Request) -> None:
        await to_thread.run_sync(check, request, await peer(request), limiter=threads)  # groups may be far to look up

    return checked


def _in_thread(handler: Callable[..., Any], threads: CapacityLimiter) -> Callable[..., Any]:
    """The handler in one of these worker threads, which also writes the answer: the server's own thread never waits."""

    @functools.wraps(handler)
    async def handled(**given: Any) -> Response:
        return await to_thread.run_sync(lambda: _written(handler(**given)), limiter=threads)

    return handled


def _written(document: Any) -> Response:
    return document if isinstance(document, Response) else JSONResponse(document)


def problem(code: str, message: str, fix: str, status: int) -> JSONResponse:
    """An error in the contract's form."""
    return JSONResponse({"error": {"code": code, "message": message, "fix": fix}}, status)


async def _guardian_error(_: Request, error: Exception) -> JSONResponse:
    status = next((status for family, status in STATUS if isinstance(error, family)), 500)
    code = error.code if isinstance(error, GuardianError) else "error"
    fix = error.fix if isinstance(error, GuardianError) else ""
    message = error.message if isinstance(error, GuardianError) else str(error)
    return problem(code, message, fix, status)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    words = "; ".join(f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}" for one in found[:20])
    return problem("bad_input", f"cannot read the request, because of {words}", "look into /openapi.json", 422)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else "error"
    if status == UNREADABLE:
        return problem(
            "bad_input", "cannot read the request, because its body is no JSON", "look into /openapi.json", 422
        )
    return problem("http", f"cannot do that, because of {detail.lower()}", "look into /openapi.json", status)


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected", error=type(error).__name__, exc_info=error)
    return problem("error", "cannot do that, because of an error of the guardian itself", "look into its log", 500)
