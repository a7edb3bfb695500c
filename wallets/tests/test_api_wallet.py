"""The wallet over the API: exact shapes and amounts, other people's money unseen, a constant number of queries."""

import base64
import re
from urllib.parse import urlencode
from uuid import UUID

import pytest
import yaml
from rest_framework.test import APIClient

from accounts.tests.builders import build_user, sign_in
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from wallets.enums import AccountKind, EntryKind
from wallets.models import JournalEntry
from wallets.tests.builders import post_between, post_sale

pytestmark = pytest.mark.django_db

BALANCE, TRANSACTIONS = "/api/wallet/balance", "/api/wallet/transactions"


@pytest.fixture
def creator():
    return build_user()


@pytest.fixture
def client(creator):
    client = APIClient()
    sign_in(client, creator)
    return client


def code_and_field(answer):
    body = answer.json()
    assert set(body) == {"type", "errors", "request_id"}
    return body["errors"][0]["code"], body["errors"][0]["attr"]


def amounts(answer):
    assert answer.status_code == 200
    return [row["amount"] for row in answer.json()["results"]]


# --- Balance


def test_a_wallet_without_a_movement_has_no_balances(client):
    answer = client.get(BALANCE)

    assert (answer.status_code, answer.json()) == (200, {"balances": []})


def test_a_currency_asked_for_by_name_is_there_with_zeros(client):
    assert client.get(BALANCE, {"currency": "JPY"}).json() == {
        "balances": [
            {
                "currency": "JPY",
                "available": "0",
                "clearing": "0",
                "held": "0",
                "disputed": "0",
                "total": "0",
                "debt": "0",
            }
        ]
    }


def test_balances_have_each_currencys_own_places(client, creator):
    post_sale(creator.pk, gross_minor=3_125_000, fee_minor=625_000, currency="NGN")
    post_sale(creator.pk, gross_minor=1_500, fee_minor=300, currency="JPY")
    post_sale(creator.pk, gross_minor=1_562, fee_minor=312, currency="KWD")
    post_between(creator.pk, amount_minor=500_005)
    post_between(creator.pk, amount_minor=1, target=AccountKind.DISPUTED, kind=EntryKind.DISPUTE)
    post_between(creator.pk, amount_minor=2, target=AccountKind.CLEARING, kind=EntryKind.ADJUSTMENT)

    assert client.get(BALANCE).json()["balances"] == [
        {
            "currency": "NGN",
            "available": "19999.92",
            "clearing": "0.02",
            "held": "5000.05",
            "disputed": "0.01",
            "total": "25000.00",
            "debt": "0.00",
        },
        {
            "currency": "JPY",
            "available": "1200",
            "clearing": "0",
            "held": "0",
            "disputed": "0",
            "total": "1200",
            "debt": "0",
        },
        {
            "currency": "KWD",
            "available": "1.250",
            "clearing": "0.000",
            "held": "0.000",
            "disputed": "0.000",
            "total": "1.250",
            "debt": "0.000",
        },
    ]
    assert [row["currency"] for row in client.get(BALANCE, {"currency": "KWD"}).json()["balances"]] == ["KWD"]


def test_other_peoples_money_is_not_in_it(client, creator):
    post_sale(build_user().pk, gross_minor=100, fee_minor=0)

    assert client.get(BALANCE).json() == {"balances": []}
    assert client.get(TRANSACTIONS).json() == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("path", [BALANCE, TRANSACTIONS, f"{TRANSACTIONS}/01900000-0000-7000-8000-000000000000"])
def test_nobody_in_particular_has_no_wallet(path):
    answer = APIClient().get(path)

    assert (answer.status_code, code_and_field(answer)[0]) == (401, "not_authenticated")


# --- Transactions


