"""Which addresses we call for somebody else: public ones, and no other, whatever name leads there.

Server-side request forgery is the risk (OWASP): an address of ours behind a name of theirs, metadata of the cloud, a
redirect inwards, a name that resolves to another address when it is called than when it was looked at. So the name is
resolved once, every address that it has must be public, and the connection goes to the one that was looked at.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from learning247.outbound_webhooks.errors import AddressRefused

HTTPS_PORT = 443
# Beside what `is_global` knows: the whole of the IETF's block (RFC 6890), of which Python takes parts for public, and
# IPv4 behind a translator (RFC 6052, RFC 8215).
_NOT_PUBLIC = (IPv4Network("192.0.0.0/24"), IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a url leads: the name for TLS and the Host header, the address for the connection."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def target_check(url: str, *, private: bool) -> tuple[str, str, int, str]:
    """(scheme, host, port, path with query) of an address that may be called; nothing is resolved. `private` also lets
    plain http and any port through, for a laptop. Raises AddressRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(attr="url") from None
    if parts.scheme not in (("https", "http") if private else ("https",)) or not parts.hostname:
        raise AddressRefused(attr="url")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("Leave name and password out of the address; the signature says who we are.", attr="url")
    if not private and port not in (None, HTTPS_PORT):
        raise AddressRefused("Webhooks go to port 443.", attr="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or (HTTPS_PORT if parts.scheme == "https" else 80), path


def target_resolve(url: str, *, private: bool) -> Target:
    """The address that `url` leads to now. Raises AddressRefused where the name is unknown or any of its addresses is
    not public."""
    scheme, host, port, path = target_check(url, private=private)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressRefused("This name leads to no address.", attr="url") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (private or all(map(_is_public, addresses))):
        raise AddressRefused(attr="url")
    return Target(scheme, host, port, path, addresses[0])


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    # An IPv4 address in another dress: mapped, 6to4, Teredo.
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
