"""Most of these tests are rolled back; those with `committed_db` have a database of their own."""

import pytest


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    if "committed_db" not in request.fixturenames:
        request.getfixturevalue("db")
