"""In these tests videos are sold, and granting one does nothing: the content apps have tests of their own."""

from collections.abc import Iterator

import pytest

from payments import kinds
from payments.enums import ProductKind


@pytest.fixture(autouse=True)
def sellable_videos(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(kinds._on_granted, ProductKind.VIDEO, lambda entitlement, payment: None)
    yield
