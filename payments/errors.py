"""What a purchase may be refused with."""

from learning247.kit.errors import Conflict, NotFound, Unavailable, Unprocessable


class ProductNotFound(NotFound):
    code = "product_not_found"
    detail = "There is nothing for sale here."


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    detail = "There is no such payment."


class AlreadyOwned(Conflict):
    code = "already_owned"
    detail = "You own this already. Open it from your library."


class CurrencyNotAvailable(Unprocessable):
    code = "currency_not_available"
    detail = "This has no price in that currency. Choose one of its prices."


class GatewayRejected(Unprocessable):
    """The gateway's conclusive no: nothing was charged."""

    code = "gateway_rejected"
    detail = "The payment gateway refused this payment. Nothing was charged."


class CheckoutLost(Conflict):
    """The checkout was opened, but its address never reached us; nobody can pay it. Nothing was charged."""

    code = "checkout_lost"
    detail = "The checkout could not be opened. Nothing was charged; start again with a new Idempotency-Key."


class PurchaseKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key began another purchase. Send a new key for a new purchase."


class CheckoutOutdated(Conflict):
    """Nobody can pay the payment that this key began, and its terms no longer hold."""

    code = "checkout_outdated"
    detail = "The price or the time of this purchase has passed. Start again with a new Idempotency-Key."


class GatewayUnavailable(Unavailable):
    code = "gateway_unavailable"
    detail = "The payment gateway does not answer. Nothing is lost: try again in a moment."
