"""Requests whose body comes in chunks, without a length (RFC 9112, 7.1), as some clients send what they generate.

Django reads as many bytes as Content-Length says, and without one none at all: such a body would be empty. The server
has put the chunks together already (`wsgi.input_terminated`); here they get the length that they turn out to have.
"""

from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile
from typing import Any, Final

from learning247.kit.api.envelope import envelope
from learning247.kit.errors import RequestTooLarge
from learning247.kit.ids import new_id
from learning247.kit.json_encoding import to_json
from learning247.kit.request_ids import HEADER

# More than the largest thing that anybody may send, a catalogue in the console; each view has its own limit.
LONGEST: Final = 12 * 1_048_576
_IN_MEMORY: Final = 1_048_576
_PIECE: Final = 65_536

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ChunkedBodies:
    """Around the WSGI application. More than LONGEST is a 413."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("wsgi.input_terminated") or environ.get("CONTENT_LENGTH"):
            return self._application(environ, start_response)
        if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            return self._application(environ, start_response)
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            length = 0
            while piece := environ["wsgi.input"].read(_PIECE):
                length += len(piece)
                if length > LONGEST:
                    return _too_large(start_response)
                body.write(piece)
            body.seek(0)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(length)
            # All of the body has been read by the time that the answer begins; what is streamed needs none of it.
            return self._application(environ, start_response)


def _too_large(start_response: Callable[..., Any]) -> Iterable[bytes]:
    request_id = str(new_id())
    body = to_json(
        envelope(status=413, code=RequestTooLarge.code, detail=RequestTooLarge.detail, request_id=request_id)
    )
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        (HEADER, request_id),
    ]
    start_response("413 Content Too Large", headers)
    return [body]
