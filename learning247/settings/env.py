"""Reading the environment: which settings module, and one reader that every settings module shares."""

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent

ENVIRONMENTS = ("local", "test", "production")

env = environ.Env()
# A file of one's own beside manage.py (see .env.example); what the process was started with wins.
env.read_env(BASE_DIR / ".env")


def settings_module() -> str:
    """The dotted settings module that `DJANGO_ENV` names (default: local)."""
    name = os.environ.get("DJANGO_ENV", "local")
    if name not in ENVIRONMENTS:
        raise SystemExit(f"DJANGO_ENV={name!r} is unknown: use one of {', '.join(ENVIRONMENTS)}.")
    return f"learning247.settings.{name}"
