"""What the ledger may answer instead of posting."""

from learning247.kit.errors import Conflict, Unprocessable


class InsufficientBalance(Unprocessable):
    code = "insufficient_balance"
    detail = "The available balance is too small for this."


class AlreadyPosted(Conflict):
    """The key has a journal entry already: the event behind it was booked before (I5)."""

    code = "already_posted"
    detail = "This was booked before."


class LedgerRefused(Exception):
    """The database refused an entry that no correct caller would post (not zero-sum, mixed currency, no account)."""
