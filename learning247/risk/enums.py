"""Choices of risk."""

from typing import Final

from django.db import models


class ReviewStatus(models.TextChoices):
    """The diagram is above `ReviewCase`."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    CLOSED = "closed", "Closed without a decision"


class ReviewPriority(models.IntegerChoices):
    LOW = 10, "Low"
    NORMAL = 20, "Normal"
    HIGH = 30, "High"
    URGENT = 40, "Urgent"


class Purpose(models.TextChoices):
    """At which point the checker is asked."""

    CHECKOUT = "checkout", "A purchase begins"
    DECLINE = "decline", "A gateway declined a payment"
    SETTLEMENT = "settlement", "A gateway captured a payment"
    WITHDRAWAL = "withdrawal", "A creator withdraws"


# Where the checker fails, these go to people; the others go on, flagged.
MONEY_OUT: Final = (Purpose.WITHDRAWAL,)


class Outcome(models.TextChoices):
    ALLOW = "allow", "Allow"
    REVIEW = "review", "People look at it"
    BLOCK = "block", "Block"

    @property
    def hardness(self) -> int:
        return HARDNESS.index(self)


HARDNESS: Final = (Outcome.ALLOW, Outcome.REVIEW, Outcome.BLOCK)


class RuleStatus(models.TextChoices):
    """The diagram is above `RuleVersion`."""

    SHADOW = "shadow", "In shadow"
    LIVE = "live", "Live"
    RETIRED = "retired", "Retired"


class RuleKind(models.TextChoices):
    """What a rule looks at; its parameters are in rules.py."""

    VELOCITY = "velocity", "So many within a time"
    AMOUNT = "amount", "A large amount"
    NEW_ACCOUNT = "new_account", "A new account with a large amount"
    COUNTRY_MISMATCH = "country_mismatch", "The card is from another country than the account"
    CURRENCY_MISMATCH = "currency_mismatch", "The card is from a country that pays in another currency"
    DECLINES = "declines", "Declined again and again for one payment"
    SELF_PURCHASE = "self_purchase", "Somebody buys from themselves"
    ROUND_TRIP = "round_trip", "The money comes back to who paid it"
    EARLIER = "earlier", "An earlier check of the same payment asked people"


class By(models.TextChoices):
    """What is counted by."""

    PERSON = "person", "the person"
    CARD = "card", "the card"
    IP = "ip", "the network address"
    DEVICE = "device", "the device"
    BANK = "bank", "the bank account"


class Counting(models.TextChoices):
    EVENTS = "events", "events"
    PEOPLE = "people", "different people"
