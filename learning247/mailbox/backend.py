"""Django's way to deliver, with a directory in the place of a server."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from learning247.mailbox.messages import mail_keep


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            # The stubs are of a Django whose messages are Python's own.
            source = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
            mail_keep(source, directory=settings.MAILBOX_DIRECTORY)
        return len(email_messages)
