"""Secrets that are sealed at rest: who opens what, and how a key is changed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import TextField
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import SecondFactor
from accounts.services.second_factors import PURPOSE
from accounts.tests.builders import build_totp, build_user
from learning247.kit.clock import now
from learning247.kit.encryption import DecryptionFailed, decrypt, encrypt, reencrypt
from learning247.outbound_webhooks.models import WebhookEndpoint
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.sealed_columns import SealedColumn, sealed_columns
from learning247.records.services import sealed_columns as rotations
from learning247.records.services.sealed_columns import sealed_column_rotate
from wallets.services.payout_accounts import NUMBER_PURPOSE
from wallets.tests.withdrawing import build_account

OLD, NEW = "an-old-key-of-more-than-32-characters", "a-new-key-of-more-than-32-characters"


@pytest.fixture
def keys(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    return settings


@pytest.mark.property
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_can_be_read_again(text):
    assert decrypt(encrypt(text, purpose="a-note"), purpose="a-note") == text


def test_the_same_secret_looks_different_each_time_and_never_like_itself(keys):
    first, second = (
        encrypt("JBSWY3DPEHPK3PXP", purpose="totp-secret"),
        encrypt("JBSWY3DPEHPK3PXP", purpose="totp-secret"),
    )
    assert first != second
    assert "JBSWY3DPEHPK3PXP" not in first


def test_what_was_sealed_as_one_thing_cannot_be_opened_as_another(keys):
    sealed = encrypt("0123456789", purpose="bank-account-number")
    with pytest.raises(DecryptionFailed, match="totp-secret"):
        decrypt(sealed, purpose="totp-secret")


@pytest.mark.parametrize("at", [0, 20, 60, -2])
def test_what_was_changed_is_refused(keys, at):
    sealed = encrypt("0123456789", purpose="bank-account-number")
    changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at:][1:]
    with pytest.raises(DecryptionFailed):
        decrypt(changed, purpose="bank-account-number")


@pytest.mark.parametrize("sealed", ["", "0123456789", "ünicode"])
def test_what_was_never_sealed_is_refused(keys, sealed):
    with pytest.raises(DecryptionFailed):
        decrypt(sealed, purpose="bank-account-number")


def test_a_key_is_changed_by_putting_the_new_one_in_front_and_sealing_again(keys):
    sealed = encrypt("a secret", purpose="a-note")
    keys.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(sealed, purpose="a-note") == "a secret"
    again = reencrypt(sealed, purpose="a-note")
    keys.FIELD_ENCRYPTION_KEYS = [NEW]
    assert decrypt(again, purpose="a-note") == "a secret"
    with pytest.raises(DecryptionFailed):
        decrypt(sealed, purpose="a-note")


# --- Another key for all that there is

TOTP = SealedColumn(SecondFactor, "secret", PURPOSE)


@pytest.fixture
def sealed(keys, db):
    """Something in every sealed column, by the old key; the new one is in front."""
    secrets = {build_totp(build_user()) for _ in range(5)}
    OutboundMail.objects.create(
        key="k:1", to="a@x.example", subject="s", secret_until=now() + timedelta(hours=1),
        sealed_body=encrypt('["text","html"]', purpose="mail-body"),
    )  # fmt: skip
    WebhookEndpoint.objects.create(
        url="https://x.example",
        sealed_secret=encrypt("whsec_new", purpose="webhook-secret"),
        sealed_old_secret=encrypt("whsec_old", purpose="webhook-secret"),
    )
    build_account(build_user(), sealed_number=encrypt("0123456789", purpose=NUMBER_PURPOSE))
    keys.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    return secrets


def totp_secrets():
    return {decrypt(factor.secret, purpose=PURPOSE) for factor in SecondFactor.objects.all()}


def test_everything_is_sealed_anew_in_batches_and_counted(sealed, keys, capsys):
    call_command("rotate_field_encryption", "--batch", "2")

    said = capsys.readouterr().out
    assert "accounts.SecondFactor.secret: 5 looked at, 5 sealed anew, 0 unreadable" in said
    assert "records.OutboundMail.sealed_body: 1 looked at, 1 sealed anew, 0 unreadable" in said
    assert "outbound_webhooks.WebhookEndpoint.sealed_old_secret: 1 looked at, 1 sealed anew, 0 unreadable" in said
    assert "can be taken away" in said
    keys.FIELD_ENCRYPTION_KEYS = [NEW]
    assert totp_secrets() == sealed
    assert OutboundMail.objects.get().body() == ("text", "html")
    endpoint = WebhookEndpoint.objects.get()
    assert decrypt(endpoint.sealed_secret, purpose="webhook-secret") == "whsec_new"
    assert decrypt(endpoint.sealed_old_secret, purpose="webhook-secret") == "whsec_old"
    entries = AuditEntry.objects.filter(action="field_encryption.rotated")
    assert {entry.subject_id for entry in entries} == {column.name for column in sealed_columns()}


def test_again_there_is_nothing_left_to_do(sealed, capsys):
    call_command("rotate_field_encryption")
    before = list(SecondFactor.objects.order_by("id").values_list("secret", flat=True))
    entries = AuditEntry.objects.count()
    capsys.readouterr()

    call_command("rotate_field_encryption")

    assert "accounts.SecondFactor.secret: 5 looked at, 0 sealed anew, 0 unreadable" in capsys.readouterr().out
    assert list(SecondFactor.objects.order_by("id").values_list("secret", flat=True)) == before
    assert AuditEntry.objects.count() == entries


def test_a_trial_counts_the_same_and_changes_nothing(sealed, keys, capsys):
    before = list(SecondFactor.objects.order_by("id").values())

    call_command("rotate_field_encryption", "--dry-run")

    assert "accounts.SecondFactor.secret: 5 looked at, 5 to be sealed anew, 0 unreadable" in capsys.readouterr().out
    assert list(SecondFactor.objects.order_by("id").values()) == before
    assert not AuditEntry.objects.filter(action="field_encryption.rotated").exists()


def test_what_no_key_opens_is_named_and_the_rest_is_done(sealed, keys, capsys):
    keys.FIELD_ENCRYPTION_KEYS = ["a-key-that-was-lost-of-more-than-32-characters"]
    lost = SecondFactor.objects.create(user=build_user(), secret=encrypt("lost", purpose=PURPOSE))
    keys.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    with pytest.raises(CommandError, match="1 cannot be read"):
        call_command("rotate_field_encryption")

    said = capsys.readouterr()
    assert "6 looked at, 5 sealed anew, 1 unreadable" in said.out
    assert str(lost.id) in said.err
    assert "taken away" not in said.out
    assert SecondFactor.objects.get(id=lost.id).secret == lost.secret


def test_what_somebody_else_changed_meanwhile_is_theirs(sealed, monkeypatch):
    factor = SecondFactor.objects.earliest("id")

    def meanwhile(text, *, purpose):
        SecondFactor.objects.filter(id=factor.id).update(secret=encrypt("set up anew", purpose=PURPOSE))
        return reencrypt(text, purpose=purpose)

    monkeypatch.setattr(rotations, "reencrypt", meanwhile)

    done = sealed_column_rotate(column=TOTP, batch=100)

    assert (done.looked_at, done.sealed_anew) == (5, 4)
    factor.refresh_from_db()
    assert decrypt(factor.secret, purpose=PURPOSE) == "set up anew"


def test_every_sealed_column_is_registered():
    """By name or by what is said of it."""
    suspects = {
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, TextField)
        and ("sealed" in column.name or "sealed" in column.help_text.lower() or "encrypted" in column.help_text.lower())
    }

    assert suspects == {column.name for column in sealed_columns()}
