"""`manage.py risk list|rules|replay`: what was decided, by which rules, and whether it would be decided so again."""

import json
from argparse import ArgumentParser
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from learning247.risk.enums import Outcome, Purpose, RuleStatus
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.selectors import decision_batches, decision_list
from learning247.risk.services.replay import decisions_replay, version_try


class Command(BaseCommand):
    help = "List what the checks for fraud decided, show their rules, and decide again from the stored inputs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        listing = commands.add_parser("list", help="one line for each decision, oldest first")
        listing.add_argument("--outcome", choices=Outcome.values)
        listing.add_argument("--flagged", action="store_true", help="where the checker or a rule of it failed")
        listing.add_argument("--limit", type=int, default=50)
        commands.add_parser("rules", help="the versions that are asked, with their parameters")
        replaying = commands.add_parser("replay", help="decide again from the stored inputs, and say where it differs")
        replaying.add_argument(
            "--rule-version",
            metavar="RULE:NUMBER",
            help="instead: what this version would have done, also one that is in shadow or retired",
        )
        for command in (listing, replaying):
            command.add_argument("--from", dest="since", type=_moment, help="decided at or after, ISO 8601 (UTC)")
            command.add_argument("--to", dest="until", type=_moment, help="decided before, ISO 8601 (UTC)")
            command.add_argument("--purpose", choices=Purpose.values)

    def handle(self, *args: Any, **options: Any) -> None:
        {"list": self._list, "rules": self._rules, "replay": self._replay}[options["what"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        found = _range_of(options, outcome=options["outcome"], flagged=options["flagged"])
        for decision in found[: options["limit"]]:
            self.stdout.write(_line(decision))

    def _rules(self, options: dict[str, Any]) -> None:
        asked = RuleVersion.objects.exclude(status=RuleStatus.RETIRED).order_by("purpose", "rule", "number")
        for version in asked:
            said = json.dumps(version.parameters, sort_keys=True)
            self.stdout.write(f"{version.purpose} {version} {version.status} {version.outcome} {version.kind} {said}")

    def _replay(self, options: dict[str, Any]) -> None:
        if options["rule_version"]:
            self._try(_version(options["rule_version"]), options)
            return
        total, differ, untold = 0, 0, 0
        shadow: Counter[str] = Counter()
        harder: Counter[str] = Counter()
        for replayed in decisions_replay(decision_batches(_range_of(options))):
            total += 1
            decision = replayed.decision
            if replayed.untold:
                untold += 1
                self.stdout.write(f"{_line(decision)} cannot be told: {replayed.untold}")
            elif replayed.difference:
                differ += 1
                self.stdout.write(f"{_line(decision)} differs: {replayed.difference}")
            for one in decision.results:
                if one["status"] == RuleStatus.SHADOW and one["fired"]:
                    name = f"{one['rule']} {one['number']}"
                    shadow[name] += 1
                    harder[name] += Outcome(one["outcome"]).hardness > Outcome(decision.outcome).hardness
        for name in sorted(shadow):
            self.stdout.write(f"in shadow: {name} fired {shadow[name]:,} times, {harder[name]:,} would be harder")
        same = total - differ - untold
        self.stdout.write(f"{total:,} decisions: {same:,} the same, {differ:,} differ, {untold:,} cannot be told.")
        if differ:
            raise CommandError("Not every decision comes out again.")

    def _try(self, version: RuleVersion, options: dict[str, Any]) -> None:
        total, fired, untold = 0, 0, 0
        changes: Counter[tuple[str, str]] = Counter()
        for tried in version_try(version, decision_batches(_range_of(options))):
            total += 1
            if tried.finding is None:
                untold += 1
                self.stdout.write(f"{_line(tried.decision)} cannot be told: {tried.untold}")
                continue
            fired += tried.finding.fired
            if tried.outcome != tried.decision.outcome:
                changes[tried.decision.outcome, tried.outcome] += 1
                self.stdout.write(f"{_line(tried.decision)} would be {tried.outcome}: {tried.finding.saw}")
        for (before, after), number in sorted(changes.items()):
            self.stdout.write(f"{before} -> {after}: {number:,}")
        self.stdout.write(
            f"{version} ({version.status}) on {total:,} decisions: fires on {fired:,}, changes {changes.total():,}, "
            f"{untold:,} cannot be told."
        )


def _range_of(options: dict[str, Any], **more: Any) -> QuerySet[Decision]:
    return decision_list(since=options["since"], until=options["until"], purpose=options["purpose"], **more)


def _version(text: str) -> RuleVersion:
    rule, _, number = text.rpartition(":")
    found = RuleVersion.objects.filter(rule=rule, number=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise CommandError(f"There is no version {text}: write it as RULE:NUMBER (manage.py risk rules).")
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _line(decision: Decision) -> str:
    fired = [f"{one['rule']} {one['number']}" for one in decision.results if one["fired"] and one["status"] == "live"]
    flag = f" FLAGGED {decision.failure}" if decision.flagged else ""
    return (
        f"{decision.created_at:%Y-%m-%d %H:%M:%S} {decision.purpose} {decision.subject_kind} {decision.subject_id} "
        f"{decision.outcome} {', '.join(fired) or '-'}{flag}"
    )
