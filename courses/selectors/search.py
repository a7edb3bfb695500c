"""Searching the catalogue: words and their forms, the word that is still being typed, words that were mistyped.

Which courses match is decided by the words of their documents (models.CourseDocument), best match first: the title
itself, its beginning, then words in the title before the department's name, the description, the curriculum. A word
that half the catalogue has is not ranked in half the catalogue: at most CANDIDATES courses that have it in title or
department, and as many that have it elsewhere, are looked at.
"""
# ruff: noqa: S608 - what is put into a statement are constants of these modules; values are parameters

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from courses.enums import CourseStatus
from courses.selectors.catalogue import DOCUMENT, ORDERINGS, SOURCES, Rows
from learning247.kit.money import Money

CANDIDATES: Final = 500
PRICED: Final = 5_000
MAX_WORDS: Final = 12
MAX_WORD: Final = 60
CORRECTIONS: Final = 4
# They mark what was found until the rest is made safe for HTML; no text means anything by them, and they are cut out.
_START, _STOP, _BREAK = "\ue000", "\ue001", "\x02"
_HEADLINE: Final = f"StartSel={_START}, StopSel={_STOP}"
_NO_WORD: Final = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")  # the same characters as courses_plain()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `forms`: one entry per word, with the spellings that count as it; the last one may be a
    beginning when `typing`. Every word must be found, or with `any_word` at least one."""

    forms: tuple[tuple[str, ...], ...]
    typing: bool = True
    any_word: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """`department`: within it. `currency`: with a price in it; `max_price`: of at most that."""

    department: UUID | None = None
    currency: str = ""
    max_price: Money | None = None


@dataclass(frozen=True, slots=True)
class Found(Rows):
    """Courses with `highlights`; `count` is of candidates. `corrections`: words that were taken for others."""

    corrections: Mapping[str, Sequence[str]] = field(default_factory=dict)


def words_of(text: str) -> tuple[str, ...]:
    """The words of what somebody typed, at most MAX_WORDS; empty when there is none."""
    return tuple(word[:MAX_WORD] for word in _NO_WORD.sub(" ", text).split()[:MAX_WORDS])


def course_search(words: Sequence[str], *, filters: Filters, limit: int, offset: int) -> Found:
    """Courses that have every word; where none has, words that no course knows are corrected; where still none has,
    courses that have some of the words. `words` as of `words_of`, at least one."""
    wanted = Wanted(tuple((word,) for word in words))
    found = _search(wanted, filters, limit=limit, offset=offset)
    if found.count:
        return found
    corrections = _corrections(words)
    if corrections:
        wanted = Wanted(
            tuple(tuple(corrections.get(word, (word,))) for word in words), typing=words[-1] not in corrections
        )
        found = _search(wanted, filters, limit=limit, offset=offset)
    if not found.count and len(words) > 1:
        some = Wanted(wanted.forms, typing=wanted.typing, any_word=True)
        found = _search(some, filters, limit=limit, offset=offset)
    return Found(found.count, found.results, corrections)


def course_matches(words: Sequence[str], *, department: UUID | None, ordering: str, limit: int, offset: int) -> Rows:
    """The courses that `course_search` would consider for exactly these words, in the order of a list."""
    candidates, parameters = _candidates(Wanted(tuple((word,) for word in words)), Filters(department))
    sql = f"""
        WITH {candidates}
        SELECT (SELECT count(*) FROM candidate), coalesce(json_agg(row_to_json(item)), '[]')::text FROM (
            SELECT {DOCUMENT} FROM candidate JOIN {SOURCES} ON c.id = candidate.course_id
            WHERE c.status = %(published)s ORDER BY {ORDERINGS[ordering]} LIMIT %(limit)s OFFSET %(offset)s
        ) item
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"published": CourseStatus.PUBLISHED, "limit": limit, "offset": offset})
        count, results = cursor.fetchone()
    return Rows(count, results.encode())


def _search(wanted: Wanted, filters: Filters, *, limit: int, offset: int) -> Found:
    candidates, parameters = _candidates(wanted, filters)
    sql = f"""
        WITH {candidates},
        ranked AS (
            SELECT course_id, title, count(*) OVER () AS found,
                ts_rank(all_words, query.words)
                + CASE WHEN lower(title) = %(phrase)s THEN 4 WHEN starts_with(lower(title), %(phrase)s) THEN 2
                  ELSE 0 END AS rank
            FROM candidate, query
            ORDER BY rank DESC, title, course_id LIMIT %(limit)s OFFSET %(offset)s
        )
        SELECT found, row_to_json(item)::text, title_headline, description_headline FROM ranked
        JOIN {SOURCES} ON c.id = ranked.course_id
        CROSS JOIN LATERAL (SELECT {DOCUMENT}) item
        CROSS JOIN LATERAL (SELECT
            ts_headline('courses_stems', {_apart("c.title")}, query.words,
                        '{_HEADLINE}, HighlightAll=true') AS title_headline,
            ts_headline('courses_stems', {_apart("left(c.description, 4000)")}, query.words,
                        '{_HEADLINE}, MaxWords=30, MinWords=12') AS description_headline
        FROM query) headline
        ORDER BY ranked.rank DESC, ranked.title, ranked.course_id
    """
    phrase = " ".join(form[0] for form in wanted.forms).lower()
    parameters |= {"phrase": phrase, "limit": limit, "offset": offset, "marks": _START + _STOP + _BREAK}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    if not rows:
        return Found(_count(candidates, parameters) if offset else 0, b"[]")
    return Found(rows[0][0], orjson.dumps([_with_highlights(*row[1:]) for row in rows]))


