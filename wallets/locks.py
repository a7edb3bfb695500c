"""The locks of the ledger."""

from uuid import UUID

from django.db import connection

from learning247.kit.locks import bound_lock_wait
from wallets.enums import AccountKind

_EARNINGS = (AccountKind.CLEARING, AccountKind.AVAILABLE, AccountKind.DISPUTED)


def earnings_lock(*, owner_id: UUID, currency: str) -> dict[AccountKind, int]:
    """The balances (minor units) of what a person has earned, cleared or not or disputed, locked until the transaction
    ends.

    In the order of the accounts' ids, in which `ledger_post_entry()` locks them too: whoever posts several entries to
    them in one transaction begins with this. An account that was never opened is missing.
    """
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, balance_minor FROM wallets_ledgeraccount WHERE owner_id = %s AND currency = %s"
            " AND kind = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [owner_id, currency, [kind.value for kind in _EARNINGS]],
        )
        return {AccountKind(kind): balance_minor for kind, balance_minor in cursor.fetchall()}
