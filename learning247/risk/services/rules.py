"""Changing the rules: another version goes into shadow, then into force; or none is left. On record, with a reason."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from learning247.risk.enums import Outcome, Purpose, RuleKind, RuleStatus
from learning247.risk.errors import RuleNotFound, RuleUnreadable, RuleVersionStale
from learning247.risk.locks import rule_lock
from learning247.risk.models import RuleVersion
from learning247.risk.rules import rule_read


@transaction.atomic(durable=True)
def rule_version_add(
    *,
    rule: str,
    purpose: str,
    kind: str,
    parameters: Mapping[str, Any],
    outcome: str,
    actor: AbstractBaseUser,
    reason: str,
) -> RuleVersion:
    """The next version of `rule` (the first, where there is none) goes into shadow, in the place of one that is there.

    Raises ReasonRequired, RuleUnreadable: parameters that the kind does not take, or another purpose or kind than the
    rule's earlier versions have.
    """
    why = required_reason(reason)
    rule_read(kind, parameters)
    if outcome not in (Outcome.REVIEW, Outcome.BLOCK) or purpose not in Purpose.values:
        raise RuleUnreadable
    rule_lock(rule)
    earlier = list(RuleVersion.objects.filter(rule=rule).order_by("-number"))
    if earlier and (earlier[0].purpose, earlier[0].kind) != (purpose, kind):
        said = f"{Purpose(earlier[0].purpose).value} and {RuleKind(earlier[0].kind).value}"
        raise RuleUnreadable(f"{rule} is for {said} in all its versions. Give another rule another name.")
    waiting = [version for version in earlier if version.status == RuleStatus.SHADOW]
    for version in waiting:
        _go_on(version, RuleStatus.RETIRED)
    made = RuleVersion.objects.create(
        rule=rule,
        number=earlier[0].number + 1 if earlier else 1,
        purpose=purpose,
        kind=kind,
        parameters=dict(parameters),
        outcome=outcome,
    )
    _record("added", made, actor, why, before=_of(earlier, RuleStatus.LIVE), after=_told(made))
    return made


@transaction.atomic(durable=True)
def rule_promote(*, version_id: UUID, actor: AbstractBaseUser, reason: str) -> RuleVersion:
    """What was in shadow decides from now on, in the place of the version that did. One that is live already stays so,
    quietly.

    Raises ReasonRequired, RuleNotFound, RuleVersionStale.
    """
    why, version = required_reason(reason), _locked(version_id)
    if version.status == RuleStatus.LIVE:
        return version
    if version.status != RuleStatus.SHADOW:
        raise RuleVersionStale
    before = RuleVersion.objects.filter(rule=version.rule, status=RuleStatus.LIVE).first()
    if before is not None:
        _go_on(before, RuleStatus.RETIRED)
    _go_on(version, RuleStatus.LIVE)
    _record("promoted", version, actor, why, before=_told(before), after=_told(version))
    return version


@transaction.atomic(durable=True)
def rule_retire(*, version_id: UUID, actor: AbstractBaseUser, reason: str) -> RuleVersion:
    """The version is asked no more, and no other takes its place. One that is retired already stays so, quietly.

    Raises ReasonRequired, RuleNotFound.
    """
    why, version = required_reason(reason), _locked(version_id)
    if version.status == RuleStatus.RETIRED:
        return version
    before = _told(version)
    _go_on(version, RuleStatus.RETIRED)
    _record("retired", version, actor, why, before=before, after=_told(version))
    return version


def _locked(version_id: UUID) -> RuleVersion:
    name = RuleVersion.objects.filter(pk=version_id).values_list("rule", flat=True).first()
    if name is None:
        raise RuleNotFound
    rule_lock(name)
    return RuleVersion.objects.get(pk=version_id)


def _go_on(version: RuleVersion, status: RuleStatus) -> None:
    version.status = status
    version.save(update_fields=["status"])


def _of(versions: list[RuleVersion], status: RuleStatus) -> dict[str, Any]:
    return _told(next((version for version in versions if version.status == status), None))


def _told(version: RuleVersion | None) -> dict[str, Any]:
    if version is None:
        return {"version": None}
    return {
        "version": version.number,
        "status": version.status,
        "outcome": version.outcome,
        "parameters": version.parameters,
    }


def _record(
    what: str,
    version: RuleVersion,
    actor: AbstractBaseUser,
    reason: str,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    audit_record(
        actor=actor,
        action=f"risk_rule.{what}",
        subject_kind="ruleversion",
        subject_id=version.pk,
        reason=reason,
        before={"rule": version.rule, **before},
        after={"rule": version.rule, **after},
    )
