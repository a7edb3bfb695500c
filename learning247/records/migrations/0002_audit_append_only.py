"""The audit trail is append-only for everybody: PostgreSQL refuses UPDATE, DELETE and TRUNCATE.

ENABLE ALWAYS: `session_replication_role = replica` does not switch these triggers off.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION records_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER records_audit_no_change BEFORE UPDATE OR DELETE ON records_auditentry
    FOR EACH ROW EXECUTE FUNCTION records_audit_refuse_change();
CREATE TRIGGER records_audit_no_truncate BEFORE TRUNCATE ON records_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION records_audit_refuse_change();
ALTER TABLE records_auditentry ENABLE ALWAYS TRIGGER records_audit_no_change;
ALTER TABLE records_auditentry ENABLE ALWAYS TRIGGER records_audit_no_truncate;
"""

UNGUARD = """
DROP TRIGGER records_audit_no_truncate ON records_auditentry;
DROP TRIGGER records_audit_no_change ON records_auditentry;
DROP FUNCTION records_audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
