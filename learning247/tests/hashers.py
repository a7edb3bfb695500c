from django.contrib.auth.hashers import BCryptSHA256PasswordHasher


class QuickBCryptSHA256PasswordHasher(BCryptSHA256PasswordHasher):
    """The real algorithm at its lowest cost: right for tests, far too quick for passwords that matter."""

    rounds = 4
