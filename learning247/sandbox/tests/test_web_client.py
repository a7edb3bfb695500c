"""The stand-in for the web client: pages that call the API by its own address."""

from urllib.parse import urlsplit

import pytest
import requests


def test_the_way_back_from_a_checkout_verifies_the_payment_at_the_api(sandbox):
    answer = requests.get(f"{sandbox.url}/client/payments/L247-1", timeout=5)

    assert answer.status_code == 200
    api = "{0.scheme}://{0.netloc}".format(urlsplit(sandbox.config.paystack_webhook_url))
    assert f'const api = "{api}";' in answer.text
    assert 'encodeURIComponent("L247-1")' in answer.text


def test_a_reference_cannot_open_or_end_a_script(sandbox):
    answer = requests.get(f"{sandbox.url}/client/payments/%3Cscript%3E%22", timeout=5)

    assert 'encodeURIComponent("\\u003cscript>\\"")' in answer.text


def test_the_mailed_link_leads_to_a_page_that_sends_its_token(sandbox):
    answer = requests.get(f"{sandbox.url}/client/verify-email", timeout=5)

    assert answer.status_code == 200
    assert 'call("/auth/verify-email"' in answer.text


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("forgot-password", "/auth/forgot-password"),
        ("reset-password", "/auth/reset-password"),
        ("delete-account", "/auth/delete-account"),
    ],
)
def test_every_link_of_a_mail_leads_to_a_page_that_does_what_the_mail_is_about(sandbox, path, call):
    answer = requests.get(f"{sandbox.url}/client/{path}", timeout=5)
    assert answer.status_code == 200
    assert f'call("{call}"' in answer.text


@pytest.mark.parametrize("path", ["", "/courses", "/courses/my-enrollments", "/any/thing"])
def test_no_other_link_ends_at_nothing(sandbox, path):
    answer = requests.get(f"{sandbox.url}/client{path}", timeout=5)
    assert (answer.status_code, "stand-in for the web client" in answer.text) == (200, True)
