"""Secrets at rest that we have to be able to read again: a TOTP secret, a bank account's number, a link in a mail.

What only has to be recognised (passwords, codes, tokens) is hashed instead.

FIELD_ENCRYPTION_KEY names one or more keys. The first seals, each of them opens: to change the key, put the new one in
front, seal everything again (`manage.py rotate_field_encryption`), and take the old one away. Nothing here guards
against whoever can read the process's environment; it is a copied database, a backup or a console page that shows
nothing.
"""

import base64
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class DecryptionFailed(Exception):
    """It was sealed by a key that is not named any more, for another purpose, or has been changed since."""


def encrypt(text: str, *, purpose: str) -> str:
    """`text` sealed (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec), as URL-safe ASCII.

    Another time gives another result, so nobody sees that two are equal. `purpose` names what it is, as `totp-secret`:
    each has a key of its own, so that what was sealed as one thing cannot be passed off as another.
    """
    return _box(purpose, tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(sealed: str, *, purpose: str) -> str:
    """What was sealed for that purpose. Raises DecryptionFailed."""
    try:
        return _box(purpose, tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise DecryptionFailed(f"This {purpose} cannot be read; is its key still in FIELD_ENCRYPTION_KEY?") from None


def reencrypt(sealed: str, *, purpose: str) -> str:
    """The same secret sealed by the first key, so that the others can be taken away. Raises DecryptionFailed."""
    return encrypt(decrypt(sealed, purpose=purpose), purpose=purpose)


def sealed_by_first_key(sealed: str, *, purpose: str) -> bool:
    """Whether it needs the first key of FIELD_ENCRYPTION_KEY alone. Raises DecryptionFailed where none opens it."""
    decrypt(sealed, purpose=purpose)
    try:
        _box(purpose, tuple(settings.FIELD_ENCRYPTION_KEYS[:1])).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def keyed_digest(text: str, *, purpose: str) -> str:
    """64 hexadecimal digits by which the same `text` is known again, and which nobody without the key can try texts
    against (HMAC-SHA256). Of another first key, or for another purpose, another one: what it is compared with is short
    of memory after a change of keys."""
    return hmac.new(_digest_key(purpose, tuple(settings.FIELD_ENCRYPTION_KEYS)), text.encode(), "sha256").hexdigest()


@lru_cache(maxsize=64)
def _digest_key(purpose: str, keys: tuple[str, ...]) -> bytes:
    if not keys:
        raise RuntimeError("FIELD_ENCRYPTION_KEY is not set.")
    return _derived(keys[0], f"digest:{purpose}")


@lru_cache(maxsize=64)
def _box(purpose: str, keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise RuntimeError("FIELD_ENCRYPTION_KEY is not set.")
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str, purpose: str) -> bytes:
    """A key for one purpose from the one that is named (RFC 5869)."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"learning247:{purpose}".encode()).derive(
        key.encode()
    )
    return base64.urlsafe_b64encode(derived)
