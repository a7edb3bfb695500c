"""Our books against the gateway's list, by its API and by a file, through `manage.py reconcile`."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from learning247.kit.clock import now
from payments.models import Payment, Refund
from payments.tests.buying import GATEWAYS, ask_for_refund, buy


@pytest.fixture
def reconcile(tmp_path):
    """`reconcile(gateway)` compares yesterday to tomorrow: exit code, and the file's lines as (class, kind, key)."""

    def run(gateway, *options):
        today, report = now().date(), tmp_path / "report.csv"
        since, until = today - timedelta(days=1), today + timedelta(days=1)
        code = 0
        try:
            call_command(
                "reconcile", gateway, f"--from={since}", f"--to={until}", f"--report={report}", *options,
                stdout=StringIO(),
            )  # fmt: skip
        except SystemExit as ended:
            code = int(str(ended.code))
        with report.open(newline="") as file:
            return code, [(row["class"], row["kind"], row["key"]) for row in csv.DictReader(file)]

    return run


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
    with pytest.raises(CommandError, match="Line 2 cannot be read: column 'paid_at'"):
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
    )
    assert reconcile("stripe", f"--csv={export}") == (
        1,
        [("matched", "payment", payment.gateway_payment_id), ("theirs_only", "refund", "re_1")],
    )