def test_a_transaction_is_told_completely(client, creator):
    entry = JournalEntry.objects.get(pk=post_sale(creator.pk, gross_minor=2_500_000, fee_minor=500_000))

    (row,) = client.get(TRANSACTIONS).json()["results"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", row.pop("created_at"))
    assert row == {
        "id": str(entry.uuid),
        "type": "sale",
        "amount": "20000.00",
        "currency": "NGN",
        "balance_after": "20000.00",
        "description": "A sale",
        "reference": entry.reference,
    }


def test_what_goes_out_is_negative_and_each_row_says_what_it_left(client, creator):
    post_sale(creator.pk, gross_minor=100, fee_minor=0)
    post_between(creator.pk, amount_minor=30)

    rows = client.get(TRANSACTIONS).json()["results"]

    assert [(row["type"], row["amount"], row["balance_after"]) for row in rows] == [
        ("withdrawal_hold", "-0.30", "0.70"),
        ("sale", "1.00", "1.00"),
    ]


def test_pages_follow_each_other_without_a_gap_or_a_repeat_while_sales_go_on(client, creator):
    for number in range(1, 26):
        post_sale(creator.pk, gross_minor=number, fee_minor=0)
    first = client.get(TRANSACTIONS, {"page_size": 10})
    post_sale(creator.pk, gross_minor=99, fee_minor=0)
    second = client.get(first.json()["next"])
    third = client.get(second.json()["next"])

    seen = amounts(first) + amounts(second) + amounts(third)
    assert seen == [f"0.{number:02}" for number in range(25, 0, -1)]
    assert (first.json()["previous"], third.json()["next"]) == (None, None)
    assert amounts(client.get(third.json()["previous"])) == amounts(second)


def test_the_movements_of_several_currencies_are_one_history_forwards_and_back(client, creator):
    for number in range(1, 8):
        post_sale(creator.pk, gross_minor=number, fee_minor=0, currency="NGN" if number % 2 else "USD")

    pages = [client.get(TRANSACTIONS, {"page_size": 3})]
    while following := pages[-1].json()["next"]:
        pages.append(client.get(following))

    assert [amounts(page) for page in pages] == [["0.07", "0.06", "0.05"], ["0.04", "0.03", "0.02"], ["0.01"]]
    assert amounts(client.get(pages[2].json()["previous"])) == ["0.04", "0.03", "0.02"]
    assert amounts(client.get(pages[1].json()["previous"])) == ["0.07", "0.06", "0.05"]


def test_twenty_on_a_page_and_never_more_than_a_hundred(client, creator):
    for _ in range(120):
        post_sale(creator.pk, gross_minor=1, fee_minor=0)

    assert len(amounts(client.get(TRANSACTIONS))) == 20
    assert len(amounts(client.get(TRANSACTIONS, {"page_size": 1_000}))) == 100


def test_filters_by_currency_kind_and_time(client, creator):
    post_sale(creator.pk, gross_minor=100, fee_minor=0)
    post_sale(creator.pk, gross_minor=200, fee_minor=0, currency="USD")
    post_between(creator.pk, amount_minor=1)
    moment = JournalEntry.objects.latest("id").posted_at.isoformat()

    assert amounts(client.get(TRANSACTIONS, {"currency": "USD"})) == ["2.00"]
    assert amounts(client.get(TRANSACTIONS, {"type": "withdrawal_hold"})) == ["-0.01"]
    assert amounts(client.get(TRANSACTIONS, {"type": "sale", "currency": "NGN"})) == ["1.00"]
    assert amounts(client.get(TRANSACTIONS, {"from": moment})) == ["-0.01"], "from that time on"
    assert amounts(client.get(TRANSACTIONS, {"to": moment})) == ["2.00", "1.00"], "before that time"
    assert amounts(client.get(TRANSACTIONS, {"currency": "", "type": "", "from": ""})) == ["-0.01", "2.00", "1.00"]
    assert amounts(client.get(TRANSACTIONS, {"from": "2100-01-01T00:00:00Z"})) == []
    assert amounts(client.get(TRANSACTIONS, {"to": "2100-01-01T00:00:00Z", "currency": "GBP"})) == []


# --- One transaction


def test_an_entry_shows_its_lines_and_the_event_behind_it(client, creator):
    entry = JournalEntry.objects.get(pk=post_sale(creator.pk, gross_minor=2_500_000, fee_minor=500_000))

    answer = client.get(f"{TRANSACTIONS}/{entry.uuid}").json()

    assert answer.pop("created_at").endswith("Z")
    lines = answer.pop("lines")
    assert answer == {
        "id": str(entry.uuid),
        "type": "sale",
        "currency": "NGN",
        "description": "A sale",
        "reference": entry.reference,
        "source": {"kind": "test", "id": entry.source_id},
    }
    assert sorted(lines, key=lambda line: line["account"]) == [
        {"account": "available", "yours": True, "amount": "20000.00", "balance_after": "20000.00"},
        {"account": "fees", "yours": False, "amount": "5000.00", "balance_after": None},
        {"account": "gateway-paystack", "yours": False, "amount": "-25000.00", "balance_after": None},
    ]


def test_another_persons_entry_is_not_there(client):
    entry = JournalEntry.objects.get(pk=post_sale(build_user().pk, gross_minor=100, fee_minor=0))

    for uuid in (entry.uuid, new_id(), UUID(int=0)):
        answer = client.get(f"{TRANSACTIONS}/{uuid}")
        assert (answer.status_code, code_and_field(answer)) == (404, ("not_found", None))


@pytest.mark.parametrize("key", ["1", "nonsense", "%00", "0" * 40, "-1"])
def test_what_is_no_id_is_not_there(client, key):
    answer = client.get(f"{TRANSACTIONS}/{key}")

    assert (answer.status_code, code_and_field(answer)) == (404, ("not_found", None))


# --- Bad questions


@pytest.mark.parametrize("path", [BALANCE, TRANSACTIONS])
@pytest.mark.parametrize("currency", ["XXX", "ngn", "N", "NGN\x00", "NGN NGN", "🙂" * 3])
def test_a_currency_that_nobody_knows_is_a_400(client, path, currency):
    answer = client.get(path, {"currency": currency})

    assert answer.status_code == 400
    assert code_and_field(answer)[1] == "currency"
    assert answer.json()["type"] == "validation_error"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "gift"),
        ("type", "sale\x00"),
        ("from", "yesterday"),
        ("from", "2026-13-01T00:00:00Z"),
        ("to", "99999-01-01T00:00:00Z"),
        ("to", "\x00"),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_400_that_names_it(client, field, value):
    answer = client.get(TRANSACTIONS, {field: value})

    assert answer.status_code == 400
    assert code_and_field(answer)[1] == field


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"])
def test_a_time_at_the_edge_of_the_calendar_is_never_a_500(client, creator, moment):
    post_sale(creator.pk, gross_minor=1, fee_minor=0)
    for field in ("from", "to"):
        assert client.get(TRANSACTIONS, {field: moment}).status_code in (200, 400)


