"""The words that published courses have, kept for comparing mistyped ones with them."""

from typing import Final

from django.db import connection, transaction

from courses.models import CatalogueWord

# Documents are looked at again for so long: a transaction may commit long after the time that its documents carry.
OVERLAP: Final = 600  # seconds
_LOCK: Final = 0x1EA247_02


@transaction.atomic(durable=True)
def search_words_refresh(*, everything: bool = False) -> int:
    """Take in the words of documents that changed lately, or of all of them and drop words that no course has any more.

    Returns how many words were added. Safe to run twice and in two processes (an advisory lock makes them take turns).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if everything:
            cursor.execute(
                "DELETE FROM courses_catalogueword known WHERE NOT EXISTS (SELECT FROM courses_coursedocument doc"
                " WHERE doc.all_words @@ to_tsquery('simple', quote_literal(known.word)))"
            )
        cursor.execute(
            """
            INSERT INTO courses_catalogueword (word)
            SELECT DISTINCT word FROM courses_coursedocument doc, unnest(tsvector_to_array(doc.all_words)) AS word
            WHERE char_length(word) BETWEEN 3 AND 60 AND word !~ '[0-9]'
              AND (%s OR doc.changed_at > now() - make_interval(secs => %s))
            ORDER BY word
            ON CONFLICT (word) DO NOTHING
            """,
            [everything or not CatalogueWord.objects.exists(), OVERLAP],
        )
        return int(cursor.rowcount)
