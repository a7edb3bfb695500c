"""The embedded servers: shared between processes, gone with the last of them, up again after any crash."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from learning247 import embedded
from learning247.embedded.account import account_for
from learning247.embedded.leases import Lease, Room
from learning247.embedded.local import SECRET_PREFIXES, stack_file
from learning247.embedded.locks import CannotRun, is_locked, only_one
from learning247.embedded.postgres import PostgresServer
from learning247.embedded.redis import RedisServer

ROOT = Path(__file__).resolve().parent.parent.parent
ONCE = Retry(NoBackoff(), 0)
USE = """
import sys
from pathlib import Path
from learning247.embedded.leases import Lease, Room
lease = Lease(Room(sys.argv[1], Path(sys.argv[2])))
print(lease.url(), flush=True)
sys.stdin.read()
"""


@contextmanager
def another_user(kind: str, var: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Another process that uses the server, until the block ends or somebody kills it."""
    command = [sys.executable, "-c", USE, kind, str(var)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process


@contextmanager
def postgres(var: Path) -> Iterator[tuple[PostgresServer, str]]:
    server = PostgresServer(var)
    try:
        yield server, server.start()
    finally:
        server.stop()


@contextmanager
def redis(var: Path) -> Iterator[tuple[RedisServer, str]]:
    server = RedisServer(var)
    try:
        yield server, server.start()
    finally:
        server.stop()


def run_id(url: str) -> str:
    return str(Redis.from_url(url).info("server")["run_id"])


def answers(url: str) -> bool:
    try:
        return bool(Redis.from_url(url, retry=ONCE).ping())
    except RedisConnectionError:
        return False


def wait_until(condition: Callable[[], object], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def postmaster(var: Path) -> psutil.Process:
    return psutil.Process(int((var / "postgres" / "postmaster.pid").read_text().split()[0]))


# --- what is set by hand


def test_given_addresses_are_used_as_they_are_and_nothing_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/shop")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/3")
    assert embedded.ensure_running(tmp_path) == embedded.Addresses(
        "postgres://elsewhere/shop", "redis://elsewhere:6379/3"
    )
    assert not (tmp_path / "run" / "postgres").exists()
    assert not (tmp_path / "run" / "redis").exists()


def test_only_the_server_whose_address_is_missing_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/shop")
    monkeypatch.delenv("REDIS_URL")
    addresses = embedded.ensure_running(tmp_path)
    assert addresses.database_url == "postgres://elsewhere/shop"
    assert answers(addresses.redis_url)
    assert os.environ["REDIS_URL"] == addresses.redis_url
    assert not (tmp_path / "run" / "postgres").exists()


def test_production_starts_nothing_and_makes_nothing_up(tmp_path, monkeypatch):
    monkeypatch.setenv("DJANGO_ENV", "production")
    monkeypatch.delenv("JWT_SECRET", raising=False)
    embedded.ensure_running(tmp_path)
    assert "JWT_SECRET" not in os.environ
    assert list(tmp_path.iterdir()) == []


# --- who uses a server


def test_a_second_user_joins_the_running_server_and_the_last_one_out_stops_it(tmp_path):
    lease = Lease(Room("redis", tmp_path))
    mine = lease.url()
    with another_user("redis", tmp_path) as (theirs, process):
        assert theirs == mine
        started = run_id(mine)
        lease.leave()
        assert run_id(theirs) == started, "the server stopped although somebody still uses it"
        process.communicate()
    assert not answers(mine)
    assert not is_locked(Room("redis", tmp_path).keeper), "the keeper outlived the last user's exit"


def test_a_killed_user_does_not_keep_the_server_running(tmp_path):
    with another_user("redis", tmp_path) as (url, process):
        assert answers(url)
        process.kill()
        assert wait_until(lambda: not answers(url))


def test_a_file_left_by_a_dead_user_counts_for_nothing_whatever_process_has_its_number(tmp_path):
    room = Room("redis", tmp_path)
    room.users.mkdir(parents=True)
    (room.users / f"{os.getpid()}-left.lock").write_text("")
    lease = Lease(room)
    url = lease.url()
    lease.leave()
    assert not answers(url)


def test_a_killed_keeper_is_replaced_and_the_server_taken_over(tmp_path):
    lease = Lease(Room("redis", tmp_path))
    url = lease.url()
    started = run_id(url)
    assert lease._keeper is not None
    lease._keeper.kill()
    lease._keeper.wait()
    with another_user("redis", tmp_path) as (theirs, process):
        assert run_id(theirs) == started
        lease.leave()
        process.communicate()
    assert not answers(url)


def test_a_server_that_cannot_start_says_why_in_one_line(tmp_path):
    refuse_with_major(tmp_path, "17")
    lease = Lease(Room("postgres", tmp_path))
    with pytest.raises(CannotRun, match=r"holds data of PostgreSQL 17, this checkout brings 18") as refusal:
        lease.url()
    lease.leave()
    assert "\n" not in str(refusal.value)


def test_what_may_only_run_once_names_the_process_that_runs_it(tmp_path):
    script = (
        "import sys; from pathlib import Path; from learning247.embedded import only_one;"
        "only_one(Path(sys.argv[1]), 'taken'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "lock")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(CannotRun, match=f"process {process.pid} has it"):
            only_one(tmp_path / "lock", "process {pid} has it")
        process.kill()
    only_one(tmp_path / "lock", "a killed process still has it")


# --- PostgreSQL


def test_committed_rows_survive_a_killed_server(tmp_path):
    with postgres(tmp_path) as (_, url):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE sale AS SELECT 7 AS amount")
        postmaster(tmp_path).kill()
    assert (tmp_path / "postgres" / "postmaster.pid").exists(), "this was no crash"
    with postgres(tmp_path) as (_, url), psycopg.connect(url) as connection:
        assert connection.execute("SELECT amount FROM sale").fetchall() == [(7,)]


def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(tmp_path):
    with postgres(tmp_path):
        pid_file = (tmp_path / "postgres" / "postmaster.pid").read_text()
    account = account_for(tmp_path / "postgres")
    with subprocess.Popen(["sleep", "60"], cwd="/", **account.popen) as stranger:
        file = tmp_path / "postgres" / "postmaster.pid"
        file.write_text("\n".join([str(stranger.pid), *pid_file.splitlines()[1:]]) + "\n")
        account.own(tmp_path / "postgres")
        try:
            with postgres(tmp_path) as (_, url), psycopg.connect(url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert stranger.poll() is None, "the stranger was taken for the server"
        finally:
            stranger.kill()


def test_a_half_made_data_directory_is_set_aside_and_said(tmp_path):
    (tmp_path / "postgres" / "base").mkdir(parents=True)
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    with postgres(tmp_path) as (server, url), psycopg.connect(url):
        assert any("was not complete" in note for note in server.notes)
    assert [path.name[:20] for path in tmp_path.glob("postgres.*")] == ["postgres.incomplete-"]


def test_a_data_directory_of_another_major_is_left_alone(tmp_path):
    refuse_with_major(tmp_path, "17")
    with pytest.raises(CannotRun, match="PostgreSQL 17"):
        PostgresServer(tmp_path).start()
    assert (tmp_path / "postgres" / "PG_VERSION").read_text() == "17\n"


def test_a_checkout_too_deep_for_a_socket_works(tmp_path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    deep.mkdir(parents=True)
    with postgres(deep) as (_, url), psycopg.connect(url) as connection:
        row = connection.execute("SHOW unix_socket_directories").fetchone()
        assert row is not None
        assert Path(row[0]).is_dir()
    assert not Path(row[0]).exists(), "the socket's folder was left behind"


def test_only_this_machine_and_account_reach_it_and_a_commit_is_a_commit(tmp_path):
    with postgres(tmp_path) as (_, url), psycopg.connect(url) as connection:
        names = ("listen_addresses", "fsync", "synchronous_commit", "full_page_writes", "max_connections")
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    assert values == [("",), ("on",), ("on",), ("on",), ("300",)]
    assert stat.S_IMODE((tmp_path / "postgres").stat().st_mode) == 0o700


def refuse_with_major(var: Path, major: str) -> None:
    """A complete-looking data directory of another major version."""
    (var / "postgres" / "global").mkdir(parents=True)
    (var / "postgres" / "global" / "pg_control").write_text("")
    (var / "postgres" / "PG_VERSION").write_text(f"{major}\n")


# --- Redis


def test_redis_keeps_its_address_and_what_was_queued(tmp_path):
    with redis(tmp_path) as (_, first):
        Redis.from_url(first).rpush("money", "job")
    with redis(tmp_path) as (_, second):
        assert second == first
        assert Redis.from_url(second).lrange("money", 0, -1) == [b"job"]


def test_redis_moves_when_its_port_was_taken(tmp_path):
    with redis(tmp_path) as (_, first):
        port = Redis.from_url(first).connection_pool.connection_kwargs["port"]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with redis(tmp_path) as (_, second):
            assert second != first
            assert answers(second)


def test_redis_with_a_broken_snapshot_starts_empty_and_says_so(tmp_path):
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "dump.rdb").write_bytes(b"REDIS0009\xfa\x09redis")
    with redis(tmp_path) as (server, url):
        assert answers(url)
        assert any("dump.rdb.broken" in note for note in server.notes)
    assert (tmp_path / "redis" / "dump.rdb.broken").exists()


def test_redis_answers_nobody_without_its_password_and_never_drops_a_job(tmp_path):
    with redis(tmp_path) as (_, url):
        port = Redis.from_url(url).connection_pool.connection_kwargs["port"]
        with pytest.raises(AuthenticationError):
            Redis(port=port, retry=ONCE).ping()
        assert Redis.from_url(url).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert Redis.from_url(url).config_get("bind") == {"bind": "127.0.0.1"}


def test_a_killed_redis_starts_again(tmp_path):
    with redis(tmp_path):
        os.kill(int((tmp_path / "redis" / "redis.pid").read_text()), signal.SIGKILL)
    with redis(tmp_path) as (_, url):
        assert answers(url)


# --- the local environment


@pytest.fixture
def bare_environment(monkeypatch):
    """As on a fresh machine: nothing of ours is set."""
    for name in (*SECRET_PREFIXES, "PORT", "SANDBOX_PORT", "PAYSTACK_BASE_URL", "STRIPE_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SANDBOX_PAYSTACK_WEBHOOK_URL", "SANDBOX_STRIPE_WEBHOOK_URL", "SANDBOX_STATE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("bare_environment")
def test_local_secrets_are_made_once_per_checkout_and_readable_by_its_owner_alone(tmp_path):
    first = embedded.local_environment(tmp_path / "a")
    again = embedded.local_environment(tmp_path / "a")
    other = embedded.local_environment(tmp_path / "b")
    for name in SECRET_PREFIXES:
        assert first[name] == again[name]
        assert first[name] != other[name]
        assert len(first[name]) >= 48
    assert stat.S_IMODE((tmp_path / "a" / "local-secrets.json").stat().st_mode) == 0o600


@pytest.mark.usefixtures("bare_environment")
def test_what_is_set_by_hand_wins_over_what_would_be_made_up(tmp_path, monkeypatch):
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", "sk_test_my_own")
    assert "PAYSTACK_SECRET_KEY" not in embedded.local_environment(tmp_path)


@pytest.mark.usefixtures("bare_environment")
def test_ports_take_all_addresses_along(tmp_path, monkeypatch):
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("SANDBOX_PORT", "8124")
    values = embedded.local_environment(tmp_path)
    assert values["SANDBOX_PAYSTACK_WEBHOOK_URL"] == "http://127.0.0.1:8123/api/webhooks/paystack"
    assert values["SANDBOX_STRIPE_WEBHOOK_URL"] == "http://127.0.0.1:8123/api/webhooks/stripe"
    assert values["PAYSTACK_BASE_URL"] == "http://127.0.0.1:8124/paystack"
    assert values["STRIPE_API_BASE"] == "http://127.0.0.1:8124/stripe"


@pytest.mark.usefixtures("bare_environment")
def test_a_command_in_another_terminal_finds_the_ports_of_the_running_stack(tmp_path):
    stack_file(tmp_path).parent.mkdir(parents=True)
    stack_file(tmp_path).write_text('{"ports": {"PORT": "8201", "SANDBOX_PORT": "8202"}, "processes": {}}')
    values = embedded.local_environment(tmp_path)
    assert values["PORT"] == "8201"
    assert values["PAYSTACK_BASE_URL"] == "http://127.0.0.1:8202/paystack"
