"""Rate limits: how often somebody may ask, counted in Redis for all processes by django-ratelimit.

    class WithdrawalViewSet(GenericViewSet):
        throttle_scope = {"create": "wallet", "confirm": "codes"}   # by action; the others are "general"

Windows are fixed: so many requests from the window's beginning to its end, then anew. They begin at a moment of each
counter's own, so that not everybody comes back at once. A refused request counts too, which changes nothing: the end of
the window stands.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import get_usage
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    PermissionDenied,
    Throttled,
)
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from learning247.kit.api.client_address import client_address
from learning247.kit.api.counters import CounterCache
from learning247.kit.errors import DomainError, Unavailable
from learning247.kit.metrics import THROTTLED
from learning247.kit.networks import network_of
from learning247.kit.redis_pause import SECONDS as PAUSE
from learning247.kit.redis_pause import redis_is_paused, redis_pause

if TYPE_CHECKING:  # REST framework reads its defaults, this module among them, while its views are being imported
    from rest_framework.views import APIView

GENERAL: Final = "general"
# For how long an address from which somebody signed in counts as theirs.
KNOWN_SECONDS: Final = 90 * 24 * 3600
_LONGEST_ACCOUNT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one limit: so many are allowed, so many are left, and it begins anew in at most so many seconds."""

    limit: int
    remaining: int
    reset: int
    refused: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What the limits look at. `counts` is false where it is only asked whether one more would be refused."""

    caller: str
    address: str
    account: Callable[[], str]
    counts: bool
    # The counters that get back what this request took if it turns out to be a sign-in.
    lent: list[str] = field(default_factory=list)

    def usage(self, name: str, whose: str, *, lent: bool = False) -> Usage:
        """Raises RedisError."""
        rate = settings.RATELIMIT_RATES[name]
        usage = get_usage(None, group=name, key=lambda group, request: whose, rate=rate, increment=self.counts)
        if lent and self.counts:
            self.lent.append(_counters().counted_key)
        taken = usage["count"] if self.counts else usage["count"] + 1
        return Usage(
            limit=usage["limit"],
            remaining=max(0, usage["limit"] - usage["count"]),
            # The library's window ends with the second that it names.
            reset=usage["time_left"] + 1,
            refused=taken > usage["limit"],
        )


def _per_caller(name: str) -> Callable[[Question], Iterator[Usage]]:
    """By the person, or by the address of who is not signed in."""
    return lambda question: iter([question.usage(name, question.caller)])


def _per_address(name: str) -> Callable[[Question], Iterator[Usage]]:
    return lambda question: iter([question.usage(name, question.address)])


def _sign_in(question: Question) -> Iterator[Usage]:
    """By the account that is named, for each address apart; and by the address, which many people may share.

    No account is ever closed, and no address: from where its owner signed in before, only the tries at that account
    count. To others few tries at each account are left while many addresses try that account, or while the address has
    tried too many accounts in vain; so who has not been tried at all comes in, by the right password, also from there.
    Who signs in gives the address back what it counted.
    """
    account = yield from _account_named(question, else_by="sign_in")
    if not account:
        return
    name = "sign_in_account"
    if not _is_known(account, question.address):
        if question.usage("sign_in_everywhere", account).refused:
            name = "sign_in_slowed"
        alone = question.usage("sign_in", question.address, lent=True)
        if alone.refused:
            name = "sign_in_slowed"
            yield question.usage("sign_in_crowd", question.address, lent=True)
        else:
            yield alone
    yield question.usage(name, f"{account} {question.address}")


def _reset(question: Question) -> Iterator[Usage]:
    """By account and address; by the address alone too, but from where the owner of the account signed in before."""
    account = yield from _account_named(question, else_by="reset")
    if not account:
        return
    if not _is_known(account, question.address):
        yield question.usage("general", question.caller)
        yield question.usage("reset", question.address)
    yield question.usage("reset_account", f"{account} {question.address}")


def _account_named(question: Question, *, else_by: str) -> Generator[Usage, None, str]:
    """The account. A body that names none, or cannot be read, counts by its address."""
    try:
        account = question.account()
    except (APIException, DomainError):
        yield from _of_nobody(question, else_by)
        raise
    if not account:
        yield from _of_nobody(question, else_by)
    return account


def _of_nobody(question: Question, name: str) -> Iterator[Usage]:
    yield question.usage("general", question.caller)
    yield question.usage(name, question.address)


@dataclass(frozen=True, slots=True)
class Scope:
    """Limits in the order in which they are asked; the first that refuses ends it.

    `closed` says what happens while Redis is away and nobody counts: closed is refused with 503, the others go on.
    """

    limits: tuple[Callable[[Question], Iterator[Usage]], ...]
    closed: bool = False


SCOPES: Final[Mapping[str, Scope]] = {
    GENERAL: Scope((_per_caller("general"),)),
    "admin": Scope((_per_caller("admin"),)),
    "heartbeats": Scope((_per_caller("heartbeats"),)),
    # Money in: a buyer is not turned away because nobody counts, and whoever paid is served.
    "payments": Scope((_per_caller("general"), _per_caller("payments"))),
    # What a code is worth: a guess that nobody counts is a guess for free.
    "coupons": Scope((_per_caller("general"), _per_caller("coupons"), _per_address("coupons")), closed=True),
    # Money out.
    "refunds": Scope((_per_caller("general"), _per_caller("refunds")), closed=True),
    "wallet": Scope((_per_caller("general"), _per_caller("wallet")), closed=True),
    # What can be guessed, and what sends mail to somebody: a try that nobody counts is a try for free. Who is signed in
    # already stays so.
    "sign_in": Scope((_sign_in,), closed=True),
    "console": Scope((_sign_in,), closed=True),
    # Setting out to somewhere that says who it is: nobody's account yet, whatever a body names, and nothing to guess.
    "sign_in_elsewhere": Scope((_per_address("sign_in_crowd"),), closed=True),
    "register": Scope((_per_caller("general"), _per_address("register")), closed=True),
    "reset": Scope((_reset,), closed=True),
    # Each is somebody's own: people who share an address have nothing to guess at each other's.
    "codes": Scope((_per_caller("general"), _per_caller("codes")), closed=True),
}


class RateLimit(BaseThrottle):
    """The limits of the view's `throttle_scope`: a name in SCOPES, or names by action; "general" where it says none.

    Raises Unavailable where a closed scope cannot count.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        usage = limits_ask(
            request._request,
            scope=_scope_of(view),
            user=request.user.pk if request.user.is_authenticated else None,
            account=lambda: _account_of(request.data),
        )
        self._wait = usage.reset if usage and usage.refused else None
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


