"""The guards trust nothing that the application's role can make.

* Every function names its search path with pg_temp last: PostgreSQL otherwise looks for tables and sequences in the
  session's temporary schema first, and a temporary table of the same name would be believed.
* The functions that run as their owner do so only as triggers of their own tables, and nobody else may execute them:
  attached to a table of one's own, `ledger_place_line()` would move balances without a line.
* An entry is posted at the time at which it is posted, and is of a kind that the books know.
* A seal continues the one before it: a wrong one could never be removed again.
"""

from django.db import migrations, models

SEARCH_PATH = """
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_number_entry()', 'ledger_place_line()', 'ledger_entry_sums_to_zero()',
                                'ledger_entry_has_lines()', 'ledger_guard_account()', 'ledger_refuse()',
                                'ledger_continue_seal()',
                                'ledger_post_entry(text[],bigint[],uuid,text,text,text,text,text,text,text)'] LOOP
        EXECUTE format('ALTER FUNCTION %I.%s SET search_path = pg_catalog, %I, pg_temp',
                       current_schema(), name, current_schema());
    END LOOP;
    FOREACH name IN ARRAY ARRAY['ledger_place_line()', 'ledger_entry_sums_to_zero()', 'ledger_entry_has_lines()'] LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %I.%s FROM PUBLIC', current_schema(), name);
    END LOOP;
END $$;
"""

NUMBER_ENTRY = """
CREATE OR REPLACE FUNCTION ledger_number_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The transaction gets its id before the entry takes its number: a seal relies on that order.
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    NEW.id := nextval('ledger_entry_number');
    NEW.posted_at := statement_timestamp();
    RETURN NEW;
END $$;
"""

PLACE_LINE = """
CREATE OR REPLACE FUNCTION ledger_place_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    entry_transaction bigint;
    entry_kind text;
    entry_currency text;
    account_kind text;
    account_currency text;
    balance bigint;
BEGIN
    IF TG_RELID <> 'wallets_journalline'::regclass THEN
        RAISE EXCEPTION 'ledger: % is not the journal', TG_RELID::regclass
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_moves_by_lines';
    END IF;
    SELECT e.transaction_id, e.kind, e.currency INTO entry_transaction, entry_kind, entry_currency
      FROM wallets_journalentry e WHERE e.id = NEW.entry_id;
    IF entry_transaction IS DISTINCT FROM pg_current_xact_id()::text::bigint THEN
        RAISE EXCEPTION 'ledger: entry % is closed: lines come in the transaction of their entry', NEW.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_is_open';
    END IF;

    -- A person's balance moves with the line; this takes the row lock. Platform accounts are only looked up.
    UPDATE wallets_ledgeraccount a SET balance_minor = a.balance_minor + NEW.amount_minor
     WHERE a.id = NEW.account_id AND a.owner_id IS NOT NULL
     RETURNING a.kind, a.currency, a.balance_minor INTO account_kind, account_currency, balance;
    IF NOT FOUND THEN
        SELECT a.kind, a.currency INTO account_kind, account_currency
          FROM wallets_ledgeraccount a WHERE a.id = NEW.account_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'ledger: account % does not exist', NEW.account_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_account_exists';
        END IF;
    END IF;

    IF NEW.currency <> account_currency OR NEW.currency <> entry_currency THEN
        RAISE EXCEPTION 'ledger: % in an account of % and an entry of %', NEW.currency, account_currency, entry_currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_currency_matches';
    END IF;

    -- A credit is always accepted, also while the balance stays negative: later earnings repay a debt.
    IF NEW.amount_minor < 0 AND balance < 0
       AND NOT (account_kind = 'available' AND entry_kind IN ('refund', 'dispute')) THEN
        RAISE EXCEPTION 'ledger: account % would be overdrawn to %', NEW.account_id, balance
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_no_overdraft';
    END IF;

    NEW.balance_after_minor := balance;
    NEW.id := nextval('ledger_line_number');
    RETURN NEW;
END $$;
"""

CONTINUE_SEAL = """
CREATE FUNCTION ledger_continue_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before wallets_seal%ROWTYPE;
BEGIN
    SELECT * INTO before FROM wallets_seal ORDER BY id DESC LIMIT 1;
    IF NEW.first_entry_id <> coalesce(before.last_entry_id, 0) + 1
       OR NEW.previous_digest <> coalesce(before.digest, decode(repeat('00', 32), 'hex'))
       OR NEW.id <= coalesce(before.id, 0)
       OR octet_length(NEW.digest) <> 32
       OR NOT EXISTS (SELECT 1 FROM wallets_journalentry e WHERE e.id = NEW.last_entry_id) THEN
        RAISE EXCEPTION 'ledger: this seal does not continue seal %', before.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_seal_continues';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_continue_seal BEFORE INSERT ON wallets_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_continue_seal();
ALTER TABLE wallets_seal ENABLE ALWAYS TRIGGER ledger_continue_seal;
"""

KINDS = (
    "sale",
    "unsettled_capture",
    "unsettled_release",
    "refund",
    "dispute",
    "withdrawal_hold",
    "adjustment",
)


class Migration(migrations.Migration):
    dependencies = [("wallets", "0002_ledger_guards")]

    operations = [
        migrations.RunSQL(NUMBER_ENTRY, migrations.RunSQL.noop),
        migrations.RunSQL(PLACE_LINE, migrations.RunSQL.noop),
        migrations.RunSQL(CONTINUE_SEAL, "DROP FUNCTION ledger_continue_seal CASCADE;"),
        migrations.RunSQL(SEARCH_PATH, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="journal_entry_kind_known"),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(condition=models.Q(id__gte=1), name="journal_entry_number_is_positive"),
        ),
    ]
