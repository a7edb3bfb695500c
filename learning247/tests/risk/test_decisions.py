"""What the checker says, that it says it once, and that it is kept."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.builders import build_user
from learning247.kit.ids import new_id
from learning247.risk.counters import counters_rebuild
from learning247.risk.enums import Outcome, Purpose, RuleKind, RuleStatus
from learning247.risk.models import Decision, RuleVersion
from learning247.tests.risk.builders import check, only_rule


def test_the_hardest_rule_that_fired_decides():
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 10_000}}, outcome=Outcome.REVIEW, rule="tried-amount")
    only_rule(RuleKind.DECLINES, {"at_least": 2}, outcome=Outcome.BLOCK, rule="tried-declines")

    assert [check(declines=declines, amount_minor=minor).outcome for declines, minor in [(0, 9_999), (1, 10_000)]] == [
        "allow",
        "review",
    ]
    decision = check(declines=2, amount_minor=10_000)
    assert (decision.outcome, decision.reasons) == ("block", ["The bank declined this payment several times."])
    kept = Decision.objects.get(pk=decision.pk)
    assert [(one["rule"], one["fired"], one["saw"]) for one in kept.results] == [
        ("tried-amount", True, "NGN 100.00 of NGN 100.00"),
        ("tried-declines", True, "2 of 2"),
    ]


def test_about_the_same_there_is_one_decision_whatever_the_facts_are_later():
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 10_000}})
    subject, person = new_id(), build_user().pk
    first = check(subject=subject, person=person, amount_minor=9_999)

    again = check(subject=subject, person=person, amount_minor=10_000)

    assert (again.pk, again.outcome, Decision.objects.count()) == (first.pk, "allow", 1)


def test_a_rule_in_shadow_is_recorded_and_changes_nothing():
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}}, outcome=Outcome.BLOCK, status=RuleStatus.SHADOW)
    decision = check()
    assert (decision.outcome, decision.reasons) == ("allow", [])
    assert [(one["status"], one["fired"]) for one in decision.results] == [("shadow", True)]


def test_a_check_takes_two_statements_however_many_rules_there_are(committed_db):
    counters_rebuild()
    buyer, seller = build_user().pk, build_user().pk
    with CaptureQueriesContext(connection) as captured:
        check(person=buyer, counterparty=seller, card="visa 1", card_country="NG")
    assert [query["sql"].split()[0] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")] == [
        "WITH",
        "INSERT",
    ]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE risk_decision SET outcome = 'allow'",
        "UPDATE risk_decision SET inputs = '{}'",
        "UPDATE risk_decision SET card = 'another'",
        "DELETE FROM risk_decision",
        "TRUNCATE risk_decision",
    ],
)
def test_the_database_lets_nobody_change_a_decision(change):
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}})
    decision = check(card="visa 1")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(change)
    kept = Decision.objects.get(pk=decision.pk)
    assert (kept.outcome, kept.card, kept.inputs) == ("review", decision.card, decision.inputs)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE risk_ruleversion SET parameters = '{}'",
        "UPDATE risk_ruleversion SET outcome = 'block'",
        "UPDATE risk_ruleversion SET status = 'shadow'",
        "DELETE FROM risk_ruleversion",
        "TRUNCATE risk_ruleversion",
    ],
)
def test_the_database_lets_nobody_change_what_a_version_says(change):
    before = list(RuleVersion.objects.values().order_by("id"))
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert list(RuleVersion.objects.values().order_by("id")) == before


# --- when it fails


@pytest.mark.parametrize(
    ("purpose", "outcome"), [(Purpose.CHECKOUT, "allow"), (Purpose.SETTLEMENT, "allow"), (Purpose.WITHDRAWAL, "review")]
)
def test_a_rule_that_cannot_be_read_lets_sales_go_on_and_sends_money_out_to_people(purpose, outcome):
    only_rule(RuleKind.AMOUNT, {"at_least": "much"}, purpose=purpose)
    decision = check(purpose)
    assert (decision.outcome, decision.flagged) == (outcome, True)
    assert decision.failure.startswith("tried 1: RuleUnreadable: at_least is minor units by currency")


@pytest.mark.parametrize(("purpose", "outcome"), [(Purpose.CHECKOUT, "allow"), (Purpose.WITHDRAWAL, "review")])
def test_a_checker_that_fails_altogether_says_the_safe_thing_and_records_why(committed_db, purpose, outcome):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE risk_ruleversion RENAME TO away")
    decision = check(purpose)
    assert (decision.outcome, decision.flagged) == (outcome, True)
    assert decision.reasons == (
        [] if outcome == "allow" else ["Our automatic checks could not be made, so a person looks at it."]
    )
    kept = Decision.objects.get()
    assert (kept.outcome, kept.results) == (outcome, [])
    assert kept.failure.startswith("ProgrammingError: relation")


def test_where_not_even_that_can_be_recorded_the_answer_is_the_same(committed_db):
    person = build_user().pk
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE risk_decision RENAME TO away")
    assert [
        (decision.outcome, decision.flagged)
        for decision in (check(Purpose.SETTLEMENT, person=person), check(Purpose.WITHDRAWAL, person=person))
    ] == [("allow", True), ("review", True)]
