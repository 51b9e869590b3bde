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
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that was ever given out; the old site-local ones are outside
EMBEDDING = 0x5EFE  # before the last 32 bits, with or without the "universal" bit: they are an IPv4 address (ISATAP)
UNIVERSAL = 0x0200
NOBODYS = tuple(
    ipaddress.ip_network(one)
    for one in (
        "192.0.0.0/24",  # of protocols; a cloud's metadata is at .192
        "192.88.99.0/24",  # a way from IPv6 to IPv4 that is no more
        "168.63.129.16/32",  # a cloud's metadata, at an address that looks like anybody's
        "3fff::/20",  # of examples
    )
)


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
        last = str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address in TRANSLATED:
            return is_public(last)
        if address not in UNICAST or address.ipv4_mapped or address.sixtofour or address.teredo:
            return False
        if (int(address) >> 32) & 0xFFFFFFFF in (EMBEDDING, EMBEDDING | UNIVERSAL << 16) and not is_public(last):
            return False
    if any(address in network for network in NOBODYS if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
