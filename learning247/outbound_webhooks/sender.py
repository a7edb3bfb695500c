"""One HTTP call to somebody else's server, which we trust with nothing but the message."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import certifi
import urllib3
from urllib3.exceptions import HTTPError

from learning247.outbound_webhooks.addresses import target_resolve
from learning247.outbound_webhooks.errors import AddressRefused

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` None: there was none, and `failure` says why. `milliseconds` in all."""

    status: int | None
    failure: str
    milliseconds: int

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(*, url: str, body: bytes, headers: Mapping[str, str], private: bool) -> Answer:
    """POST the body. Follows no redirect, reads nothing of the answer's body, and gives up after 20 seconds."""
    started = time.monotonic()
    status, failure = None, ""
    try:
        status = _post(url, body, headers, private)
    except AddressRefused as error:
        failure = error.detail
    except HTTPError as error:
        failure = type(error).__name__  # its text may hold addresses that are nobody's business
    return Answer(status, failure, int((time.monotonic() - started) * 1000))


def _post(url: str, body: bytes, headers: Mapping[str, str], private: bool) -> int:
    target = target_resolve(url, private=private)
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, total=CONNECT_SECONDS + READ_SECONDS)
    # To the address that was looked at, under the name that its certificate must be for.
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target.address,
            target.port,
            timeout=timeout,
            server_hostname=target.host,
            assert_hostname=target.host,
            cert_reqs="CERT_REQUIRED",
            ca_certs=certifi.where(),
        )
    else:
        pool = urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout)
    with pool:
        response = pool.urlopen(
            "POST",
            target.path,
            body=body,
            headers={**headers, "Host": _host_header(target.host, target.port, target.scheme)},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        response.close()
        return response.status


def _host_header(host: str, port: int, scheme: str) -> str:
    named = f"[{host}]" if ":" in host else host
    return named if port == (443 if scheme == "https" else 80) else f"{named}:{port}"
