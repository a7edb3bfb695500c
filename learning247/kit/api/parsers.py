"""JSON in, by orjson, strict: UTF-8, no NaN, no NUL bytes (PostgreSQL text cannot hold them), no depths."""

from typing import Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from learning247.kit.errors import RequestTooLarge

# Far beyond what any request or event has, far below where code that walks it recursively would give up.
DEEPEST = 64


class TooDeep(ValueError):
    """The JSON nests more than DEEPEST levels."""


def read_json(body: bytes) -> Any:
    """What `body` says. Raises ValueError: TooDeep, or orjson's JSONDecodeError for what is no JSON in UTF-8."""
    parsed = orjson.loads(body)
    level, depth = [parsed] if isinstance(parsed, dict | list) else [], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise TooDeep(f"The JSON nests more than {DEEPEST} levels.")
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return parsed


class OrjsonParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestTooLarge
        if b"\\u0000" in body or b"\x00" in body:
            raise ParseError("The body contains a NUL character.")
        try:
            return read_json(body)
        except TooDeep:
            raise ParseError(f"The body nests more than {DEEPEST} levels.") from None
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error.msg}.") from None
