"""Requests over HTTP, as ratios to two yardsticks that the same web process serves in the same seconds.

E answers `{}`; Q reads one row by its key (yardsticks.py). Both are called without a token: what authentication costs
is part of what is measured. Every endpoint has its second in every round, in an order that moves on; a ratio is the
median over the rounds of the ratio within a round.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis import Redis

from learning247.bench.cores import Cores, confined, cores_apart, servers_confined
from learning247.bench.data import Content, content_build
from learning247.bench.load import Slice, Unexpected, ceiling, drive, request_bytes
from learning247.bench.scratch import scratch_database
from learning247.bench.web import GUNICORN, Web, web

E, Q = "E: {}", "Q: .get(pk)"
SMALL = 1_000
_numbers = count()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`paths` take turns. `miss` asks past the cache; `etag` comes back with the ETag of an earlier answer."""

    name: str
    paths: tuple[str, ...]
    token: str = ""
    miss: bool = False
    etag: bool = False
    status: int = 200
    grows: bool = False  # what it reads grows with the site

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True, slots=True)
class Site:
    """A web process on a database of that size."""

    courses: int
    entries: int
    web: Web
    endpoints: tuple[Endpoint, ...]


@dataclass(slots=True)
class Figures:
    slices: list[Slice] = field(default_factory=list)
    statements: int = 0

    @property
    def rates(self) -> list[float]:
        return [one.rate for one in self.slices]

    def percentile(self, share: float) -> float:
        """Milliseconds, over all rounds."""
        took = sorted(seconds for one in self.slices for seconds in one.latencies)
        return took[min(len(took) - 1, int(share * len(took)))] * 1000


def endpoints_of(content: Content) -> list[Endpoint]:
    page = f"/api/courses/departments/{content.department}/courses"
    rare = tuple(f"/api/courses/search?q={quote(word)}" for word in content.rare_words)
    common = tuple(f"/api/courses/search?q={quote(word)}" for word in content.common_words)
    detail = f"/api/courses/{content.course}"
    token = content.access_token
    return [
        Endpoint(E, ("/bench/empty",)),
        Endpoint(Q, (f"/bench/row/{content.product}",)),
        Endpoint("E with a token", ("/bench/empty",), token=token),
        Endpoint("Q with a token", (f"/bench/row/{content.product}",), token=token),
        Endpoint("departments", ("/api/courses/departments",)),
        Endpoint("departments, 304", ("/api/courses/departments",), etag=True, status=304),
        Endpoint("departments, miss", ("/api/courses/departments",), miss=True, grows=True),
        Endpoint("course page of 20", (page,)),
        Endpoint("course page of 20, miss", (page,), miss=True, grows=True),
        Endpoint("course detail", (detail,)),
        Endpoint("course detail, miss", (detail,), miss=True, grows=True),
        Endpoint("search", rare[:1]),
        Endpoint("search for rare words, miss", rare, miss=True, grows=True),
        Endpoint("search for common words, miss", common, miss=True, grows=True),
        Endpoint("me", ("/auth/me",), token=token),
        Endpoint("wallet balance", ("/api/wallet/balance",), token=token),
        Endpoint("transactions page of 20", ("/api/wallet/transactions",), token=token, grows=True),
        Endpoint("payments page of 20", ("/api/payments",), token=token),
        Endpoint("my enrollments, page of 20", ("/api/courses/my-enrollments",), token=token),
        Endpoint("staff's enrollments, page of 20", ("/api/admin/course-enrollments",), token=content.staff_token),
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--courses", type=int, default=SMALL, help=f"of a second site, measured against {SMALL}")
    parser.add_argument("--entries", type=int, default=SMALL, help="of one person's history there")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="per endpoint and round")
    parser.add_argument("--connections", type=int, default=8, help="that ask at the same time")
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT", help="endpoints with a word that begins so")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--serve", default=GUNICORN, help="another server: `MODULE ARGUMENTS`, with {port}")


