"""What makes the catalogue quick: a search document per published course, counted departments, a version.

All three are kept by triggers, so that no way of writing (API, console, import, SQL) can forget them. Lock order of
whoever writes courses: course rows, then their department, then the documents; the version last of all, at commit.
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

CREATE TRIGGER courses_write_document
    AFTER INSERT OR UPDATE OF title, description, curriculum, department_id, status ON courses_course
    FOR EACH ROW EXECUTE FUNCTION courses_write_document();

CREATE FUNCTION courses_drop_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM courses_coursedocument WHERE course_id = OLD.id;
    RETURN OLD;
END $$;

CREATE TRIGGER courses_drop_document BEFORE DELETE ON courses_course
    FOR EACH ROW EXECUTE FUNCTION courses_drop_document();

CREATE FUNCTION courses_rename_documents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE courses_coursedocument doc SET
        title_words = courses_title_words(c.title, NEW.name),
        all_words = courses_all_words(c.title, NEW.name, c.description, c.curriculum),
        changed_at = clock_timestamp()
      FROM courses_course c WHERE c.department_id = NEW.id AND doc.course_id = c.id;
    RETURN NULL;
END $$;

CREATE TRIGGER courses_rename_documents AFTER UPDATE OF name ON courses_department
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION courses_rename_documents();
"""

# Once per statement, not per row: an import adds hundreds of courses to one department.
COUNTS = """
CREATE FUNCTION courses_count_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
    changes refcursor;
BEGIN
    -- PL/pgSQL parses a branch when it is first run, so each names only the tables that its event has.
    IF TG_OP = 'INSERT' THEN
        OPEN changes FOR SELECT department_id, count(*) AS n FROM added WHERE status = 'published' GROUP BY 1 ORDER BY 1;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN changes FOR SELECT department_id, -count(*) AS n FROM removed WHERE status = 'published' GROUP BY 1 ORDER BY 1;
    ELSE
        OPEN changes FOR
            SELECT department_id, sum(n) AS n FROM (
                SELECT department_id, 1 AS n FROM added WHERE status = 'published'
                UNION ALL
                SELECT department_id, -1 FROM removed WHERE status = 'published'
            ) moved GROUP BY 1 HAVING sum(n) <> 0 ORDER BY 1;
    END IF;
    LOOP
        FETCH changes INTO change;
        EXIT WHEN NOT FOUND;
        UPDATE courses_department SET course_count = course_count + change.n WHERE id = change.department_id;
    END LOOP;
    CLOSE changes;
    RETURN NULL;
END $$;

CREATE TRIGGER courses_count_added AFTER INSERT ON courses_course
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION courses_count_published();
CREATE TRIGGER courses_count_removed AFTER DELETE ON courses_course
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION courses_count_published();
CREATE TRIGGER courses_count_moved AFTER UPDATE ON courses_course
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION courses_count_published();
"""

# At commit, because the one row is locked from then on: writers of different courses hardly meet. A random version
# and not a number: after a restore from a backup a number would come again, with other content.
VERSION = """
CREATE FUNCTION courses_change_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    product uuid;
BEGIN
    IF current_setting('courses.version_changed', true) = 'yes' THEN
        RETURN NULL;  -- once per transaction
    END IF;
    IF TG_TABLE_NAME = 'payments_price' THEN
        IF TG_OP = 'DELETE' THEN product := OLD.product_id; ELSE product := NEW.product_id; END IF;
        IF NOT EXISTS (SELECT FROM courses_course c WHERE c.product_id = product) THEN
            RETURN NULL;
        END IF;
    ELSIF TG_TABLE_NAME = 'accounts_user' THEN
        IF NOT EXISTS (SELECT FROM courses_course c WHERE c.creator_id = NEW.id) THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO courses_catalogueversion (id, version, changed_at) VALUES (1, gen_random_uuid(), clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, changed_at = EXCLUDED.changed_at;
    PERFORM set_config('courses.version_changed', 'yes', true);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER courses_change_version
    AFTER INSERT OR DELETE OR UPDATE OF title, slug, department_id, description, curriculum, duration, image_url,
        creator_id, status ON courses_course
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_change_version();
CREATE CONSTRAINT TRIGGER courses_change_version
    AFTER INSERT OR DELETE OR UPDATE OF name, slug, description ON courses_department
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_change_version();
CREATE CONSTRAINT TRIGGER courses_change_version
    AFTER INSERT OR DELETE OR UPDATE ON payments_price
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION courses_change_version();
-- A creator's name stands beside the course.
CREATE CONSTRAINT TRIGGER courses_change_version
    AFTER UPDATE OF first_name, last_name ON accounts_user
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.first_name, OLD.last_name) IS DISTINCT FROM (NEW.first_name, NEW.last_name))
    EXECUTE FUNCTION courses_change_version();
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
DROP FUNCTION courses_change_version(), courses_count_published(), courses_rename_documents(),
    courses_drop_document(), courses_write_document(), courses_all_words(text, text, text, text),
    courses_title_words(text, text), courses_plain(text);
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
