"""Query strings, read strictly."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from rest_framework import serializers
from rest_framework.request import Request


class Query(serializers.Serializer[Any]):
    """A query string, read strictly: a parameter that is given twice or makes no sense is a 400, not a guess."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Raises ValidationError that names the parameter."""
        known = _names(cls)
        repeated = [name for name in known if len(request.query_params.getlist(name)) > 1]
        if repeated:
            raise serializers.ValidationError(dict.fromkeys(repeated, "Give this parameter once."), code="repeated")
        given = {name: request.query_params[name] for name in known if name in request.query_params}
        return dict(_nothing_asked(cls)) if not given else cls._checked(given)

    @classmethod
    def _checked(cls, given: dict[str, str]) -> dict[str, Any]:
        query = cls(data=given)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    @classmethod
    def address(cls, request: Request) -> str:
        """The request's own address with the parameters that this query knows, sorted: one for equal questions."""
        parameters = request.query_params
        given = sorted((name, value) for name in _names(cls) for value in parameters.getlist(name))
        # As build_absolute_uri does for a path that begins at the root, at a fifth of its cost.
        address = f"{request.scheme}://{request.get_host()}{quote(request.path)}"
        return f"{address}?{urlencode(given)}" if given else address


class FilterQuery(Query):
    """An empty filter counts as absent."""

    def to_internal_value(self, data: Mapping[str, str]) -> Any:
        return super().to_internal_value({name: value for name, value in data.items() if value.strip()})


class PageQuery(Query):
    page = serializers.IntegerField(min_value=1, required=False)
    page_size = serializers.IntegerField(min_value=1, required=False, help_text="More than 100 gives 100.")


@cache
def _names(query: type[Query]) -> tuple[str, ...]:
    """Those that `get_fields` adds among them."""
    return tuple(query().fields)


@cache
def _nothing_asked(query: type[Query]) -> dict[str, Any]:
    """The defaults, or the refusal: the same each time, and the most frequent question of all."""
    return query._checked({})
