"""Cells that spreadsheet programs open: nothing of what people typed runs, and nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning247.kit.spreadsheets import cell_read, cell_text, guarded, unguarded

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'=", "''@", "'", "''"]
TEXTS = st.one_of(st.text(), st.builds(str.__add__, st.sampled_from(STARTS), st.text()))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝HYPERLINK(1)", "'=1"])
def test_what_would_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "1+1", "a=1", "'tis", " '", "''"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert (guarded(text), unguarded(text)) == (text, text)


@pytest.mark.property
@given(text=TEXTS)
def test_a_guard_comes_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text


@pytest.mark.property
@given(text=TEXTS)
def test_a_text_that_was_read_is_written_and_read_the_same(text: str) -> None:
    once = cell_read(text)

    assert cell_text(once) == once
    assert cell_read(guarded(once)) == once
