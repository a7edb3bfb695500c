"""Row locks of the courses app. Order: the course first, then its product."""

import uuid

from courses.models import Course
from learning247.kit.locks import bound_lock_wait
from payments.models import Product


def course_lock(course_id: uuid.UUID) -> Course | None:
    """The course with its product, the course row locked until the transaction ends; None when it is gone."""
    bound_lock_wait()
    return (
        Course.objects.select_for_update(of=("self",), no_key=True)
        .select_related("product")
        .filter(id=course_id)
        .first()
    )


def product_lock_for_erasure(product_id: uuid.UUID) -> Product:
    """The product under the strongest row lock: whoever writes a row that points to it waits, and then finds none."""
    bound_lock_wait()
    return Product.objects.select_for_update(of=("self",)).get(id=product_id)
