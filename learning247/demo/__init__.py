"""`make demo`: sales, end to end, told step by step by a client that knows nothing but HTTP.

Everything here speaks to the running stack as a stranger would: the API, the gateways' hosted pages, and the sandbox's
levers. Three things have no HTTP: reading one's mailbox (`mailbox.py`), `manage.py seed_admin` and `manage.py prove`.
"""
