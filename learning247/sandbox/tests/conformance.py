"""Checks recorded exchanges against the providers' own documents, where a copy of them is at hand.

``SPECS_DIR`` names a folder with ``paystack/paystack-official-2025-10-24.yaml``,
``stripe/stripe-openapi-spec3-2023-09-12.yaml`` and ``stripe/stripe-fixtures3-2026-08-21.json``. A record is one of
``GET /control/requests``: give it to ``check_exchange``, which raises :class:`ConformanceError`.

The libraries used here (openapi-core, jsonschema, PyYAML, stripe) are for development, and so this stands with the
tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import stripe
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped, unused-ignore]
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from learning247.sandbox.stripe.parameters import decode
from learning247.sandbox.wire import Json

PAYSTACK_SPEC = "paystack/paystack-official-2025-10-24.yaml"
STRIPE_SPEC = "stripe/stripe-openapi-spec3-2023-09-12.yaml"
STRIPE_FIXTURES = "stripe/stripe-fixtures3-2026-08-21.json"
PAYSTACK_HOST = "https://api.paystack.co"
FORM = "application/x-www-form-urlencoded"

# Where Paystack's document was generated from one successful sample and so says more than is true of every answer:
# an unpaid transaction has no time of payment and no card, and metadata is whatever the merchant sent.
OVERSTATED = {
    ("/transaction/{id}", "paid_at"),
    ("/transaction/{id}", "paidAt"),
    ("/transaction/{id}", "fees"),
    ("/transaction/{id}", "authorization"),
    ("/transaction/{id}", "metadata"),
    ("/transaction", "paidAt"),
}

# Parameters and values that Stripe has gained since the specification of 2023.
STRIPE_NEWER_PARAMETERS = {
    "/v1/checkout/sessions": {"ui_mode", "adaptive_pricing", "saved_payment_method_options"},
    "/v1/accounts": {"controller"},
    "/v1/account_links": {"collection_options"},
}


class ConformanceError(AssertionError):
    """An exchange that the provider's own document does not allow."""


class PaystackConformance:
    """Requests and answers against Paystack's official OpenAPI document."""

    def __init__(self, specs: Path) -> None:
        document = _yaml(specs / PAYSTACK_SPEC)
        for path, field in OVERSTATED:
            _loosen(document, path, field)
        # The document lists the error types under ``code``, against its own example ``duplicate_reference``.
        document["components"]["schemas"]["Error"]["properties"]["code"].pop("enum")
        self._api = OpenAPI.from_dict(document)

    def check_exchange(self, record: Json) -> None:
        """A recorded call and its answer. An answer that never came, and error answers of a fault, are not judged."""
        request = _PaystackRequest(record)
        reply = record["response"]
        try:
            if reply is None or reply["status"] < 400:
                self._api.validate_request(request)
            if reply is not None and reply["status"] < 500:
                self._api.validate_response(request, _PaystackResponse(reply))
        except OpenAPIError as error:
            raise ConformanceError(f"{record['method']} {record['path']}: {_causes(error)}") from error


class StripeConformance:
    """Requests against Stripe's specification, objects against its fixtures and the SDK."""

    def __init__(self, specs: Path) -> None:
        document = _yaml(specs / STRIPE_SPEC)
        self._paths: Json = document["paths"]
        self._schemas: Json = document["components"]["schemas"]
        self._fixtures: Json = json.loads((specs / STRIPE_FIXTURES).read_text(encoding="utf-8"))["resources"]

    def check_exchange(self, record: Json) -> None:
        """A recorded call and its answer."""
        reply = record["response"]
        if record["method"] == "POST" and (reply is None or reply["status"] < 400):
            self.check_request(record["path"], record["body"])
        if reply is None or reply["status"] >= 500:
            return
        if reply["status"] >= 400:
            self._check_error(reply["body"])
        else:
            self.check_object(reply["body"])

    def check_request(self, path: str, body: str) -> None:
        """A form-encoded body against the schema of its endpoint."""
        template, operation = self._operation(path)
        schema = operation["requestBody"]["content"][FORM]["schema"]
        fields = decode(parse_qsl(body, keep_blank_values=True))
        for newer in STRIPE_NEWER_PARAMETERS.get(template, set()):
            fields.pop(newer, None)
        typed = _typed(fields, schema)
        problems = [f"{'.'.join(map(str, error.path))}: {error.message}" for error in _errors(schema, typed)]
        if problems:
            raise ConformanceError(f"POST {path}: {problems}")

    def check_object(self, thing: Json) -> None:
        """An answer or an event's object: known fields only, all required ones, and the SDK can build it."""
        for part in _parts(thing):
            self._check_fields(part)
        built = stripe.StripeObject.construct_from(thing, "sk_test_none")
        if json.loads(json.dumps(built.to_dict())) != thing:
            raise ConformanceError(f"the SDK reads {thing['object']} differently")

    def check_event(self, event: Json) -> None:
        """An event as delivered, with the object it carries."""
        self.check_object(event)

    def _check_fields(self, thing: Json) -> None:
        kind = thing["object"]
        schema = self._schemas.get(kind, {})
        known = set(self._fixtures.get(kind, {})) | set(schema.get("properties", {}))
        unknown = sorted(set(thing) - known)
        absent = sorted(set(schema.get("required", [])) - set(thing))
        if known and (unknown or absent):
            raise ConformanceError(f"{kind}: unknown fields {unknown}, absent fields {absent}")

    def _check_error(self, body: Json) -> None:
        known = set(self._schemas["api_errors"]["properties"])
        unknown = sorted(set(body["error"]) - known)
        if set(body) != {"error"} or unknown or not {"type", "message"} <= set(body["error"]):
            raise ConformanceError(f"error body {body}")

    def _operation(self, path: str) -> tuple[str, Json]:
        for template, item in self._paths.items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if "post" in item and re.fullmatch(pattern, path):
                return template, item["post"]
        raise ConformanceError(f"Stripe has no POST {path}")


