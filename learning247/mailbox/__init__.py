"""The local mailbox: mails that a laptop sends are kept as files under var/ and shown at /dev/mailbox.

Wiring of local settings alone: elsewhere neither the backend is used nor the address there.
"""
