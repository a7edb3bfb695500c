"""Mails as files: `<id>.eml` (RFC 5322), whose ids begin with the time, so that their order is that of sending."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as current_policy
from itertools import islice
from pathlib import Path
from uuid import UUID

from learning247.kit.ids import new_id

SUFFIX = ".eml"


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One mail as its reader sees it; `html` is empty where it has none."""

    id: UUID
    sender: str
    to: str
    subject: str
    sent_at: datetime | None
    message_id: str
    text: str
    html: str


def mail_keep(source: bytes, *, directory: Path) -> UUID:
    """Add a mail. Whoever lists meanwhile sees all of it or nothing."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # links that let people in are in there
    mail_id = new_id()
    unfinished = directory / f"{mail_id}.unfinished"
    unfinished.write_bytes(source)
    unfinished.rename(directory / f"{mail_id}{SUFFIX}")
    return mail_id


def mail_list(*, directory: Path, to: str = "", limit: int = 100) -> list[KeptMail]:
    """The newest mails, newest first; those alone whose address contains `to`, in any case."""
    return list(islice(_matching(directory, to.strip().lower()), limit))


def mail_find(mail_id: UUID, *, directory: Path) -> KeptMail | None:
    source = mail_source(mail_id, directory=directory)
    return None if source is None else _parsed(mail_id, source)


def mail_source(mail_id: UUID, *, directory: Path) -> bytes | None:
    """The bytes as they would have gone to the server."""
    try:
        return (directory / f"{mail_id}{SUFFIX}").read_bytes()
    except FileNotFoundError:
        return None


def _matching(directory: Path, to: str) -> Iterator[KeptMail]:
    for path in sorted(directory.glob(f"*{SUFFIX}"), reverse=True):
        mail = mail_find(UUID(path.stem), directory=directory)
        if mail is not None and to in mail.to.lower():
            yield mail


def _parsed(mail_id: UUID, source: bytes) -> KeptMail:
    message: EmailMessage = message_from_bytes(source, policy=current_policy)
    date = message["Date"]
    return KeptMail(
        id=mail_id,
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        sent_at=date.datetime if date is not None else None,
        message_id=str(message["Message-ID"] or ""),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return "" if part is None else str(part.get_content())
