"""The Django project: wiring on top (settings, urls, celery), shared ground below (kit, integrations, records)."""

from learning247.celery import app as celery_app

__all__ = ["celery_app"]
