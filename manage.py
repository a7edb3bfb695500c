#!/usr/bin/env python
"""Django's command line. Outside production it starts or joins the embedded servers where none are configured."""

import os
import sys

from learning247 import embedded
from learning247.settings.env import settings_module


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings_module())
    if os.environ.get("DJANGO_ENV", "local") != "production":
        embedded.ensure_running()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
