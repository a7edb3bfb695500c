"""The audit trail stays append-only, and can forget who somebody was.

An entry tells for ever who (a plain id) did what to what, when, and what changed. Its text values may also name people:
an address, an email, a name. Of those the database lets one thing happen: a text turns into "forgotten". No entry can be
removed, added to, or made to say something else, whoever tries; what was forgotten shows as such, and the entry
`user.erased` shows when and on whose behalf.

* The trigger lets an UPDATE through only where nothing but texts in `before`, `after` and `reason` change, and those only
  into "forgotten".
* The application's role has no right to UPDATE at all (`grant_app_role`). Its one door is `records_audit_forget`, which
  runs as the owner of the table, for a person whose erasure is on record, and for their entries alone.

Why not a table beside, from which rows may be deleted: what is personal would have to be known when an entry is written,
for ever; a value that somebody forgot to put there could never be taken out. Here the list of what is forgotten can grow
later, and the entries that there are need no rewriting. Why not encryption under a key per person that is thrown away:
the trail could not be searched, and every restored backup would bring the keys back.
"""

from django.db import migrations

FORGET = """
CREATE FUNCTION records_forgets_only(before jsonb, after jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF before IS NOT DISTINCT FROM after THEN
        RETURN true;
    ELSIF jsonb_typeof(before) = 'string' THEN
        RETURN after IS NOT DISTINCT FROM '"forgotten"'::jsonb;
    ELSIF jsonb_typeof(before) = 'object' AND jsonb_typeof(after) = 'object' THEN
        RETURN NOT EXISTS (
            SELECT FROM jsonb_each(before) b FULL JOIN jsonb_each(after) a ON a.key = b.key
             WHERE a.key IS NULL OR b.key IS NULL OR NOT records_forgets_only(b.value, a.value));
    ELSIF jsonb_typeof(before) = 'array' AND jsonb_typeof(after) = 'array' THEN
        RETURN NOT EXISTS (
            SELECT FROM jsonb_array_elements(before) WITH ORDINALITY b(value, place)
              FULL JOIN jsonb_array_elements(after) WITH ORDINALITY a(value, place) ON a.place = b.place
             WHERE a.place IS NULL OR b.place IS NULL OR NOT records_forgets_only(b.value, a.value));
    END IF;
    RETURN false;
END
$$;

-- Letters and digits count, as whole words: "Ada.Obi@example.com" is found in "mail to <ada.obi@example.com>".
CREATE FUNCTION records_mentions(said text, words text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT EXISTS (
        SELECT FROM unnest(words) word
         WHERE word ~ '[[:alnum:]]' AND position(
            ' ' || btrim(regexp_replace(lower(word), '[^[:alnum:]]+', ' ', 'g')) || ' '
            IN ' ' || regexp_replace(lower(said), '[^[:alnum:]]+', ' ', 'g') || ' ') > 0)
$$;

-- Texts under one of the names, and any that mention one of the words.
CREATE FUNCTION records_forgotten(said jsonb, names text[], words text[]) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE jsonb_typeof(said)
    WHEN 'object' THEN
        RETURN (SELECT coalesce(jsonb_object_agg(key, CASE
                    WHEN key = ANY (names) AND jsonb_typeof(value) = 'string' AND value <> '""'::jsonb
                    THEN '"forgotten"'::jsonb ELSE records_forgotten(value, names, words) END), '{}'::jsonb)
                  FROM jsonb_each(said));
    WHEN 'array' THEN
        RETURN (SELECT coalesce(jsonb_agg(records_forgotten(value, names, words) ORDER BY place), '[]'::jsonb)
                  FROM jsonb_array_elements(said) WITH ORDINALITY AS element(value, place));
    WHEN 'string' THEN
        RETURN CASE WHEN records_mentions(said #>> '{}', words) THEN '"forgotten"'::jsonb ELSE said END;
    ELSE
        RETURN said;
    END CASE;
END
$$;

CREATE OR REPLACE FUNCTION records_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.actor_id, NEW.action, NEW.subject_kind, NEW.subject_id, NEW.request_id, NEW.created_at)
            IS NOT DISTINCT FROM
           (OLD.id, OLD.actor_id, OLD.action, OLD.subject_kind, OLD.subject_id, OLD.request_id, OLD.created_at)
           AND NEW.reason IN (OLD.reason, 'forgotten') AND (OLD.reason <> '' OR NEW.reason = '')
           AND records_forgets_only(OLD.before, NEW.before) AND records_forgets_only(OLD.after, NEW.after) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The audit trail is append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

-- `kinds` and `ids` go together: the subjects that are the person's own. Of what else they did, where from is forgotten;
-- of lists ('*'), whatever mentions one of the words. In a reason, which people wrote freely, a part of a name is enough.
CREATE FUNCTION records_audit_forget(person uuid, kinds text[], ids text[], words text[], parts text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    device text[] := ARRAY['ip', 'user_agent'];
    names text[] := device || ARRAY['email', 'first_name', 'last_name', 'name', 'phone', 'bio', 'avatar_url', 'address',
        'student_name', 'student_email', 'student_phone', 'notes', 'to', 'subject'];
BEGIN
    IF NOT EXISTS (SELECT FROM records_auditentry
                    WHERE subject_kind = 'user' AND subject_id = person::text AND action = 'user.erased') THEN
        RAISE EXCEPTION 'The erasure of % is not on record.', person USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE records_auditentry a
       SET before = records_forgotten(a.before, CASE WHEN own.id = '*' THEN '{}' ELSE names END, words),
           after = records_forgotten(a.after, CASE WHEN own.id = '*' THEN '{}' ELSE names END, words),
           reason = CASE WHEN records_mentions(a.reason, words || parts) OR a.reason <> '' AND a.reason = a.after ->> 'notes'
                         THEN 'forgotten' ELSE a.reason END
      FROM (SELECT DISTINCT kind, id FROM unnest(kinds, ids) AS subject(kind, id)) own
     WHERE a.subject_kind = own.kind AND a.subject_id = own.id;
    UPDATE records_auditentry a
       SET before = records_forgotten(a.before, device, words), after = records_forgotten(a.after, device, words),
           reason = CASE WHEN records_mentions(a.reason, words || parts) THEN 'forgotten' ELSE a.reason END
     WHERE a.actor_id = person;
END
$$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['records_forgets_only(jsonb,jsonb)', 'records_mentions(text,text[])',
                                'records_forgotten(jsonb,text[],text[])', 'records_audit_refuse_change()',
                                'records_audit_forget(uuid,text[],text[],text[],text[])'] LOOP
        EXECUTE format('ALTER FUNCTION %I.%s SET search_path = pg_catalog, %I, pg_temp',
                       current_schema(), name, current_schema());
    END LOOP;
END $$;
"""

REMEMBER = """
CREATE OR REPLACE FUNCTION records_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
DROP FUNCTION records_audit_forget(uuid, text[], text[], text[], text[]);
DROP FUNCTION records_forgotten(jsonb, text[], text[]);
DROP FUNCTION records_mentions(text, text[]);
DROP FUNCTION records_forgets_only(jsonb, jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0004_event_subject")]

    operations = [migrations.RunSQL(FORGET, REMEMBER)]
