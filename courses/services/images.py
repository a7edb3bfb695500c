"""Pictures of courses."""

import hashlib
import uuid
from typing import IO

from accounts.errors import EmailNotVerified
from accounts.models import User
from learning247.kit.files import file_store
from learning247.kit.images import IMAGE_SUFFIX, picture_normalise


def course_image_store(*, course_id: uuid.UUID, creator: User, image: IO[bytes]) -> str:
    """Make the picture anew and keep it; returns its address, which the caller then writes into the course.

    Calls a provider: outside every transaction. The name is made from the content, so that the same picture twice is
    one file. A picture that was replaced stays where it is: pages, previews and caches that show its address go on
    working, and nothing has to be removed that may be set again at the same moment.

    Raises EmailNotVerified, FileStorageUnavailable and what `picture_normalise` raises.
    """
    if not creator.email_verified:
        raise EmailNotVerified
    picture = picture_normalise(image)
    digest = hashlib.sha256(picture.content).hexdigest()
    name = f"courses/{course_id}/{digest}{IMAGE_SUFFIX}"
    return file_store(name=name, content=picture.content, content_type=picture.content_type)
