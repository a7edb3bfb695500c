"""Two shapes of a list: numbered pages for catalogues, keyset cursors for histories that grow without end.

Both are strict: a page size or a cursor that makes no sense is a 400 that names it, not a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Field, QuerySet
from orjson import Fragment
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from learning247.kit.json_encoding import to_json

_whole = serializers.IntegerField(min_value=1)


def _given_once(request: Request, name: str) -> str | None:
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise serializers.ValidationError({name: ["Give this parameter once."]}, code="repeated")
    return given[0] if given else None


def _page_size(request: Request, *, default: int, largest: int) -> int:
    given = _given_once(request, "page_size")
    if given is None:
        return default
    try:
        return min(int(_whole.run_validation(given)), largest)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"page_size": error.detail}) from None


def _links_may_be_null(page: dict[str, Any]) -> dict[str, Any]:
    """REST framework says it as OpenAPI 3.0 did."""
    for link in ("next", "previous"):
        page["properties"][link].pop("nullable")
        page["properties"][link]["type"] = ["string", "null"]
    return page


class CataloguePagination(PageNumberPagination):
    """`{count, next, previous, results}` with `page` and `page_size` (default 20, at most 100)."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _links_may_be_null(super().get_paginated_response_schema(schema))

    def get_page_size(self, request: Request) -> int:
        return _page_size(request, default=self.page_size, largest=self.max_page_size)


class HistoryReader(Protocol):
    """Reads a stretch of a history: rows with the attribute that orders it, newest first or (`falling` false) oldest.

    `bound` is the position after which it begins, None: at the end.
    """

    def __call__(self, *, falling: bool, bound: Any, offset: int, limit: int) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class History:
    """What HistoryPagination asks of a queryset, for rows that SQL of one's own reads.

    `column` is the one that orders them: a cursor has to fit it.
    """

    column: "Field[Any, Any]"
    read: HistoryReader
    falling: bool = True
    bound: Any = None

    def order_by(self, first: str, *_: str) -> Self:
        return replace(self, falling=first.startswith("-"))

    def filter(self, **condition: Any) -> Self:
        """Rows after a position, in the order that was asked for."""
        (bound,) = condition.values()
        return replace(self, bound=bound)

    def __getitem__(self, rows: slice) -> list[Any]:
        return self.read(falling=self.falling, bound=self.bound, offset=rows.start, limit=rows.stop - rows.start)


class HistoryPagination(CursorPagination):
    """`{next, previous, results}` with `cursor`; as quick on the millionth row as on the first."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-id"
    _column: "Field[Any, Any]"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _links_may_be_null(super().get_paginated_response_schema(schema))

    def get_page_size(self, request: Request) -> int:
        return _page_size(request, default=self.page_size, largest=self.max_page_size)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any] | History, request: Request, view: Any = None
    ) -> list[Any] | None:
        if isinstance(queryset, History):
            self._column = queryset.column
        else:
            assert isinstance(queryset, QuerySet), "a history is read from the database"
            first = self.get_ordering(request, queryset, view)[0]
            self._column = queryset.model._meta.get_field(first.removeprefix("-"))
        page: list[Any] | None = super().paginate_queryset(queryset, request, view)  # type: ignore[arg-type] # History
        return page

    def decode_cursor(self, request: Request) -> Any:
        if _given_once(request, self.cursor_query_param) is None:
            return None
        try:
            cursor = super().decode_cursor(request)
        except NotFound:  # its own word for a text that no `next` ever had
            cursor = None
        if cursor is None or not self._is_ours(cursor.position, cursor.offset):
            raise serializers.ValidationError({self.cursor_query_param: ["This cursor is not one of ours."]})
        return cursor

    def _is_ours(self, position: Any, offset: int) -> bool:
        if position is None:
            return offset > 0
        try:
            value = self._column.to_python(position)
            self._column.run_validators(value)  # also: does it fit the column?
        except FieldError:
            return False
        return bool(str(value) == position)


def numbered_page(
    address: str,
    *,
    number: int,
    size: int,
    count: int,
    results: bytes,
    more: Mapping[str, Any] | None = None,
) -> bytes:
    """A page of CataloguePagination's shape around rows that PostgreSQL has rendered (`results`: a JSON array).

    `address` is what the links are made from (`Query.address`); `more` stands beside `count`. Raises NotFound past the
    last page; page 1 is always there.
    """
    last = max(1, -(-count // size))
    if number > last:
        raise NotFound(f"There is no page {number}; the last one is {last}.")
    following = replace_query_param(address, "page", number + 1) if number < last else None
    preceding = _page_before(address, number) if number > 1 else None
    page = {"count": count, "next": following, "previous": preceding, **(more or {}), "results": Fragment(results)}
    return to_json(page)


def _page_before(address: str, number: int) -> str:
    if number == 2:  # the first page has no number in its address
        return str(remove_query_param(address, "page"))
    return str(replace_query_param(address, "page", number - 1))