def run(arguments: argparse.Namespace) -> None:
    cores = cores_apart()
    print(f"{cores.note}; one worker, {arguments.connections} connections")  # noqa: T201
    with ExitStack() as sites:
        small = sites.enter_context(_site(arguments, cores, SMALL, SMALL))
        figures = {small: _counted(small)}
        if max(arguments.courses, arguments.entries) > SMALL:
            sites.enter_context(scratch_database("large"))
            large = sites.enter_context(_site(arguments, cores, arguments.courses, arguments.entries))
            figures[large] = _counted(large)
        sites.enter_context(servers_confined(cores.others))
        sites.enter_context(confined(cores.others))
        top = ceiling(cores=cores.web, connections=arguments.connections)
        _measure(figures, arguments)
        for site, theirs in figures.items():
            _report(site, theirs, top)
        if len(figures) > 1:
            _report_growth(figures[small], figures[large])
        if arguments.json:
            arguments.json.write_text(json.dumps([_plain(site, theirs) for site, theirs in figures.items()], indent=2))


@contextmanager
def _site(arguments: argparse.Namespace, cores: Cores, courses: int, entries: int) -> Iterator["Site"]:
    start = time.perf_counter()
    content = content_build(courses=courses, entries=entries)
    print(f"{courses} courses and {entries} entries made in {time.perf_counter() - start:.1f} s", flush=True)  # noqa: T201
    with web(cores=cores, command=arguments.serve) as server:
        wanted = [one for one in endpoints_of(content) if _is_wanted(one, arguments.only)]
        for one in [one for one in wanted if one.etag and not _etag(server.port, one)]:
            print(f"{one.name}: left out, the answer has no ETag")  # noqa: T201
            wanted.remove(one)
        yield Site(courses, entries, server, tuple(wanted))


def _is_wanted(endpoint: Endpoint, only: Sequence[str]) -> bool:
    return (
        not only or endpoint.name in (E, Q) or any(re.search(rf"\b{re.escape(text)}", endpoint.name) for text in only)
    )


def _counted(site: Site) -> dict[Endpoint, Figures]:
    """The statements of one request each, asked through all of the middleware in this process."""
    client = Client()
    figures = {}
    for endpoint in site.endpoints:
        headers = endpoint.headers()
        if endpoint.miss:
            headers["Host"] = _host_of_its_own()
        else:
            before = client.get(endpoint.paths[0], headers=headers)  # from here on it may come from a cache
            if endpoint.etag:
                headers["If-None-Match"] = before["ETag"]
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(endpoint.paths[0], headers=headers)
        if answer.status_code != endpoint.status:
            raise SystemExit(f"{endpoint.name}: {endpoint.status} was expected: {answer.status_code}")
        figures[endpoint] = Figures(statements=len(captured))
    return figures


def _measure(figures: dict[Site, dict[Endpoint, Figures]], arguments: argparse.Namespace) -> None:
    turns = [(site, endpoint) for site in figures for endpoint in site.endpoints]
    if len(figures) > 1:  # side by side, so that both sizes meet the same machine
        turns.sort(key=lambda turn: [one.name for one in turn[0].endpoints].index(turn[1].name))
    for number in range(arguments.rounds):
        first = number * len(turns) // arguments.rounds
        for site, endpoint in turns[first:] + turns[:first]:
            figures[site][endpoint].slices.append(_slice(site, endpoint, arguments))


def _slice(site: Site, endpoint: Endpoint, arguments: argparse.Namespace) -> Slice:
    port = site.web.port
    headers = endpoint.headers()
    if endpoint.etag:
        headers["If-None-Match"] = _etag(port, endpoint)
    requests: Iterator[bytes] = cycle(request_bytes(path, port=port, headers=headers) for path in endpoint.paths)
    if endpoint.miss:
        requests = _past_the_cache(requests)
    try:
        return drive(
            requests,
            port=port,
            connections=arguments.connections,
            seconds=arguments.seconds,
            status=endpoint.status,
        )
    except Unexpected as fault:
        raise SystemExit(f"{endpoint.name}: {fault}") from fault
    finally:
        if endpoint.miss:
            _forget_answers()


