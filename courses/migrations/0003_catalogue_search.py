"""What makes the catalogue quick: a search document per published course, counted departments, a version.

All three are kept by triggers, so that no way of writing (API, console, import, SQL) can forget them. The triggers name no
columns (neither UPDATE OF nor WHEN): PostgreSQL would refuse to change the type of a column that a trigger names, of
accounts and payments too. `docs/catalogue.md` says who waits for whom.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions
from django.contrib.postgres.operations import (
    BtreeGinExtension,
    CreateExtension,
    TrigramExtension,
    UnaccentExtension,
)
from django.db import migrations, models
from django.db.models import Q

import learning247.kit.clock

# Two ways to cut a text into words: as written (for titles, and for words that are still being typed), and by stems.
# Both drop accents. Punctuation is dropped before, so that "Node.js" and "first-aid" are two words each, in a query too.
CONFIGURATIONS = """
CREATE TEXT SEARCH CONFIGURATION courses_written (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION courses_written
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, pg_catalog.simple;
CREATE TEXT SEARCH CONFIGURATION courses_stems (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION courses_stems
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, pg_catalog.english_stem;

-- A text may be longer than a tsvector can hold (1 MB): its beginning is what is searched.
CREATE FUNCTION courses_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(left(given, 100000), '[\\x01-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]+', ' ', 'g');

CREATE FUNCTION courses_title_words(title text, department text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
RETURN setweight(to_tsvector('courses_written', courses_plain(title)), 'A')
    || setweight(to_tsvector('courses_stems', courses_plain(title)), 'A')
    || setweight(to_tsvector('courses_written', courses_plain(department)), 'B')
    || setweight(to_tsvector('courses_stems', courses_plain(department)), 'B');

CREATE FUNCTION courses_all_words(title text, department text, description text, curriculum text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
RETURN courses_title_words(title, department)
    || setweight(to_tsvector('courses_stems', courses_plain(description)), 'C')
    || setweight(to_tsvector('courses_stems', courses_plain(curriculum)), 'D');
"""

DOCUMENTS = """
CREATE FUNCTION courses_write_document() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    department_name text;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.title, OLD.description, OLD.curriculum, OLD.department_id, OLD.status)
            IS NOT DISTINCT FROM (NEW.title, NEW.description, NEW.curriculum, NEW.department_id, NEW.status) THEN
        RETURN NULL;
    END IF;
    -- Waits for a renaming that has begun, and makes one that begins later wait for this course. What the foreign keys
    -- check at commit is locked here, because by then the version's row is: it must be the last one waited for.
    SELECT d.name INTO department_name FROM courses_department d WHERE d.id = NEW.department_id FOR KEY SHARE;
    PERFORM FROM accounts_user u WHERE u.id = NEW.creator_id FOR KEY SHARE;
    IF NEW.status <> 'published' THEN
        DELETE FROM courses_coursedocument WHERE course_id = NEW.id;
        RETURN NULL;
    END IF;
    INSERT INTO courses_coursedocument AS doc (course_id, department_id, title, title_words, all_words, changed_at)
    VALUES (NEW.id, NEW.department_id, NEW.title, courses_title_words(NEW.title, department_name),
            courses_all_words(NEW.title, department_name, NEW.description, NEW.curriculum), clock_timestamp())
    ON CONFLICT (course_id) DO UPDATE SET
        department_id = EXCLUDED.department_id, title = EXCLUDED.title, title_words = EXCLUDED.title_words,
        all_words = EXCLUDED.all_words, changed_at = EXCLUDED.changed_at;
    RETURN NULL;
END $$;

CREATE FUNCTION courses_drop_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM courses_coursedocument WHERE course_id = OLD.id;
    RETURN OLD;
END $$;

CREATE FUNCTION courses_rename_documents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.name IS DISTINCT FROM NEW.name THEN
        UPDATE courses_coursedocument doc SET
            title_words = courses_title_words(c.title, NEW.name),
            all_words = courses_all_words(c.title, NEW.name, c.description, c.curriculum),
            changed_at = clock_timestamp()
          FROM courses_course c WHERE c.department_id = NEW.id AND doc.course_id = c.id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER courses_write_document AFTER INSERT OR UPDATE ON courses_course
    FOR EACH ROW EXECUTE FUNCTION courses_write_document();
CREATE TRIGGER courses_drop_document BEFORE DELETE ON courses_course
    FOR EACH ROW EXECUTE FUNCTION courses_drop_document();
CREATE TRIGGER courses_rename_documents AFTER UPDATE ON courses_department
    FOR EACH ROW EXECUTE FUNCTION courses_rename_documents();
"""

# Once per statement, not per row: an import adds hundreds of courses to one department.
COUNTS = """
CREATE FUNCTION courses_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN SELECT department_id, count(*) AS n FROM added WHERE status = 'published' GROUP BY 1 ORDER BY 1 LOOP
        UPDATE courses_department SET course_count = course_count + change.n WHERE id = change.department_id;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION courses_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN SELECT department_id, count(*) AS n FROM removed WHERE status = 'published' GROUP BY 1 ORDER BY 1 LOOP
        UPDATE courses_department SET course_count = course_count - change.n WHERE id = change.department_id;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION courses_count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN
        SELECT department_id, sum(one) AS n FROM (
            SELECT department_id, 1 AS one FROM added WHERE status = 'published'
            UNION ALL
            SELECT department_id, -1 FROM removed WHERE status = 'published'
        ) moved GROUP BY 1 HAVING sum(one) <> 0 ORDER BY 1
    LOOP
        UPDATE courses_department SET course_count = course_count + change.n WHERE id = change.department_id;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER courses_count_added AFTER INSERT ON courses_course
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION courses_count_added();
CREATE TRIGGER courses_count_removed AFTER DELETE ON courses_course
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION courses_count_removed();
CREATE TRIGGER courses_count_moved AFTER UPDATE ON courses_course
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION courses_count_moved();
"""

# At commit, because the one row is locked from then on: writers of different courses hardly meet. A random version
# and not a number: after a restore from a backup a number would come again, with other content.
VERSION = """
CREATE FUNCTION courses_replace_version() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('courses.version_replaced', true) = 'yes' THEN
        RETURN;  -- once per transaction
    END IF;
    INSERT INTO courses_catalogueversion (id, version, changed_at) VALUES (1, gen_random_uuid(), clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, changed_at = EXCLUDED.changed_at;
    PERFORM set_config('courses.version_replaced', 'yes', true);
END $$;

-- What nobody sees in the catalogue, before and after, changes nothing: or whoever edits drafts empties it for all.
CREATE FUNCTION courses_course_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF 'published' NOT IN (coalesce(OLD.status, ''), coalesce(NEW.status, '')) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'UPDATE' OR (OLD.title, OLD.slug, OLD.department_id, OLD.description, OLD.curriculum, OLD.duration,
            OLD.image_url, OLD.creator_id, OLD.status) IS DISTINCT FROM (NEW.title, NEW.slug, NEW.department_id,
            NEW.description, NEW.curriculum, NEW.duration, NEW.image_url, NEW.creator_id, NEW.status) THEN
        PERFORM courses_replace_version();
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION courses_department_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE'
            OR (OLD.name, OLD.slug, OLD.description) IS DISTINCT FROM (NEW.name, NEW.slug, NEW.description) THEN
        PERFORM courses_replace_version();
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION courses_price_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    product uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.product_id ELSE NEW.product_id END;
BEGIN
    IF EXISTS (SELECT FROM courses_course c WHERE c.product_id = product AND c.status = 'published') THEN
        PERFORM courses_replace_version();
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION courses_creator_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.first_name, OLD.last_name) IS DISTINCT FROM (NEW.first_name, NEW.last_name)
            AND EXISTS (SELECT FROM courses_course c WHERE c.creator_id = NEW.id AND c.status = 'published') THEN
        PERFORM courses_replace_version();
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER courses_change_version AFTER INSERT OR UPDATE OR DELETE ON courses_course
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_course_changed();
CREATE CONSTRAINT TRIGGER courses_change_version AFTER INSERT OR UPDATE OR DELETE ON courses_department
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_department_changed();
CREATE CONSTRAINT TRIGGER courses_change_version AFTER INSERT OR UPDATE OR DELETE ON payments_price
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_price_changed();
-- A creator's name stands beside the course.
CREATE CONSTRAINT TRIGGER courses_change_version AFTER UPDATE ON accounts_user
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_creator_changed();
"""

FILL = """
INSERT INTO courses_catalogueversion (id, version, changed_at) VALUES (1, gen_random_uuid(), clock_timestamp());
UPDATE courses_department d SET course_count =
    (SELECT count(*) FROM courses_course c WHERE c.department_id = d.id AND c.status = 'published');
UPDATE courses_course c SET enrollment_count =
    (SELECT count(*) FROM courses_enrollment e WHERE e.course_id = c.id AND e.status <> 'revoked')
 WHERE EXISTS (SELECT FROM courses_enrollment e WHERE e.course_id = c.id);
INSERT INTO courses_coursedocument (course_id, department_id, title, title_words, all_words, changed_at)
SELECT c.id, c.department_id, c.title, courses_title_words(c.title, d.name),
       courses_all_words(c.title, d.name, c.description, c.curriculum), clock_timestamp()
  FROM courses_course c JOIN courses_department d ON d.id = c.department_id WHERE c.status = 'published';
"""

UNDO = """
DROP TRIGGER courses_change_version ON accounts_user;
DROP TRIGGER courses_change_version ON payments_price;
DROP TRIGGER courses_change_version ON courses_department;
DROP TRIGGER courses_change_version ON courses_course;
DROP TRIGGER courses_count_added ON courses_course;
DROP TRIGGER courses_count_removed ON courses_course;
DROP TRIGGER courses_count_moved ON courses_course;
DROP TRIGGER courses_rename_documents ON courses_department;
DROP TRIGGER courses_drop_document ON courses_course;
DROP TRIGGER courses_write_document ON courses_course;
DROP FUNCTION courses_course_changed(), courses_department_changed(), courses_price_changed(),
    courses_creator_changed(), courses_replace_version(), courses_count_added(), courses_count_removed(),
    courses_count_moved(), courses_rename_documents(), courses_drop_document(), courses_write_document(),
    courses_all_words(text, text, text, text), courses_title_words(text, text), courses_plain(text);
DROP TEXT SEARCH CONFIGURATION courses_written;
DROP TEXT SEARCH CONFIGURATION courses_stems;
"""

PUBLISHED = Q(status="published")


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0002_enrollment_lifecycle"),
    ]

    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
        UnaccentExtension(),
        CreateExtension("fuzzystrmatch"),
        migrations.AddField(
            model_name="department",
            name="course_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, help_text="Published courses; counted by the database."
            ),
        ),
        migrations.AddField(
            model_name="course",
            name="enrollment_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, help_text="Enrollments that are not revoked; counted every half minute."
            ),
        ),
        migrations.CreateModel(
            name="CatalogueVersion",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("version", models.UUIDField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "constraints": (models.CheckConstraint(condition=Q(id=1), name="courses_catalogue_has_one_version"),),
            },
        ),
        migrations.CreateModel(
            name="CatalogueWord",
            fields=[("word", models.CharField(max_length=60, primary_key=True, serialize=False))],
            options={
                "indexes": (
                    django.contrib.postgres.indexes.GistIndex(
                        django.contrib.postgres.indexes.OpClass("word", name="gist_trgm_ops"),
                        name="courses_word_by_likeness",
                    ),
                ),
            },
        ),
        migrations.CreateModel(
            name="CourseDocument",
            fields=[
                (
                    "course",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="document",
                        serialize=False,
                        to="courses.course",
                    ),
                ),
                ("department_id", models.UUIDField()),
                ("title", models.CharField(max_length=200)),
                (
                    "title_words",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="Of title (A) and department (B): as written, and their stems."
                    ),
                ),
                (
                    "all_words",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="The same, and stems of description (C) and curriculum (D)."
                    ),
                ),
                ("changed_at", models.DateTimeField(db_index=True, default=learning247.kit.clock.now)),
            ],
            options={
                "indexes": (
                    # Searches come at any time, changes seldom: no list of pending words to be read through.
                    django.contrib.postgres.indexes.GinIndex(
                        fields=("title_words", "department_id"), fastupdate=False, name="courses_document_by_title"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=("all_words", "department_id"), fastupdate=False, name="courses_document_by_word"
                    ),
                ),
            },
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(fields=("title", "id"), condition=PUBLISHED, name="courses_published_all"),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(
                fields=("department", "created_at", "id"), condition=PUBLISHED, name="courses_published_by_age"
            ),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(
                fields=("department", "-enrollment_count", "title", "id"),
                condition=PUBLISHED,
                name="courses_published_by_students",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=("updated_at",), name="courses_enrollment_by_change"),
        ),
        migrations.RunSQL(CONFIGURATIONS + DOCUMENTS + COUNTS + VERSION + FILL, UNDO, elidable=False),
    ]
