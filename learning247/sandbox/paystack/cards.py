"""Paystack's official test cards and what becomes of a payment with each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """``decline`` is the gateway's response of a refusal; ``refund`` overrides how refunds of it end."""

    number: str
    cvv: str
    meaning: str
    decline: str = ""
    refund: str = ""
    foreign: bool = False


SUCCESS = Card("4084084084084081", "408", "succeeds, to each customer a card of their own")
DECLINED = Card("4084080000005408", "001", "is declined", decline="Declined")
CARDS = {
    card.number: card
    for card in (
        SUCCESS,
        DECLINED,
        Card("4084080000670037", "787", "has insufficient funds", decline="Insufficient Funds"),
        Card("5060666666666666666", "123", "succeeds, the same card whoever pays with it"),
        Card("4084080000671803", "180", "succeeds; a refund of it fails", refund="failed"),
        Card("4084080000671902", "190", "succeeds; a refund of it needs attention", refund="needs-attention"),
    )
}


def card_of(number: str) -> Card:
    """A card by its number, spaces allowed; an unknown number is declined as a real test mode does."""
    digits = number.replace(" ", "")
    return CARDS.get(digits, Card(digits or "0" * 16, "", "is unknown", decline="Declined"))
