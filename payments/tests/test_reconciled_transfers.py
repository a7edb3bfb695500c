"""Money out to creators against the gateways' own lists: a transfer, its fee, and what came back of it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.records.services.prove import checks_run
from wallets.enums import AccountKind
from wallets.models import AdjustmentProposal, GatewayCircuit, JournalEntry
from wallets.payouts import TransferRequest, payout_gateway_named
from wallets.selectors import platform_balance
from wallets.services.adjustments import adjustment_approve
from wallets.services.transfers import transfer_carry_on
from wallets.tests.test_stripe_accounts import ready
from wallets.tests.withdrawing import PROVEN, Creator, everything_is_due

METHODS = ("paystack", "stripe")
CURRENCY = {"paystack": "NGN", "stripe": "USD"}
AMOUNT = {"paystack": "1000.00", "stripe": "100.00"}
ELSEWHERE = "made-on-their-own-pages"
PATH = {"paystack": "/transfer", "stripe": "/v1/transfers"}


@pytest.fixture(autouse=True)
def proved(committed_db, breaks_the_books):
    """What `Creator` earned is nobody's payment, for which some checks would look; the others hold."""
    yield
    assert [result for result in checks_run(only=PROVEN) if not result.holds] == []


@pytest.fixture
def payout(gateways, run_jobs):
    """`payout.paid(method)` carries a withdrawal out; `payout.start(method)` only confirms it."""
    gateways.control.top_up("stripe", "usd", 1_000_000)
    gateways.control.top_up("paystack", "NGN", 10_000_000)

    def start(method):
        ada = Creator(gateways.url, available_minor=200_000, currency=CURRENCY[method])
        account = ready(gateways, run_jobs, ada).pk if method == "stripe" else ada.add_account()["id"]
        return ada.confirmed(AMOUNT[method], account)

    def paid(method):
        withdrawal = start(method)
        carried_on(withdrawal)
        gateways.control.advance(5)
        assert carried_on(withdrawal).status == "paid"
        return withdrawal

    return SimpleNamespace(start=start, paid=paid)


def carried_on(withdrawal):
    everything_is_due()
    GatewayCircuit.objects.update(open_until=now())
    transfer_carry_on(withdrawal_id=withdrawal.pk)
    withdrawal.refresh_from_db()
    return withdrawal


def key_of(withdrawal):
    return withdrawal.reference if withdrawal.method == "paystack" else withdrawal.gateway_transfer_id


def export_of(tmp_path, withdrawal, *, status="success", **changed):
    """A file of the gateway's with this one transfer, as it is in our books but for what is `changed`."""
    row = {
        "key": key_of(withdrawal),
        "amount": withdrawal.net.minor,
        "fee": withdrawal.gateway_fee_minor or 0,
        "currency": withdrawal.currency,
        "at": now(),
    } | changed
    at = row["at"].isoformat()
    if withdrawal.method == "paystack":
        text = (
            "type,status,reference,amount,fees,currency,paid_at,created_at,updated_at\n"
            f"transfer,{status},{row['key']},{row['amount']},{row['fee']},{row['currency']},{at},{at},{at}\n"
        )
    else:
        booked, gross, fee = f"{row['at']:%Y-%m-%d %H:%M:%S}", f"{row['amount'] / 100:.2f}", f"{row['fee'] / 100:.2f}"
        text = "created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,transfer_id\n"
        text += f"{booked},{row['currency'].lower()},-{gross},{fee},0,transfer,{row['key']},,\n"
        if status == "reversed":
            text += f"{booked},{row['currency'].lower()},{gross},0.00,0,transfer_reversal,trr_1,,{row['key']}\n"
    export = tmp_path / "export.csv"
    export.write_text(text)
    return f"--csv={export}"


@pytest.mark.parametrize("method", METHODS)
def test_a_transfer_and_its_return_match_byte_for_byte_by_list_and_by_file(
    gateways, run_jobs, reconcile, payout, tmp_path, method
):
    withdrawal = payout.paid(method)
    assert reconcile(method) == (0, [("matched", "transfer", key_of(withdrawal))])
    assert reconcile(method, export_of(tmp_path, withdrawal)) == (0, [("matched", "transfer", key_of(withdrawal))])

    gateways.control.conclude_transfer(method, key_of(withdrawal), "reversed")
    gateways.control.wait_for_webhook("transfer.reversed")
    run_jobs()
    withdrawal.refresh_from_db()
    assert withdrawal.status == "reversed"

    both = [("matched", "transfer", key_of(withdrawal)), ("matched", "transfer_return", key_of(withdrawal))]
    assert reconcile(method) == (0, both)
    first = (tmp_path / "report.csv").read_bytes()
    assert reconcile(method) == (0, both)
    assert (tmp_path / "report.csv").read_bytes() == first
    assert reconcile(method, export_of(tmp_path, withdrawal, status="reversed")) == (0, both)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("changed", "line_class"),
    [
        ({"amount": 9_999}, "amount"),
        ({"fee": 1}, "fee"),
        ({"currency": "GHS"}, "currency"),
        ({"at": timedelta(hours=25)}, "timing"),
    ],
)
def test_each_difference_of_a_transfer_has_its_class(reconcile, payout, tmp_path, method, changed, line_class):
    withdrawal = payout.paid(method)
    if "at" in changed:
        changed = {"at": now() + changed["at"]}
    export = export_of(tmp_path, withdrawal, **changed)
    assert reconcile(method, export) == (1, [(line_class, "transfer", key_of(withdrawal))])


