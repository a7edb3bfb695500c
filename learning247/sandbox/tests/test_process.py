"""The sandbox as a process of its own: start, stop, port, state, load."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import requests

from learning247.sandbox.config import ConfigError, read_config
from learning247.sandbox.control import ControlClient
from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import Paystack
from learning247.sandbox.tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[3]


def start(port: int, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "learning247.sandbox"],
        cwd=ROOT,
        env=os.environ | {"SANDBOX_PORT": str(port)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(client: ControlClient) -> bool:
    try:
        return bool(client.health()["ok"])
    except OSError:
        return False


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_serves_and_stops_cleanly_on_a_signal(stop: signal.Signals) -> None:
    port = free_port()
    process = start(port)
    client = ControlClient(f"http://127.0.0.1:{port}")
    client.wait_until(lambda: answers(client), seconds=20)
    process.send_signal(stop)
    output, errors = process.communicate(timeout=10)
    assert output == f"sandbox: Paystack, Stripe and Google on http://127.0.0.1:{port}\n"
    assert errors == ""
    assert process.returncode == 0


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = start(port)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (1, "")
    assert errors == f"sandbox: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="SANDBOX_TIME_SCALE must be a whole number"):
        read_config({"SANDBOX_TIME_SCALE": "fast"})


def test_balances_are_opened_from_the_environment() -> None:
    assert read_config({"SANDBOX_OPENING_BALANCES": "ngn:500, USD:7"}).opening_balances == {"NGN": 500, "USD": 7}


def test_payments_survive_a_restart_when_there_is_a_state_file(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "sandbox.json")
    with Sandbox(state_path=path, paystack_webhook_url="http://127.0.0.1:9/nobody") as first:
        Paystack(first).initialize()
        first.control.pay("paystack", "order-1")
        first.control.wait_until(lambda: bool(first.control.webhooks()[0]["attempts"]))
        before = Paystack(first).verify()
    with Sandbox(state_path=path, paystack_webhook_url="http://127.0.0.1:9/nobody") as second:
        assert Paystack(second).verify() == before
        assert Paystack(second).balance() == 2_452_500
        second.control.advance(180)
        second.control.wait_until(lambda: len(second.control.webhooks()[0]["attempts"]) == 2)


def test_a_reset_forgets_everything_but_never_reuses_an_id(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    first = paystack.verify()["id"]
    sandbox.control.reset()
    assert paystack.get("/transaction").json()["data"] == []
    paystack.initialize()
    assert paystack.verify()["id"] > first


def test_a_time_scale_makes_waits_shorter() -> None:
    with Sandbox(time_scale=100_000, paystack_webhook_url="http://127.0.0.1:9/nobody") as sandbox:
        Paystack(sandbox).initialize()
        sandbox.control.pay("paystack", "order-1")
        sandbox.control.wait_until(lambda: len(sandbox.control.webhooks()[0]["attempts"]) >= 5)


def test_a_hundred_calls_at_once_are_all_answered(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.config.paystack_secret_key}"}

    async def all_at_once() -> list[int]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(headers=headers, limits=limits, timeout=30, trust_env=False) as client:
            answers = await asyncio.gather(
                *(
                    client.post(
                        f"{sandbox.paystack_url}/transaction/initialize",
                        json={"email": "a@example.com", "amount": 500_000, "reference": f"order-{number}"},
                    )
                    for number in range(300)
                )
            )
        return [answer.status_code for answer in answers]

    assert asyncio.run(all_at_once()) == [200] * 300


def test_an_event_on_its_way_at_a_stop_is_sent_after_the_restart(tmp_path: Path, receiver: Receiver) -> None:
    path, url = str(tmp_path / "sandbox.json"), f"{receiver.url}/paystack"
    with Sandbox(state_path=path, paystack_webhook_url=url) as first:
        first.control.pause_webhooks()
        Paystack(first).initialize()
        first.control.pay("paystack", "order-1")
        first.control.wait_until(lambda: len(first.control.webhooks(status="held")) == 1)
    with Sandbox(state_path=path, paystack_webhook_url=url) as second:
        second.control.wait_for_webhook("charge.success")
    assert receiver.kinds() == ["charge.success"]


def test_control_requests_that_make_no_sense_say_why(sandbox: Sandbox) -> None:
    for path, body in (
        ("/clock", {"advance": "far"}),
        ("/behaviour", {"mood": "good"}),
        ("/webhooks/shuffle", {"seed": "x"}),
    ):
        answer = requests.post(f"{sandbox.url}/control{path}", json=body, timeout=10)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert requests.get(f"{sandbox.url}/control/webhooks/77", timeout=10).status_code == 404
