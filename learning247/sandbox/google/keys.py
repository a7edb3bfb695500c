"""The key that signs ID tokens, published in both of Google's forms. Made at the first use, gone with the process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from learning247.sandbox.wire import Json

ALGORITHM = "RS256"
_VALID = timedelta(days=30)


class SigningKey:
    @cached_property
    def _private(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _certificate(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.sandbox")])
        began = datetime.now(UTC) - timedelta(minutes=5)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(began)
            .not_valid_after(began + _VALID)
            .sign(self._private, hashes.SHA256())
        )

    @cached_property
    def key_id(self) -> str:
        return self._certificate.fingerprint(hashes.SHA256()).hex()[:40]

    def sign(self, claims: Json) -> str:
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def certificates(self) -> Json:
        """`/oauth2/v1/certs`: key id to PEM certificate."""
        return {self.key_id: self._certificate.public_bytes(Encoding.PEM).decode()}

    def key_set(self) -> Json:
        """`/oauth2/v3/certs`: the same as a JWK set (RFC 7517)."""
        public: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self._private.public_key()))
        public.pop("key_ops", None)
        return {"keys": [public | {"kid": self.key_id, "alg": ALGORITHM, "use": "sig"}]}
