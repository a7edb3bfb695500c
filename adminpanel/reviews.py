"""What people decide over, of all kinds in one queue: payments and withdrawals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet, Value

from accounts.models import User
from accounts.selectors import staff_may
from payments.errors import ReviewNotFound
from payments.selectors import review_list
from payments.services.decisions import payment_approve, payment_reject
from payments.services.reviews import review_edit
from wallets.selectors import withdrawal_review_list
from wallets.services.withdrawal_reviews import withdrawal_approve, withdrawal_reject, withdrawal_review_edit

Rows = Callable[..., QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class ReviewKind:
    """`rows(status=, assigned_to=)` reads the cases; the others act on one, by its id."""

    name: str
    right: str
    rows: Rows
    approve: Callable[..., Any]
    reject: Callable[..., Any]
    edit: Callable[..., Any]

    def may(self, user: User, what: str) -> bool:
        """Whether they may `view` or `change` such cases. Raises SecondFactorSetupRequired."""
        app, _, model = self.right.partition(".")
        return staff_may(user, f"{app}.{what}_{model}")


KINDS: Final = (
    ReviewKind("payment", "payments.paymentreview", review_list, payment_approve, payment_reject, review_edit),
    ReviewKind(
        "withdrawal",
        "wallets.withdrawalreview",
        withdrawal_review_list,
        withdrawal_approve,
        withdrawal_reject,
        withdrawal_review_edit,
    ),
)


def review_find(review_id: UUID, *, user: User, what: str) -> tuple[ReviewKind, Any]:
    """The case and its kind, if `user` may `view` or `change` it. Raises ReviewNotFound."""
    for kind in KINDS:
        if kind.may(user, what):
            review = kind.rows().filter(pk=review_id).first()
            if review is not None:
                return kind, review
    raise ReviewNotFound


class ReviewQueue(Sequence[Any]):
    """The cases that `user` may see, the oldest due first; a page costs the same statements however long it is."""

    def __init__(self, *, user: User, status: str, assigned_to: User | None) -> None:
        self._rows = {
            kind.name: kind.rows(status=status, assigned_to=assigned_to) for kind in KINDS if kind.may(user, "view")
        }

    def __len__(self) -> int:
        return sum(rows.count() for rows in self._rows.values())

    def __getitem__(self, chosen: Any) -> Any:
        if not self._rows:
            return []
        parts = [rows.order_by().values_list("due_at", "pk", Value(name)) for name, rows in sorted(self._rows.items())]
        first, *others = parts
        keys = list((first.union(*others, all=True) if others else first).order_by("due_at", "pk")[chosen])
        found = {name: rows.in_bulk([pk for _, pk, kind in keys if kind == name]) for name, rows in self._rows.items()}
        return [found[kind][pk] for _, pk, kind in keys if pk in found[kind]]
