"""A house on this host: who and what `guardian init --system` makes here, and what its undo takes away again.

Deciding stands apart from doing: `setting_up` and `taking_away` look at a tree and answer with steps; a dry run prints
them, a real one does them and prints the same. `systemd/` and `config/` are the repository's own, carried along.
"""
