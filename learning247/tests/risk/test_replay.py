"""Decided again from what was stored, the same comes out; where it does not, or cannot be told, that is said."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.risk import rules
from learning247.risk.enums import Outcome, Purpose, RuleKind, RuleStatus
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.rules import Inputs, Linked
from learning247.risk.selectors import decision_batches, decision_list
from learning247.risk.services.replay import decisions_replay, version_try
from learning247.tests.risk.builders import check, only_rule


def risk(*arguments):
    out = StringIO()
    call_command("risk", *arguments, stdout=out)
    return out.getvalue().splitlines()


def replayed():
    return list(decisions_replay(decision_batches(decision_list())))


def version(parameters, *, kind=RuleKind.VELOCITY, number=2, rule="tried", purpose=Purpose.SETTLEMENT):
    return RuleVersion.objects.create(
        rule=rule, number=number, purpose=purpose, kind=kind, parameters=parameters, outcome=Outcome.REVIEW
    )


COUNTRIES = st.sampled_from(["", "NG", "US", "GB"])
WORDS = st.sampled_from(["", "one", "two"])
FACTS = st.fixed_dictionaries(
    {
        "currency": st.sampled_from(["NGN", "USD", "JPY", "XOF"]),
        "amount_minor": st.integers(0, 10**12),
        "declines": st.integers(0, 12),
        "account_country": COUNTRIES,
        "card_country": COUNTRIES,
        "ip": WORDS,
        "device": WORDS,
        "card": WORDS,
        "bank": WORDS,
    }
)


@pytest.mark.property
@settings(max_examples=25, deadline=None)
@given(cases=st.lists(st.tuples(st.sampled_from(list(Purpose)), FACTS, st.booleans()), min_size=1, max_size=12))
def test_whatever_was_decided_comes_out_again(cases):
    seller, buyer = build_user().pk, build_user().pk
    for purpose, facts, sells in cases:
        check(purpose, person=seller if sells else buyer, counterparty=seller, account_opened_at=now(), **facts)
    assert {(one.difference, one.untold) for one in replayed()} == {("", "")}


@pytest.mark.property
@given(
    inputs=st.builds(
        Inputs,
        currency=st.sampled_from(["NGN", "USD"]),
        amount_minor=st.integers(0, 10**12),
        account_seconds=st.none() | st.integers(0, 10**9),
        account_country=COUNTRIES,
        card_country=COUNTRIES,
        declines=st.integers(0, 10),
        same_person=st.booleans(),
        given=st.lists(WORDS).map(tuple),
        shared=st.none() | st.lists(WORDS).map(tuple),
        earlier=st.sampled_from(["", "allow", "review"]),
        counts=st.dictionaries(WORDS, st.integers(0, 100)),
        round_trip=st.none() | st.dictionaries(WORDS, st.builds(Linked, st.integers(0, 9), st.integers(0, 10**12))),
    )
)
def test_stored_inputs_are_those_that_the_rules_were_given(inputs):
    assert Inputs.from_data(inputs.as_data()) == inputs


def test_a_rule_that_answers_otherwise_by_now_is_said_to_differ(monkeypatch):
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 10_000}})
    check(amount_minor=10_000)
    check(amount_minor=9_999)
    assert risk("replay")[-1] == "2 decisions: 2 the same, 0 differ, 0 cannot be told."
    monkeypatch.setattr(rules.Amount, "judge", lambda rule, inputs: rules.Finding(False, "changed"))

    with pytest.raises(CommandError, match="Not every decision comes out again"):
        risk("replay")
    first, second = replayed()
    assert first.difference == "tried 1: NGN 100.00 of NGN 100.00, now changed; review, now allow"
    assert second.difference == ""


def test_a_failure_comes_out_again_and_where_nothing_was_asked_nothing_can_be_told(monkeypatch):
    only_rule(RuleKind.AMOUNT, {"at_least": "much"}, purpose=Purpose.WITHDRAWAL)
    check(Purpose.WITHDRAWAL)
    monkeypatch.setattr("learning247.risk.services.decisions.context_read", lambda sighting: 1 / 0)
    check(Purpose.WITHDRAWAL)

    first, second = replayed()

    assert (first.outcome, first.difference, first.untold) == ("review", "", "")
    assert second.untold == "the checker failed: ZeroDivisionError: division by zero"


def test_what_a_rule_in_shadow_would_have_done_is_shown():
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 10_000}}, status=RuleStatus.SHADOW, rule="tried-shadow")
    check(amount_minor=10_000)
    check(amount_minor=9_999)
    assert risk("replay") == [
        "in shadow: tried-shadow 1 fired 1 times, 1 would be harder",
        "2 decisions: 2 the same, 0 differ, 0 cannot be told.",
    ]


def test_another_version_is_tried_on_what_was_decided_also_by_a_count_that_nobody_made():
    only_rule(RuleKind.VELOCITY, {"of": "settlement", "by": "card", "seconds": 60, "at_least": 9})
    for card in ("one", "one", "two", "one"):
        check(card=card)
    tried = version({"of": "settlement", "by": "card", "seconds": 120, "at_least": 3})

    *lines, change, last = risk("replay", "--rule-version", "tried:2")

    assert [line.split(" would be ")[1] for line in lines] == ["review: 3 of 3"]
    assert change == "allow -> review: 1"
    assert last == "tried 2 (shadow) on 4 decisions: fires on 1, changes 1, 0 cannot be told."
    assert [one.finding and one.finding.saw for one in version_try(tried, decision_batches(decision_list()))] == [
        "1 of 3", "2 of 3", "1 of 3", "3 of 3",
    ]  # fmt: skip


def test_what_was_forgotten_cannot_be_counted_and_that_is_said():
    only_rule(RuleKind.VELOCITY, {"of": "settlement", "by": "card", "seconds": 60, "at_least": 9})
    check(card="one")
    version({"of": "settlement", "by": "card", "seconds": 120, "at_least": 1})
    Decision.objects.update(card="")

    line, last = risk("replay", "--rule-version", "tried:2")

    assert line.endswith("cannot be told: forgotten: card")
    assert last == "tried 2 (shadow) on 1 decisions: fires on 0, changes 0, 1 cannot be told."
    assert risk("replay")[-1] == "1 decisions: 1 the same, 0 differ, 0 cannot be told."


def test_a_range_is_from_its_first_moment_to_before_its_last():
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}})
    first, second = check(), check()
    since, until = first.created_at.isoformat(), second.created_at.isoformat()
    assert [line.split()[4] for line in risk("list", "--from", since, "--to", until)] == [str(first.subject_id)]
    assert risk("replay", "--from", until)[-1] == "1 decisions: 1 the same, 0 differ, 0 cannot be told."
    assert len(risk("list")) == 2
    assert risk("list", "--flagged") == risk("list", "--outcome", "block") == []


def test_a_version_that_is_not_there_is_refused():
    with pytest.raises(CommandError, match="There is no version amount:99"):
        risk("replay", "--rule-version", "amount:99")