def _past_the_cache(requests: Iterator[bytes]) -> Iterator[bytes]:
    """An answer holds addresses, so that it is kept per host: a new host's is looked up, made and stored."""
    for request in requests:
        yield request.replace(b"Host: 127.0.0.1", b"Host: " + _host_of_its_own().encode(), 1)


def _host_of_its_own() -> str:
    return f"miss-{next(_numbers)}.example"


def _forget_answers() -> None:
    """Thousands that nobody will ask for again."""
    redis = Redis.from_url(settings.REDIS_URL)
    for key in redis.scan_iter("answers:*", count=1_000):
        redis.unlink(key)


def _etag(port: int, endpoint: Endpoint) -> str:
    server = HTTPConnection("127.0.0.1", port, timeout=5)
    server.request("GET", endpoint.paths[0], headers=endpoint.headers())
    return server.getresponse().headers["ETag"] or ""


def _report(site: Site, figures: dict[Endpoint, Figures], top: float) -> None:
    rates = {endpoint.name: figures[endpoint].rates for endpoint in figures}
    print(f"\n{site.courses} courses, {site.entries} entries")  # noqa: T201
    heads = ("", "req/s", "p50 ms", "p99 ms", "SQL", "bytes", "of E", "of Q")
    print("{:32}{:>8}{:>8}{:>8}{:>5}{:>8}  {:18}{:18}".format(*heads))  # noqa: T201
    for endpoint, mine in figures.items():
        print(  # noqa: T201
            f"{endpoint.name:32}{statistics.median(mine.rates):8.0f}{mine.percentile(0.5):8.2f}"
            f"{mine.percentile(0.99):8.2f}{mine.statements:5}{mine.slices[-1].size:8}"
            f"  {_ratio(mine.rates, rates[E]):18}{_ratio(mine.rates, rates[Q]):18}"
        )
    *workers, supervisor = site.web.resident()
    each = ", ".join(f"{megabytes:.0f}" for megabytes in workers)
    print(  # noqa: T201
        f"resident: {sum(workers):.0f} MB in {len(workers)} worker(s) ({each}), supervisor {supervisor:.0f} MB;"
        f" the load generator alone does {top:.0f} req/s, {top / statistics.median(rates[E]):.0f} times E"
    )


def _report_growth(small: dict[Endpoint, Figures], large: dict[Endpoint, Figures]) -> None:
    print(f"\n{'times of the small site':32}{'per request':>22}{'p95':>8}")  # noqa: T201
    for one, other in zip(small.items(), large.items(), strict=True):
        if one[0].grows:
            slower = _ratio(one[1].rates, other[1].rates)
            print(f"{one[0].name:32}{slower:>22}{other[1].percentile(0.95) / one[1].percentile(0.95):8.2f}")  # noqa: T201


def _ratio(rates: Sequence[float], yardstick: Sequence[float]) -> str:
    ratios = [mine / theirs for mine, theirs in zip(rates, yardstick, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _plain(site: Site, figures: dict[Endpoint, Figures]) -> dict[str, Any]:
    return {
        "courses": site.courses,
        "entries": site.entries,
        "resident_mb": site.web.resident(),
        "endpoints": [
            {
                "name": endpoint.name,
                "rates": mine.rates,
                "p50_ms": mine.percentile(0.5),
                "p95_ms": mine.percentile(0.95),
                "p99_ms": mine.percentile(0.99),
                "statements": mine.statements,
                "bytes": mine.slices[-1].size,
            }
            for endpoint, mine in figures.items()
        ],
    }
