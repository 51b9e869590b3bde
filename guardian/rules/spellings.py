"""How a secret may stand in a text: its usual spellings, and the names and places by which one is known. Pure.

Shared by what blanks evidence (`gate/blanks.py`) and what masks the log (`masking.py`).
"""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

SHORTEST = 8  # of a piece of base64: shorter ones are found in anything
NAMES = (
    r"(?:[\w.-]*(?:token|secret|signature|password|passwd|credential|api_?key|jwt|verifier)"
    r"|sig|auth|authorization|bearer|code|key|key-pair-id|policy|hdnea|hdnts|modhash|session|sessionid)"
)
IN_QUERY = re.compile(rf"((?:[?&;]|&amp;|\\u0026){NAMES}=)([^&;#\s\"'<>\\]+)", re.IGNORECASE)
JSON_NAMES = (
    r"(?:access_?token|refresh_?token|id_?token|csrf_?token|accessJwt|refreshJwt|client_secret|password|modhash)"
)
IN_JSON = re.compile(rf'("{JSON_NAMES}"\s*:\s*")((?:[^"\\]|\\.)+)', re.IGNORECASE)
USER = re.compile(r"(//)([^/?#@\s]+)(?=@)")
IN_HEADER = re.compile(
    r"((?:\b(?:proxy-)?authorization|\b(?:set-)?cookie2?)['\"]?\s*[:=]\s*['\"]?)((?:[^\s'\",]+ +)?[^\s'\",]+)",
    re.IGNORECASE,
)
BEARER = re.compile(r"(\b(?:Bearer|Basic|DPoP) +)([\w.~+/=-]{8,})")


def spellings(secret: str) -> set[str]:
    """As it is, in an address, in JSON, in HTML, and inside of something that is base64."""
    in_json = json.dumps(secret)[1:-1]
    found = {secret, in_json, in_json.replace("/", r"\/"), json.dumps(secret, ensure_ascii=False)[1:-1]}
    found |= {html.escape(secret), html.escape(secret, quote=False)}
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found |= quoted | {re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), one) for one in quoted}
    for before in range(3):  # what stands before it shifts it by a third of a group
        raw = b"\0" * before + secret.encode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(raw)[(before * 8 + 5) // 6 : len(raw) * 8 // 6].decode()
            found |= {whole} if len(whole) >= SHORTEST else set()
    return found
