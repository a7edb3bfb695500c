"""A pytest plugin (`-p`): the embedded PostgreSQL and Redis stand before Django's settings are read."""

from learning247 import embedded

embedded.ensure_running()
