"""The law: pure functions. No clock, no file, no lock in here; `now` comes in as an argument, a decision goes out."""