def cursor(**parts):
    return base64.b64encode(urlencode(parts).encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "zz",
        "nonsense",
        "%00",
        "=",
        cursor(p="abc"),
        cursor(p="9" * 40),
        cursor(p="-" + "9" * 40),
        cursor(p="\x00"),
        cursor(p="1.5"),
        cursor(p=""),
        cursor(p="01900000-0000-7000-8000-000000000000"),
        cursor(p="1", o="x"),
        cursor(p="1", o="-1"),
        cursor(r="x"),
    ],
)
def test_a_cursor_of_somebodys_own_making_is_a_400(client, creator, value):
    post_sale(creator.pk, gross_minor=1, fee_minor=0)

    answer = client.get(TRANSACTIONS, {"cursor": value})

    assert (answer.status_code, answer.json()["type"]) == (400, "validation_error")
    assert answer.json()["errors"] == [
        {"code": "invalid", "detail": "This cursor is not one of ours.", "attr": "cursor"}
    ]


def test_an_offset_of_any_size_reads_no_further_than_the_history(client, creator):
    post_sale(creator.pk, gross_minor=1, fee_minor=0)

    assert amounts(client.get(TRANSACTIONS, {"cursor": cursor(o="9" * 20)})) == []


def test_a_cursor_given_twice_is_a_400(client):
    answer = client.get(f"{TRANSACTIONS}?cursor=a&cursor=b")

    assert (answer.status_code, code_and_field(answer)[1]) == (400, "cursor")


