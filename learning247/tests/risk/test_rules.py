"""Each kind of rule fires at its threshold, and not below."""

from datetime import timedelta

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.risk.enums import By, Outcome, Purpose, RuleKind, RuleStatus
from learning247.risk.errors import RuleUnreadable
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.rules import rule_read
from learning247.tests.risk.builders import check, only_rule

NGN_100 = {"at_least": {"NGN": 10_000}}


def outcomes(*decisions):
    return [decision.outcome for decision in decisions]


@pytest.mark.parametrize("by", list(By))
def test_velocity_fires_with_the_one_that_reaches_the_number_and_for_the_same_alone(by):
    only_rule(RuleKind.VELOCITY, {"of": "settlement", "by": by, "seconds": 3_600, "at_least": 3})
    one, another = (build_user().pk, build_user().pk) if by == By.PERSON else ("one", "another")

    assert outcomes(*(check(**{by: who}) for who in (one, one, another, one, another, one))) == [
        "allow", "allow", "allow", "review", "allow", "review",
    ]  # fmt: skip


def test_velocity_counts_what_is_within_its_time_alone(monkeypatch):
    only_rule(RuleKind.VELOCITY, {"of": "settlement", "by": "card", "seconds": 60, "at_least": 2})
    start = now()
    found = []
    for seconds in (0, 60, 119.999999, 179.999999):
        monkeypatch.setattr("learning247.risk.services.decisions.now", lambda at=seconds: start + timedelta(seconds=at))
        found.append(check(card="one").outcome)
    assert found == ["allow", "allow", "review", "allow"]


def test_velocity_counts_people_instead_of_events():
    only_rule(
        RuleKind.VELOCITY,
        {"of": "settlement", "by": "card", "counting": "people", "seconds": 3_600, "at_least": 2},
    )
    ada, obi = build_user().pk, build_user().pk
    assert outcomes(*(check(card="one", person=who) for who in (ada, ada, ada, obi))) == [
        "allow", "allow", "allow", "review",
    ]  # fmt: skip


def test_velocity_of_something_else_does_not_count_itself():
    only_rule(
        RuleKind.VELOCITY, {"of": "decline", "by": "card", "seconds": 60, "at_least": 1}, purpose=Purpose.SETTLEMENT
    )
    assert check(card="one").outcome == "allow"
    check(Purpose.DECLINE, card="one")
    assert outcomes(check(card="one"), check(card="another"), check()) == ["review", "allow", "allow"]


def test_the_same_thing_counts_once_whatever_it_is_called():
    only_rule(
        RuleKind.VELOCITY,
        {"of": "withdrawal", "by": "person", "seconds": 60, "at_least": 2},
        purpose=Purpose.WITHDRAWAL,
    )
    person, subject = build_user().pk, new_id()
    decision = check(Purpose.WITHDRAWAL, person=person, subject=subject)
    from_confirmation = check(Purpose.WITHDRAWAL, person=person, subject=subject, kind="withdrawal_confirmation")
    assert outcomes(decision, from_confirmation) == ["allow", "allow"]
    assert check(Purpose.WITHDRAWAL, person=person).outcome == "review"


@pytest.mark.parametrize(
    ("minor", "currency", "outcome"),
    [(9_999, "NGN", "allow"), (10_000, "NGN", "review"), (10_000_000, "USD", "allow"), (10_000, "XOF", "allow")],
)
def test_an_amount_fires_at_the_threshold_of_its_own_currency(minor, currency, outcome):
    only_rule(RuleKind.AMOUNT, NGN_100)
    assert check(amount_minor=minor, currency=currency).outcome == outcome


@pytest.mark.parametrize(
    ("age", "minor", "outcome"),
    [(59, 10_000, "review"), (60, 10_000, "allow"), (59, 9_999, "allow"), (None, 10_000, "allow")],
)
def test_a_new_account_fires_together_with_an_amount(monkeypatch, age, minor, outcome):
    only_rule(RuleKind.NEW_ACCOUNT, {"seconds": 60, **NGN_100})
    moment = now()
    monkeypatch.setattr("learning247.risk.services.decisions.now", lambda: moment)
    opened = None if age is None else moment - timedelta(seconds=age)
    assert check(account_opened_at=opened, amount_minor=minor).outcome == outcome


@pytest.mark.parametrize(
    ("card", "account", "minor", "outcome"),
    [
        ("US", "NG", 10_000, "review"),
        ("US", "NG", 9_999, "allow"),
        ("NG", "NG", 10_000, "allow"),
        ("", "NG", 10_000, "allow"),
        ("US", "", 10_000, "allow"),
    ],
)
def test_a_card_of_another_country_than_the_account(card, account, minor, outcome):
    only_rule(RuleKind.COUNTRY_MISMATCH, NGN_100)
    assert check(card_country=card, account_country=account, amount_minor=minor).outcome == outcome


@pytest.mark.parametrize(
    ("card", "currency", "minor", "outcome"),
    [
        ("US", "NGN", 10_000, "review"),
        ("US", "NGN", 9_999, "allow"),
        ("NG", "NGN", 10_000, "allow"),
        ("US", "USD", 10_000, "allow"),
        ("", "NGN", 10_000, "allow"),
    ],
)
def test_a_card_of_a_country_that_pays_in_another_currency(card, currency, minor, outcome):
    only_rule(RuleKind.CURRENCY_MISMATCH, {"countries": {"NGN": ["NG"]}, **NGN_100})
    assert check(card_country=card, currency=currency, amount_minor=minor).outcome == outcome


def test_repeated_declines_of_one_payment():
    only_rule(RuleKind.DECLINES, {"at_least": 3})
    assert outcomes(check(declines=2), check(declines=3)) == ["allow", "review"]


