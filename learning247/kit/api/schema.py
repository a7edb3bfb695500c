"""OpenAPI generation: the error envelope documented as it is really sent, with `request_id` and `extra`."""

from drf_standardized_errors.openapi import AutoSchema as BaseAutoSchema


class AutoSchema(BaseAutoSchema):
    """One tag per first path segment that means something; error answers by drf-standardized-errors."""

    def get_tags(self) -> list[str]:
        segments = [part for part in self.path.split("/") if part and part != "api"]
        return [segments[0]] if segments else ["platform"]