@pytest.mark.parametrize("value", ["0", "abc", "-3", "", "1e9", "9" * 5000])
def test_a_page_size_that_makes_no_sense_is_a_400(client, value):
    answer = client.get(TRANSACTIONS, {"page_size": value})

    assert (answer.status_code, answer.json()["type"], code_and_field(answer)[1]) == (
        400,
        "validation_error",
        "page_size",
    )


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_wallet_is_only_read(client, method):
    for path in (BALANCE, TRANSACTIONS):
        answer = getattr(client, method)(path, {"amount": "1.00"}, format="json")
        assert (answer.status_code, code_and_field(answer)[0]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", [BALANCE, TRANSACTIONS])
@pytest.mark.parametrize("again", ["USD", "NGN"])
def test_a_parameter_that_is_given_twice_is_refused_and_not_chosen_from(client, path, again):
    assert code_and_field(client.get(f"{path}?currency=NGN&currency={again}")) == ("repeated", "currency")


@pytest.mark.parametrize("name", ["from", "to", "type"])
def test_every_filter_of_the_transactions_is_given_once(client, name):
    answer = client.get(f"{TRANSACTIONS}?{name}=2026-01-01T00:00:00Z&{name}=")

    assert (answer.status_code, code_and_field(answer)) == (400, ("repeated", name))


def test_an_empty_filter_counts_as_absent(client, creator):
    post_sale(creator.pk, gross_minor=100, fee_minor=20)

    assert client.get(f"{TRANSACTIONS}?currency=&type=&from=&to=").json() == client.get(TRANSACTIONS).json()
    assert client.get(f"{BALANCE}?currency=").json() == client.get(BALANCE).json()


# --- Queries


@pytest.mark.parametrize(
    ("path", "queries"), [(BALANCE, 3), (TRANSACTIONS, 4), (f"{TRANSACTIONS}?page_size=100&currency=NGN&type=sale", 4)]
)
def test_the_number_of_queries_does_not_grow_with_the_history(
    client, creator, django_assert_max_num_queries, path, queries
):
    for _ in range(3):
        post_sale(creator.pk, gross_minor=100, fee_minor=20)
    with django_assert_max_num_queries(queries) as few:
        client.get(path)
    for _ in range(297):
        post_sale(creator.pk, gross_minor=100, fee_minor=20)
    with django_assert_max_num_queries(queries) as many:
        client.get(path)

    assert len(many.captured_queries) == len(few.captured_queries)


def test_one_transaction_costs_the_same_however_long_the_history(client, creator, django_assert_max_num_queries):
    for _ in range(100):
        entry = post_sale(creator.pk, gross_minor=100, fee_minor=20)
    uuid = JournalEntry.objects.get(pk=entry).uuid

    with django_assert_max_num_queries(3):
        assert client.get(f"{TRANSACTIONS}/{uuid}").status_code == 200


def test_the_schema_allows_balances_and_movements_below_zero(client):
    schemas = yaml.safe_load(client.get("/api/schema").content)["components"]["schemas"]

    for shape, field in (("Balance", "available"), ("Transaction", "amount"), ("Transaction", "balance_after")):
        pattern = schemas[shape]["properties"][field]["pattern"]
        assert re.search(pattern, Money(-2_500_000, "NGN").amount), (shape, field)
