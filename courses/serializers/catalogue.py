"""Shapes of the catalogue, and the queries that it takes."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from courses.models import Course
from courses.selectors.catalogue import ORDERINGS
from courses.selectors.search import words_of
from learning247.kit.api.fields import AmountField, CurrencyField, validated_money
from learning247.kit.api.queries import PageQuery


class CourseListQuery(PageQuery):
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        default="",
        help_text="Courses that have every word, the last possibly unfinished; signs alone are no word.",
    )
    ordering = serializers.ChoiceField(choices=list(ORDERINGS), required=False, default="title")


class CourseSearchQuery(PageQuery):
    q = serializers.CharField(
        min_length=2, max_length=200, help_text="The last word may be unfinished; typos and word forms are forgiven."
    )
    department = serializers.CharField(required=False, max_length=140, help_text="Id or slug.")
    currency = CurrencyField(required=False, help_text="Courses with a price in it.")
    max_price = serializers.CharField(
        required=False, max_length=40, help_text='At most this, in `currency`: "0" for what is free of charge.'
    )

    def validate_q(self, text: str) -> str:
        if not words_of(text):
            raise serializers.ValidationError("Give at least one word.", code="required")
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "max_price" in attrs:
            if "currency" not in attrs:
                raise serializers.ValidationError({"currency": ["Say in which currency max_price is."]})
            attrs["max_price"] = validated_money(attrs["max_price"], attrs["currency"], attr="max_price")
        return attrs


class DepartmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    course_count = serializers.IntegerField(help_text="Published courses.")


class CourseDepartmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class CourseCreatorSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.SerializerMethodField()

    def get_name(self, creator: User) -> str:
        return f"{creator.first_name} {creator.last_name}".strip()


class MoneySerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = AmountField()


class CourseSerializer(serializers.Serializer[Any]):
    """A course: what everybody may see."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    slug = serializers.CharField()
    department = CourseDepartmentSerializer()
    description = serializers.CharField()
    curriculum = serializers.CharField()
    duration = serializers.CharField()
    image_url = serializers.CharField()
    prices = serializers.SerializerMethodField()
    creator = CourseCreatorSerializer(allow_null=True, help_text="Null: the platform.")
    enrollment_count = serializers.IntegerField()

    @extend_schema_field(MoneySerializer(many=True))
    def get_prices(self, course: Course) -> Any:
        return MoneySerializer([price.money for price in course.product.prices.all()], many=True).data


class HighlightsSerializer(serializers.Serializer[Any]):
    """Safe HTML: what was found stands in `<mark>`, everything else is escaped."""

    title = serializers.CharField(help_text="The whole title.")
    description = serializers.CharField(help_text="Where the words stand, some thirty words.")


class FoundCourseSerializer(CourseSerializer):
    highlights = HighlightsSerializer()


class CourseDetailSerializer(CourseSerializer):
    """One course, with the external link for those who may open it."""

    link = serializers.SerializerMethodField(help_text="Null unless the caller owns the course or made it.")

    def get_link(self, course: Any) -> str | None:
        return course.link or None if course.viewer_may_open else None
