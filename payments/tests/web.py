"""gunicorn as in production, selling the videos that these tests sell. `python -m payments.tests.web`"""

import sys

import django
from gunicorn.app.wsgiapp import WSGIApplication  # type: ignore[import-untyped]

if __name__ == "__main__":
    django.setup()

    from payments.enums import ProductKind
    from payments.kinds import register_product_kind

    register_product_kind(
        ProductKind.VIDEO, on_granted=lambda *_: None, on_revoked=lambda *_: None, on_restored=lambda *_: None
    )
    sys.argv = ["gunicorn", "--preload", "-c", "gunicorn.conf.py"]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()
