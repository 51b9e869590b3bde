"""Evidence: sealed bundles on disk, provable without any tool of ours. No network, no store, no threads, no clock.

    bundle = Bundle.create(root, account="acme", platform="mastodon", platform_id="1145", at=now)
    bundle.exchange(exchange)                        # warc/post-1.warc.gz, exchanges-1.jsonl
    bundle.add("media/01.jpg", data)                 # for ever: nothing is overwritten
    bundle.append("checks.jsonl", line)              # checks-1.jsonl
    seal = bundle.seal(signer, at=now)               # SHA256SUMS.1, SHA256SUMS.1.sig; phase 2 begins
    verify.verify(bundle.path)                       # [] when it is whole

A file that grows is a file of its own in each phase (`checks-1.jsonl` before seal 1, `checks-2.jsonl` after it):
`sha256sum -c SHA256SUMS.1` holds for ever. One thread at a time has a bundle open; times are ms since 1970, UTC.
"""

from guardian.evidence.bundle import Bundle, Seal

__all__ = ["Bundle", "Seal"]
