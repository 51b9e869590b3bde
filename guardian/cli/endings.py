"""How a command ends: every error in words on stderr, in the contract's form with `--json`, and as an exit code."""

import os
import traceback

import typer
from typer.exceptions import TyperException

from guardian.cli import render
from guardian.errors import GuardianError, Mistake, NotAllowed, Refusal, Unfound
from guardian.fence.house import Denied, FenceError

DONE, FAILED, WRONG_USE, NOT_ALLOWED, TAKEDOWN_INCOMPLETE = 0, 1, 2, 13, 14
INTERRUPTED = 130
NOBODY_LISTENS = 141


def end_with(error: Exception, *, as_json: bool) -> int:
    """Say what went wrong, and return the exit code."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    named = in_words(error)
    if os.environ.get("GUARDIAN_DEBUG"):
        traceback.print_exception(error)
    render.tell(str(named))
    if as_json:
        render.document({"error": as_document(named)})
    return code_of(named)


def in_words(error: Exception) -> GuardianError:
    """Any error as one of ours, which says why and what to do."""
    if isinstance(error, GuardianError):
        return error
    if isinstance(error, TyperException):
        return _wrong_use(error)
    if isinstance(error, FenceError):
        return NotAllowed(str(error)) if isinstance(error, Denied) else GuardianError(str(error))
    if isinstance(error, PermissionError):
        place = error.filename or "that"
        return NotAllowed(f"cannot use {place}, because you may not", fix="ask one who may, or use sudo")
    if isinstance(error, OSError):
        place = error.filename or "the system"
        why = error.strerror or type(error).__name__
        return GuardianError(f"cannot use {place}, because of this: {why}", fix="mend that, then try again")
    why = render.one_line(f"{type(error).__name__}: {error}")
    return GuardianError(
        f"cannot go on, because of an error of the guardian itself ({why})",
        fix="set GUARDIAN_DEBUG=1, try again and report it",
    )


def as_document(error: GuardianError) -> dict[str, str]:
    """The error in the form that every door gives it."""
    return {"code": error.code, "message": error.message, "fix": error.fix}


def of_document(found: dict[str, str]) -> GuardianError:
    """What `as_document` made, as an error again: of the family that its code names, as far as exit codes go."""
    family = {NotAllowed.code: NotAllowed, Unfound.code: Unfound, Mistake.code: Mistake}.get(found["code"], Refusal)
    error = family(found["message"], fix=found["fix"])
    error.code = found["code"]
    return error


def code_of(error: GuardianError) -> int:
    """The exit code of the contract."""
    if isinstance(error, NotAllowed):
        return NOT_ALLOWED
    return WRONG_USE if isinstance(error, Mistake) else FAILED


def _wrong_use(error: TyperException) -> GuardianError:
    """What Typer says about the command line, in our words."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "guardian"
    why = error.format_message().strip().rstrip(".").replace("\n", " ")
    return Mistake(
        f"cannot understand the command line, because of this: {why[:1].lower()}{why[1:]}",
        fix=f"look at: {command} --help",
    )
