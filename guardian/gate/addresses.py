"""Which addresses a name from outside may lead to: those of the public internet, and every one of them. Any thread.

A name is resolved once, and the connection is made to an address that was looked at: a second look-up could answer
with another (research/reliability 6.2).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from guardian.errors import Refusal
from guardian.gate.wire import of_anybody

if TYPE_CHECKING:
    from guardian.gate.wire import Deadline

TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address stands in its last 32 bits


class NotPublic(Refusal):
    """cannot read that address, because it leads into a private network"""

    code = "not_public"


def public_only(host: str, port: int, deadline: Deadline) -> list[Any]:
    """The addresses of a name. Raises NotPublic when one of them is not of the public internet."""
    found = of_anybody(host, port, deadline)
    for *_, address in found:
        if not is_public(address[0]):
            raise NotPublic(f"cannot read from {host}, because {address[0]} is no public address")
    return found


def is_public(text: str) -> bool:
    """Whether anybody on the internet could reach this address."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address in TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
