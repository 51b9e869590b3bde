"""The heart of the demo: a bad joke is live in the middle of a campaign. One command, proof, gone, report.

What the commands say is held against what the platform's own log says, and against tools that are none of ours.
"""

import re
import shlex
import shutil
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardian.cli.demo_stage import ACCOUNTS, Ran, until
from guardian.cli.demo_telling import Telling
from guardian.evidence.words import command_lines

BAD = ("So good that you will pray for a flood: our umbrellas.", "Who needs levees? #floodsale")
NATIVE = "Tonight: laugh about the weather with us"
PICTURE = "umbrella.png"
REPORT = "report.html"
PROOF = 1.5
IN_BOTH = 2  # seals: the one before the act, the one when all is known
TOOLS = {"sha256sum": "coreutils", "sed": "sed", "ssh-keygen": "openssh-client", "openssl": "openssl"}
STAMPS = ".tsr"


@dataclass(slots=True)
class Incident:
    """Its chapters, and what one has to know of another."""

    telling: Telling
    url: str = ""
    platform_id: str = ""
    confirmed_at: int = 0
    name: str = ""

    def is_live(self) -> bool:
        """Whether the whole of the bad joke is on the platform."""
        return all(self.telling.platform.find(text) is not None for text in BAD)

    def answer(self) -> None:
        """The one command, in the middle of the flood."""
        tell = self.telling
        tell.title("Somebody sees it. One command: stop everything, keep the proof, take it down")
        self.url = tell.platform.address(BAD[0])
        self.platform_id = self.url.rpartition("/")[2]
        ran = tell.run("freeze", "a", "bad", "joke", "is", "live", "--takedown", self.url, "--delete")
        self.confirmed_at = ran.heard
        tell.claim(ran.out.startswith("FROZEN  CONFIRMED"), "the freeze is CONFIRMED")
        tell.claim("yes, it survives a reboot" in ran.out, "it would survive a reboot")
        tell.claim(": gone\n" in ran.out, "the post is gone, as the platform shows it, and not only as it answered")
        tell.claim(NATIVE in ran.out, "what is scheduled on the platform itself is listed: no freeze stops that one")
        self._figures(ran)

    def _figures(self, ran: Ran) -> None:
        tell = self.telling
        within = re.search(r" in ([0-9.]+ ms)$", ran.out.splitlines()[0])
        told = within[1] if within is not None else "at once"
        tell.note("CONFIRMED", f"{told} after it was asked for", keep=True)
        tell.note("the command", f"{ran.until_heard * 1000:.0f} ms from Enter to CONFIRMED, {ran.seconds:.1f} s in all")
        flight = re.search(r"in flight +(.+?):?$", ran.out, re.MULTILINE)
        if flight is not None:
            tell.note("on the wire", flight[1], keep=True)

    def witness(self) -> None:
        """The platform's own log says what left, and when."""
        tell = self.telling
        tell.title("Is that true? The platform's own log")
        time.sleep(PROOF)
        arrived = tell.platform.publishing()
        after = [one for one in arrived if one["first_byte"] > self.confirmed_at]
        before = (self.confirmed_at - max(one["first_byte"] for one in arrived)) / 1e6
        tell.note("requests", f"{len(arrived)} publishing requests in all; the last, {before:.0f} ms before CONFIRMED")
        tell.claim(not after, f"{len(after)} publishing requests arrived after the freeze had answered")
        deletes = tell.platform.deleting()
        tell.claim([_post_of(one) for one in deletes] == [self.platform_id], "one DELETE, and it names this post")
        self._find_bundle()
        sealed = (self._bundle() / "SHA256SUMS.1.sig").stat().st_mtime_ns
        later = (_wall(deletes[0]["first_byte"]) - sealed) / 1e6
        tell.claim(later > 0, f"and it came {later:.0f} ms after the proof was sealed on the disk")
        gone = tell.platform.answers(self.url)
        tell.claim(gone in (404, 410), f"whoever opens its address gets a {gone}")
        touched = [one for one in tell.platform.entries() if "scheduled" in one["path"] and one["method"] != "GET"]
        tell.claim(not touched, "the scheduled one was looked at, and left alone: nobody had said --native")

    def prove(self) -> None:
        """The bundle, verified by the guardian, then with stock tools alone."""
        tell = self.telling
        tell.title("The proof: verified, and verified once more without us")
        whole = until(lambda: self._find_bundle()["seals"] >= IN_BOTH, 20)
        tell.claim(whole, f"a bundle of evidence, sealed before the act and after it: {self.name}")
        tell.run("evidence", "verify", self.name)
        where = self._bundle()
        text = b"".join(file.read_bytes() for file in (where / "publish").iterdir())
        tell.claim(BAD[0].encode() in text and picture() in text, "the words and the picture are in it, byte for byte")
        (shown,) = (where / "media").glob("*.png")
        drawn = "data:image/png;base64," in (where / "render" / "card.html").read_text()
        tell.claim(shown.stat().st_size > 0 and drawn, "so is the picture as the platform served it; the card shows it")
        tell.words("Its README.txt names the lines for whoever has nothing of ours. Run as they are, in its directory:")
        tell.summary["verified"] = f"by guardian evidence verify; {self.with_stock_tools(where)}"

    def with_stock_tools(self, where: Path) -> str:
        """Run the lines of a bundle's README in its directory. One whose tools are not here is said, and no claim."""
        tell = self.telling
        lines = command_lines((where / "README.txt").read_text())
        held = 0
        for line in lines:
            missing = ", ".join(f"{tool} (Debian: {package})" for tool, package in TOOLS.items() if _lacks(line, tool))
            if missing:
                tell.words(f"$ {line}")
                tell.words(f"  not here: {missing}; this line was NOT run")
                tell.not_checked.append(f"a line of the README that needs {missing}")
            else:
                tell.claim(tell.shell(line, str(where)), self._meaning(line, where))
                held += 1
        said = f"{held} of the {len(lines)} lines of its README hold, with stock tools"
        tell.claim(held > 0, said)
        return said if held == len(lines) else f"{said}; the others could NOT be run here"

    @staticmethod
    def _meaning(line: str, where: Path) -> str:
        if STAMPS in line and not list(where.glob(f"*{STAMPS}")):
            return "it holds, and says nothing: no authority is configured here, so there is no time stamp"
        return "it holds"

    def the_rest_of_it(self) -> None:
        """The other part of the thread is offered, and taken down while everything is frozen."""
        tell = self.telling
        tell.title("It was a thread: what belongs to it is still there")
        order = tell.document("takedown", "list")["takedowns"][0]
        tell.run("takedown", "show", order["id"])
        (sibling,) = order["siblings"]
        tell.claim(sibling["url"] == tell.platform.address(BAD[1]), "its second part is named")
        tell.run("takedown", sibling["ref"], "--delete", "--reason", "part of the same joke")
        asked = [_post_of(one) for one in tell.platform.deleting()]
        both = [self.platform_id, sibling["url"].rpartition("/")[2]]
        tell.claim(asked == both, "gone, too, with one DELETE more, in the middle of the freeze")
        live = [post for post in tell.platform.live() if post["text"] in BAD]
        tell.claim(not live, "nothing of the joke is on the platform's timeline any more")
        tell.summary["the bad joke"] = "gone, both parts, read back from the platform"

    def write_down(self) -> None:
        """Notes and a decision, from the shell."""
        tell = self.telling
        tell.title("For the record, while it happens")
        tell.run("incident", "class", "brand", "--severity", "high")
        tell.run("incident", "note", "legal and the town hall have been told")
        options = ("--option", "leave it and explain", "--option", "hide it", "--agreed", "anna", "--agreed", "li")
        tell.run("incident", "decide", "delete it, and apologise under our own name", *options)

    def report(self) -> None:
        """Close it, and write the report twice."""
        tell = self.telling
        tell.title("The incident is over: its report, from the journal alone")
        tell.run("incident", "close", "the joke is gone and the statement is out")
        tell.run("incident", "show")
        file = tell.stage.directory / REPORT
        first, second = self._html(file), self._html(None)
        tell.claim("</html>" in first and "<script" not in first, "a page of its own, without a script")
        tell.claim(first == second, f"written twice, and the same {len(first.encode())} bytes each time")
        said = tell.document("incident", "report")
        measures = {one["measure"]: one["ms"] for one in said["measures"]}
        known = all(ms is not None for ms in measures.values()) and len(measures) > 0
        tell.claim(
            known, "it knows how long the stop, the takedown and the statement took, each with its journal lines"
        )
        states = [one["state"] for one in said["takedowns"]]
        tell.claim(states == ["gone", "gone"], "and what became of both posts")
        tell.summary["the report"] = (
            f"{REPORT}, {file.stat().st_size} bytes: for any browser, printable (--stay keeps it)"
        )

    def _html(self, into: Path | None) -> str:
        tell = self.telling
        words = ["incident", "report", "--format", "html"]
        tell.words(f"$ guardian {shlex.join(words)} > {into or '/dev/null'}")
        ran = tell.stage.guardian(words)
        if into is not None:
            into.write_text(ran.out)
        return ran.out

    def _find_bundle(self) -> dict[str, Any]:
        bundles = self.telling.document("evidence", "list", "--account", ACCOUNTS[0])["bundles"]
        (found,) = [one for one in bundles if one["platform_id"] == self.platform_id]
        self.name = str(found["name"])
        return dict(found)

    def _bundle(self) -> Path:
        return self.telling.stage.directory / "state" / "evidence" / self.name


def _lacks(line: str, tool: str) -> bool:
    """Whether a line needs a tool that is not here."""
    return re.search(rf"(?<![\w-]){re.escape(tool)}(?![\w-])", line) is not None and shutil.which(tool) is None


def _post_of(entry: dict[str, Any]) -> str:
    """The id of the post that a request names."""
    return str(entry["path"].partition("?")[0].rpartition("/")[2])


def _wall(monotonic: int) -> int:
    """An instant of the monotonic clock (ns) by the clock that dates files (ns)."""
    return monotonic + time.time_ns() - time.monotonic_ns()


def picture() -> bytes:
    """A small picture (PNG), made by hand: the demo needs no library for it."""
    wide = 64
    rows = b"".join(b"\0" + bytes((4 * x, 90, 4 * y)[c] for x in range(wide) for c in range(3)) for y in range(wide))
    head = struct.pack(">IIBBBBB", wide, wide, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    packed = b"".join(_chunk(kind, data) for kind, data in parts)
    return b"\x89PNG\r\n\x1a\n" + packed


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
