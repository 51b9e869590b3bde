"""The door: `guardian freeze` goes straight to the fence, `run`, `backup`, `restore` to theirs, all else to the face.

Freeze is dispatched before Typer or anything heavy is imported, because it must work, and at once, on the worst day.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if asked_to_complete():
        from guardian.cli.app import main as face

        return face([])
    before, command, after = split(sys.argv[1:])
    if command == "freeze":
        from guardian.fence.command import main as freeze

        return leave(freeze(before + after))
    if command == "run" and not {"--help", "-h"} & set(after):
        hear_no_hangup()
        from guardian.daemon.program import main as run

        return run(before + after)
    if command in ("backup", "restore") and not {"--help", "-h"} & {*before, *after}:
        from guardian.backup.program import main as program

        return program(command, before + after)
    from guardian.cli.app import main as face

    return face()


def asked_to_complete() -> bool:
    """Whether a shell only asks what could stand where the cursor is: then nothing is done, whatever the words say.

    The first variable alone, forgotten in somebody's environment, must not keep a stop from stopping.
    """
    asks = {"COMP_WORDS", "_TYPER_COMPLETE_ARGS"}  # bash, and all other shells
    return "_GUARDIAN_COMPLETE" in os.environ and bool(asks & os.environ.keys())


def split(words: list[str]) -> tuple[list[str], str, list[str]]:
    """The options before the command, the command, and what follows it."""
    before: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("--"):
        word = rest.pop(0)
        before.append(word)
        if word == "--config" and rest:
            before.append(rest.pop(0))
    return (before, rest[0], rest[1:]) if rest else (before, "", [])


def hear_no_hangup() -> None:
    """SIGHUP asks for a reload, and would end a daemon that still imports: from here on it waits until it is heard."""
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def leave(code: int) -> int:
    """End at once: the stop is done, and nothing that runs at exit may hold up the prompt."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
