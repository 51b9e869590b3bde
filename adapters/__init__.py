"""The platforms, one file each, found by the entry point group `guardian.adapters`; none knows another."""
