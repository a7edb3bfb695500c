"""Two shapes of a list: numbered pages for catalogues, keyset cursors for histories that grow without end."""

from rest_framework.pagination import CursorPagination, PageNumberPagination


class CataloguePagination(PageNumberPagination):
    """`{count, next, previous, results}` with `page` and `page_size` (default 20, at most 100)."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"


class HistoryPagination(CursorPagination):
    """`{next, previous, results}` with `cursor`; as quick on the millionth row as on the first."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-id"
