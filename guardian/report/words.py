"""Every word of a report that is ours, by its key, and how the words of a language are looked up. Pure.

What is in braces is filled in from a line of the journal; what a line does not say reads as `missing`. Another language
is another dictionary: a file beside `words_fr`, and its name in `LANGUAGES`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from string import Formatter

from guardian.report.words_fr import FR

EN = {
    "language": "en",
    "title": "Incident report",
    "missing": "not recorded",
    "none": "none",
    "line": "Line",
    "lines": "Lines",
    "when": "Time (UTC)",
    "who": "Who",
    "what": "What happened",
    "why": "Why",
    "lines_of": "journal {lines}",
    "left_out": (
        "{count} lines are left out: the incident has more than a report holds; the figures are of those it holds."
    ),
    "redacted": "Names of people, texts of third parties and places of proof are replaced by pseudonyms.",
    "picture": "The incident in a picture; the scale of time is logarithmic",
    "picture_frozen": "frozen: {scope}",
    "picture_visible": "visible: {target}",
    "picture_statement": "statement",
    "picture_closed": "closed",
    "picture_order": "order",
    # the sections
    "overview": "Overview",
    "happened": "What happened",
    "timeline": "Timeline",
    "decisions": "Decisions",
    "takedowns": "Takedowns",
    "landed": "Landed between order and confirmation",
    "strangers": "Posts that the guardian did not send",
    "native": "Scheduled on the platform itself",
    "measures": "Measures",
    "hindered": "What hindered",
    "statement": "First public statement",
    "roles": "Roles",
    "actions": "Actions",
    "notes": "Notes",
    "limits": "What this does not prove",
    # overview
    "incident": "Incident",
    "state": "State",
    "state_open": "open",
    "state_closed": "closed",
    "opened": "Opened",
    "ordered": "First order",
    "closed": "Closed",
    "reason": "Reason",
    "cause": "Cause",
    "class": "Class",
    "severity": "Severity",
    "class_product": "product",
    "class_service": "service",
    "class_brand": "brand",
    "class_statement": "statement",
    "severity_low": "low",
    "severity_medium": "medium",
    "severity_high": "high",
    "severity_critical": "critical",
    "based_on": "Based on",
    "head": "the journal as far as line {seq}, whose hash is {hash}",
    "by": "{at} by {who}: {reason}",
    # what happened, in numbers
    "figure": "Figure",
    "value": "Value",
    "count_freezes": "Scopes frozen",
    "count_held": "Posts held back by the freeze",
    "count_missed": "Posts missed, not sent",
    "count_landed": "Posts that landed between order and confirmation",
    "count_published": "Posts or parts published while it was open",
    "count_unknown": "Posts that left without an answer",
    "count_strangers": "Posts that the guardian did not send",
    "count_targets": "Posts to be taken down",
    "count_done": "of them confirmed gone or hidden",
    "count_longest": "Longest time a post was visible",
    "scope": "Scope",
    "frozen_at": "Frozen",
    "lifted_at": "Lifted",
    "not_lifted": "not lifted",
    "still_so": "still so",
    # takedowns
    "post": "Post",
    "decision": "Decision",
    "proof": "Proof",
    "visible": "Visible",
    "published": "Published",
    "confirmed": "Confirmed",
    "outcome_under way": "under way",
    "outcome_gone": "gone",
    "outcome_hidden": "hidden",
    "outcome_kept": "kept",
    "outcome_still_visible": "still visible",
    "outcome_unknown": "unknown",
    "outcome_not_attempted": "not attempted",
    "outcome_undone": "undone, shown again",
    "outcome_lifted": "the limit lifted again",
    "decision_delete": "delete",
    "decision_hide": "hide",
    "decision_keep": "keep",
    "decision_close-replies": "keep, replies closed",
    "decision_detach-quotes": "keep, quotes detached",
    "decision_lock": "keep, locked",
    "decision_spoiler": "keep, as a spoiler",
    "account": "Account",
    "taken_down_later": "Takedown",
    "text": "Text",
    "due": "Due",
    "native_found": "listed",
    "native_held": "held",
    "native_deleted": "deleted",
    "hindered_native_left": "left",
    "posts": "posts: {count}",
    # measures
    "measure": "Measure",
    "took": "Took",
    "measure_confirmed": "order to confirmed freeze",
    "measure_taken_down": "order to last confirmed takedown",
    "measure_stated": "order to first public statement",
    "so_far": "not complete: {done} of {of}",
    "days": "{d} d {h:02d} h",
    "hours": "{h} h {m:02d} min",
    "minutes": "{m} min {s:02d} s",
    "seconds": "{s:.1f} s",
    "milliseconds": "{ms} ms",
    # what hindered
    "about": "About",
    "hindered_not_confirmed": "freeze not confirmed",
    "hindered_not_durable": "freeze would not have survived a reboot",
    "hindered_came_back": "visible again, or still, when it was looked at later",
    "hindered_proof_incomplete": "proof not complete",
    "hindered_anchor_gap": "no time stamp from an authority",
    "native_left": "scheduled on the platform, and left there",
    "hindered_clock": "the clock of the host was in doubt",
    "hindered_under_way": "no outcome yet",
    "hindered_still_visible": "still visible",
    "hindered_not_limited": "the limit is not in force",
    "hindered_unknown": "unknown",
    "hindered_not_attempted": "not attempted",
    "hindered_lingering": "gone, but still served elsewhere",
    "hindered_no_snapshot": "no proof could be captured",
    "hindered_not_undone": "could not be shown again",
    # people
    "role": "Role",
    "person": "Person",
    "owner": "Owner",
    "action": "Action",
    "options": "Options weighed",
    "agreed": "Agreed",
    "note": "Note",
    "url": "Address",
    "statement_at": "Time",
    # what it does not prove
    "limit_clock": "Times are those of this host's clock. The journal's chain proves their order, not the clock.",
    "limit_gone": (
        "Gone or hidden is what the platform answered when it was asked. Caches, screenshots, other servers "
        "that have a copy, and what people saw are not covered."
    ),
    "limit_visible": (
        "How long a post was visible is counted from the line that says it was published to the line that "
        "says it was not there any more; it can have been visible a little less or, before it was noticed, a "
        "little more."
    ),
    "limit_people": (
        "Notes, decisions, roles and actions are what people said here. That they were said, by whom and "
        "when, is in the journal; that they are true is not."
    ),
    "limit_outside": (
        "What happened outside of this guardian is not in it: other tools, people who are logged in, other hosts."
    ),
    "limit_chain": (
        "The journal shows that no line was changed, for whoever noted its head elsewhere: guardian journal verify."
    ),
    # the lines of the timeline
    "line.incident opened": "incident opened: {reason}",
    "line.incident closed": "incident closed: {reason}",
    "line.note": "note: {text}",
    "line.decision": "decision: {decision}; options: {options}; agreed: {agreed}; {reason}",
    "line.classed": "classed; class {class}; severity {severity}",
    "line.role": "{role}: {person}",
    "line.action": "action: {text}; owner {owner}; due {due}",
    "line.statement": "public statement: {post} {url} {text}",
    "line.frozen": "{scope} frozen: {reason}",
    "line.freeze confirmed": "freeze of {scopes} CONFIRMED; {held} posts held",
    "line.freeze not confirmed": "freeze of {scopes} NOT CONFIRMED",
    "line.thawed": "{scope} thawed: {reason}",
    "line.takedown ordered": "takedown ordered: {decision}, capture {capture}; agreed: {agreed}; {reason}",
    "line.snapshot sealed": "proof sealed: {bundle}, seal {seal}, {grade}; {platform_id} of {account}",
    "line.takedown acting": "takedown begins: {act} of {platform_id} of {account}",
    "line.taken down": "{platform_id} of {account} is {state} {url}; {why}",
    "line.looked again": "looked again at {platform_id} of {account}: {presence}",
    "line.no snapshot": "no proof of {platform_id} of {account}; {why}",
    "line.undoing": "to be shown again: {platform_id} of {account}; {reason}",
    "line.undone": "shown again: {platform_id} of {account}; {reason}",
    "line.not undone": "could not be shown again: {platform_id} of {account}; {why}",
    "line.landed during freeze": "landed between order and confirmation: {post} of {account} {url}",
    "line.not ours": "not sent by the guardian: {account} {url} {text}",
    "line.native found": "scheduled on the platform: {platform_id} of {account}, due {due}: {text}",
    "line.native held": "held on the platform: {platform_id} of {account}",
    "line.native deleted": "deleted from the platform's schedule: {platform_id} of {account}",
    "line.native left": "left in the platform's schedule: {platform_id} of {account}; {why}",
    "line.custody": "custody of {bundle}: {event}",
    "line.published": "published: {post} of {account} {url}",
    "line.live_after_all": "live after all: {post} of {account} {url}",
    "line.missed": "{count} posts missed",
    "line.unknown": "left without an answer: {post} of {account}; {why}",
    "line.refused": "refused by the platform: {post} of {account}; {why}",
    "line.blocked": "blocked: {post} of {account}; {why}",
    "line.entered": "entered: {post} of {account}",
    "line.started": "the daemon started",
    "line.stopped": "the daemon stopped",
}
SEMICOLON = re.compile(r"\s*; ")
LANGUAGES = {"en": EN, "fr": FR}


class Words:
    """The catalogue of one language. A key that it does not have is a mistake of ours, and raises KeyError."""

    def __init__(self, language: str = "en") -> None:
        self.of = LANGUAGES[language]

    def __call__(self, key: str, **values: object) -> str:
        """The words of a key, filled in; what is None or empty reads as missing."""
        if not values:
            return self.of[key]
        return self.of[key].format_map(self.filled(values))

    def line(self, kind: str, values: dict[str, object]) -> str | None:
        """A line of the timeline in words; None for a kind that the catalogue does not know."""
        template = self.of.get(f"line.{kind}")
        if template is None:
            return None
        first, *more = SEMICOLON.split(template)
        said = [_filled(first, values, self.of["missing"])]
        said += [_filled(one, values, "") for one in more if _says(one, values)]
        return "; ".join(one for one in said if one)

    def among(self, group: str, name: object) -> str:
        """The word for one of a group of names that lines use: the name itself, where the catalogue has none for it."""
        return self.of.get(f"{group}_{name}", str(name)) if name else self.of["missing"]

    def filled(self, values: dict[str, object]) -> defaultdict[str, object]:
        """What a template asks for, and the word for what is missing."""
        missing = self.of["missing"]
        found: defaultdict[str, object] = defaultdict(lambda: missing)
        found.update({key: value for key, value in values.items() if value not in (None, "", [])})
        return found


def _says(clause: str, values: dict[str, object]) -> bool:
    """Whether a line says anything that a clause of a template asks for."""
    asked = [name for _, name, _, _ in Formatter().parse(clause) if name]
    return not asked or any(values.get(name) not in (None, "") for name in asked)


def _filled(clause: str, values: dict[str, object], missing: str) -> str:
    """A clause with what the line says. What it does not say is left out, unless it says nothing at all."""
    found: defaultdict[str, object] = defaultdict(str if _says(clause, values) else lambda: missing)
    found.update({key: value for key, value in values.items() if value not in (None, "")})
    return " ".join(clause.format_map(found).split()).strip(" :")
