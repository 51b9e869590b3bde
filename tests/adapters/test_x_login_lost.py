"""OAuth 2 at X where it goes wrong: lost answers, crashes, full disks, revoked and swapped logins, and who says it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from adapters.x_login import REST
from guardian.errors import Doubt, PlatformRefusal, TokenRefused
from guardian.gate import recording
from guardian.gate.intents import declare
from guardian.gate.keeping import SealedKeeping
from guardian.gate.verdicts import Accepted, NotSent, verdict, verdict_of_retract
from guardian.model import Part, Presence
from tests.adapters.x_life import HOUR, Life, life, suppressed
from tests.adapters.x_stage import Stage, stage, x

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.model import Exchange
    from tests.doubles.x import XDouble

__all__ = ["life", "stage", "x"]


def test_a_renewal_whose_answer_is_lost_is_not_asked_for_again_at_once_and_the_loss_is_named(life: Life) -> None:
    adapter = life.adapter()
    life.x.fault("lose", path="/2/oauth2/token")
    with pytest.raises(Doubt, match="X gave no answer"):
        adapter.whoami()
    with pytest.raises(Doubt, match="answer to the last renewal never came, do wait"):
        adapter.whoami()
    assert len(life.x.tokens.renewals) == 1
    life.clock.now = REST + 1
    with pytest.raises(TokenRefused, match=r"a renewal with it was cut off before .* do authorise the app again as @a"):
        adapter.whoami()
    assert len(life.x.tokens.renewals) == 2
    life.clock.now = 2 * REST + 2
    with pytest.raises(TokenRefused, match="authorise the app again"):
        adapter.whoami()
    assert len(life.x.tokens.renewals) == 2, "what X has refused is not asked for every half minute"


def test_a_crash_between_the_answer_of_x_and_our_disk_is_told_as_what_it_was(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.adapter().whoami()
    dying = life.again()
    dying.clock.now = 3 * HOUR
    write, written = SealedKeeping.write, []

    def dies(keeping: SealedKeeping, data: bytes) -> None:
        written.append(data)
        if len(written) == 2:  # the first says that X will be asked
            raise KeyboardInterrupt
        write(keeping, data)

    with monkeypatch.context() as patch:
        patch.setattr(SealedKeeping, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            dying.adapter().whoami()
    following = dying.again()
    with pytest.raises(Doubt, match="answer to the last renewal never came"):
        following.adapter().whoami()
    following.clock.now += REST + 1
    with pytest.raises(TokenRefused, match=r"what X gave in its place was lost with that, do authorise the app again"):
        following.adapter().whoami()
    mended = following.again(**life.x.tokens.authorise("acme"))
    assert mended.adapter().whoami().handle == "@acme"


@pytest.mark.parametrize("ends", [False, True])
def test_what_is_left_of_the_old_token_after_such_a_crash_is_used_for_takedowns_and_the_trouble_is_told_all_the_same(
    life: Life, stage: Stage, ends: bool
) -> None:
    ref = stage.published("A bad joke")
    life.x.tokens.old_ends = ends
    life.adapter().whoami()
    life.clock.now = 1.8 * HOUR
    life.x.fault("lose", path="/2/oauth2/token")
    assert life.adapter().presence(ref) is (Presence.UNKNOWN if ends else Presence.THERE)
    following = life.again()
    following.clock.now += REST + 1
    with pytest.raises(TokenRefused, match="authorise the app again"):
        following.adapter().whoami()
    stage.adapter = following.adapter()
    assert stage.adapter.presence(ref) is (Presence.UNKNOWN if ends else Presence.THERE)
    if ends:
        with pytest.raises(TokenRefused, match="authorise the app again"):
            stage.take_down(ref)
        return
    assert verdict_of_retract(stage.take_down(ref)) == Accepted(200)
    assert life.x.live() == []


def test_nothing_is_asked_for_that_could_not_be_kept(life: Life) -> None:
    life.place.write_text("in the way")
    with pytest.raises(Doubt, match=r"cannot keep the login of acme-x, because .*, do mend"):
        life.adapter().whoami()
    assert life.x.tokens.renewals == []
    life.place.unlink()
    assert life.adapter().whoami().handle == "@acme"


def test_what_could_not_be_written_is_used_said_loudly_and_written_later(
    life: Life, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, written = SealedKeeping.write, []

    def full(keeping: SealedKeeping, data: bytes) -> None:
        written.append(data)
        if len(written) in (2, 3):
            raise Doubt("cannot keep the login, because the disk is full")
        write(keeping, data)

    monkeypatch.setattr(SealedKeeping, "write", full)
    assert life.adapter().whoami().handle == "@acme"
    said = capsys.readouterr()
    assert "login not kept" in said.out + said.err
    assert life.adapter().whoami().handle == "@acme"
    life.clock.now = REST + 1
    assert life.adapter().whoami().handle == "@acme"
    assert len(written) == 4
    assert life.again().adapter().whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"status": 400, "body": {"error": "invalid_grant"}}, TokenRefused, "revoked the app's access.*authorise"),
        ({"status": 401, "body": {"error": "invalid_client"}}, TokenRefused, "client_id or client_secret.*console"),
        ({"status": 401, "body": ""}, TokenRefused, "client_id or client_secret"),
        ({"status": 403, "body": {"error_description": "App suspended"}}, PlatformRefusal, "this app in .*suspended"),
        ({"status": 429, "body": {}}, Doubt, "too many tokens"),
        ({"status": 503, "body": "<html>"}, Doubt, "X answered 503"),
        ({"status": 200, "body": "<html>"}, Doubt, "X answered 200"),
        ({"status": 200, "body": {"access_token": 7}}, Doubt, "X answered 200"),
        ({"status": 200, "body": {"access_token": "two\nlines"}}, Doubt, "X answered 200"),
        ({"status": 302, "body": "", "headers": {"Location": "/elsewhere"}}, Doubt, "X answered 302"),
    ],
)
def test_what_x_answers_to_a_renewal_is_said_with_what_to_do(
    life: Life, answer: dict[str, object], error: type[Exception], words: str
) -> None:
    life.x.fault("answer", path="/2/oauth2/token", **answer)  # type: ignore[arg-type]
    with pytest.raises(error, match=words):
        life.adapter().whoami()
    assert len([one for one in life.x.asked if one.path == "/2/oauth2/token"]) == 1


def test_a_revoked_app_is_said_to_be_revoked_and_the_other_account_goes_on(life: Life) -> None:
    other = Life(life.x, life.place, life.x.tokens.authorise("other"), "other")
    adapter = life.adapter()
    adapter.whoami()
    life.x.tokens.revoke("acme")
    with pytest.raises(TokenRefused, match=r"somebody has revoked the app's access.*authorise the app again as @acme"):
        adapter.whoami()
    assert other.adapter().whoami().handle == "@other"


@pytest.mark.parametrize("key", ["client_id", "client_secret"])
def test_each_of_the_apps_secrets_counts(life: Life, key: str) -> None:
    with pytest.raises(TokenRefused, match=r"client_id or client_secret.*do copy both"):
        life.again(**{key: life.x.tokens.authorise("other")[key]}).adapter().whoami()


def test_a_corrected_client_secret_is_tried_at_once(life: Life) -> None:
    life.adapter().whoami()
    wrong = Life(life.x, life.place, {**life.keys, "client_secret": "last-years"})
    wrong.clock, wrong.shared = life.clock, life.shared
    life.clock.now = 3 * HOUR
    with pytest.raises(TokenRefused, match="client_secret"):
        wrong.adapter().whoami()
    life.clock.now += REST + 1
    assert life.adapter().whoami().handle == "@acme"
    assert life.again().adapter().whoami().handle == "@acme"


def test_swapped_files_are_seen_and_once_put_right_nothing_is_lost(life: Life) -> None:
    mine, theirs = life.keys, life.x.tokens.authorise("other")
    life.keys = theirs
    assert life.adapter().whoami().handle == "@other", "the lane says so and sends nothing"
    life.keys = mine
    assert life.adapter().whoami().handle == "@acme"
    other = Life(life.x, life.place, theirs, "other")
    other.shared = life.shared
    assert other.adapter().whoami().handle == "@other"
    assert other.again().adapter().whoami().handle == "@other", "and it is kept for the right account"
    assert len(life.x.tokens.renewals) == 2


def test_rights_that_are_missing_are_named_before_a_post_fails_for_them(x: XDouble, tmp_path: Path) -> None:
    life = Life(x, tmp_path / "sessions", x.tokens.authorise("acme", rights="tweet.read users.read offline.access"))
    for _ in range(2):
        with pytest.raises(PlatformRefusal, match=r"given the right to tweet\.write, do authorise it again with: t"):
            life.adapter().whoami()


def test_a_login_that_fails_sends_no_post_and_the_receipt_says_so(life: Life, stage: Stage) -> None:
    life.x.tokens.revoke("acme")
    adapter = life.adapter()
    with declare(stage.intent()) as receipt, pytest.raises(TokenRefused):
        adapter.publish(Part(text="Fresh bread"), "key")
    assert isinstance(verdict(receipt), NotSent)
    assert life.x.creates() == []


def test_no_token_is_in_a_log_an_error_a_receipt_or_the_evidence(
    life: Life, stage: Stage, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither those that are configured nor those that X gave, whoever says them back, in whatever form."""
    caplog.set_level(logging.DEBUG)
    exchanges: list[Exchange] = []
    said: list[object] = []
    adapter = life.adapter()
    with recording.record(exchanges.append):
        said.append(adapter.whoami())
        for hours in (2.0, 4.0, 6.0, 8.0):
            life.clock.now = hours * HOUR
            echo = " ".join(life.x.tokens.issued[-2:])
            text = {"Content-Type": "application/odd"}
            for path, method in (("/2/oauth2/token", "POST"), ("/2/users/me", "GET"), ("/2/tweets", "POST")):
                life.x.fault("answer", method=method, path=path, status=403, body=f"you said {echo}", headers=text)
                with declare(stage.intent()) as receipt:
                    said.append(suppressed(adapter.whoami))
                    said.append(suppressed(lambda: adapter.publish(Part(text="x"), "key")))
                said.append(receipt)
                life.clock.now += REST + 1
    kinds = [one.url.rpartition("/")[2] for one in exchanges]
    assert kinds.count("token") >= 3
    written = repr(said) + caplog.text + "".join(capsys.readouterr()) + repr(exchanges) + repr(adapter.__dict__)
    kept = b"".join(file.read_bytes() for file in life.place.rglob("*") if file.is_file())
    for token in [*life.x.tokens.issued, life.keys["client_secret"]]:
        assert token not in written
        assert token.encode() not in kept


def test_of_a_good_answer_to_a_renewal_the_evidence_keeps_its_length_whatever_its_form(life: Life) -> None:
    exchanges: list[Exchange] = []
    odd = {"Content-Type": "application/x-odd"}
    life.x.fault("answer", path="/2/oauth2/token", status=200, body="<t>a-token-that-nobody-knows</t>", headers=odd)
    with recording.record(exchanges.append), pytest.raises(Doubt):
        life.adapter().whoami()
    (asked,) = exchanges
    assert asked.body == b"*" * 32
