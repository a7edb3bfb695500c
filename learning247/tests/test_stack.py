"""The local stack: what is in its way is said in one line, and nothing of it is left behind."""

import errno
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from learning247.embedded.locks import CannotRun
from learning247.stack import addresses, ports, record
from learning247.stack.interrupts import Interrupted, Interrupts
from learning247.stack.processes import ROOT, Processes, run

SLEEPS = "sleep 60"


@pytest.fixture
def processes(tmp_path):
    """Builds the processes of a Procfile, and stops them when the test is over."""
    built = []

    def build(**commands: str) -> Processes:
        (tmp_path / "Procfile").write_text("".join(f"{name}: {text}\n" for name, text in commands.items()))
        built.append(Processes(tmp_path / "Procfile", (tmp_path / "output").open("w"), Interrupts()))
        return built[-1]

    yield build
    for one in built:
        one.stop()


def wait_until(condition: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_stopping_leaves_neither_a_process_nor_a_grandchild(processes, tmp_path):
    stack = processes(web=f"python {tmp_path / 'web.py'}", beat=SLEEPS)
    (tmp_path / "web.py").write_text(
        "import subprocess, time\nprint(subprocess.Popen(['sleep', '60']).pid, flush=True)\ntime.sleep(60)\n"
    )
    stack.start()
    output = tmp_path / "output"
    assert wait_until(lambda: output.read_text().strip())
    grandchild = int(output.read_text().split("|")[1])
    children = [process.pid for process in stack.running.values()]
    stack.stop()
    assert all(is_gone(pid) for pid in (*children, grandchild))


def test_the_output_of_each_process_carries_its_name(processes, tmp_path):
    stack = processes(web="echo hello", worker=SLEEPS)
    stack.start()
    assert wait_until(lambda: "web    | hello" in (tmp_path / "output").read_text())


def test_a_vanished_terminal_does_not_stop_the_processes(tmp_path):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "the terminal is gone")

    (tmp_path / "Procfile").write_text(f"web: sh -c 'yes | head -c 300000; touch {tmp_path / 'written'}; sleep 60'\n")
    stack = Processes(tmp_path / "Procfile", Gone(), Interrupts())
    stack.start()
    try:
        assert wait_until((tmp_path / "written").exists), "the process blocks: nobody reads what it writes"
    finally:
        stack.stop()


def test_a_process_that_ends_by_itself_is_named_with_how_it_ended(processes):
    stack = processes(web=SLEEPS, worker="sh -c 'exit 3'")
    stack.start()
    assert wait_until(lambda: stack.ended() is not None)
    assert stack.ended() == "worker ended with exit code 3"


def test_a_killed_process_is_named_with_its_signal(processes):
    stack = processes(web=SLEEPS)
    stack.start()
    assert stack.ended() is None
    stack.running["web"].send_signal(signal.SIGKILL)
    assert wait_until(lambda: stack.ended() == "web ended with signal SIGKILL")


