from accounts.hashers import NormalisingBCryptSHA256PasswordHasher


class QuickBCryptSHA256PasswordHasher(NormalisingBCryptSHA256PasswordHasher):
    """The real algorithm at its lowest cost: right for tests, far too quick for passwords that matter."""

    rounds = 4
