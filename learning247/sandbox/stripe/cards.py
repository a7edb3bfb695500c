"""Stripe's published test cards and what becomes of a payment with each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """``decline`` is the decline code of a refusal; ``refund_fails`` and ``disputed`` come after a
    success.
    """

    number: str
    meaning: str
    decline: str = ""
    refund_fails: bool = False
    disputed: bool = False

    def message(self) -> str:
        if self.decline == "insufficient_funds":
            return "Your card has insufficient funds."
        return "Your card was declined." if self.decline else ""


SUCCESS = Card("4242424242424242", "succeeds, to each customer a card of their own")
DECLINED = Card("4000000000000002", "is declined", decline="generic_decline")
CARDS = {
    card.number: card
    for card in (
        SUCCESS,
        DECLINED,
        Card("4000000000009995", "has insufficient funds", decline="insufficient_funds"),
        Card("4000000000000259", "succeeds and is then disputed as fraudulent", disputed=True),
        Card("5555555555554444", "succeeds, the same card whoever pays with it"),
        Card("4000000000005126", "succeeds; a refund of it fails later", refund_fails=True),
    )
}


def card_of(number: str) -> Card:
    """A card by its number, spaces allowed; an unknown number is declined as in test mode."""
    digits = number.replace(" ", "")
    return CARDS.get(digits, Card(digits or "0" * 16, "is unknown", decline="generic_decline"))


def card_ending(last4: str) -> Card:
    return next((card for card in CARDS.values() if card.number.endswith(last4)), SUCCESS)
