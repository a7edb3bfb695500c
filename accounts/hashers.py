"""How passwords are hashed: slowly, and in a thread of its own that gives way to everybody else's requests."""

import os
import sys
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from learning247.kit.errors import Unavailable

# Beside a thread that is 5 less nice this one gets a quarter of the core (sched(7): on Linux each thread has its own).
_NICER_BY: Final = 5
_NICEST: Final = 19


class PasswordsBusy(Unavailable):
    code = "passwords_busy"
    detail = "Many people are signing in right now. Try again in a moment."


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + _NICER_BY, _NICEST))


def _start() -> None:
    """Also in every process that is forked off: threads stay behind."""
    global _hashing, _seats  # noqa: PLW0603
    _hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords", initializer=_give_way)
    _seats = threading.BoundedSemaphore(settings.PASSWORD_HASHES_AT_ONCE)


_hashing: ThreadPoolExecutor
# The one in work and those that wait: the other web threads stay free for everybody else.
_seats: threading.BoundedSemaphore
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
        """Raises PasswordsBusy where as many wait as may (PASSWORD_HASHES_AT_ONCE)."""
        seats = _seats
        if not seats.acquire(blocking=False):
            raise PasswordsBusy(retry_after=2)
        try:
            return _hashing.submit(super().encode, normalised_password(password), salt).result()  # type: ignore[arg-type]
        finally:
            seats.release()
