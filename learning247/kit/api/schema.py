"""OpenAPI generation: the error envelope documented as it is really sent, on every operation that can send it."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse
from rest_framework import serializers
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import AllowAny

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LIMITED = "`throttled`: too many requests. The `RateLimit-` headers come with every answer that counts."
LIMIT_HEADERS = {
    name: {"schema": {"type": "integer"}, "description": text}
    for name, text in {
        "RateLimit-Limit": "Requests that are allowed in a window, by the limit that is nearest its end.",
        "RateLimit-Remaining": "How many of them are left.",
        "RateLimit-Reset": "Seconds until the window ends.",
        "Retry-After": "The same seconds, in a refusal.",
    }.items()
}


class ErrorDetailSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="For programs.")
    detail = serializers.CharField(help_text="For people: what is wrong and what to do next.")
    attr = serializers.CharField(allow_null=True, help_text="The request's field at fault.")


class ErrorSerializer(serializers.Serializer):
    """The one envelope of every error, from validation to 500."""

    type = serializers.ChoiceField(choices=("validation_error", "client_error", "server_error"))
    request_id = serializers.CharField(help_text="Quote it to support; the log has it.")
    extra = serializers.DictField(required=False, help_text="What a program can use, where the code has some.")

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        # `errors` is an attribute of every serializer, so that field is added by name.
        fields["errors"] = ErrorDetailSerializer(many=True)
        return fields


class AutoSchema(BaseAutoSchema):
    """One tag per first path segment that means something, and the error envelope per status that may come."""

    def get_tags(self) -> list[str]:
        segments = [part for part in self.path.split("/") if part and part != "api"]
        return [segments[0]] if segments else ["platform"]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction=direction)
        if direction == "response":
            if getattr(self.view, "answers_are_kept", False) and self.method in SAFE_METHODS:
                bodies["304"] = {"description": "What the client has (`If-None-Match`) is still good."}
            for status in self._error_statuses():
                if status not in bodies:
                    bodies[status] = self._get_response_for_code(ErrorSerializer, status)
            if "429" in bodies:
                bodies["429"] = {**bodies["429"], "description": LIMITED, "headers": LIMIT_HEADERS}
        return bodies

    def _get_request_body(self, direction: Direction = "request") -> dict[str, Any] | None:
        """A DELETE has one only where its view says so (`delete_takes_a_body`); the parent gives it to no DELETE."""
        method = self.method
        try:
            if method == "DELETE" and getattr(self.view, "delete_takes_a_body", False):
                self.method = "POST"
            body: dict[str, Any] | None = super()._get_request_body(direction=direction)
        finally:
            self.method = method
        return body

    def _error_statuses(self) -> list[str]:
        statuses = ["400"]
        if self.view.get_throttles():
            statuses.append("429")
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            statuses += ["401", "403"]
        elif self.view.get_authenticators():
            statuses.append("401")  # open to everybody, but not to a bad token
        if "{" in self.path or self._has_numbered_pages():
            statuses.append("404")
        if self.method not in SAFE_METHODS:
            statuses += ["409", "413", "422", "503"]
        return sorted(statuses)

    def _has_numbered_pages(self) -> bool:
        """Past the last page there is nothing."""
        return isinstance(self._get_paginator(), PageNumberPagination) and self._is_list_view()


def refusals(**texts: str) -> dict[int, OpenApiResponse]:
    """`refusals(e409="…")`: refusals by rules, for the document."""
    return {
        int(status.removeprefix("e")): OpenApiResponse(ErrorSerializer, description=text)
        for status, text in texts.items()
    }
