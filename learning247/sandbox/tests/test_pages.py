"""What a browser sees."""

from __future__ import annotations

from typing import Any

import requests

from learning247.sandbox.pages import money
from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import Paystack, session_params

HOSTILE = '<script>alert("x")</script>'


def test_amounts_are_written_with_the_places_of_their_currency() -> None:
    assert money(2_500_000, "NGN") == "NGN 25,000.00"
    assert money(1200, "jpy") == "JPY 1,200"
    assert money(1250, "kwd") == "KWD 1.250"


def test_the_paystack_page_shows_amount_email_and_cards(paystack: Paystack) -> None:
    page = requests.get(paystack.initialize()["authorization_url"], timeout=10).text
    for text in ("NGN 25,000.00", "ada@example.com", "4084084084084081", 'lang="en"', 'for="card"'):
        assert text in page
    assert "http://" not in page
    assert "https://" not in page


def test_what_others_wrote_is_escaped(client: Any) -> None:
    params = session_params(client_reference_id=HOSTILE)
    params["line_items"][0]["price_data"]["product_data"]["name"] = HOSTILE
    page = requests.get(client.v1.checkout.sessions.create(params).url, timeout=10).text
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 2


def test_declining_shows_why_and_lets_the_customer_try_again(paystack: Paystack) -> None:
    url = paystack.initialize()["authorization_url"]
    answer = requests.post(url, data={"action": "decline"}, timeout=10)
    assert answer.status_code == 200
    assert 'role="alert">Declined: Declined.' in answer.text
    assert 'value="pay"' in answer.text


def test_abandoning_a_stripe_session_goes_to_the_cancel_url(client: Any) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    answer = requests.post(session.url, data={"action": "abandon"}, allow_redirects=False, timeout=10)
    assert answer.headers["location"] == "https://shop.example/cancelled"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_paying_twice_charges_once(client: Any) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    requests.post(session.url, data={"action": "pay"}, allow_redirects=False, timeout=10)
    again = requests.post(session.url, data={"action": "pay"}, allow_redirects=False, timeout=10)
    assert again.status_code == 400
    assert len(client.v1.charges.list().data) == 1


def test_pages_that_are_not_there_are_404(sandbox: Sandbox) -> None:
    for path in ("/paystack/checkout/none", "/stripe/c/pay/none"):
        assert requests.get(f"{sandbox.url}{path}", timeout=10).status_code == 404


def test_the_index_page_says_where_everything_is(sandbox: Sandbox) -> None:
    page = requests.get(sandbox.url, timeout=10).text
    assert sandbox.paystack_url in page
    assert sandbox.stripe_url in page
