"""gunicorn's thread worker, whose own refusals (what is no HTTP, or too long) speak as the API does."""

import socket
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from learning247.kit.api.envelope import envelope
from learning247.kit.ids import new_id
from learning247.kit.json_encoding import to_json
from learning247.kit.request_ids import HEADER

_REFUSALS = {
    b"403": ("permission_denied", "This is not allowed."),
    b"414": ("uri_too_long", "The address is longer than this server reads."),
    b"417": ("expectation_failed", "Send the request without this Expect header."),
    b"431": ("headers_too_large", "There are more headers, or longer ones, than this server reads."),
    b"500": ("error", "Something went wrong on our side."),
    b"501": ("not_implemented", "This transfer coding is not supported."),
}
_MALFORMED = ("bad_request", "The request is malformed.")


class WebWorker(ThreadWorker):
    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        super().handle_error(req, _Envelope(client), addr, exc)


class _Envelope:
    """The client's socket, on which gunicorn's page becomes the API's JSON under the same status line."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, page: bytes) -> None:
        status_line = page.partition(b"\r\n")[0]
        status = status_line.split(b" ")[1]
        code, detail = _REFUSALS.get(status, _MALFORMED)
        request_id = str(new_id())
        body = to_json(envelope(status=int(status), code=code, detail=detail, request_id=request_id))
        headers = {
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "X-Content-Type-Options": "nosniff",
            HEADER: request_id,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._client.sendall(status_line + b"\r\n" + lines.encode() + b"\r\n" + body)
