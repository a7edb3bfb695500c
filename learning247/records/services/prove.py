"""Running the registered checks: what `manage.py prove` prints."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from learning247.records.checks import Scope
from learning247.records.reasons import reason_of
from learning247.records.registry import RegisteredCheck, registered_checks

logger = structlog.get_logger(__name__)

NAMED_BREACHES = 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`breaches` counts them all, `named` holds the first ones; `failure` says why a check could not be run.
    `currencies` are those that the breaches name, `unplaced` counts the breaches that name none."""

    code: str
    title: str
    examined: int
    breaches: int
    named: tuple[str, ...]
    seconds: float
    failure: str
    currencies: tuple[str, ...] = ()
    unplaced: int = 0

    @property
    def holds(self) -> bool:
        return self.breaches == 0 and not self.failure


def checks_run(*, only: frozenset[str] = frozenset(), named: int = NAMED_BREACHES) -> Iterator[CheckResult]:
    """Run every registered check, or those with the codes in `only`, one after the other; a result as each ends."""
    for registered in registered_checks():
        if not only or registered.code in only:
            yield _run(registered, named)


def _run(registered: RegisteredCheck, limit: int) -> CheckResult:
    scope = Scope()
    count, unplaced, failure = 0, 0, ""
    currencies: set[str] = set()
    named: list[str] = []
    start = time.perf_counter()
    try:
        for breach in registered.check(scope):
            count += 1
            unplaced += not breach.currencies
            currencies.update(breach.currencies)
            if len(named) < limit:
                named.append(breach.detail)
    except Exception as error:  # the edge of the process: one broken check must not hide the others
        failure = reason_of(error)
        logger.exception("check_failed", code=registered.code, title=registered.title)
    return CheckResult(
        code=registered.code,
        title=registered.title,
        examined=scope.examined,
        breaches=count,
        named=tuple(named),
        seconds=round(time.perf_counter() - start, 3),
        failure=failure,
        currencies=tuple(sorted(currencies)),
        unplaced=unplaced,
    )
