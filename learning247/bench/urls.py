"""The platform's addresses, and before them the yardsticks'."""

from django.urls import path

from learning247 import urls
from learning247.bench.yardsticks import EmptyView, RowView
from learning247.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("bench/empty", EmptyView.as_view()),
    path("bench/row/<uuid:pk>", RowView.as_view()),
    *urls.urlpatterns,
]