def _count(candidates: str, parameters: dict[str, Any]) -> int:
    """Past the last page no row can tell how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {candidates} SELECT count(*) FROM candidate", parameters)
        return int(cursor.fetchone()[0])


def _candidates(wanted: Wanted, filters: Filters) -> tuple[str, dict[str, Any]]:
    """Common table expressions `query` (its `words`) and `candidate` (course_id, title, all_words)."""
    expression, parameters = _query(wanted)
    within = ""
    if filters.department is not None:
        within = "AND department_id = %(department)s"
        parameters["department"] = filters.department
    priced = "true"
    if filters.currency:
        priced = """EXISTS (SELECT FROM courses_course c JOIN payments_price p ON p.product_id = c.product_id
            WHERE c.id = course_id AND p.currency = %(currency)s AND p.amount_minor <= %(most)s)"""
        parameters |= {
            "currency": filters.currency,
            "most": filters.max_price.minor if filters.max_price is not None else 2**63 - 1,
        }
    # The second search is for what the first leaves room for; it may find the same courses again, hence NOT IN.
    # A price that hardly any course has is looked for in PRICED of them and no more.
    sql = f"""
        query AS MATERIALIZED (SELECT {expression} AS words),
        titled AS MATERIALIZED (
            SELECT course_id, title, all_words FROM (
                SELECT course_id, title, all_words FROM courses_coursedocument, query
                WHERE title_words @@ query.words {within} LIMIT {PRICED}
            ) doc WHERE {priced} LIMIT {CANDIDATES}
        ),
        mentioned AS MATERIALIZED (
            SELECT course_id, title, all_words FROM (
                SELECT course_id, title, all_words FROM courses_coursedocument, query
                WHERE (SELECT count(*) FROM titled) < {CANDIDATES} AND all_words @@ query.words {within}
                  AND course_id NOT IN (SELECT course_id FROM titled) LIMIT {PRICED}
            ) doc WHERE {priced} LIMIT {CANDIDATES}
        ),
        candidate AS (SELECT * FROM titled UNION ALL SELECT * FROM mentioned)
    """
    return sql, parameters


def _query(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """A tsquery. Each word as written or by its stem; words without meaning ("of") count when there is no other."""
    parameters: dict[str, Any] = {}
    meant, written = [], []
    for number, forms in enumerate(wanted.forms):
        spellings = []
        for at, form in enumerate(forms):
            name = f"word_{number}_{at}"
            parameters[name] = form
            spellings.append(f"plainto_tsquery('courses_stems', %({name})s)")
            spellings.append(f"plainto_tsquery('courses_written', %({name})s)")
            if wanted.typing and number == len(wanted.forms) - 1 and len(form) > 1:
                parameters[f"{name}_begun"] = f"'{form}':*"
                spellings.append(f"to_tsquery('courses_written', %({name}_begun)s)")
        either = f"({' || '.join(spellings)})"
        stem = f"plainto_tsquery('courses_stems', %(word_{number}_0)s)"
        meant.append(f"CASE WHEN numnode({stem}) = 0 THEN ''::tsquery ELSE {either} END")
        written.append(either)
    join = " || " if wanted.any_word else " && "
    meaning, all_written = join.join(f"({part})" for part in meant), join.join(written)
    return f"CASE WHEN numnode({meaning}) > 0 THEN {meaning} ELSE {all_written} END", parameters


def _corrections(words: Sequence[str]) -> dict[str, list[str]]:
    """For words that no published course has: the known words that are fewest letters apart, at most two."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT mistyped.given, mistyped.plain, known.word, known.apart
            FROM (SELECT given, lower(unaccent(given)) AS plain FROM unnest(%s::text[]) AS given) mistyped
            CROSS JOIN LATERAL (
                SELECT word, levenshtein(word, mistyped.plain) AS apart FROM (
                    SELECT word FROM courses_catalogueword ORDER BY word <-> mistyped.plain LIMIT 30
                ) near
            ) known
            WHERE char_length(mistyped.plain) > 3
              AND known.apart <= CASE WHEN char_length(mistyped.plain) > 5 THEN 2 ELSE 1 END
              AND NOT EXISTS (
                SELECT FROM courses_catalogueword w WHERE w.word = mistyped.plain
                    OR w.word = ANY (tsvector_to_array(to_tsvector('courses_stems', mistyped.plain)))
              )
            ORDER BY mistyped.given, known.word
            """,
            [list(words)],
        )
        likely: dict[str, dict[str, int]] = {}
        for given, plain, word, apart in cursor.fetchall():
            # Letters in another order are one slip of the fingers, though they count as two changes.
            likely.setdefault(given, {})[word] = 1 if sorted(plain) == sorted(word) else apart
    return {given: _nearest(distances) for given, distances in likely.items()}


def _nearest(distances: Mapping[str, int]) -> list[str]:
    least = min(distances.values())
    return [word for word, apart in distances.items() if apart == least][:CORRECTIONS]


def _with_highlights(document: str, title: str, description: str) -> dict[str, Any]:
    """The document with one key more: HTML in which nothing but our own `<mark>` is a tag."""
    highlights = {"title": _marked(title), "description": _marked(description)}
    return {**orjson.loads(document), "highlights": highlights}


def _marked(headline: str) -> str:
    return html.escape(headline.replace(_BREAK, "")).replace(_START, "<mark>").replace(_STOP, "</mark>")


def _apart(text: str) -> str:
    """The text with the parts of "Node.js" and "ci/cd" kept apart, as they are where words are looked up, and with
    nothing that the parser would take for a tag, whose words it leaves out."""
    clean = f"translate({text}, %(marks)s, '')"
    return f"regexp_replace({clean}, '([<&]|[./_-](?=[[:alnum:]]))', '{_BREAK}\\1{_BREAK}', 'g')"
