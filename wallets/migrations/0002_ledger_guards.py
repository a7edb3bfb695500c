"""The ledger's rules, kept by PostgreSQL itself.

Every trigger is ENABLE ALWAYS: no session variable (session_replication_role) switches it off. Only the tables' owner
could disable one, which is why in production the app's role is not the owner (`manage.py grant_app_role`).
The functions that change a balance run as their owner (SECURITY DEFINER), so the app's role needs no UPDATE right.
Each refusal is a check_violation that carries the rule's name as its constraint.
"""

from django.db import migrations

NUMBER_ENTRY = """
ALTER TABLE wallets_journalentry ALTER COLUMN id DROP IDENTITY;
ALTER TABLE wallets_journalline ALTER COLUMN id DROP IDENTITY;
CREATE SEQUENCE ledger_entry_number OWNED BY wallets_journalentry.id;
CREATE SEQUENCE ledger_line_number OWNED BY wallets_journalline.id;

CREATE FUNCTION ledger_number_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The transaction gets its id before the entry takes its number: a seal relies on that order.
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    NEW.id := nextval('ledger_entry_number');
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_number_entry BEFORE INSERT ON wallets_journalentry
    FOR EACH ROW EXECUTE FUNCTION ledger_number_entry();
ALTER TABLE wallets_journalentry ENABLE ALWAYS TRIGGER ledger_number_entry;
"""

PLACE_LINE = """
CREATE FUNCTION ledger_place_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    entry_transaction bigint;
    entry_kind text;
    entry_currency text;
    account_kind text;
    account_currency text;
    balance bigint;
BEGIN
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

CREATE TRIGGER ledger_place_line BEFORE INSERT ON wallets_journalline
    FOR EACH ROW EXECUTE FUNCTION ledger_place_line();
ALTER TABLE wallets_journalline ENABLE ALWAYS TRIGGER ledger_place_line;
"""

BALANCE_ENTRY = """
CREATE FUNCTION ledger_entry_sums_to_zero() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
DECLARE
    total numeric;
BEGIN
    SELECT sum(l.amount_minor) INTO total FROM wallets_journalline l WHERE l.entry_id = NEW.entry_id;
    IF total <> 0 THEN
        RAISE EXCEPTION 'ledger: the lines of entry % sum to %', NEW.entry_id, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_sums_to_zero';
    END IF;
    RETURN NULL;
END $$;

-- On every line, not on the entry: SET CONSTRAINTS … IMMEDIATE may run the check early, and a line that comes after
-- it must be checked again.
CREATE CONSTRAINT TRIGGER ledger_entry_sums_to_zero AFTER INSERT ON wallets_journalline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_sums_to_zero();
ALTER TABLE wallets_journalline ENABLE ALWAYS TRIGGER ledger_entry_sums_to_zero;

CREATE FUNCTION ledger_entry_has_lines() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM 1 FROM wallets_journalline l WHERE l.entry_id = NEW.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ledger: entry % has no lines', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_has_lines';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entry_has_lines AFTER INSERT ON wallets_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_has_lines();
ALTER TABLE wallets_journalentry ENABLE ALWAYS TRIGGER ledger_entry_has_lines;
"""

# What the service calls. A function, because PostgreSQL keeps its plans with the connection, also behind a pooler that
# allows no prepared statements: planning this statement anew for every sale costs more than running it.
POST_ENTRY = """
CREATE FUNCTION ledger_post_entry(
    IN codes text[], IN amounts bigint[], IN entry_uuid uuid, IN entry_key text, IN entry_kind text,
    IN entry_currency text, IN entry_source_kind text, IN entry_source_id text, IN entry_reference text,
    IN entry_description text, OUT entry_id bigint, OUT accounts_found integer
) LANGUAGE plpgsql AS $$
DECLARE
    account_ids bigint[];
    line_amounts bigint[];
BEGIN
    -- By account id: the order in which the persons' accounts are locked, so two entries never deadlock.
    SELECT array_agg(a.id ORDER BY a.id), array_agg(w.amount_minor ORDER BY a.id)
      INTO account_ids, line_amounts
      FROM unnest(codes, amounts) AS w (code, amount_minor) JOIN wallets_ledgeraccount a ON a.code = w.code;
    accounts_found := coalesce(cardinality(account_ids), 0);
    IF accounts_found < cardinality(codes) THEN
        RETURN;
    END IF;
    INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)
    VALUES (entry_uuid, entry_key, entry_kind, entry_currency, entry_source_kind, entry_source_id, entry_reference,
            entry_description)
    ON CONFLICT (key) DO NOTHING
    RETURNING id INTO entry_id;
    IF entry_id IS NOT NULL THEN
        INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency)
        SELECT ledger_post_entry.entry_id, l.account_id, l.amount_minor, entry_currency
          FROM unnest(account_ids, line_amounts) AS l (account_id, amount_minor);
    END IF;
END $$;
"""

GUARD_ACCOUNTS = """
CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.owner_id IS NOT NULL AND NEW.balance_minor <> 0 THEN
            RAISE EXCEPTION 'ledger: an account opens empty'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_moves_by_lines';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.owner_id, NEW.kind, NEW.currency, NEW.opened_at)
       IS DISTINCT FROM (OLD.id, OLD.owner_id, OLD.kind, OLD.currency, OLD.opened_at) THEN
        RAISE EXCEPTION 'ledger: an account never changes what it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_is_immutable';
    END IF;
    -- Depth 1 is a statement of a client; depth 2 is ledger_place_line().
    IF NEW.balance_minor IS DISTINCT FROM OLD.balance_minor AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'ledger: a balance moves by journal lines alone'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_moves_by_lines';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_guard_account BEFORE INSERT OR UPDATE ON wallets_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();
ALTER TABLE wallets_ledgeraccount ENABLE ALWAYS TRIGGER ledger_guard_account;
"""

IMMUTABLE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: % on % is refused: what is posted never changes', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_is_immutable';
END $$;
"""

# Statement triggers fire even when no row matches, and cost nothing on INSERT.
REFUSALS = [
    ("wallets_journalentry", "UPDATE OR DELETE OR TRUNCATE"),
    ("wallets_journalline", "UPDATE OR DELETE OR TRUNCATE"),
    ("wallets_seal", "UPDATE OR DELETE OR TRUNCATE"),
    ("wallets_ledgeraccount", "DELETE OR TRUNCATE"),
]


def refusal(table: str, operations: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER ledger_is_immutable BEFORE {operations} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER ledger_is_immutable;",
        f"DROP TRIGGER ledger_is_immutable ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial")]

    operations = [
        migrations.RunSQL(
            NUMBER_ENTRY,
            "DROP FUNCTION ledger_number_entry CASCADE; DROP SEQUENCE ledger_entry_number, ledger_line_number;"
            "ALTER TABLE wallets_journalentry ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;"
            "ALTER TABLE wallets_journalline ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;",
        ),
        migrations.RunSQL(PLACE_LINE, "DROP FUNCTION ledger_place_line CASCADE;"),
        migrations.RunSQL(
            BALANCE_ENTRY,
            "DROP FUNCTION ledger_entry_sums_to_zero CASCADE; DROP FUNCTION ledger_entry_has_lines CASCADE;",
        ),
        migrations.RunSQL(POST_ENTRY, "DROP FUNCTION ledger_post_entry;"),
        migrations.RunSQL(GUARD_ACCOUNTS, "DROP FUNCTION ledger_guard_account CASCADE;"),
        migrations.RunSQL(IMMUTABLE, "DROP FUNCTION ledger_refuse CASCADE;"),
        *(refusal(table, operations) for table, operations in REFUSALS),
    ]
