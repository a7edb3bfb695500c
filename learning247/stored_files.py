"""Stored files as a laptop serves them; in production a bucket does."""

import mimetypes

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve

from learning247.kit.files import FOREVER
from learning247.kit.images import IMAGE_CONTENT_TYPE, IMAGE_SUFFIX

mimetypes.add_type(IMAGE_CONTENT_TYPE, IMAGE_SUFFIX)  # not every system's table has it


@require_safe
def stored_file(request: HttpRequest, path: str) -> HttpResponseBase:
    answer = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    answer["Cache-Control"] = FOREVER
    return answer
