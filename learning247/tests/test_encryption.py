"""Secrets that are sealed at rest: who opens what, and how a key is changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning247.kit.encryption import DecryptionFailed, decrypt, encrypt, reencrypt

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
