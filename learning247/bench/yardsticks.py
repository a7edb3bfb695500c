"""The two views that everything is measured against, behind the platform's own middleware and defaults.

E answers with an empty object. Q reads one row by its key and returns its fields, as one would write it by hand.
"""

from typing import Any
from uuid import UUID

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.models import Product


class EmptyView(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({})


class RowView(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, pk: UUID) -> Response:
        product = Product.objects.get(pk=pk)
        fields: dict[str, Any] = {
            "id": product.id,
            "kind": product.kind,
            "item_id": product.item_id,
            "title": product.title,
            "active": product.active,
            "created_at": product.created_at,
        }
        return Response(fields)