@pytest.mark.parametrize("method", METHODS)
def test_a_transfer_that_one_side_does_not_know_is_found_on_either(reconcile, payout, tmp_path, method):
    withdrawal = payout.paid(method)
    assert reconcile(method, export_of(tmp_path, withdrawal, key="tr_another")) == (
        1,
        sorted([("ours_only", "transfer", key_of(withdrawal)), ("theirs_only", "transfer", "tr_another")],
               key=lambda line: line[2]),
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["late", "drop"])
def test_a_transfer_of_which_nobody_heard_is_a_matter_of_time_whether_or_not_they_have_it(
    gateways, reconcile, payout, settings, method, kind
):
    settings.GATEWAY_READ_TIMEOUT = 1
    withdrawal = payout.start(method)
    gateways.control.fault(kind, provider=method, method="POST", path=PATH[method], times=2, seconds=3)
    assert carried_on(withdrawal).reason == "outcome_unknown"
    gateways.control.advance(5)

    code, [(line_class, what, key)] = reconcile(method, "--propose")

    assert (code, line_class, what) == (1, "timing", "transfer")
    made = gateways.control.rows(f"{method}.transfers")
    assert len(made) == (kind == "late")
    assert key == (made[0]["id"] if made and method == "stripe" else withdrawal.reference)
    assert not AdjustmentProposal.objects.exists()


@pytest.mark.parametrize("method", METHODS)
def test_a_transfer_made_on_their_own_pages_is_found_and_matches_once_two_people_booked_it(
    gateways, reconcile, payout, method
):
    known = payout.paid(method)
    before = platform_balance(kind=AccountKind(f"gateway-{method}"), currency=CURRENCY[method])
    report = payout_gateway_named(method).create_transfer(
        TransferRequest(ELSEWHERE, ELSEWHERE, 5_000, CURRENCY[method], known.account.gateway_account_id, "Elsewhere")
    )
    gateways.control.advance(5)
    key = ELSEWHERE if method == "paystack" else report.gateway_transfer_id

    code, lines = reconcile(method, "--propose")
    assert (code, set(lines)) == (1, {("matched", "transfer", key_of(known)), ("theirs_only", "transfer", key)})
    proposal = AdjustmentProposal.objects.get()
    assert not JournalEntry.objects.filter(kind="adjustment").exists(), "no machine posts"
    for person in (build_user(), build_user()):
        adjustment_approve(proposal_id=proposal.pk, actor=person)

    code, lines = reconcile(method)
    assert (code, {line_class for line_class, _, _ in lines}) == (0, {"matched"})
    fee = {"paystack": 1_000, "stripe": 0}[method]
    after = platform_balance(kind=AccountKind(f"gateway-{method}"), currency=CURRENCY[method])
    assert after - before == 5_000 + fee


@pytest.mark.parametrize("method", METHODS)
def test_a_return_that_we_have_not_heard_of_is_theirs_only_and_left_to_the_withdrawal(
    gateways, reconcile, payout, method
):
    withdrawal = payout.paid(method)
    gateways.control.pause_webhooks()
    gateways.control.conclude_transfer(method, key_of(withdrawal), "reversed")

    assert reconcile(method, "--propose") == (
        1,
        [("matched", "transfer", key_of(withdrawal)), ("theirs_only", "transfer_return", key_of(withdrawal))],
    )
    assert not AdjustmentProposal.objects.exists()


def test_a_transfer_that_came_back_before_we_heard_of_it_matches_both_ways(gateways, reconcile, payout):
    withdrawal = payout.start("paystack")
    gateways.control.pause_webhooks()
    gateways.control.behave(paystack_transfer_outcome="none")
    carried_on(withdrawal)
    for status in ("success", "reversed"):
        gateways.control.conclude_transfer("paystack", withdrawal.reference, status)
    assert reconcile("paystack") == (
        1,
        [("timing", "transfer", withdrawal.reference), ("timing", "transfer_return", withdrawal.reference)],
    )

    assert carried_on(withdrawal).status == "failed"
    assert reconcile("paystack") == (
        0,
        [("matched", "transfer", withdrawal.reference), ("matched", "transfer_return", withdrawal.reference)],
    )
