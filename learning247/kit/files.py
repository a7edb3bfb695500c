"""Files that the platform keeps for everybody to see: in a bucket in production, in a directory on a laptop.

A name is made from its content: storing the same thing again changes nothing, and what was read once never goes stale.
"""

import io
from typing import Final

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import InMemoryUploadedFile

from learning247.kit.errors import Unavailable

FOREVER: Final = "public, max-age=31536000, immutable"

_log = structlog.get_logger(__name__)


class FileStorageUnavailable(Unavailable):
    code = "storage_unavailable"
    detail = "The file could not be stored right now. Try again in a moment."


def file_store(*, name: str, content: bytes, content_type: str) -> str:
    """Keep `content` under `name`, over what is there; returns its absolute address. Calls a provider: outside every
    transaction. Raises FileStorageUnavailable; the same call may then be made again."""
    file = InMemoryUploadedFile(io.BytesIO(content), None, name, content_type, len(content), None)
    try:
        return default_storage.url(default_storage.save(name, file))
    except (BotoCoreError, ClientError, OSError) as error:
        _log.warning("file_not_stored", name=name, error=type(error).__name__, reason=str(error))
        raise FileStorageUnavailable from error
