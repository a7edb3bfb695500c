"""How many students a course has: a column of the course, counted again when its enrollments have changed.

Not in the transaction of a sale, where all buyers of one course would wait for each other at its row.
"""

from typing import Final

from django.db import connection, transaction

from learning247.kit.locks import bound_lock_wait

# Enrollments are looked at again for so long: a transaction may commit after the time that its rows carry.
OVERLAP: Final = 600  # seconds


@transaction.atomic(durable=True)
def enrollment_counts_refresh(*, everything: bool = False) -> int:
    """Count the courses whose enrollments changed lately, or all; returns how many counts were wrong.

    Safe to run twice and in two processes. Course rows are locked in one order, as every writer of several does.
    """
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH counted AS (
                SELECT e.course_id, count(*) FILTER (WHERE e.status <> 'revoked') AS students
                FROM courses_enrollment e WHERE e.course_id IN (
                    SELECT changed.course_id FROM courses_enrollment changed
                    WHERE changed.course_id IS NOT NULL
                      AND (%s OR changed.updated_at > now() - make_interval(secs => %s))
                ) GROUP BY e.course_id
            ), wrong AS (
                SELECT c.id, counted.students FROM courses_course c JOIN counted ON counted.course_id = c.id
                WHERE c.enrollment_count <> counted.students ORDER BY c.id FOR NO KEY UPDATE OF c
            )
            UPDATE courses_course c SET enrollment_count = wrong.students FROM wrong WHERE c.id = wrong.id
            """,
            [everything, OVERLAP],
        )
        return int(cursor.rowcount)
