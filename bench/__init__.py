"""Benchmarks: side by side in one run, ratios first. Never a test: machines differ, ratios less."""
