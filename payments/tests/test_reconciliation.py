"""Our books against the gateway's list, by its API and by a file, through `manage.py reconcile`."""

import pytest
from django.core.management import CommandError

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from payments.models import Payment, Refund
from payments.services.payouts import payouts_find
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAYS, ask_for_refund, buy
from payments.tests.test_disputes import heard
from payments.tests.wire import verify
from wallets.models import AdjustmentProposal, JournalEntry
from wallets.services.adjustments import adjustment_approve


def key_of(payment):
    return payment.reference if payment.gateway == "paystack" else payment.gateway_payment_id


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_what_the_gateway_lists_matches_what_is_booked(gateways, reconcile, currency):
    payment = buy(gateways, currency=currency)
    assert ask_for_refund(gateways.url, payment, payment.buyer).status_code == 201

    refund = Refund.objects.get()
    assert reconcile(GATEWAYS[currency]) == (
        0,
        [("matched", "payment", key_of(payment)), ("matched", "refund", refund.gateway_refund_id)],
    )


def test_each_difference_has_its_class_the_first_that_applies(gateways, reconcile, breaks_the_books):
    payment = buy(gateways)
    for changed, line_class in (
        ({"gateway_fee_minor": 1}, "fee"),
        ({"captured_minor": 2_500_001}, "amount"),
        ({"captured_currency": "GHS"}, "currency"),
    ):
        Payment.objects.update(**changed)
        assert reconcile("paystack") == (1, [(line_class, "payment", payment.reference)])


def test_a_file_that_cannot_be_read_is_refused_with_its_line(reconcile, tmp_path, db):
    export = tmp_path / "export.csv"
    export.write_text("type,status,reference\ntransaction,success,L247-1\n")
    with pytest.raises(CommandError, match="Line 2 cannot be read: column 'currency'"):
        reconcile("paystack", f"--csv={export}")


def test_stripes_export_is_read_in_major_units(gateways, reconcile, tmp_path):
    payment = buy(gateways, currency="USD")
    export = tmp_path / "export.csv"
    columns = "created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id"
    booked = f"{now():%Y-%m-%d %H:%M:%S}"
    export.write_text(
        f"{columns}\n"
        f"{booked},usd,30.00,1.17,28.83,charge,ch_1,{payment.gateway_payment_id}\n"
        f"{booked},usd,-5.00,0.00,-5.00,refund,re_1,{payment.gateway_payment_id}\n"
        f"{booked},usd,-20.00,0.00,-20.00,payout,po_1,\n"
        f"{booked},usd,-2.00,0.00,-2.00,other_adjustment,txn_1,\n"
    )
    assert reconcile("stripe", f"--csv={export}") == (
        1,
        [
            ("matched", "payment", payment.gateway_payment_id),
            ("theirs_only", "payout", "po_1"),
            ("theirs_only", "refund", "re_1"),
        ],
    )


@pytest.mark.parametrize("currency", ["NGN", "USD"])
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_disputes_and_payouts_match_as_well(gateways, reconcile, run_jobs, currency, outcome):
    disputed, _ = buy(gateways, currency=currency), buy(gateways, currency=currency)
    provider = GATEWAYS[currency]
    gateways.control.behave(stripe_payout_outcome="none")
    named = disputed.reference if provider == "paystack" else disputed.gateway_reference
    dispute = gateways.control.open_dispute(provider, named)
    heard(gateways, run_jobs)
    gateways.control.decide_dispute(provider, dispute["id"], outcome)
    heard(gateways, run_jobs)
    made = gateways.control.pay_out(provider, currency)
    gateways.control.conclude_payout(made["id"], "paid" if provider == "stripe" else "success", provider)
    payouts_find()

    code, lines = reconcile(provider)

    assert code == 0
    kinds = [kind for _, kind, _ in lines]
    moved = {"USD": ["dispute", "dispute_reversal"], "NGN": []}[currency] if outcome == "won" else ["dispute"]
    assert kinds == [*moved, "payment", "payment", "payout"]


def test_a_dispute_that_was_over_before_we_heard_of_it_matches(gateways, reconcile, run_jobs):
    payment = buy(gateways, currency="USD")
    gateways.control.pause_webhooks()
    dispute = gateways.control.open_dispute("stripe", payment.gateway_reference)
    gateways.control.decide_dispute("stripe", dispute["id"], "won")
    gateways.control.resume_webhooks()
    heard(gateways, run_jobs)

    code, lines = reconcile("stripe")

    assert (code, {line_class for line_class, _, _ in lines}) == (0, {"matched"})
    assert [kind for _, kind, _ in lines] == ["dispute", "dispute_reversal", "payment"]


