"""Facts, and rules that a test writes for itself."""

from datetime import timedelta
from typing import Any

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.risk.enums import Outcome, Purpose, RuleKind, RuleStatus
from learning247.risk.facts import Facts, Subject
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.services.decisions import risk_check


def only_rule(
    kind: RuleKind,
    parameters: dict[str, Any],
    *,
    purpose: Purpose = Purpose.SETTLEMENT,
    outcome: Outcome = Outcome.REVIEW,
    status: RuleStatus = RuleStatus.LIVE,
    rule: str = "tried",
) -> RuleVersion:
    """The only version that is asked at `purpose`; the ones that a database begins with are retired there."""
    RuleVersion.objects.filter(purpose=purpose).exclude(rule__startswith="tried").exclude(status="retired").update(
        status="retired"
    )
    return RuleVersion.objects.create(
        rule=rule, number=1, purpose=purpose, kind=kind, parameters=parameters, outcome=outcome, status=status
    )


def facts(**given: Any) -> Facts:
    """A sale of NGN 100.00 to a person of their own whose account is a year old."""
    values: dict[str, Any] = {"currency": "NGN", "amount_minor": 10_000, "account_opened_at": now() - timedelta(365)}
    values |= given
    if "person" not in values:
        values["person"] = build_user().pk
    return Facts(**values)


def check(purpose: Any = Purpose.SETTLEMENT, **given: Any) -> Decision:
    """A decision about something that was never seen before."""
    subject = Subject(given.pop("kind", "payment"), given.pop("subject", None) or new_id())
    return risk_check(purpose=Purpose(purpose), subject=subject, facts=facts(**given))