def test_who_buys_from_themselves_is_blocked():
    only_rule(RuleKind.SELF_PURCHASE, {"shared": ["card"]}, purpose=Purpose.CHECKOUT, outcome=Outcome.BLOCK)
    seller = build_user().pk
    assert outcomes(
        check(Purpose.CHECKOUT, person=seller, counterparty=seller),
        check(Purpose.CHECKOUT, counterparty=seller),
        check(Purpose.CHECKOUT),
    ) == ["block", "allow", "allow"]


@pytest.mark.parametrize("by", [By.CARD, By.BANK, By.DEVICE])
def test_a_second_account_of_the_sellers_is_known_by_what_it_has_in_common_with_them(by):
    only_rule(RuleKind.SELF_PURCHASE, {"shared": [by]})
    seller = build_user().pk
    check(Purpose.WITHDRAWAL, person=seller, **{by: "the seller's"})

    assert outcomes(
        check(counterparty=seller, **{by: "the seller's"}),
        check(counterparty=seller, **{by: "the buyer's"}),
        check(counterparty=build_user().pk, **{by: "the seller's"}),
    ) == ["review", "allow", "allow"]


@pytest.mark.parametrize("by", [By.CARD, By.BANK, By.DEVICE])
def test_money_that_comes_back_to_who_paid_it_is_noticed_from_its_share_on(by):
    only_rule(RuleKind.ROUND_TRIP, {"shared": [by], "share_bps": 2_500}, purpose=Purpose.WITHDRAWAL)
    creator, friend, stranger = (build_user().pk for _ in range(3))
    check(person=friend, counterparty=creator, amount_minor=2_500, **{by: "shared"})
    check(person=stranger, counterparty=creator, amount_minor=90_000, **{by: "another"})
    check(person=friend, counterparty=stranger, amount_minor=90_000)
    check(person=friend, counterparty=creator, amount_minor=90_000, currency="USD")

    assert outcomes(
        check(Purpose.WITHDRAWAL, person=creator, amount_minor=10_000),  # nothing in common that is known yet
        check(Purpose.WITHDRAWAL, person=creator, amount_minor=10_001, **{by: "shared"}),
        check(Purpose.WITHDRAWAL, person=creator, amount_minor=10_000, **{by: "shared"}),
        check(Purpose.WITHDRAWAL, person=creator, amount_minor=10_000, **{by: "no more"}),  # used a moment ago
    ) == ["allow", "allow", "review", "review"]
    first = Decision.objects.filter(purpose="withdrawal").earliest("created_at")
    assert first.inputs["round_trip"][by] == {"people": 0, "minor": 0}


def test_what_was_noticed_at_checkout_is_noticed_at_settlement():
    only_rule(RuleKind.AMOUNT, NGN_100, purpose=Purpose.CHECKOUT, rule="tried-amount")
    only_rule(RuleKind.EARLIER, {}, rule="tried-earlier")
    found = []
    for minor in (9_999, 10_000):
        person, subject = build_user().pk, new_id()
        check(Purpose.CHECKOUT, person=person, subject=subject, amount_minor=minor)
        found.append(check(person=person, subject=subject, amount_minor=minor).outcome)
    assert found == ["allow", "review"]


def test_the_rules_of_a_new_database_can_all_be_read_and_cover_every_kind():
    versions = RuleVersion.objects.exclude(status=RuleStatus.RETIRED)
    assert {version.kind for version in versions} == set(RuleKind)
    for version in versions:
        rule_read(version.kind, version.parameters)


@pytest.mark.parametrize("currency", ["NGN", "USD", "JPY", "KWD"])
def test_an_ordinary_sale_passes_the_rules_of_a_new_database(currency):
    minor = {"NGN": 28_000_000, "USD": 33_600, "JPY": 50_000, "KWD": 100_000}[currency]
    given = {"currency": currency, "amount_minor": minor, "account_opened_at": now(), "counterparty": build_user().pk}
    person, subject = build_user().pk, new_id()
    check(Purpose.CHECKOUT, subject=subject, person=person, ip="1", device="d", account_country="NG", **given)
    check(subject=subject, person=person, card="c", card_country="US", account_country="NG", **given)
    assert list(Decision.objects.values_list("outcome", "failure")) == [("allow", ""), ("allow", "")]


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("nonsense", {}, "There is no kind of rule 'nonsense'."),
        ("amount", {}, "A rule of the kind amount needs at_least."),
        ("amount", {**NGN_100, "more": 1}, "A rule of the kind amount has no more."),
        ("amount", {"at_least": {"XXX": 1}}, "at_least names currencies that the platform does not know: XXX."),
        ("amount", {"at_least": {"NGN": True}}, "at_least.NGN is a whole number from 1 to 1,000,000,000,000,000."),
        ("declines", {"at_least": 0}, "at_least is a whole number from 1 to 1,000,000."),
        (
            "velocity",
            {"of": "settlement", "by": "card", "seconds": 2_592_001, "at_least": 1},
            "seconds is a whole number from 1 to 2,592,000.",
        ),
        (
            "velocity",
            {"of": "settlement", "by": "shoe", "seconds": 1, "at_least": 1},
            "by is one of person, card, ip, device, bank.",
        ),
        ("round_trip", {"shared": [], "share_bps": 1}, "shared is a list of some of card, bank, device."),
        ("round_trip", {"shared": ["ip"], "share_bps": 1}, "shared is a list of some of card, bank, device."),
        (
            "currency_mismatch",
            {"countries": {"NGN": ["Nigeria"]}, **NGN_100},
            "countries takes currencies of the platform, and countries as two capital letters.",
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_what_is_wrong(kind, parameters, said):
    with pytest.raises(RuleUnreadable) as refusal:
        rule_read(kind, parameters)
    assert refusal.value.detail == said