def test_an_interruption_ends_the_command_that_is_under_way(monkeypatch):
    interrupts = Interrupts()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    interrupts.install()
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start_and_interrupt(*arguments, **options):
        started.append(popen(*arguments, **options))
        os.kill(os.getpid(), signal.SIGINT)  # at the worst moment: started, not yet noted
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start_and_interrupt)
    try:
        with pytest.raises(Interrupted):
            run(["sleep", "60"], interrupts)
        assert is_gone(started[0].pid)
        os.kill(os.getpid(), signal.SIGINT)  # a second one does not disturb the tidying
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_taken_port_is_named_with_a_free_one_to_take(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(CannotRun, match=rf"Port {port} is taken: .* make run PORT=\d+$"):
            ports.check()


@pytest.mark.parametrize("value", ["", "http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("PORT", value)
    with pytest.raises(CannotRun, match="is not a port"):
        ports.check()


def test_one_port_for_both_is_refused(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("SANDBOX_PORT", str(port))
    with pytest.raises(CannotRun, match="give each its own"):
        ports.check()


def test_what_a_killed_stack_left_running_is_ended_and_a_stranger_with_its_number_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("SANDBOX_PORT", "8090")
    (tmp_path / "run").mkdir()
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    record.write(tmp_path, [left.pid, stranger.pid])
    file: Path = tmp_path / "run" / "stack.json"
    started = str(psutil.Process(stranger.pid).create_time())
    file.write_text(file.read_text().replace(f'"{stranger.pid}": {started}', f'"{stranger.pid}": 1.0'))
    record.end_survivors(tmp_path)
    assert is_gone(left.pid)
    assert stranger.poll() is None
    assert not file.exists()
    stranger.kill()
    stranger.wait()


# --- addresses that were set by hand


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("garbage", "is no address"),
        ("mysql://user@127.0.0.1/shop", "is no address"),
        ("postgres://user:a-password@127.0.0.1:port/shop", "is no address"),
        ("postgres://", "is no address"),
        ("postgres://user:a-password@127.0.0.1:1/shop", "leads to no database"),
        ("postgres://user:a-password@127.0.0.1:1/shop?nonsense=1", "leads to no database"),
    ],
)
def test_a_database_that_is_none_is_said_in_one_line_without_its_password(monkeypatch, url, said):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(CannotRun, match=f"^DATABASE_URL {said}") as refusal:
        addresses.check()
    assert "\n" not in str(refusal.value)
    assert "a-password" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "said"), [("garbage", "is no address"), ("redis://:a-password@127.0.0.1:1/0", "leads to no Redis")]
)
def test_a_redis_that_is_none_is_said_in_one_line_without_its_password(monkeypatch, url, said):
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(CannotRun, match=f"^REDIS_URL {said}") as refusal:
        addresses.check()
    assert "\n" not in str(refusal.value)
    assert "a-password" not in str(refusal.value)


def test_addresses_that_answer_are_fine():
    addresses.check()


def test_make_run_says_what_is_wrong_with_the_database_and_nothing_else(tmp_path):
    """The whole command, with a `var` of its own and so with a lock of its own."""
    code = (
        "import pathlib, sys, learning247.embedded as embedded;"
        f"embedded.VAR = pathlib.Path({str(tmp_path / 'var')!r});"
        "from learning247.stack.__main__ import main; sys.exit(main(['run']))"
    )
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        free = {"PORT": str(one.getsockname()[1]), "SANDBOX_PORT": str(other.getsockname()[1])}
    environment = {**os.environ, **free, "DATABASE_URL": "postgres://user@127.0.0.1:1/shop"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("DATABASE_URL leads to no database")
    assert ended.stderr.count("\n") == 1


# --- the tests again on every change

WATCH = """
import sys
from pathlib import Path
from learning247.stack.__main__ import main
from learning247.stack import __main__ as stack
from learning247.stack.processes import run
stack.ensure_running = lambda: None
stack.ROOT = Path(sys.argv[1])
stack.run = lambda command, interrupts: run(command, interrupts, folder=stack.ROOT)
sys.exit(main(["watch", "-p", "no:django", "-q"]))
"""


def test_watching_runs_the_tests_again_when_a_python_file_changes_and_only_then(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "thing.py").write_text("VALUE = 1\n")
    (tmp_path / "test_thing.py").write_text(
        "from thing import VALUE\ndef test_it():\n    open('runs', 'a').write(f'{VALUE}\\n')\n"
    )
    for left_out in (".venv", "var"):
        (tmp_path / left_out).mkdir()
    runs, said = tmp_path / "runs", tmp_path / "said"
    with said.open("w") as output:
        watching = subprocess.Popen(
            [sys.executable, "-c", WATCH, str(tmp_path)], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        assert wait_until(lambda: said.read_text().count("Waiting for a change") == 1, 30), said.read_text()
        assert runs.read_text() == "1\n"
        (tmp_path / ".venv" / "library.py").write_text("")
        (tmp_path / "var" / "data.py").write_text("")
        (tmp_path / "notes.txt").write_text("")
        assert not wait_until(lambda: runs.read_text() != "1\n", 2.5), "a file that is none of ours started a run"
        (tmp_path / "thing.py").write_text("VALUE = 22\n")
        assert wait_until(lambda: runs.read_text() == "1\n22\n", 30), said.read_text()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(15) == 0, "Ctrl-C is a good end"
    finally:
        watching.kill()
        watching.wait()
