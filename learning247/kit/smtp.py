"""How mails go to the server in production: Django's SMTP, with an end to every conversation."""

import smtplib
import ssl
import time
from typing import Any, Final

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend as DjangosBackend
from django.utils.functional import cached_property

# Seconds from connecting to the last answer. Shorter than a mail's lease, or a slow server would have it sent twice.
LONGEST_CONVERSATION: Final = 60.0


class _Timely(smtplib.SMTP):
    """Django's timeout is for one answer; a conversation has a dozen. Here the last has to come in time too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ends = time.monotonic() + LONGEST_CONVERSATION
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        left = self._ends - time.monotonic()
        if left <= 0:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"The server took longer than {LONGEST_CONVERSATION:g} seconds.")
        if self.sock is not None:
            self.sock.settimeout(min(left, self.timeout))
        return super().getreply()


class TimelySMTP(_Timely):
    """In clear, until STARTTLS."""


class TimelySMTPS(_Timely, smtplib.SMTP_SSL):
    """In TLS from the first byte (RFC 8314)."""


class EmailBackend(DjangosBackend):
    """With EMAIL_USE_SSL all is said in TLS. With EMAIL_USE_TLS a server is told nothing unless it offers STARTTLS
    (smtplib refuses the rest). In both it shows a certificate in its own name by whom we trust: the system's
    authorities, or EMAIL_SSL_CAFILE alone."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return TimelySMTPS if self.use_ssl else TimelySMTP

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        # Checks host name and chain (https://docs.python.org/3/library/ssl.html#ssl.create_default_context).
        return ssl.create_default_context(cafile=settings.EMAIL_SSL_CAFILE or None)

    def _close_connection(self, connection: smtplib.SMTP) -> None:
        """The mail was taken or was not: how the farewell goes changes nothing, and must not have it sent again."""
        try:
            connection.quit()
        except (smtplib.SMTPException, OSError):
            connection.close()
