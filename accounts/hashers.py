"""How passwords are hashed: slowly, and in a thread of its own that gives way to everybody else's requests.

People who sign in wait for each other, and each who waits holds a thread of the web process. So the places are few, and
somebody who floods them must not take them all: places of their own are kept for people who are known (they signed in
from there before, or are signed in), and who already has a place gets no second one while others have none.
"""

import os
import sys
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from learning247.kit.errors import Unavailable

# Beside a thread that is 5 less nice this one gets a quarter of the core (sched(7): on Linux each thread has its own).
_NICER_BY: Final = 5
_NICEST: Final = 19
# Seconds for which somebody waits for their turn: strangers, and people who are known.
PATIENCE: Final = {False: 3.0, True: 10.0}
# After so many known ones in a row it is a stranger's turn, so that nobody is kept out for good.
_KNOWN_IN_A_ROW: Final = 3


class PasswordsBusy(Unavailable):
    code = "passwords_busy"
    detail = "Many people are signing in right now. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a password is hashed. `who` shares one part of the turns: a stranger's address, a known person's id."""

    who: str = ""
    known: bool = False


_asker: ContextVar[Asker] = ContextVar("asker", default=Asker())  # noqa: B039 - it is frozen


@contextmanager
def hashing_for(who: object, *, known: bool) -> Iterator[None]:
    """Passwords that are hashed inside are hashed for `who`; outside of it for a stranger without an address."""
    before = _asker.set(Asker(str(who or ""), known))
    try:
        yield
    finally:
        _asker.reset(before)


@dataclass(eq=False, slots=True)
class _Turn:
    asker: Asker
    work: Callable[[], str]
    nth: int  # how many of the same asker were there already
    hashed: Future[str] = field(default_factory=Future)

    @property
    def waits(self) -> bool:
        return not (self.hashed.running() or self.hashed.done())


class HashingRoom:
    """Those whose password is hashed, one at a time, and those who wait for it.

    Strangers have `seats` at most; half as many more are there for who is known, who may have any. Known ones go first,
    those who came first for themselves before those who have one before them, else in the order in which they came.
    Where all seats are taken, the latest of whoever has the most gives way to somebody who has at least two fewer.
    """

    def __init__(self, *, seats: int) -> None:
        self._for_strangers = seats
        self._seats = seats + max(1, seats // 2)
        self._turns: list[_Turn] = []
        self._known_in_a_row = 0
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords", initializer=_give_way)

    def hash(self, work: Callable[[], str]) -> str:
        """What `work` returns. Raises PasswordsBusy where there is no seat, or no turn came within PATIENCE."""
        turn = self._enter(_asker.get(), work)
        try:
            self._thread.submit(self._hash_next)
            try:
                return turn.hashed.result(timeout=PATIENCE[turn.asker.known])
            except TimeoutError:
                if turn.hashed.cancel():
                    raise
                return turn.hashed.result()  # it has begun
        except (TimeoutError, CancelledError):
            raise PasswordsBusy(retry_after=2) from None
        finally:
            with self._lock:
                self._turns.remove(turn)

    def waiting(self) -> list[Asker]:
        """Who waits, in the order in which they came."""
        with self._lock:
            return [turn.asker for turn in self._turns if turn.waits]

    def _enter(self, asker: Asker, work: Callable[[], str]) -> _Turn:
        with self._lock:
            # Those who were told that they gave way are about to leave.
            there = [turn for turn in self._turns if not turn.hashed.cancelled()]
            alike = [turn for turn in there if turn.asker.known == asker.known]
            counted = Counter(turn.asker.who for turn in alike)
            if len(there) >= self._seats or (not asker.known and len(alike) >= self._for_strangers):
                _make_room(alike, counted, asker)
            turn = _Turn(asker, work, nth=counted[asker.who])
            self._turns.append(turn)
            return turn

    def _hash_next(self) -> None:
        with self._lock:
            turn = self._next()
            if turn is None or not turn.hashed.set_running_or_notify_cancel():
                return
        try:
            turn.hashed.set_result(turn.work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the turn was asked for
            turn.hashed.set_exception(error)

    def _next(self) -> _Turn | None:
        waiting = [turn for turn in self._turns if turn.waits]
        known = [turn for turn in waiting if turn.asker.known]
        strangers = [turn for turn in waiting if not turn.asker.known]
        if known and (self._known_in_a_row < _KNOWN_IN_A_ROW or not strangers):
            self._known_in_a_row += 1
        else:
            self._known_in_a_row, known = 0, []
        return min(known or strangers, key=lambda turn: turn.nth, default=None)


def _make_room(alike: list[_Turn], counted: Counter[str], asker: Asker) -> None:
    """Raises PasswordsBusy."""
    for who, most in counted.most_common(1):
        if most >= counted[asker.who] + 2:
            # The latest that is not being hashed.
            for turn in reversed(alike):
                if turn.asker.who == who and turn.hashed.cancel():
                    return
    raise PasswordsBusy(retry_after=2)


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + _NICER_BY, _NICEST))


def _start() -> None:
    """Also in every process that is forked off: threads stay behind."""
    global _room  # noqa: PLW0603
    _room = HashingRoom(seats=settings.PASSWORD_HASHES_AT_ONCE)


_room: HashingRoom
_start()
os.register_at_fork(after_in_child=_start)


def normalised_password(password: str) -> str:
    """NFKC, as NIST SP 800-63B (3.1.1.2) asks: keyboards write the same letters as different code points."""
    return unicodedata.normalize("NFKC", password)


class NormalisingBCryptSHA256PasswordHasher(BCryptSHA256PasswordHasher):
    """Here and not in a form, so that the API, the console and the commands agree on what was typed.

    SHA-256 comes before bcrypt, which alone would look at 72 bytes.

    bcrypt lets the interpreter go, and the core does not: whoever signs in would take as much of it as everybody else
    together, and eight at once nearly all. So one password is hashed at a time in a process, at low priority, and
    people who sign in wait for each other. Both directions, `encode` and `verify`, come through here.
    """

    def encode(self, password: str, salt: bytes) -> str:  # type: ignore[override]  # the parent's salt is bytes too
        """Raises PasswordsBusy where as many wait as may (PASSWORD_HASHES_AT_ONCE), or for too long."""
        encode = super().encode
        return _room.hash(lambda: str(encode(normalised_password(password), salt)))  # type: ignore[arg-type]
