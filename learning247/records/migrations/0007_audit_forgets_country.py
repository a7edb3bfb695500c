"""A country tells of somebody too. Takes back what 0005 left of those who were forgotten since."""

from django.db import migrations

FORGET = """
DO $$
DECLARE
    made text := pg_get_functiondef('records_audit_forget(uuid,text[],text[],text[],text[])'::regprocedure);
    better text := replace(made, '''phone'', ''bio''', '''phone'', ''country'', ''bio''');
BEGIN
    IF better = made THEN
        RAISE EXCEPTION 'records_audit_forget is not as migration 0005 made it.';
    END IF;
    EXECUTE better;
END $$;

UPDATE records_auditentry a
   SET before = records_forgotten(a.before, '{country}', '{}'), after = records_forgotten(a.after, '{country}', '{}')
 WHERE a.subject_kind = 'user' AND (a.before ? 'country' OR a.after ? 'country')
   AND EXISTS (SELECT FROM records_auditentry e
                WHERE e.subject_kind = 'user' AND e.subject_id = a.subject_id AND e.action = 'user.erased');
"""

REMEMBER = """
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('records_audit_forget(uuid,text[],text[],text[],text[])'::regprocedure),
                    '''phone'', ''country'', ''bio''', '''phone'', ''bio''');
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0006_parked_rows")]

    operations = [migrations.RunSQL(FORGET, REMEMBER)]
