"""Identifiers: UUIDv7 (RFC 9562), which sorts by time of creation and so keeps B-tree inserts local."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def new_id() -> uuid.UUID:
    """A fresh UUIDv7, for primary keys and public references."""
    return _uuid7()
