"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from learning247.kit.api.chunked_bodies import ChunkedBodies
from learning247.settings.env import settings_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings_module())

application = ChunkedBodies(get_wsgi_application())
