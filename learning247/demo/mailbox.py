"""A person's mailbox, for the demo: locally mails are kept under var/, where whoever runs the stack may read them."""

from learning247.embedded import VAR
from learning247.mailbox.messages import mail_list


def latest_mail(address: str) -> str:
    """The text of the latest mail to this address; empty when none has come."""
    mails = mail_list(directory=VAR / "mailbox", to=address)  # also to addresses that contain this one
    return next((mail.text for mail in mails if mail.to == address), "")