def limits_ask(request: HttpRequest, *, scope: str, user: object, account: Callable[[], str]) -> Usage | None:
    """Count this request against the limits of `scope`: what is left of the one nearest its end, or of the one that
    refuses. None where nothing is counted. `user` is who is signed in, `account` whom the body names.

    Raises Unavailable, and what `account` raises.
    """
    mine = _Asked.of(request)
    mine.asked, mine.usage = True, None
    if not settings.RATELIMIT_ENABLE:
        return None
    limits = SCOPES[scope]
    if redis_is_paused():
        _refuse_if_closed(limits)
        return None
    address = network_of(client_address(request))
    caller = f"user {user}" if user else address
    question = Question(caller, address, lambda: _as_compared(account()), not mine.only_looks, mine.lent)
    try:
        mine.usage = _nearest(limits, question)
    except RedisError as error:
        redis_pause(error)
        _refuse_if_closed(limits)
        return None
    if mine.usage.refused and question.counts:
        THROTTLED.labels(scope).inc()
    return mine.usage


def limits_know(request: HttpRequest, *, account: str) -> None:
    """Remember with the answer that the owner of `account` signed in from here; the address gets back what that took.

    For whoever has just opened a session of it: anybody can name an account in a body.
    """
    _Asked.of(request).signed_in = (_as_compared(account), network_of(client_address(request)))


