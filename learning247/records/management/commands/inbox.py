"""`manage.py inbox list|show|replay`: what came in by webhook, what became of it, and once more from the start."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from learning247.records.enums import EventStatus
from learning247.records.models import InboundEvent
from learning247.records.selectors import event_list
from learning247.records.services.inbox import event_replay

BATCH = 500


class Command(BaseCommand):
    help = "List, show and replay the webhook events that came in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        listing = commands.add_parser("list", help="one line for each event, oldest first")
        listing.add_argument("--limit", type=int, default=50)
        _add_range(listing)
        showing = commands.add_parser("show", help="one event with its body")
        showing.add_argument("id", type=UUID)
        replaying = commands.add_parser("replay", help="handle a range of events again, as if they had just come")
        replaying.add_argument("--id", type=UUID, action="append", default=[], help="these events alone")
        replaying.add_argument("--reason", default="", help="why, for the record; needed unless it is a dry run")
        replaying.add_argument("--dry-run", action="store_true", help="say what would be replayed, change nothing")
        _add_range(replaying)

    def handle(self, *args: Any, **options: Any) -> None:
        {"list": self._list, "show": self._show, "replay": self._replay}[options["what"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        for event in _range_of(options)[: options["limit"]]:
            self.stdout.write(_line(event))

    def _show(self, options: dict[str, Any]) -> None:
        event = InboundEvent.objects.filter(pk=options["id"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['id']}.")
        self.stdout.write(_line(event))
        self.stdout.write(f"headers: {json.dumps(event.headers)}")
        self.stdout.write(bytes(event.body).decode(errors="backslashreplace"))

    def _replay(self, options: dict[str, Any]) -> None:
        events = _range_of(options)
        if options["id"]:
            events = events.filter(pk__in=options["id"])
        elif not any(options[name] for name in ("source", "status", "type", "range")):
            raise CommandError("Say which events: --id, --source, --status, --type, --range.")
        if options["dry_run"]:
            for event in events.iterator(chunk_size=BATCH):
                self.stdout.write(_line(event))
            self.stdout.write(f"Would replay {events.count():,} events; nothing was changed.")
            return
        if not options["reason"].strip():
            raise CommandError("Say why, for the record: --reason.")
        ids = iter(list(events.values_list("pk", flat=True)))
        replayed = 0
        while batch := list(islice(ids, BATCH)):
            replayed += event_replay(batch, actor=None, reason=options["reason"])
        self.stdout.write(f"Replayed {replayed:,} events.")


def _add_range(parser: ArgumentParser) -> None:
    parser.add_argument("--source", help="paystack, stripe …")
    parser.add_argument("--status", choices=EventStatus.values)
    parser.add_argument("--type", metavar="PREFIX", help="event types that start so, such as charge.")
    parser.add_argument(
        "--range",
        type=_times,
        metavar="FROM..TO",
        help="received at or after FROM and before TO, ISO 8601 (UTC); either may be left out",
    )


def _times(text: str) -> tuple[datetime | None, datetime | None]:
    since, dots, until = text.partition("..")
    if not dots or not since + until:
        raise ValueError(text)
    return (_moment(since) if since else None), (_moment(until) if until else None)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _range_of(options: dict[str, Any]) -> QuerySet[InboundEvent]:
    since, until = options["range"] or (None, None)
    return event_list(
        source=options["source"],
        status=options["status"],
        event_type_prefix=options["type"],
        received_from=since,
        received_to=until,
    )


def _line(event: InboundEvent) -> str:
    result = event.outcome or event.reason or "-"
    return (
        f"{event.id} {event.received_at:%Y-%m-%d %H:%M:%S} {event.source} {event.event_type} {event.external_id}"
        f" {event.status} attempts={event.attempts} {result}"
    )
