"""Decisions are append-only and versions of rules never change what they say: PostgreSQL refuses it, whoever asks.

Of a decision the keyed hashes may be emptied, which is how their owner is forgotten; nothing else, and nothing back. Of a
version the status may go on, from shadow to live and from either to retired. ENABLE ALWAYS:
`session_replication_role = replica` does not switch these triggers off.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION risk_decision_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - '{ip,device,card,bank}'::text[] = to_jsonb(OLD) - '{ip,device,card,bank}'::text[]
           AND NEW.ip IN ('', OLD.ip) AND NEW.device IN ('', OLD.device)
           AND NEW.card IN ('', OLD.card) AND NEW.bank IN ('', OLD.bank) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Risk decisions are append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER risk_decision_no_change BEFORE UPDATE OR DELETE ON risk_decision
    FOR EACH ROW EXECUTE FUNCTION risk_decision_refuse_change();
CREATE TRIGGER risk_decision_no_truncate BEFORE TRUNCATE ON risk_decision
    FOR EACH STATEMENT EXECUTE FUNCTION risk_decision_refuse_change();
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_no_change;
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_no_truncate;

CREATE FUNCTION risk_ruleversion_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - 'status' = to_jsonb(OLD) - 'status'
           AND (OLD.status, NEW.status) IN (('shadow', 'live'), ('shadow', 'retired'), ('live', 'retired')) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'A version of a rule never changes: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER risk_ruleversion_no_change BEFORE UPDATE OR DELETE ON risk_ruleversion
    FOR EACH ROW EXECUTE FUNCTION risk_ruleversion_refuse_change();
CREATE TRIGGER risk_ruleversion_no_truncate BEFORE TRUNCATE ON risk_ruleversion
    FOR EACH STATEMENT EXECUTE FUNCTION risk_ruleversion_refuse_change();
ALTER TABLE risk_ruleversion ENABLE ALWAYS TRIGGER risk_ruleversion_no_change;
ALTER TABLE risk_ruleversion ENABLE ALWAYS TRIGGER risk_ruleversion_no_truncate;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['risk_decision_refuse_change()', 'risk_ruleversion_refuse_change()'] LOOP
        EXECUTE format('ALTER FUNCTION %I.%s SET search_path = pg_catalog, %I, pg_temp',
                       current_schema(), name, current_schema());
    END LOOP;
END $$;
"""

UNGUARD = """
DROP TRIGGER risk_ruleversion_no_truncate ON risk_ruleversion;
DROP TRIGGER risk_ruleversion_no_change ON risk_ruleversion;
DROP FUNCTION risk_ruleversion_refuse_change();
DROP TRIGGER risk_decision_no_truncate ON risk_decision;
DROP TRIGGER risk_decision_no_change ON risk_decision;
DROP FUNCTION risk_decision_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("risk", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
