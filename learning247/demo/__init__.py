"""`make demo`: a sale, end to end, told step by step by a client that knows nothing but HTTP.

Everything here speaks to the running stack as a stranger would: the API, the gateways' hosted pages, and the sandbox's
levers. Two things have no HTTP: reading one's mailbox (`mailbox.py`) and `manage.py prove`.
"""
