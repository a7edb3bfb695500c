"""What OPTIONS answers. What a route takes and gives stands in the API's document, for all routes alike."""

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

if TYPE_CHECKING:  # the module of the views reads the setting that names this one
    from rest_framework.views import APIView


class AllowedMethods(BaseMetadata):
    """`{"methods": [...]}`, as in the header `Allow`. REST framework's own asks each view for a serializer and a
    queryset, and fails where there is none."""

    def determine_metadata(self, request: Request, view: "APIView") -> dict[str, Any]:
        return {"methods": view.allowed_methods}
