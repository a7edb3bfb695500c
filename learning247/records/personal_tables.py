"""What every table holds about a person, and how it is forgotten: the third registry that apps fill in `apps.ready()`.

A table is either declared, with the rows that are a person's, or named as holding nothing about anybody, with the
reason; `learning247/tests/test_personal_data.py` fails for one that is neither. A declared table is exported with every
column that it has, now and in future, but for those that its declaration withholds and says why: what is forgotten in
an export is a decision, not an oversight.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model, QuerySet

from learning247.records.registry import AlreadyRegistered

_NOT_A_WORD = re.compile(r"[\W_]+")

# Several querysets where one would not be walked along an index, such as one per account.
Rows = Callable[[Any], Iterable[QuerySet[Any]]]
AuditIds = Callable[[Any], Iterable[object]]
EventSubjects = Callable[[Any], Iterable[str]]
MailKeys = Callable[[Any], Iterable[str]]
Addresses = Callable[[Any], Iterable["Address"]]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why somebody cannot be forgotten yet; `detail` says what they can do about it."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Address:
    """An email that a person has proved to be theirs, and from when until when (None: still) it was the account's.

    Whoever signs up can write any address: what is found by one that nobody proved may be somebody else's.
    """

    email: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErasureSubject:
    """Who is being forgotten, as they were, and what stands in the place of their name and email from now on."""

    user: AbstractBaseUser
    addresses: tuple[Address, ...]
    name: str
    email: str
    words: tuple[str, ...]  # what tells who it was, to be found within other texts
    parts: tuple[str, ...]  # of the name, to be found in what staff wrote about the person
    audit_subjects: tuple[tuple[str, tuple[str, ...]], ...]
    mail_keys: tuple[str, ...]

    def mentioned_in(self, text: str) -> bool:
        """Whether a text that staff wrote names the person: letters and digits count, as whole words."""
        said = _compared(text)
        return any(_compared(word) in said for word in (*self.words, *self.parts))


def _compared(text: str) -> str:
    return f" {' '.join(_NOT_A_WORD.split(text.lower()))} ".replace("  ", " ")


Forget = Callable[[ErasureSubject], None]
# Locks what must hold still and says what is in the way. Called in the erasing transaction, those of upper apps first.
Guard = Callable[[Any], Iterable[Obstacle]]


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """The rows of `model` that hold something about a person, exported as the list `section`.

    `withheld`: column, or a name within a column of JSON (`after.notes`) -> why its owner does not get it. `also`:
    columns of related rows, without which these say little. `currencies`: column in minor units -> the column
    with its currency, where that is not `currency`. `forget` takes out whatever tells who it was, in the erasing
    transaction; `kept` says what of it stays and why, in words for that person; `deleted` rows go as a whole. Every
    table has one of the three.
    """

    section: str
    model: type[Model]
    rows: Rows
    withheld: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    currencies: Mapping[str, str] = field(default_factory=dict)
    forget: Forget | None = None
    kept: str = ""
    deleted: bool = False

    def columns(self) -> list[str]:
        """What is exported of a row, a foreign key by its `…_id`. Raises ValueError for withheld columns it lacks."""
        own = [column.attname for column in self.model._meta.concrete_fields]
        unknown = {name.partition(".")[0] for name in self.withheld} - set(own)
        if unknown:
            raise ValueError(f"{self.section} withholds {', '.join(sorted(unknown))}, which it has not.")
        return [name for name in own if name not in self.withheld] + list(self.also)


@dataclass(frozen=True, slots=True)
class PersonalRows:
    """How many rows of a table are a person's; as words, such as `mailed links (2)`."""

    table: PersonalTable
    count: int

    def __str__(self) -> str:
        return f"{self.table.section.replace('_', ' ')} ({self.count})"


_tables: dict[str, PersonalTable] = {}
_impersonal: dict[str, str] = {}
_audit_subjects: dict[str, AuditIds] = {}
_event_subjects: set[EventSubjects] = set()
_mail_keys: set[MailKeys] = set()
_addresses: set[Addresses] = set()
_guards: list[Guard] = []


