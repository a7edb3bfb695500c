"""REST framework's answers as JSON."""

from typing import Any

from rest_framework.renderers import BaseRenderer

from learning247.kit.json_encoding import to_json


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 by definition (RFC 8259)

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_json(data)
