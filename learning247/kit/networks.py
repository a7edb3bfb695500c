"""Which addresses count as one, for limits and for whether somebody is known there."""

from ipaddress import ip_network

from django.conf import settings


def network_of(address: str) -> str:
    """An IPv6 customer has a whole network of addresses, which are one here (RATELIMIT_IPV6_MASK)."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address}/{settings.RATELIMIT_IPV6_MASK}", strict=False))
