"""Where we call for others: public addresses alone, whatever name leads there, and the one that was looked at."""

import socket

import pytest

from learning247.outbound_webhooks.addresses import target_check, target_resolve
from learning247.outbound_webhooks.errors import AddressRefused
from learning247.outbound_webhooks.sender import send

PUBLIC = "93.184.215.14"


def resolving_to(*found):
    def getaddrinfo(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return getaddrinfo


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https://",
        "https:///path",
        "//hooks.example.com",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com:99999/",
        "https://[::1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_address_that_is_no_public_https_one_is_refused_before_it_is_looked_up(url):
    with pytest.raises(AddressRefused):
        target_check(url, private=False)


@pytest.mark.parametrize(
    "found",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_a_name_that_leads_inside_is_refused_also_beside_a_public_address(monkeypatch, found):
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(PUBLIC, found))
    with pytest.raises(AddressRefused):
        target_resolve("https://hooks.example.com/", private=False)


def test_numbers_in_other_writings_are_addresses_too():
    for host in ("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::1]"):
        with pytest.raises(AddressRefused):
            target_resolve(f"https://{host}/", private=False)


def test_a_public_address_is_kept_with_its_name(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(PUBLIC))
    target = target_resolve("https://hooks.example.com/in?of=1#part", private=False)
    assert (target.host, target.port, target.path, target.address) == ("hooks.example.com", 443, "/in?of=1", PUBLIC)


def test_the_name_is_resolved_once_and_the_call_goes_to_what_was_looked_at(monkeypatch, receiver):
    """A name whose second answer lies inside (DNS rebinding) gets no second question."""
    asked = []
    port = int(receiver.url.split(":")[2].partition("/")[0])

    def first_time_only(host, port_, *args, **kwargs):
        if host == "rebinding.example":
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port_))]
        return real(host, port_, *args, **kwargs)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", first_time_only)
    answer = send(url=f"http://rebinding.example:{port}/x", body=b"{}", headers={}, private=True)
    assert (answer.status, asked) == (200, ["rebinding.example"])
    assert receiver.received[0][1]["host"] == f"rebinding.example:{port}"


def test_a_redirect_is_not_followed(receiver):
    receiver.statuses, receiver.headers = [302], {"Location": "http://169.254.169.254/latest/meta-data"}
    assert send(url=receiver.url, body=b"{}", headers={}, private=True).status == 302
    assert len(receiver.received) == 1


def test_an_address_inside_is_never_called_though_it_was_public_when_it_was_given(receiver):
    answer = send(url=receiver.url.replace("http://", "https://"), body=b"{}", headers={}, private=False)
    assert (answer.status, answer.accepted) == (None, False)
    assert receiver.received == []
