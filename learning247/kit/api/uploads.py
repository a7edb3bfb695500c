"""Forms with an image in them (multipart/form-data), read no further than an image may be long."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import BaseParser

from learning247.kit.api.parsers import read_json
from learning247.kit.errors import RequestTooLarge
from learning247.kit.images import IMAGE_MAX_BYTES, ImageTooLarge


class _ImageCap(FileUploadHandler):
    """Stops at the first byte too many, wherever it comes in the body."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > IMAGE_MAX_BYTES:
            raise ImageTooLarge(attr=self.field_name, extra={"max_bytes": IMAGE_MAX_BYTES})
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class ImageFormParser(BaseParser):
    """A form as a plain dict, each name once: texts as strings, files as UploadedFile, `json_fields` as what they say.

    Raises ImageTooLarge, RequestTooLarge, ParseError, ValidationError.
    """

    media_type = "multipart/form-data"
    json_fields: ClassVar[frozenset[str]] = frozenset()

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        request = parser_context["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > IMAGE_MAX_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise ImageTooLarge(extra={"max_bytes": IMAGE_MAX_BYTES})
        handlers = [_ImageCap(request), *request.upload_handlers]
        try:
            texts, files = MultiPartParser({**request.META, "CONTENT_TYPE": media_type}, stream, handlers).parse()
        except MultiPartParserError as error:
            raise ParseError(f"The form cannot be read: {error}.") from None
        except SuspiciousOperation:  # more text, more fields or more files than the settings allow
            raise RequestTooLarge from None
        given = [*texts.lists(), *files.lists()]
        names = [name for name, _ in given]
        repeated = {name for name, values in given if len(values) > 1 or names.count(name) > 1}
        if repeated:
            raise ValidationError({name: [ErrorDetail("Give this once.", code="repeated")] for name in repeated})
        return {name: self._value(name, values[0]) for name, values in given}

    def _value(self, name: str, value: Any) -> Any:
        if name not in self.json_fields:
            return value
        text = value.read() if isinstance(value, UploadedFile) else value.encode()
        try:
            return read_json(text)
        except ValueError:
            raise ValidationError({name: [ErrorDetail("Send this as JSON.", code="invalid")]}) from None
