"""Backup and restore: everything of a house that must survive, in one file; and a house from such a file, frozen.

Programs of their own, dispatched like the daemon: they need no daemon, and hold up none. Only root and the guardian's
own user may run them, because the file holds everything.
"""
