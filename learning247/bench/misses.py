"""A cache miss on request: asked for by its request id, so that no middleware of the bench's own is in the way.

Every key of such a request is one that nobody asked for before. Looked up, computed, stored: all of it is done.
"""

from structlog.contextvars import get_contextvars

PREFIX = "bench-miss-"


def key_of_this_request(key: str, prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION."""
    request_id = str(get_contextvars().get("request_id", ""))
    salt = f":{request_id}" if request_id.startswith(PREFIX) else ""
    return f"{prefix}:{version}:{key}{salt}"
