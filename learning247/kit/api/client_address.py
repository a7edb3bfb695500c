"""Which address a request comes from, where proxies of ours stand between it and us."""

from collections.abc import Iterator, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_address(request: HttpRequest | Request) -> str:
    """The client's address, such as `203.0.113.7` or `2001:db8::1`: no port, no zone, IPv4 never written as IPv6. Empty
    where the server was told of none (a unix socket).

    That of the peer, unless the peer is in TRUSTED_PROXIES (networks). Then the right-most address in X-Forwarded-For
    that is not in them: what stands further left is whatever the client made up. Where an entry is no address, it is
    that of the proxy which handed the entry on.
    """
    nearest = _address(request.META.get("REMOTE_ADDR", ""))
    if nearest is None:
        return ""
    for entry in _from_the_right(request.META.get("HTTP_X_FORWARDED_FOR", "")):
        if not _is_ours(nearest):
            break
        further = _address(entry)
        if further is None:
            break
        nearest = further
    return str(nearest)


def _from_the_right(forwarded: str) -> Iterator[str]:
    while forwarded:
        forwarded, _, entry = forwarded.rpartition(",")
        yield entry


def _address(text: str) -> Address | None:
    """As proxies write it: `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`, `fe80::1%eth0`."""
    text = text.strip().strip('"')
    if text.startswith("[") and "]" in text:
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _is_ours(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


@cache
def _networks(trusted: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ip_network(network) for network in trusted)
