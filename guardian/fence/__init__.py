"""The stop itself: standard library only, so that it works when everything else of the house is broken.

Presence means go: a send needs a permit file for every scope that covers it, and a freeze removes the file. The
kernel's lock on the gate file beside it proves that nobody who saw the permit is still sending. `docs/fence.md` tells
it at length.
"""
