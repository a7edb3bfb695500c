"""Courses with an image that their creator sends. It is stored first, then its address is written into the course."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import IO, Unpack

from accounts.errors import EmailNotVerified
from accounts.models import User
from courses.models import Course
from courses.services.courses import CourseChanges, CourseFields, course_create, course_update
from learning247.kit.files import file_store
from learning247.kit.ids import new_id
from learning247.kit.images import IMAGE_SUFFIX, image_normalise
from learning247.kit.money import Money


def course_create_with_image(
    *, creator: User, prices: Sequence[Money] = (), image: IO[bytes] | None = None, **fields: Unpack[CourseFields]
) -> Course:
    """`course_create` by a creator; `image`, when given, becomes the course's.

    Outside every transaction. Raises EmailNotVerified, FileStorageUnavailable and what `image_normalise` raises;
    no course is there then.
    """
    course_id = new_id()
    if image is not None:
        fields["image_url"] = _image_store(course_id, creator, image)
    return course_create(course_id=course_id, creator=creator, prices=prices, **fields)


def course_update_with_image(
    *,
    course: Course,
    changes: CourseChanges | None = None,
    prices: Sequence[Money] | None = None,
    image: IO[bytes] | None = None,
) -> Course:
    """`course_update` of a creator's own course; `image`, when given, becomes the course's.

    Outside every transaction. Raises what `course_update` raises, EmailNotVerified, FileStorageUnavailable and what
    `image_normalise` raises; the course is as it was then.
    """
    wanted: CourseChanges = {**changes} if changes else {}
    if image is not None:
        assert course.creator is not None, "only creators send images"
        wanted["image_url"] = _image_store(course.id, course.creator, image)
    return course_update(course_id=course.id, changes=wanted, prices=prices)


def _image_store(course_id: uuid.UUID, creator: User, image: IO[bytes]) -> str:
    """Make the image anew and keep it; returns its address.

    The name is made from the content, so that the same image twice is one file. An image that was replaced stays
    where it is: pages, previews and caches that show its address go on working, and nothing has to be removed that may
    be set again at the same moment.
    """
    if not creator.email_verified:
        raise EmailNotVerified
    made = image_normalise(image)
    digest = hashlib.sha256(made.content).hexdigest()
    name = f"courses/{course_id}/{digest}{IMAGE_SUFFIX}"
    return file_store(name=name, content=made.content, content_type=made.content_type)
