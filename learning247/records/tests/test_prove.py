"""`manage.py prove`: every registered check, its breaches by name, and an exit code for machines."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from learning247.records.checks import Breach, KeyRange, Scope
from learning247.records.models import OutboundMail
from learning247.records.registry import AlreadyRegistered, register_check, registered_checks
from learning247.records.services.prove import checks_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_registries")]


def holds(scope):
    scope.examined += 7
    return iter(())


def broken(scope):
    scope.examined += 30
    return (Breach(f"row {number}") for number in range(25))


def crashes(scope):
    yield Breach("row 1")
    raise RuntimeError("the view is missing")


def mails(count):
    rows = [OutboundMail(key=f"{number:03}", to="a@b.com", subject="s", text="t") for number in range(count)]
    OutboundMail.objects.bulk_create(rows)


def prove(*arguments):
    out = StringIO()
    try:
        call_command("prove", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_when_everything_holds_it_says_so_and_exits_0():
    register_check("I1", "an entry sums to zero", holds)

    code, text = prove()

    assert code == 0
    assert "I1" in text and "an entry sums to zero" in text
    assert text.endswith("Everything holds.\n")


def test_a_breach_is_named_and_counted_and_the_exit_code_is_1():
    register_check("I1", "an entry sums to zero", holds)
    register_check("I2", "balances are right", broken)

    code, text = prove()

    assert code == 1
    assert "! row 0\n" in text and "! row 19\n" in text and "row 20" not in text
    assert "! and 5 more\n" in text
    assert text.endswith("1 of 2 checks do not hold.\n")


def test_json_has_the_same_for_programs():
    register_check("I2", "balances are right", broken)

    code, text = prove("--json")

    document = json.loads(text)
    (check,) = document["checks"]
    assert (code, document["holds"], check["holds"]) == (1, False, False)
    assert (check["code"], check["title"], check["examined"], check["breaches"]) == ("I2", "balances are right", 30, 25)
    assert check["named"] == [f"row {number}" for number in range(20)]
    assert (check["failure"], type(check["seconds"])) == ("", float)


def test_only_some_checks_can_be_run():
    register_check("I1", "one", holds)
    register_check("I2", "two", broken)

    assert [check["code"] for check in json.loads(prove("--json", "--only", "i1")[1])["checks"]] == ["I1"]
    assert prove("--only", "I1")[0] == 0


def test_a_check_that_does_not_exist_is_refused():
    register_check("I1", "one", holds)

    with pytest.raises(CommandError, match="There is no check I99"):
        prove("--only", "I1,I99")


def test_a_check_that_cannot_run_is_no_proof_and_hides_no_other():
    register_check("I1", "one", crashes)
    register_check("I2", "two", holds)

    first, second = checks_run()

    assert (first.holds, first.breaches, first.failure) == (False, 1, "RuntimeError: the view is missing")
    assert second.holds is True
    assert prove()[0] == 1


def test_checks_run_in_the_order_of_their_numbers():
    for code in ("I10", "I2", "I1"):
        register_check(code, "x", holds)

    assert [registered.code for registered in registered_checks()] == ["I1", "I2", "I10"]


def test_a_code_may_have_several_checks_but_a_title_only_one():
    register_check("I5", "sales", holds)
    register_check("I5", "refunds", holds)
    register_check("I5", "sales", holds)

    assert [registered.title for registered in registered_checks()] == ["refunds", "sales"]
    with pytest.raises(AlreadyRegistered):
        register_check("I5", "sales", broken)


def test_ranges_cover_every_row_once():
    mails(5)
    scope = Scope(batch_rows=2)

    assert list(scope.ranges(OutboundMail.objects.all(), key="key")) == [
        KeyRange("000", "001", 2), KeyRange("002", "003", 2), KeyRange("004", "004", 1),
    ]  # fmt: skip
    assert scope.examined == 5


def test_rows_come_in_order_with_the_fields_asked_for():
    mails(5)
    scope = Scope(batch_rows=2)

    assert list(scope.rows(OutboundMail.objects.exclude(key="001"), "key", "to", key="key")) == [
        (key, "a@b.com") for key in ("000", "002", "003", "004")
    ]
    assert scope.examined == 4


def test_rows_that_come_in_meanwhile_are_left_for_the_next_time():
    mails(4)
    scope, seen = Scope(batch_rows=2), []
    for (key,) in scope.rows(OutboundMail.objects.all(), "key", key="key"):
        seen.append(key)
        OutboundMail.objects.get_or_create(key="999", defaults={"to": "a@b.com", "subject": "s", "text": "t"})

    assert seen == ["000", "001", "002", "003"]


def test_no_rows_are_no_ranges():
    assert list(Scope().ranges(OutboundMail.objects.all())) == []


def test_an_exact_number_of_batches_ends():
    mails(4)

    assert [part.rows for part in Scope(batch_rows=2).ranges(OutboundMail.objects.all())] == [2, 2]
