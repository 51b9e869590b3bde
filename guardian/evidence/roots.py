"""Which roots a time stamp may end in: those of a list that its own chain names. Reads bytes, asks nobody.

A bundle keeps the root that its stamp was checked against. Lists of roots are long and change; the few that matter to
one stamp are picked here, by their names alone: whether the chain really ends in one is for `stamps.accept` to say.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from guardian.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN, END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
SEQUENCE, LONG_FORM = 0x30, 0x80
MOST = 100_000  # bytes of the length of a token


def picked(response: bytes, roots: bytes) -> bytes:
    """The certificates (PEM) of `roots` that this response's chain may end in. Raises Refusal when there are none."""
    named = {one.issuer for one in _certificates_of(response)}
    found = [one for one in _certificates(roots) if one.subject in named]
    if not found:
        raise Refusal("cannot accept a time stamp, because its chain ends in no root that we know")
    return b"".join(one.public_bytes(Encoding.PEM) for one in found)


def sent(response: bytes) -> bytes:
    """The certificates (PEM) that the authority sent along with its stamp. Raises Refusal."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in _certificates_of(response))


def _certificates_of(response: bytes) -> Sequence[x509.Certificate]:
    try:
        body, _ = _taken(response)
        _, token = _taken(body)
        if not token:
            raise Refusal("cannot accept a time stamp, because the authority did not grant one")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd serial numbers of authorities are not for us to mend
            return pkcs7.load_der_pkcs7_certificates(token)
    except (ValueError, IndexError) as error:
        raise Refusal("cannot accept a time stamp, because the answer is garbled or brings no certificates") from error


def _certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a list; what cannot be read is passed over."""
    found = []
    for piece in pem.split(BEGIN)[1:]:
        body, end, _ = piece.partition(END)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(x509.load_pem_x509_certificate(BEGIN + body + end + b"\n"))
        except ValueError:
            continue
    return found


def _taken(data: bytes) -> tuple[bytes, bytes]:
    """The first element of DER, which has to be a sequence: its content, and what follows. Raises ValueError."""
    tag, size, start = data[0], data[1], 2
    if size & LONG_FORM:
        count = size & ~LONG_FORM
        size, start = int.from_bytes(data[2 : 2 + count]), 2 + count
    if tag != SEQUENCE or start + size > len(data) or size > MOST:
        raise ValueError(tag)
    return data[start : start + size], data[start + size :]
