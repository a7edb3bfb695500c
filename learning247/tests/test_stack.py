"""The local stack: what is in its way is said in one line, and nothing of it is left behind."""

import errno
import io
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from learning247.embedded.locks import CannotRun
from learning247.stack import ports, record
from learning247.stack.interrupts import Interrupted, Interrupts
from learning247.stack.processes import Processes, run

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
