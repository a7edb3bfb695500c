"""10 and 100 course payments that settle at the same moment: do all settle, how long does the slowest wait."""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import requests

from learning247.bench import stack
from learning247.records.services.prove import checks_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at-once", type=int, nargs="+", default=[10, 100])


def run(arguments: argparse.Namespace) -> None:
    with stack.sandbox_without_webhooks() as sandbox:
        references = stack.paid_checkouts(sandbox, sum(arguments.at_once))
        with stack.web(sandbox):
            for number in arguments.at_once:
                batch, references = references[:number], references[number:]
                _settle_at_once(batch)
    broken = [result for result in checks_run() if not result.holds]
    print("prove: every check holds" if not broken else f"prove: {broken}")  # noqa: T201


def _settle_at_once(references: list[str]) -> None:
    together = Barrier(len(references))

    def verify(reference: str) -> tuple[int, str, float]:
        together.wait()
        start = time.perf_counter()
        answer = requests.post(f"{stack.URL}/api/payments/verify/{reference}", timeout=60)
        return answer.status_code, answer.json().get("status", ""), time.perf_counter() - start

    with ThreadPoolExecutor(len(references)) as buyers:
        answers = list(buyers.map(verify, references))
    paid = sum(status == 200 and state == "paid" for status, state, _ in answers)
    failed = sum(status >= 500 for status, _, _ in answers)
    slowest = max(seconds for _, _, seconds in answers)
    print(f"{len(references)} at once: {paid} paid, {failed} answers of 5xx, slowest {slowest * 1000:.0f} ms")  # noqa: T201