def limits_only_look(request: Request, *, look: bool) -> None:
    """Whether the limits are from here on asked without being counted."""
    _Asked.of(request._request).only_looks = look


def refusal_counted(error: Exception, *, view: "APIView", request: Request | None) -> Exception:
    """Who is refused before the limits are asked (no token, no right) counts too: `error`, or Throttled instead."""
    if request is None or not isinstance(error, NotAuthenticated | AuthenticationFailed | PermissionDenied):
        return error
    if _Asked.of(request._request).asked:
        return error
    try:
        view.check_throttles(request)
    except Throttled as throttled:
        return throttled
    except DomainError:
        return error
    return error


class RateLimitMiddleware:
    """Says in the answer how much is left, and remembers from where somebody signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        asked: _Asked | None = getattr(request, _Asked.ATTRIBUTE, None)
        if asked is not None and asked.usage is not None:
            left = asked.usage
            response["RateLimit-Limit"] = str(left.limit)
            response["RateLimit-Remaining"] = str(left.remaining)
            response["RateLimit-Reset"] = str(left.reset)
            if asked.signed_in is not None and response.status_code < 400:
                _remember(*asked.signed_in, lent=asked.lent)
        return response


class _Asked:
    """What one request has been asked, kept on it."""

    ATTRIBUTE: Final = "rate_limit"

    def __init__(self) -> None:
        self.asked = False
        self.only_looks = False
        self.usage: Usage | None = None
        self.signed_in: tuple[str, str] | None = None
        self.lent: list[str] = []

    @classmethod
    def of(cls, request: HttpRequest) -> "_Asked":
        mine = getattr(request, cls.ATTRIBUTE, None)
        if mine is None:
            mine = cls()
            setattr(request, cls.ATTRIBUTE, mine)
        return mine


def _nearest(scope: Scope, question: Question) -> Usage:
    nearest: Usage | None = None
    for limit in scope.limits:
        for usage in limit(question):
            if usage.refused:
                return usage
            if nearest is None or usage.remaining < nearest.remaining:
                nearest = usage
    assert nearest is not None, "every scope has a limit that everybody has"
    return nearest


def _refuse_if_closed(scope: Scope) -> None:
    if scope.closed:
        raise Unavailable("This is closed for a moment. Try again shortly.", retry_after=int(PAUSE))


def _scope_of(view: "APIView") -> str:
    scope = getattr(view, "throttle_scope", None)
    if isinstance(scope, Mapping):
        scope = scope.get(getattr(view, "action", None))
    return scope or GENERAL


def _account_of(data: Any) -> str:
    """The email in the body, or in its place what the right password for one was answered with."""
    named = (data.get("email") or data.get("challenge")) if isinstance(data, Mapping) else None
    return named if isinstance(named, str) else ""


def _as_compared(email: str) -> str:
    """As accounts compare emails."""
    return email.strip().lower()[:_LONGEST_ACCOUNT]


def _is_known(account: str, address: str) -> bool:
    return bool(get_redis_connection("default").exists(_known(account, address)))


def _remember(account: str, address: str, *, lent: list[str]) -> None:
    if not account or redis_is_paused():
        return
    try:
        get_redis_connection("default").set(_known(account, address), 1, ex=KNOWN_SECONDS)
        for key in lent:
            _counters().give_back(key)
    except RedisError as error:
        redis_pause(error)


def _counters() -> CounterCache:
    counters = caches[settings.RATELIMIT_USE_CACHE]
    assert isinstance(counters, CounterCache)
    return counters


def _known(account: str, address: str) -> str:
    return "known:" + sha256(f"{account} {address}".encode()).hexdigest()
