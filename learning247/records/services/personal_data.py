"""Everything that we hold about one person: as one JSON document that is written while it is read; and forgotten."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Case, CharField, F, Func, Model, Q, QuerySet, Value, When
from django.db.models.functions import Concat

from learning247.kit.clock import now
from learning247.kit.json_encoding import to_json
from learning247.kit.money import EXPONENTS, Money
from learning247.kit.transactions import require_transaction
from learning247.records.checks import Scope
from learning247.records.enums import EventStatus, MailStatus
from learning247.records.models import InboundEvent, OutboundMail
from learning247.records.personal_tables import (
    Address,
    ErasureSubject,
    PersonalTable,
    addresses_of,
    event_subjects_of,
    mail_keys_of,
    personal_tables,
)

FORMAT: Final = "learning247.personal-data/1"
BATCH_ROWS: Final = 1_000
_MINOR: Final = "_minor"
FORGOTTEN: Final = "forgotten"
# As a provider would write an object without anything in it: handling it again finds nothing to do.
_EMPTY_BODY: Final = b"{}"


def personal_data_stream(user: AbstractBaseUser) -> Iterator[bytes]:
    """The document in pieces: `{"format", "person", "exported_at", "withheld", "data": {section: [row, …], …}}`.

    A row has its columns by name. Times are UTC, amounts decimal strings next to their currency (`amount_minor` comes
    as `amount`), bytes are text. Rows are read in batches of keys, so the longest history takes no more memory than a
    short one; each batch is a statement of its own, and what is written meanwhile may be in the document or not.
    """
    tables = personal_tables()
    head = {
        "format": FORMAT,
        "person": user.pk,
        "exported_at": now(),
        "withheld": {table.section: dict(table.withheld) for table in tables if table.withheld},
    }
    yield to_json(head)[:-1] + b',"data":{'
    for number, table in enumerate(tables):
        yield (b"," if number else b"") + to_json(table.section) + b":["
        for row_number, row in enumerate(_rows(table, user)):
            yield (b",\n" if row_number else b"\n") + to_json(row)
        yield b"]"
    yield b"}}\n"


def _rows(table: PersonalTable, user: AbstractBaseUser) -> Iterator[dict[str, Any]]:
    columns = table.columns()
    for queryset in table.rows(user):
        for values in Scope(batch_rows=BATCH_ROWS).rows(queryset, *columns):
            yield _shown(table, dict(zip(columns, values, strict=True)))


def _shown(table: PersonalTable, row: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in row.items():
        currency = row.get(table.currencies.get(name, "currency"))
        if name.endswith(_MINOR) and currency in EXPONENTS:
            shown[name.removesuffix(_MINOR)] = None if value is None else Money(value, currency).amount
        elif isinstance(value, bytes | memoryview):
            shown[name] = bytes(value).decode(errors="backslashreplace")
        elif isinstance(value, dict):
            shown[name] = {key: within for key, within in value.items() if f"{name}.{key}" not in table.withheld}
        else:
            shown[name.replace("__", "_")] = value
    return shown


def person_forget(erasure: ErasureSubject) -> None:
    """Let every declared table forget the person, those of upper apps first. In the transaction of the erasure, which
    is on record already: the audit trail forgets nobody else."""
    require_transaction("Somebody is forgotten everywhere or nowhere.")
    for table in reversed(personal_tables()):
        if table.forget is not None:
            table.forget(erasure)
        if table.deleted:
            for rows in table.rows(erasure.user):
                rows.delete()


def mails_of(user: AbstractBaseUser) -> QuerySet[OutboundMail]:
    """What went to the person: to an address since they proved it, or there before because of what is their own."""
    addresses = addresses_of(user)
    theirs = [user.get_username(), *(address.email for address in addresses)]
    return _mails().filter(_went_to(addresses) | _named(mail_keys_of(user)) & Q(to__in=theirs))


def _mails() -> QuerySet[OutboundMail]:
    """With the first two parts of the key as `about`."""
    text = CharField()
    kind, pk = (Func(F("key"), Value(":"), Value(place), function="split_part", output_field=text) for place in (1, 2))
    return OutboundMail.objects.alias(about=Concat(kind, Value(":"), pk, output_field=text))


def _named(keys: Collection[str]) -> Q:
    return Q(about__in=keys) | Q(key__in=keys)


def _went_to(addresses: Iterable[Address]) -> Q:
    went = Q()
    for address in addresses:
        while_theirs = Q(to=address.email, created_at__gte=address.since)
        went |= while_theirs if address.until is None else while_theirs & Q(created_at__lt=address.until)
    return went


def mails_forget(erasure: ErasureSubject) -> None:
    """What went to the person, or told somebody else of them, has no words any more; what had not gone out does not."""
    about = _went_to(erasure.addresses) | _named(erasure.mail_keys)
    _mails().filter(about).update(
        to=erasure.email,
        subject=FORGOTTEN,
        text="",
        html="",
        sealed_body="",
        reason=FORGOTTEN,
        status=Case(When(status=MailStatus.SENT, then=Value(MailStatus.SENT)), default=Value(MailStatus.PARKED)),
    )


def audit_forget(erasure: ErasureSubject) -> None:
    """Names, addresses and devices in the person's entries become "forgotten" (migration 0005); what was done stays."""
    subjects = [(kind, pk) for kind, ids in erasure.audit_subjects for pk in (*ids, "*")]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT records_audit_forget(%s, %s::text[], %s::text[], %s::text[], %s::text[])",
            [
                erasure.user.pk,
                [kind for kind, _ in subjects],
                [pk for _, pk in subjects],
                list(erasure.words),
                list(erasure.parts),
            ],
        )


def console_forget(model: type[Model], ids: Collection[Any], erasure: ErasureSubject) -> None:
    """The console's own history names these rows by what they were called then."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=[str(pk) for pk in ids]
    )
    entries.update(object_repr=erasure.name)


def events_forget(user: AbstractBaseUser) -> int:
    """What providers wrote of the person's payments is forgotten, as far as it is handled; how many wait to be handled.

    That it came, when, and what was done stays. Safe to run again.
    """
    about = InboundEvent.objects.filter(~Q(about=""), about__in=event_subjects_of(user))
    handled = about.exclude(status=EventStatus.PENDING).exclude(body=_EMPTY_BODY)
    handled.update(body=_EMPTY_BODY, headers={})
    return about.filter(status=EventStatus.PENDING).count()
