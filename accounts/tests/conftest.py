"""A clock for the second factor that stands still until a test moves it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from accounts.services import second_factors
from accounts.totp import STEP_SECONDS, totp_code, totp_step
from learning247.kit.clock import now


class Clock:
    def __init__(self) -> None:
        # The middle of a time step: no test crosses into the next by itself.
        self.at = datetime.fromtimestamp((totp_step(now()) + 0.5) * STEP_SECONDS, tz=now().tzinfo)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **much: float) -> None:
        self.at += timedelta(**much)

    def code(self, secret: str, *, steps: int = 0) -> str:
        """What an app shows that is so many steps ahead of this clock."""
        return totp_code(secret=secret, step=totp_step(self.at) + steps)

    def wrong(self, secret: str) -> str:
        """Six digits that are right at no time near."""
        near = {self.code(secret, steps=steps) for steps in range(-3, 4)}
        return next(code for number in range(10) if (code := f"{number:06}") not in near)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    standing = Clock()
    monkeypatch.setattr(second_factors, "now", standing)
    yield standing
