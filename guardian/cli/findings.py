"""What the doctor can find: the table of its checks, and a finding. docs/doctor.md is held to the table by a test."""

from collections.abc import Iterable
from dataclasses import dataclass

from guardian.rules.readiness import Verdict, worst

GROUPS = ("accounts", "clock", "disk", "fence", "doors", "daemon", "store", "proof", "practice")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at."""

    name: str
    group: str
    means: str


CHECKS = (
    Check("token", "accounts", "each platform, asked just now, takes our token"),
    Check("identity", "accounts", "and the token belongs to the configured identity"),
    Check("delete", "accounts", "the token may delete: else the night ends with a freeze and a live post"),
    Check("secret", "accounts", "secret files can be read by the service user and nobody else"),
    Check("clock", "clock", "somebody (NTP) keeps this host's clock right, and the daemon does not doubt it"),
    Check("skew", "clock", "it agrees with the platforms' clocks"),
    Check("space", "disk", "there is room in the state and the runtime directory"),
    Check("inodes", "disk", "and for more files"),
    Check("directories", "fence", "the directories have the right owner, and nobody else may write into them"),
    Check("permits", "fence", "each scope has its two permits, as they were written, so that a restart opens it"),
    Check("gates", "fence", "each scope has the gate that its permit names"),
    Check("frozen", "fence", "what is frozen, by whom, why"),
    Check("self-test", "fence", "the real stop, in the real directories, on a scope of its own"),
    Check("control", "doors", "control.sock is open to its group, and to nobody else"),
    Check("agent", "doors", "fence.sock, too, and the agent behind it can stop: it stops the scope of the self-test"),
    Check("daemon", "daemon", "one daemon runs this house, and answers"),
    Check("config", "daemon", "the configuration is right, in force, and nobody else may write it"),
    Check("cores", "daemon", "a crash leaves no memory (tokens) on the disk"),
    Check("watchdog", "daemon", "somebody starts the daemon again when it hangs"),
    Check("sqlite", "store", "the library is one without the known bug"),
    Check("store", "store", "the database holds together"),
    Check("journal", "store", "no line of the journal was changed"),
    Check("key", "proof", "the key that seals evidence is there"),
    Check("authorities", "proof", "two authorities say when evidence was sealed"),
    Check("drill", "practice", "somebody has drilled within 30 days, and it went well"),
    Check("backup", "practice", "there is a backup of the last two days"),
)
GROUP_OF = {check.name: check.group for check in CHECKS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause in one sentence, and what to do about it. `about`: which account, scope or file."""

    check: str
    verdict: Verdict
    words: str
    about: str = ""
    fix: str = ""

    @property
    def group(self) -> str:
        """Where it belongs. Raises KeyError for a check that the table does not have."""
        return GROUP_OF[self.check]

    def document(self) -> dict[str, str]:
        """For programs."""
        return {
            "group": self.group,
            "check": self.check,
            "verdict": self.verdict.value,
            "about": self.about,
            "words": self.words,
            "fix": self.fix,
        }


def well(check: str, words: str, about: str = "") -> Finding:
    """Nothing to do."""
    return Finding(check=check, verdict=Verdict.WELL, words=words, about=about)


def wrong(check: str, words: str, fix: str, about: str = "") -> Finding:
    """It has to be mended."""
    return Finding(check=check, verdict=Verdict.WRONG, words=words, about=about, fix=fix)


def warning(check: str, words: str, fix: str, about: str = "") -> Finding:
    """It should be mended."""
    return Finding(check=check, verdict=Verdict.WARNING, words=words, about=about, fix=fix)


def unchecked(check: str, words: str, fix: str, about: str = "") -> Finding:
    """Nobody can say."""
    return Finding(check=check, verdict=Verdict.UNCHECKED, words=words, about=about, fix=fix)


def verdict_of(found: Iterable[Finding]) -> Verdict:
    """The worst."""
    return worst([one.verdict for one in found])
