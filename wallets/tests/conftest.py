"""Every test that withdraws over HTTP ends with the proof: all that ledger and withdrawals claim holds."""

from collections.abc import Iterator

import pytest

from learning247.records.services.prove import checks_run
from wallets.tests.withdrawing import PROVEN

FUNDS = 100_000_000_000


@pytest.fixture
def breaks_the_books() -> None:
    """For a test that takes a guard away to see the fault: nothing is proved after it."""


@pytest.fixture(autouse=True)
def withdrawals_are_proved(request: pytest.FixtureRequest) -> Iterator[None]:
    if "gateways" not in request.fixturenames:
        yield
        return
    gateways = request.getfixturevalue("gateways")
    # What sales through it would have left there.
    gateways.control.top_up("paystack", "NGN", FUNDS)
    yield
    if "breaks_the_books" not in request.fixturenames:
        assert [result for result in checks_run(only=PROVEN) if not result.holds] == []
