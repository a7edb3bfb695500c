"""The checker: facts in, a decision out, stored with all that led to it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from learning247.kit.clock import now
from learning247.records.reasons import reason_of
from learning247.risk.counters import counts_of
from learning247.risk.enums import MONEY_OUT, By, Outcome, Purpose, RuleStatus
from learning247.risk.facts import Facts, Subject
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.rules import Inputs, Rule, reason_told, rule_read
from learning247.risk.selectors import Context, context_read, decision_of, hardest, round_trip_of
from learning247.risk.sightings import Sighting

logger = structlog.get_logger(__name__)


def risk_check(*, purpose: Purpose, subject: Subject, facts: Facts) -> Decision:
    """Whether this may go on: `outcome` is the hardest of the live rules that fired, `reasons` says why in words that
    the person may read (never which threshold it was).

    About the same subject at the same point there is one decision: asked again, also at the same time, it comes back as
    it is, whatever the facts are by then. Where something is to be looked at anew, name another subject: it counts once
    by its id, of whatever kind. Raises nothing: where the checker itself fails, money out is reviewed and all else is
    allowed, with `flagged` and the `failure`.

    In a transaction of its own, or in the caller's, with which it is gone when that is rolled back: whoever refuses
    because of a decision commits it before.
    """
    moment = now()
    try:
        with transaction.atomic():
            return _decide(purpose, subject, facts, moment)
    except IntegrityError as error:
        known = decision_of(purpose=purpose, subject_kind=subject.kind, subject_id=subject.id)
        if known is not None:
            return known  # another run was quicker
        failure = reason_of(error)
    except Exception as error:  # no trouble of the checker's may stop a sale, nor let money out unseen
        logger.exception("risk_check_failed", purpose=purpose.value, subject=str(subject.id))
        failure = reason_of(error)
    return _failed(purpose, subject, facts, moment, failure)


def _decide(purpose: Purpose, subject: Subject, facts: Facts, moment: datetime) -> Decision:
    sighting = Sighting.of(purpose, subject, facts, moment)
    context = context_read(sighting)
    if context.decided is not None:
        return Decision.objects.get(pk=context.decided)
    rules = [(version, _readable(version)) for version in context.versions]
    wanted = {count.key: count for _, rule in rules if not isinstance(rule, str) for count in rule.counts}
    inputs = _inputs(sighting, facts, context, counts_of(sighting, list(wanted.values()), context.generation))
    results = [_result(version, rule, inputs) for version, rule in rules]
    failures = [f"{one['rule']} {one['number']}: {one['failure']}" for one in _live(results) if one["failure"]]
    safe = Outcome.REVIEW if failures and purpose in MONEY_OUT else Outcome.ALLOW
    if failures:
        logger.error("risk_rule_failed", purpose=purpose.value, subject=str(subject.id), failures=failures)
    decision = _decision(sighting, inputs, results, failure="; ".join(failures)[:500])
    decision.outcome = hardest([safe, *(one["outcome"] for one in _live(results) if one["fired"])])
    decision.save(force_insert=True)
    return decision


def _failed(purpose: Purpose, subject: Subject, facts: Facts, moment: datetime, failure: str) -> Decision:
    """The safe answer, stored as such where that is possible."""
    sighting = Sighting.of(purpose, subject, facts, moment)
    decision = _decision(sighting, _inputs(sighting, facts, None, {}), [], failure=failure)
    decision.outcome = Outcome.REVIEW if purpose in MONEY_OUT else Outcome.ALLOW
    try:
        with transaction.atomic():
            decision.save(force_insert=True)
    except Exception:
        logger.exception("risk_decision_not_stored", purpose=purpose.value, subject=str(subject.id))
    return decision


def _inputs(sighting: Sighting, facts: Facts, context: Context | None, counts: dict[str, int]) -> Inputs:
    opened = facts.account_opened_at
    trip = round_trip_of(sighting) if context is not None and sighting.purpose in MONEY_OUT else None
    return Inputs(
        currency=facts.currency,
        amount_minor=facts.amount_minor,
        account_seconds=None if opened is None else max(0, int((sighting.moment - opened).total_seconds())),
        account_country=facts.account_country,
        card_country=facts.card_country,
        declines=facts.declines,
        same_person=facts.person == facts.counterparty,
        given=tuple(sighting.by),
        shared=None if context is None else context.shared,
        earlier="" if context is None else context.earlier,
        counts=counts,
        round_trip=trip,
    )


def _decision(sighting: Sighting, inputs: Inputs, results: list[dict[str, Any]], *, failure: str) -> Decision:
    return Decision(
        purpose=sighting.purpose,
        subject_kind=sighting.subject.kind,
        subject_id=sighting.subject.id,
        person_id=sighting.person,
        counterparty_id=sighting.counterparty,
        inputs=inputs.as_data(),
        results=results,
        failure=failure,
        ip=sighting.digest(By.IP),
        device=sighting.digest(By.DEVICE),
        card=sighting.digest(By.CARD),
        bank=sighting.digest(By.BANK),
        created_at=sighting.moment,
    )


def _readable(version: RuleVersion) -> Rule | str:
    """The rule, or why it cannot be read: one that is broken keeps no other from being asked."""
    try:
        return rule_read(version.kind, version.parameters)
    except Exception as error:
        logger.exception("risk_rule_unreadable", rule=version.rule, number=version.number)
        return reason_of(error)


def _result(version: RuleVersion, rule: Rule | str, inputs: Inputs) -> dict[str, Any]:
    """What one version says, as it is stored."""
    said: dict[str, Any] = {"fired": False, "saw": "", "failure": ""}
    if isinstance(rule, str):
        said["failure"] = rule
    else:
        try:
            finding = rule.judge(inputs)
            said |= {"fired": finding.fired, "saw": finding.saw}
        except Exception as error:
            logger.exception("risk_rule_failed", rule=version.rule, number=version.number)
            said["failure"] = reason_of(error)
    return {
        "version": str(version.pk),
        "rule": version.rule,
        "number": version.number,
        "status": version.status,
        "outcome": version.outcome,
        "told": reason_told(version.kind) if said["fired"] else "",
        **said,
    }


def _live(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [result for result in results if result["status"] == RuleStatus.LIVE]
