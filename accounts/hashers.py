"""How passwords are hashed."""

import unicodedata

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher


def normalised_password(password: str) -> str:
    """NFKC, as NIST SP 800-63B (3.1.1.2) asks: keyboards write the same letters as different code points."""
    return unicodedata.normalize("NFKC", password)


class NormalisingBCryptSHA256PasswordHasher(BCryptSHA256PasswordHasher):
    """Here and not in a form, so that the API, the console and the commands agree on what was typed.

    SHA-256 comes before bcrypt, which alone would look at 72 bytes.
    """

    def encode(self, password: str, salt: bytes) -> str:  # type: ignore[override]  # the parent's salt is bytes too
        return super().encode(normalised_password(password), salt)  # type: ignore[arg-type]
