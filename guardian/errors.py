"""One tree of errors. The docstring of a class is its default message; every message reads *cannot …, because …, do …*.

Three families tell whose move it is: `Mistake` (the operator's; nothing happened), `Refusal` (the guardian's or the
platform's no; nothing happened) and `Doubt` (it may have happened). Exit codes and HTTP answers follow the families.
"""

from __future__ import annotations


class GuardianError(Exception):
    """cannot go on, because of an error that has no better name, do look into the log"""

    code = "error"

    def __init__(self, message: str | None = None, *, fix: str = "") -> None:
        self.message = message or (self.__doc__ or "").strip()
        self.fix = fix
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}, do {self.fix}" if self.fix else self.message


class Mistake(GuardianError):
    """cannot do that, because the input is wrong, do correct it"""

    code = "bad_input"


class ConfigMistake(Mistake):
    """cannot use the configuration, because it is wrong, do run `guardian config check`"""

    code = "bad_config"


class Unfound(Mistake):
    """cannot find it, because nothing here has that name, do run `guardian queue list`"""

    code = "not_found"


class TooLarge(Mistake):
    """cannot take it in, because it is too large, do make it smaller"""

    code = "too_large"


class Refusal(GuardianError):
    """cannot do that, because it is refused"""

    code = "refused"


class Illegal(Refusal):
    """cannot do that, because the post is not in a state that allows it"""

    code = "illegal_state"


class NotAllowed(Refusal):
    """cannot do that, because you have no right to it, do ask one who has"""

    code = "not_allowed"


class Taken(Refusal):
    """cannot start, because another guardian already owns this house, do stop that one first"""

    code = "taken"


class Broken(Refusal):
    """cannot open the store, because it is damaged, do restore it from a backup; the file was left as it is"""

    code = "store_broken"


class Garbled(Broken):
    """cannot send a post, because its content is not what was entered: the store is damaged"""


class Rotten(Refusal):
    """cannot use a file, because its content is not what was handed over, do hand the same file over again"""

    code = "media_rotten"


class Newer(Refusal):
    """cannot open the store, because a newer guardian has migrated it, do run that version"""

    code = "store_newer"


class Unwritable(Refusal):
    """cannot write it down, because the disk refuses to be written; nothing was changed"""

    code = "disk_failed"


class DiskFull(Unwritable):
    """cannot write it down, because the disk is full, do make room and try again; nothing was changed"""

    code = "disk_full"


class SpoolFull(Unwritable):
    """cannot keep the file, because the spool is full, do wait until what no post refers to is removed"""

    code = "spool_full"


class Absent(Refusal):
    """cannot reach the daemon, because it does not run, do start it with `guardian run`"""

    code = "daemon_absent"


class PlatformRefusal(Refusal):
    """cannot publish, because the platform said no"""

    code = "platform_refused"


class WrongIdentity(Refusal):
    """cannot publish, because the token belongs to another account than the one configured"""

    code = "wrong_identity"


class TokenRefused(Refusal):
    """cannot publish, because the platform refuses the token, do put a valid one into its file, then reload"""

    code = "token_refused"


class Doubt(GuardianError):
    """cannot say whether it happened, because no answer came, do ask the platform"""

    code = "doubt"


class Busy(Doubt):
    """cannot write to the store, because it is locked by another process, do end that one, then try again"""

    code = "store_busy"
