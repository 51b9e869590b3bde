"""Letters that count as printable and show nothing: whoever shows foreign text marks them. Pure.

What steers (controls, direction, format) Unicode names itself, by category; these it calls letters, symbols or marks.
"""

from __future__ import annotations

UNSEEN = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0\ufffc")
