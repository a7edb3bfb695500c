"""Input made to break what reads it: depths, lengths, bytes that are no text."""

import io
from typing import Any

import pytest
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient

from learning247.kit.api.parsers import OrjsonParser, TooDeep, read_json
from learning247.kit.money import InvalidAmount, Money


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def parsed(body: bytes) -> Any:
    return OrjsonParser().parse(io.BytesIO(body))


def test_64_levels_are_read_and_one_more_is_not() -> None:
    assert read_json(nested(63) + b" ") == read_json(nested(63))
    assert isinstance(parsed(nested(64)), list)
    with pytest.raises(TooDeep, match="The JSON nests more than 64 levels"):
        read_json(nested(65))
    with pytest.raises(ParseError, match="The body nests more than 64 levels"):
        parsed(nested(65))


def test_brackets_in_a_text_are_no_levels() -> None:
    assert parsed(b'{"a": "' + b"[" * 2000 + b'"}') == {"a": "[" * 2000}


def test_many_neighbours_are_no_levels() -> None:
    assert len(parsed(b"[" + b",".join([b"{}"] * 5000) + b"]")) == 5000


@pytest.mark.parametrize("levels", [65, 952, 1000, 1023, 1024, 5000])
@pytest.mark.parametrize("shape", ["%s", '{"email": %s}'])
def test_a_deep_body_is_a_400(levels: int, shape: str) -> None:
    body = shape % nested(levels).decode()

    answer = APIClient().post("/auth/login", body, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "parse_error")


@pytest.mark.parametrize("body", [b'{"email": "\xff"}', b'{"email": "\\ud800"}', b"\xfe\xff\x00{", b'{"a": NaN}', b"{"])
def test_a_body_that_is_no_json_in_utf8_is_a_400(body: bytes) -> None:
    answer = APIClient().post("/auth/login", body, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "parse_error")


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 41, "0." + "0" * 5000, "x" * 1_000_000])
def test_an_amount_of_any_length_is_an_invalid_amount(text: str) -> None:
    with pytest.raises(InvalidAmount, match=r"^Write the amount in at most 40 characters\.$"):
        Money.from_decimal_string(text, "NGN")


def test_a_long_amount_that_fits_the_text_is_still_too_large() -> None:
    with pytest.raises(InvalidAmount, match=r"^This amount is larger than the platform handles\.$"):
        Money.from_decimal_string("9" * 40, "NGN")


@pytest.mark.parametrize("query", ["version=%00", "version=%0d%0aX", "version=2", "lang=%00"])
def test_the_document_takes_nothing_from_the_query(query: str) -> None:
    plain, asked = APIClient().get("/api/schema"), APIClient().get(f"/api/schema?{query}")

    assert asked.status_code == 200
    assert asked["Content-Disposition"] == plain["Content-Disposition"]
    assert asked.content == plain.content
