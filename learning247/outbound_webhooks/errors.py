"""What managing webhook endpoints may be refused with."""

from learning247.kit.errors import Conflict, Malformed, NotFound, Unprocessable


class EndpointNotFound(NotFound):
    code = "webhook_endpoint_not_found"
    detail = "You have no such webhook endpoint."


class DeliveryNotFound(NotFound):
    code = "webhook_delivery_not_found"
    detail = "You have no such delivery."


class AddressRefused(Malformed):
    code = "webhook_url_refused"
    detail = "Webhooks go to a public https address. Give one that can be reached from the internet."


class TooManyEndpoints(Unprocessable):
    code = "too_many_webhook_endpoints"
    detail = "You have as many webhook endpoints as one may have. Delete one first."


class EndpointDisabled(Conflict):
    code = "webhook_endpoint_disabled"
    detail = "This webhook endpoint is disabled. Enable it first."