def test_a_payout_that_came_back_matches_both_ways(gateways, reconcile, run_jobs):
    buy(gateways, currency="USD")
    gateways.control.behave(stripe_payout_outcome="none")
    made = gateways.control.pay_out("stripe", "USD")
    gateways.control.conclude_payout(made["id"], "paid")
    payouts_find()
    gateways.control.conclude_payout(made["id"], "failed")
    gateways.control.own_top_up("USD", 5_000)
    payouts_find()

    code, lines = reconcile("stripe")

    assert (code, {line_class for line_class, _, _ in lines}) == (0, {"matched"})
    assert [kind for _, kind, _ in lines] == ["payment", "payout", "payout", "payout_return"]


@pytest.mark.parametrize(
    "headings",
    [
        "Reference Number,Transaction Date,Customer Email,Amount Paid,Paystack Fee,Currency",
        "Transaction Reference,Date Paid,Status,Amount paid by your customer,Transaction Fees,Currency",
    ],
)
def test_paystacks_dashboard_export_is_read_by_its_own_headings(gateways, reconcile, tmp_path, headings):
    payment = buy(gateways)
    export = tmp_path / "export.csv"
    third = "success" if "Status" in headings else "a@b.example"
    export.write_text(f'{headings}\n{payment.reference},{now():%d/%m/%Y %H:%M},{third},"NGN 25,000.00",475.00,NGN\n')
    assert reconcile("paystack", f"--csv={export}") == (0, [("matched", "payment", payment.reference)])


# --- repairs


def approve_all(*people):
    for proposal in AdjustmentProposal.objects.filter(status="proposed"):
        for person in people:
            adjustment_approve(proposal_id=proposal.pk, actor=person)


def test_what_an_entry_can_repair_is_proposed_and_matches_once_two_people_approved_it(gateways, reconcile, tmp_path):
    more, fee, ours = (buy(gateways) for _ in range(3))
    export = tmp_path / "export.csv"
    booked = now().isoformat()
    row = f"transaction,,success,{{}},{{}},{{}},NGN,{booked},{booked}\n".format
    export.write_text(
        "type,id,status,reference,amount,fees,currency,paid_at,created_at\n"
        + row(more.reference, 2_500_100, 47_500)
        + row(fee.reference, 2_500_000, 47_600)
        + row("not-ours", 1_000, 15)
        + f"settlement,77,success,,5000,0,NGN,{booked},{booked}\n"
    )
    classes = {"amount", "fee", "ours_only", "theirs_only"}
    code, lines = reconcile("paystack", f"--csv={export}", "--propose")
    assert (code, {line_class for line_class, _, _ in lines}) == (1, classes)
    reconcile("paystack", f"--csv={export}", "--propose")

    assert AdjustmentProposal.objects.count() == 5
    assert not JournalEntry.objects.filter(kind="adjustment").exists(), "no machine posts"
    approve_all(build_user(), build_user())

    code, lines = reconcile("paystack", f"--csv={export}", "--propose")
    assert (code, {line_class for line_class, _, _ in lines}) == (0, {"matched"})
    assert len(lines) == 4
    assert AdjustmentProposal.objects.count() == JournalEntry.objects.filter(kind="adjustment").count() == 5
    assert ours.reference not in {key for _, _, key in lines}


def test_a_proposal_whose_line_is_right_by_now_is_outdated(gateways, reconcile):
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    gateways.control.fault("webhook_drop", provider="paystack", times=100)
    gateways.control.pay("paystack", payment.reference)
    code, lines = reconcile("paystack", "--propose")
    assert (code, lines) == (1, [("theirs_only", "payment", payment.reference)])
    assert not AdjustmentProposal.objects.exists(), "the sweeper settles it: an entry beside that would book it twice"

    Payment.objects.update(status="in_review", review_reason="reversed")
    reconcile("paystack", "--propose")
    assert AdjustmentProposal.objects.get().status == "proposed"
    Payment.objects.update(status="pending", review_reason="")
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    reconcile("paystack", "--propose")

    assert AdjustmentProposal.objects.get().status == "outdated"