def register_personal_data(*tables: PersonalTable) -> None:
    """Declare tables; sections are unique. Raises AlreadyRegistered."""
    for table in tables:
        known = _tables.setdefault(table.section, table)
        if known.model is not table.model:
            raise AlreadyRegistered(f"The section {table.section} is {known.model._meta.label}'s already.")


def register_impersonal(labels: Mapping[str, str]) -> None:
    """Name tables (`app.Model`) that hold nothing about anybody, each with the reason."""
    _impersonal.update(labels)


def register_audit_subject(kind: str, ids: AuditIds) -> None:
    """Say which subjects of `kind` in the audit trail are a person's own: themselves, their sessions, their courses.

    Again by the same module is quiet (`ready()` may run twice in tests). Raises AlreadyRegistered.
    """
    known = _audit_subjects.setdefault(kind, ids)
    if known.__module__ != ids.__module__:
        raise AlreadyRegistered(f"Whose {kind} it is, says {known.__module__} already.")


def register_event_subject(subjects: EventSubjects) -> None:
    """Say by which words (`InboundEvent.about`) a person's inbound events are found: the references of payments."""
    _event_subjects.add(subjects)


def register_mail_keys(keys: MailKeys) -> None:
    """Say which mails are about a person, whatever address they went to: by whole keys, or by the first two parts of
    keys (`kind:id`)."""
    _mail_keys.add(keys)


def register_addresses(addresses: Addresses) -> None:
    """Say which emails a person has proved to be theirs."""
    _addresses.add(addresses)


def register_erasure_guard(guard: Guard) -> None:
    """Let `guard` have its say before anybody is forgotten."""
    if guard not in _guards:
        _guards.append(guard)


def personal_tables() -> list[PersonalTable]:
    """Every declared table, in the order of declaration: that of the apps."""
    return list(_tables.values())


def personal_rows(user: AbstractBaseUser) -> list[PersonalRows]:
    """The tables that hold something about `user`, in the order of declaration."""
    counted = (PersonalRows(table, sum(rows.count() for rows in table.rows(user))) for table in _tables.values())
    return [rows for rows in counted if rows.count]


def impersonal_tables() -> Mapping[str, str]:
    """`app.Model` -> why it holds nothing about anybody."""
    return dict(_impersonal)


def audit_subjects_of(user: AbstractBaseUser) -> list[tuple[str, list[str]]]:
    """(kind, ids) of all that is `user`'s own in the audit trail."""
    return [(kind, [str(pk) for pk in ids(user)]) for kind, ids in _audit_subjects.items()]


def erasure_of(
    user: AbstractBaseUser, *, name: str, email: str, words: Iterable[str], parts: Iterable[str]
) -> ErasureSubject:
    """What is to be forgotten, looked up while it still leads from one to the other."""
    return ErasureSubject(
        user=user,
        addresses=tuple(addresses_of(user)),
        name=name,
        email=email,
        words=tuple(word for word in words if word),
        parts=tuple(part for part in parts if part),
        audit_subjects=tuple((kind, tuple(ids)) for kind, ids in audit_subjects_of(user)),
        mail_keys=tuple(mail_keys_of(user)),
    )


def event_subjects_of(user: AbstractBaseUser) -> list[str]:
    """The `about` of every inbound event that tells something of `user`."""
    return [word for subjects in _event_subjects for word in subjects(user)]


def mail_keys_of(user: AbstractBaseUser) -> list[str]:
    """Of mails about `user`: whole keys, and first two parts of keys."""
    return [key for keys in _mail_keys for key in keys(user)]


def addresses_of(user: AbstractBaseUser) -> list[Address]:
    """The emails that `user` has proved to be theirs."""
    return [address for addresses in _addresses for address in addresses(user)]


def erasure_obstacles(user: AbstractBaseUser) -> list[Obstacle]:
    """All that is in the way of forgetting `user`; what was looked at is locked until the transaction ends."""
    return [obstacle for guard in reversed(_guards) for obstacle in guard(user)]
