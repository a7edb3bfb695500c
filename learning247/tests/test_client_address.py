"""Whose request it is: the peer's, or what our own proxies say and nobody else."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from learning247.kit.api.client_address import client_address
from learning247.settings.networks import networks

PROXY = "10.0.0.5"


@pytest.fixture(autouse=True)
def trusted_proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]


def address_of(peer: str, forwarded: str | None = None) -> str:
    headers = None if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


def test_without_a_proxy_it_is_the_peers() -> None:
    assert address_of("203.0.113.7") == "203.0.113.7"


def test_what_a_stranger_says_of_itself_is_not_believed() -> None:
    assert address_of("203.0.113.7", "198.51.100.1") == "203.0.113.7"


def test_a_proxy_of_ours_is_believed() -> None:
    assert address_of(PROXY, "198.51.100.1") == "198.51.100.1"


def test_of_several_it_is_the_one_that_our_proxies_saw() -> None:
    assert address_of(PROXY, "127.0.0.1, 9.9.9.9, 198.51.100.1, 192.0.2.1") == "198.51.100.1"


def test_nobody_is_trusted_unless_it_is_said(settings: Any) -> None:
    settings.TRUSTED_PROXIES = []

    assert address_of(PROXY, "198.51.100.1") == PROXY
    assert address_of("127.0.0.1", "198.51.100.1") == "127.0.0.1"


def test_a_client_inside_is_its_own_address() -> None:
    assert address_of(PROXY, "10.7.7.7, 10.0.0.9") == "10.7.7.7"
    assert address_of(PROXY) == PROXY


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("198.51.100.1:4711", "198.51.100.1"),
        (" 198.51.100.1\t", "198.51.100.1"),
        ('"198.51.100.1"', "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0::0001", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("[::ffff:198.51.100.1]:80", "198.51.100.1"),
    ],
)
def test_one_address_has_one_name(entry: str, address: str) -> None:
    assert address_of(PROXY, entry) == address


def test_a_proxy_is_known_by_its_mapped_address_too() -> None:
    assert address_of("::ffff:10.0.0.5", "198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize(
    "garbage", ["unknown", "", "_hidden", "1.2.3", "999.1.1.1", "[::1", "<script>", "1.2.3.4.5", "0x7f.1", "é", "a:b:c"]
)
def test_what_is_no_address_is_the_proxys(garbage: str) -> None:
    assert address_of(PROXY, garbage) == PROXY
    assert address_of(PROXY, f"198.51.100.1, {garbage}") == PROXY


def test_a_peer_without_an_address_has_none() -> None:
    assert address_of("", "198.51.100.1") == ""


@pytest.mark.parametrize("wrong", ["10.0.0.5/8", "everybody", "10.0.0.0/33"])
def test_a_network_that_is_none_stops_the_start(wrong: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        networks("TRUSTED_PROXIES", [wrong])


def test_an_address_alone_is_a_network() -> None:
    assert networks("TRUSTED_PROXIES", [" 10.0.0.5 ", "", "fd00::/8"]) == ["10.0.0.5/32", "fd00::/8"]
