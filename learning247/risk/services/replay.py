"""Old decisions made again from what was stored with them: by the same versions, or by another one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from learning247.risk.enums import MONEY_OUT, By, Outcome, Purpose, RuleStatus
from learning247.risk.errors import RuleUnreadable
from learning247.risk.facts import Subject
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.rules import Finding, Inputs, NotMeasured, rule_read
from learning247.risk.selectors import counts_in_database, hardest
from learning247.risk.sightings import HASHED, Sighting


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision and what comes out now. `difference` is "" where it is the same; `untold` says why nothing can be
    said, and is "" where it can."""

    decision: Decision
    outcome: str
    difference: str = ""
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one version says about one decision, in force or not; `outcome` is what the decision would have been."""

    decision: Decision
    finding: Finding | None
    outcome: str
    untold: str = ""


def decisions_replay(batches: Iterable[list[Decision]]) -> Iterator[Replayed]:
    """Each decision again: every version that was asked then, in the state in which it was asked, on the same
    inputs."""
    versions: dict[str, RuleVersion] = {str(version.pk): version for version in RuleVersion.objects.all()}
    for batch in batches:
        yield from (_again(decision, versions) for decision in batch)


def version_try(version: RuleVersion, batches: Iterable[list[Decision]]) -> Iterator[Tried]:
    """What `version` would have said about each decision at its purpose, had it been live in the place of the version
    of its rule that was. What was not counted then is counted from the decisions that there were by then."""
    for batch in batches:
        yield from (_tried(decision, version) for decision in batch if decision.purpose == version.purpose)


def _again(decision: Decision, versions: dict[str, RuleVersion]) -> Replayed:
    if decision.flagged and not decision.results:
        return Replayed(decision, decision.outcome, untold=f"the checker failed: {decision.failure}")
    inputs = Inputs.from_data(decision.inputs)
    fired, differences = [], []
    for stored in decision.results:
        version = versions.get(stored["version"])
        if version is None:
            return Replayed(decision, decision.outcome, untold=f"{stored['rule']} {stored['number']} is not there")
        finding, failure = _judged(version, inputs)
        same = bool(failure) if stored["failure"] else finding is not None and finding.fired == stored["fired"]
        if not same:
            now = failure or (finding and finding.saw)
            differences.append(f"{version}: {stored['failure'] or stored['saw']}, now {now}")
        if finding is not None and finding.fired and stored["status"] == RuleStatus.LIVE:
            fired.append(version.outcome)
    outcome = hardest([_floor(decision, decision.results), *fired])
    if outcome != decision.outcome:
        differences.append(f"{decision.outcome}, now {outcome.value}")
    return Replayed(decision, outcome, difference="; ".join(differences))


def _tried(decision: Decision, version: RuleVersion) -> Tried:
    inputs = Inputs.from_data(decision.inputs)
    rule = rule_read(version.kind, version.parameters)
    missing = [count for count in rule.counts if count.by in inputs.given and count.key not in inputs.counts]
    if missing:
        sighting = _sighting(decision)
        forgotten = sorted({count.by for count in missing if not sighting.by.get(count.by)})
        if forgotten:
            return Tried(decision, None, decision.outcome, untold=f"forgotten: {', '.join(forgotten)}")
        counted = {**inputs.counts, **counts_in_database(sighting, missing)}
        inputs = Inputs.from_data({**decision.inputs, "counts": counted})
    try:
        finding = rule.judge(inputs)
    except NotMeasured as error:
        return Tried(decision, None, decision.outcome, untold=f"not stored: {error}")
    others = [
        one["outcome"]
        for one in decision.results
        if one["status"] == RuleStatus.LIVE and one["fired"] and one["rule"] != version.rule
    ]
    floor = _floor(decision, [one for one in decision.results if one["rule"] != version.rule])
    return Tried(decision, finding, hardest([floor, *others, *([version.outcome] if finding.fired else [])]))


def _judged(version: RuleVersion, inputs: Inputs) -> tuple[Finding | None, str]:
    """Also of a rule that nobody can read, as it failed then."""
    try:
        return rule_read(version.kind, version.parameters).judge(inputs), ""
    except (RuleUnreadable, NotMeasured) as error:
        return None, f"{type(error).__name__}: {error}"


def _floor(decision: Decision, results: list[dict[str, Any]]) -> Outcome:
    """What it is at least, because a live rule failed."""
    failed = any(one["failure"] and one["status"] == RuleStatus.LIVE for one in results)
    failed = failed or (decision.flagged and not decision.results)
    return Outcome.REVIEW if failed and decision.purpose in MONEY_OUT else Outcome.ALLOW


def _sighting(decision: Decision) -> Sighting:
    known = {by.value: str(getattr(decision, by)) for by in HASHED if getattr(decision, by)}
    subject_id: UUID = decision.subject_id
    return Sighting(
        purpose=Purpose(decision.purpose),
        subject=Subject(decision.subject_kind, subject_id),
        person=decision.person_id,
        counterparty=decision.counterparty_id,
        currency=decision.inputs["currency"],
        by={By.PERSON.value: str(decision.person_id), **known},
        moment=decision.created_at,
        until=decision.created_at,
    )
