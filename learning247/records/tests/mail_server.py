"""A real SMTP server for tests: STARTTLS by a certificate of its own authority, AUTH, and faults on demand."""

import asyncio
import ssl
from asyncio.base_events import Server
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as current_policy
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = "mailer", "the mailer's password"


class MailServer:
    """Keeps what it accepts in `.accepted`. `.answers` (verb -> line) says what else it answers; "close" hangs up."""

    def __init__(self) -> None:
        self.accepted: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.seen = 0
        self.port = 0
        self._never = asyncio.Event()

    @property
    def mails(self) -> list[EmailMessage]:
        parsed: list[Any] = [message_from_bytes(e.content or b"", policy=current_policy) for e in self.accepted]  # type: ignore[arg-type]
        return parsed

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        fault = await self._fault(server, "RCPT")
        if fault:
            return fault
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.seen += 1
        fault = await self._fault(server, "DATA")
        if fault:
            return fault
        self.accepted.append(envelope)
        return "250 Taken"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._fault(server, "QUIT") or "221 Bye"

    async def _fault(self, server: SMTP, verb: str) -> str:
        fault = self.answers.get(verb, "")
        if fault == "close":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if fault == "silence":
            await self._never.wait()
        return fault


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        # The library knocks at the port that it was given; here the system has chosen one.
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(
    authority: trustme.CA, *, starttls: bool = True, name: str = "127.0.0.1", tls: bool = False
) -> Iterator[MailServer]:
    """One that takes mails only after STARTTLS and AUTH; without `starttls` it offers neither. With `tls` it speaks TLS
    from the first byte."""
    handler = MailServer()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    secured: dict[str, Any] = {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticate,
    }
    if tls:
        secured = {
            "ssl_context": context,
            "auth_required": True,
            "auth_require_tls": False,  # it only knows of STARTTLS
            "authenticator": authenticate,
        }
    controller = _AnyPort(handler, hostname="127.0.0.1", port=0, **(secured if starttls else {}))
    controller.start()
    handler.port = controller.port
    try:
        yield handler
    finally:
        controller.stop()


def trusted(authority: trustme.CA, directory: Path) -> str:
    """The authority's certificate as a file."""
    path = directory / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
