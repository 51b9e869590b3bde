"""What `guardian freeze --help` says; a file of its own, because the stop has no time to read it."""

from __future__ import annotations

USAGE = """\
Usage: guardian freeze [REASON...] [--scope S]... [--drain SECONDS] [--wait SECONDS] [--json]
                       [--takedown REF]... [--delete|--hide|--keep] [--capture POLICY] [--native]
                       [--config FILE] [--state-dir DIR] [--runtime-dir DIR]

Stop: nothing more leaves the house. The words after it are the reason. Never asks anything.

  --scope S        all (default), platform:NAME, brand:NAME, account:NAME; may be given several times
  --drain SECONDS  how long to wait for a send that is leaving right now before its process is ended (5)
  --wait SECONDS   after CONFIRMED, how long to wait for the answers to what was on the wire already (3), and for what
                   comes of a takedown (10)
  --json           one JSON document on stdout
  --takedown REF   a post that is live: keep the proof of it and take it down, from this moment on, while the stop goes
                   on by itself; a p-... of ours, its public address, or ACCOUNT/PLATFORM_ID; may be given several times
  --delete, --hide, --keep
                   what is to become of it. Without one of them, or with two: --keep, the proof alone, and it says so
  --capture POLICY where the proof cannot be had in time: best-effort (act all the same), require (do not act), skip
                   (capture nothing: content whose mere possession is dangerous); else as the house has it
  --native         posts that the platform itself would publish later are put off far into the future, saved first;
                   those due within five minutes are deleted. --native=delete deletes all of them, --native=list only
                   lists them, as every freeze does

As root or the service user it goes to the fence directly; for others the fence agent does it (fence.sock), or, where
none answers, the daemon (control.sock). Who may is said by [rights] in the configuration. Takedowns are the daemon's:
where none hears the order it is left for it in STATE_DIR/fence/orders (by root and the service user; whoever removes
the file withdraws it), the post counts as not attempted, and the end is 14.

Exit: 0 confirmed, 10 not confirmed, 11 confirmed but lost at a reboot, 13 not allowed, 14 takedown (or --native)
incomplete, 2 wrong use

Example: guardian freeze a tasteless post is live
         guardian freeze --scope brand:acme wrong account
         guardian freeze bad joke is live --takedown https://social.example/@acme/113 --delete
Lift it: guardian thaw --reason "statement is out"
"""
