"""Bundles of evidence on disk: files, hashes, signatures, provable without any tool of ours. No network, no store."""