class _PaystackRequest:
    """A record in the form that openapi-core reads."""

    def __init__(self, record: Json) -> None:
        self._record = record
        headers = dict(record["headers"])
        self.parameters = RequestParameters(
            query=ImmutableMultiDict([tuple(pair) for pair in record["query"]]),
            header=Headers(headers),
            cookie={},
        )
        self.host_url = PAYSTACK_HOST
        self.path = record["path"]
        self.method = record["method"].lower()
        self.full_url_pattern = f"{PAYSTACK_HOST}{self.path}"
        self.content_type = headers.get("content-type", "application/json")
        self.body = record["body"].encode() or None


class _PaystackResponse:
    def __init__(self, reply: Json) -> None:
        self.data = json.dumps(reply["body"]).encode()
        self.status_code = reply["status"]
        self.content_type = "application/json"
        self.headers = Headers(reply["headers"])


def _yaml(path: Path) -> Json:
    with path.open(encoding="utf-8") as stream:
        document: Json = yaml.load(stream, Loader=yaml.CSafeLoader)
    return document


def _loosen(document: Json, path: str, field: str) -> None:
    """Let a field of the data of an answer be anything."""
    schema = _resolved(document, document["paths"][path]["get"]["responses"]["200"])
    schema = _resolved(document, schema["content"]["application/json"]["schema"])
    data = _resolved(document, schema["properties"]["data"])
    if "items" in data:
        data = _resolved(document, data["items"])
    data["properties"][field] = {"nullable": True}


def _resolved(document: Json, node: Json) -> Json:
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def _causes(error: BaseException) -> str:
    """The whole chain: openapi-core hides the reason below."""
    texts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        details = [str(cause) for cause in getattr(current, "schema_errors", ())]
        texts += [f"{type(current).__name__}: {current}"[:400], *(detail[:400] for detail in details)]
        current = current.__cause__
    return " <- ".join(texts)


def _errors(schema: Json, value: Any) -> Iterator[Any]:
    yield from Draft7Validator(schema).iter_errors(value)


def _typed(value: Any, schema: Json) -> Any:
    """Form values are text; give them the types that the schema speaks of where they read as such."""
    options = schema.get("anyOf", [schema])
    if isinstance(value, dict):
        shape: Json = next((option for option in options if option.get("type") == "object"), {})
        properties, others = shape.get("properties", {}), shape.get("additionalProperties")
        fallback = others if isinstance(others, dict) else {}
        return {name: _typed(item, properties.get(name, fallback)) for name, item in value.items()}
    if isinstance(value, list):
        shape = next((option for option in options if option.get("type") == "array"), {})
        return [_typed(item, shape.get("items", {})) for item in value]
    kinds = {option.get("type") for option in options}
    if "integer" in kinds and re.fullmatch(r"-?\d+", value):
        return int(value)
    if "boolean" in kinds and value in ("true", "false"):
        return value == "true"
    return value


def _parts(value: Any) -> Iterator[Json]:
    """Every Stripe object in a value."""
    if isinstance(value, list):
        for item in value:
            yield from _parts(item)
    if isinstance(value, dict):
        if isinstance(value.get("object"), str):
            yield value
        for item in value.values():
            yield from _parts(item)
