"""Staff give money back on a payment's page."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.tests.builders import build_user
from learning247.kit.ids import new_id
from payments.models import Refund
from payments.tests.buying import buy
from wallets.models import JournalEntry


def console(role):
    """Somebody of the staff's group, signed in."""
    staff = build_user(is_staff=True)
    staff.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(staff)
    return client


def page(payment):
    return reverse("admin:payments_payment_refund", args=[payment.pk])


def test_finance_gives_back_a_part_once_however_often_the_form_is_sent(gateways):
    payment, client = buy(gateways), console("finance")
    fields = {"amount": "1000.00", "reason": "Half a class.", "ends_access": "unknown", "key": str(new_id())}

    assert b"Left of it: NGN 25000.00" in client.get(page(payment)).content
    first, again = (client.post(page(payment), fields, follow=True) for _ in range(2))

    assert b"Refund of NGN 1000.00: pending." in first.content
    assert again.status_code == 200
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.source, refund.reason) == (100_000, "staff", "Half a class.")


def test_too_much_is_said_on_the_page_and_moves_nothing(gateways):
    payment, client = buy(gateways), console("finance")
    answer = client.post(page(payment), {"amount": "25000.01", "reason": "All and more.", "key": str(new_id())})
    assert b"This is more than is left of the payment: NGN 25,000.00." in answer.content
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("amount", ["0", "-1", "1e3", "1.001", "x", "9" * 41])
def test_what_is_no_amount_is_said_beside_the_field(gateways, amount):
    payment, client = buy(gateways), console("finance")
    answer = client.post(page(payment), {"amount": amount, "reason": "Why not.", "key": str(new_id())})
    assert answer.status_code == 200
    assert b"errors field-amount" in answer.content
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("role", ["support", "reviewer"])
def test_others_see_the_payment_and_no_way_to_give_it_back(gateways, role):
    payment, client = buy(gateways), console(role)
    entries = JournalEntry.objects.count()

    shown = client.get(reverse("admin:payments_payment_change", args=[payment.pk]))
    refused = client.post(page(payment), {"reason": "I may not.", "key": str(new_id())})

    assert (shown.status_code, b"Give money back" in shown.content) == (200, False)
    assert refused.status_code == 403
    assert (Refund.objects.count(), JournalEntry.objects.count()) == (0, entries)
