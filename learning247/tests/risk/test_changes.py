"""Rules change in two steps, by another version, and on record."""

import pytest

from accounts.tests.builders import build_user
from learning247.kit.ids import new_id
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry
from learning247.records.tests.races import at_once
from learning247.risk.errors import RuleNotFound, RuleUnreadable, RuleVersionStale
from learning247.risk.models import RuleVersion
from learning247.risk.services.rules import rule_promote, rule_retire, rule_version_add
from learning247.tests.risk.builders import check

LOWER = {"at_least": {"NGN": 10_000}}


def states(rule="amount"):
    return list(RuleVersion.objects.filter(rule=rule).order_by("number").values_list("number", "status"))


def add(actor, **given):
    values = {"rule": "amount", "purpose": "checkout", "kind": "amount", "parameters": LOWER, "outcome": "review"}
    return rule_version_add(**(values | {"actor": actor, "reason": "Stolen cards buy little."} | given))


def test_another_threshold_goes_into_shadow_first_and_decides_once_it_is_promoted(committed_db):
    staff = build_user()
    made = add(staff)
    assert states() == [(1, "live"), (2, "shadow")]
    assert check("checkout").outcome == "allow"

    rule_promote(version_id=made.pk, actor=staff, reason="It found what it should.")

    assert states() == [(1, "retired"), (2, "live")]
    assert check("checkout").outcome == "review"
    added, promoted = AuditEntry.objects.order_by("id")
    assert (added.action, added.reason, (added.after or {})["parameters"]) == (
        "risk_rule.added", "Stolen cards buy little.", LOWER,
    )  # fmt: skip
    assert (promoted.action, promoted.actor, promoted.subject_id) == ("risk_rule.promoted", staff, str(made.pk))
    versions = AuditEntry.objects.filter(pk=promoted.pk).values_list("before__version", "after__version")
    assert list(versions) == [(1, 2)]


def test_a_newer_version_takes_the_place_of_the_one_in_shadow(committed_db):
    staff = build_user()
    first = add(staff)
    add(staff)
    assert states() == [(1, "live"), (2, "retired"), (3, "shadow")]
    with pytest.raises(RuleVersionStale):
        rule_promote(version_id=first.pk, actor=staff, reason="Late.")
    assert states() == [(1, "live"), (2, "retired"), (3, "shadow")]


def test_a_retired_rule_is_asked_no_more(committed_db):
    staff, live = build_user(), RuleVersion.objects.get(rule="amount")
    for _ in range(2):
        rule_retire(version_id=live.pk, actor=staff, reason="It held up schools.")
    assert states() == [(1, "retired")]
    assert "amount" not in [one["rule"] for one in check("checkout").results]
    assert AuditEntry.objects.count() == 1


def test_promoting_twice_changes_nothing_more(committed_db):
    staff = build_user()
    made = add(staff)
    for _ in range(2):
        rule_promote(version_id=made.pk, actor=staff, reason="Good.")
    assert (states(), AuditEntry.objects.count()) == ([(1, "retired"), (2, "live")], 2)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"reason": " "}, ReasonRequired),
        ({"parameters": {}}, RuleUnreadable),
        ({"kind": "declines", "parameters": {"at_least": 1}}, RuleUnreadable),
        ({"purpose": "withdrawal"}, RuleUnreadable),
        ({"outcome": "allow"}, RuleUnreadable),
    ],
)
def test_what_is_no_version_of_the_rule_is_refused(committed_db, given, refusal):
    with pytest.raises(refusal):
        add(build_user(), **given)
    assert (states(), AuditEntry.objects.count()) == ([(1, "live")], 0)


def test_no_reason_no_change(committed_db):
    staff, live = build_user(), RuleVersion.objects.get(rule="amount")
    for change in (rule_promote, rule_retire):
        with pytest.raises(ReasonRequired):
            change(version_id=live.pk, actor=staff, reason="")
        with pytest.raises(RuleNotFound):
            change(version_id=new_id(), actor=staff, reason="Why not.")
    assert (states(), AuditEntry.objects.count()) == ([(1, "live")], 0)


def test_versions_added_at_once_get_numbers_of_their_own(committed_db):
    staff = build_user()
    at_once(8, lambda _: add(staff))
    assert states() == [(1, "live"), *((number, "retired") for number in range(2, 9)), (9, "shadow")]
