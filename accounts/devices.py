"""What a request tells of the device that sent it: for the list of sessions, for the audit trail."""

from dataclasses import dataclass

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import USER_AGENT_LENGTH
from learning247.kit.api.client_address import client_address
from learning247.kit.networks import network_of


@dataclass(frozen=True, slots=True)
class Device:
    """`user_agent` is what the client calls itself, shortened; `ip` is None where the server was told of none."""

    user_agent: str = ""
    ip: str | None = None

    @property
    def network(self) -> str | None:
        """What counts as one address: of an IPv6 customer, the whole network."""
        return network_of(self.ip) if self.ip else None


# Where no request stands behind a session.
UNKNOWN = Device()


def device_of(request: Request | HttpRequest) -> Device:
    # Whatever a client writes there: a NUL would not even fit the column.
    printable = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))
    return Device(user_agent=printable[:USER_AGENT_LENGTH], ip=client_address(request) or None)
