"""What a purchase may be refused with."""

from learning247.kit.errors import Conflict, Forbidden, Malformed, NotFound, Unavailable, Unprocessable


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


class PurchaseRefused(Unprocessable):
    """Our checks for fraud say no. Neither which, nor how it would be passed."""

    code = "purchase_refused"
    detail = "This purchase cannot be made right now. Nothing was charged. Try again tomorrow, or write to support."


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


class NothingToRefund(Conflict):
    code = "nothing_to_refund"
    detail = "Nothing of this payment can be given back: it was free, was not paid, or was refunded already."


class PaymentDisputed(Conflict):
    code = "payment_disputed"
    detail = "The buyer's bank disputes this payment: it decides where the money goes. Wait for that; refund nothing."


class DisputeNotFound(NotFound):
    code = "dispute_not_found"
    detail = "The gateway knows no such dispute of this payment."


class DisputeUnreadable(Conflict):
    """What the gateway says of a dispute cannot be booked as it is: for people."""

    code = "dispute_unreadable"
    detail = "What the gateway says of this dispute does not fit the payment. Look it up at the gateway."


class PayoutNotFound(NotFound):
    code = "payout_not_found"
    detail = "The gateway knows no such payout of ours."


class PayoutUnreadable(Conflict):
    code = "payout_unreadable"
    detail = "What the gateway says of this payout cannot be booked as it is. Look it up at the gateway."


class DisputeClosed(Conflict):
    code = "dispute_closed"
    detail = "This dispute takes no evidence any more: it was answered, or is decided."


class RefundTooLarge(Unprocessable):
    code = "refund_too_large"
    detail = "This is more than is left of the payment."


class RefundWindowClosed(Unprocessable):
    code = "refund_window_closed"
    detail = "The time in which you can ask for your money back has passed. Write to support."


class RefundWholeOnly(Unprocessable):
    code = "refund_whole_only"
    detail = "You can only ask for all of your money back. Leave `amount` out."


class RefundKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key began another refund. Send a new key for a new refund."


class OwnSale(Forbidden):
    code = "own_sale"
    detail = "This was bought from you. Ask a colleague to give the money back."


class PaymentInReview(Conflict):
    code = "payment_in_review"
    detail = "We are looking at this payment; nothing is lost meanwhile. Write to support if you cannot wait."


class ReviewNotFound(NotFound):
    code = "review_not_found"
    detail = "There is no such review."


class AlreadyDecided(Conflict):
    code = "already_decided"
    detail = "This was decided already, or needs no decision any more. Open it to see how."


class OwnPayment(Forbidden):
    code = "own_payment"
    detail = "You bought or sell this. Somebody else has to decide over it."


class ApprovalImpossible(Conflict):
    code = "approval_impossible"
    detail = "This cannot be approved. Reject it, and the money goes back."


class RejectionImpossible(Conflict):
    """Nothing of it is in our books, so nothing can go back by them."""

    code = "rejection_impossible"
    detail = "Our books hold nothing of this that could go back. Look at it on the gateway's own pages."


class StatementUnreadable(Unprocessable):
    code = "statement_unreadable"
    detail = "This file cannot be read as the gateway's export. Export it anew."


class CouponUnknown(Unprocessable):
    """Also for one that has not begun: a campaign is not told before its time."""

    code = "coupon_unknown"
    detail = "There is no such coupon. Look at how it is written, or leave it out."


class CouponExpired(Unprocessable):
    code = "coupon_expired"
    detail = "This coupon is no longer valid. Leave it out to pay the full price."


class CouponUsedUp(Unprocessable):
    code = "coupon_used_up"
    detail = "All uses of this coupon are taken. Leave it out to pay the full price."


class CouponNotApplicable(Unprocessable):
    code = "coupon_not_applicable"
    detail = "This coupon is not for what you are buying. Leave it out to pay the full price."


class CouponMinimum(Unprocessable):
    code = "coupon_minimum"
    detail = "What is left to pay is less than can be charged. Leave the coupon out, or use it for something else."


class CouponNotFound(NotFound):
    code = "coupon_not_found"
    detail = "You have no such coupon."


class CouponCodeTaken(Conflict):
    code = "coupon_code_taken"
    detail = "You have a coupon with this code already. Choose another code."


class CouponCodeInvalid(Malformed):
    code = "coupon_code_invalid"
    detail = "A code has 4 to 40 letters of A to Z, digits, - and _, and begins and ends with a letter or digit."


class CouponRedeemed(Conflict):
    code = "coupon_redeemed"
    detail = "This coupon was used, so it stays on record. Pause it instead."


class CouponLimitBelowUse(Unprocessable):
    code = "coupon_limit_below_use"
    detail = "So many uses are taken already. Allow at least that many, or pause the coupon."


class CouponWindowInvalid(Unprocessable):
    code = "coupon_window_invalid"
    detail = "It would end before it begins. Let it end later."
