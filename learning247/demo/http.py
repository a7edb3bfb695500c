"""A person's side of the API: one bearer token, one session, answers as plain dictionaries."""

from dataclasses import dataclass
from typing import Any, Final

import requests

TIMEOUT: Final = 30.0


class NotAsExpected(Exception):
    """Something that the demo shows did not happen; the message is one sentence for the reader."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    body: dict[str, Any]
    replayed: bool

    @property
    def code(self) -> str:
        """The code of the first error; empty when all went well."""
        errors = self.body.get("errors") or [{}]
        return str(errors[0].get("code", ""))


class Api:
    """Calls as one person, or as nobody while there is no token."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # the stack is on this machine; a proxy has no business here

    def sign_in(self, access: str) -> None:
        self._session.headers["Authorization"] = f"Bearer {access}"

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.expect(200, "GET", path, query=query)

    def post(
        self, path: str, body: dict[str, Any] | None = None, *, key: str = "", status: int = 200
    ) -> dict[str, Any]:
        return self.expect(status, "POST", path, body=body, key=key)

    def expect(self, status: int, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """The body of an answer that has this status. Raises NotAsExpected for any other."""
        answer = self.send(method, path, **sent)
        if answer.status != status:
            said = answer.body.get("errors") or [{"detail": "nothing that could be read"}]
            raise NotAsExpected(f"{method} {path} answered {answer.status} instead of {status}: {said[0]['detail']}")
        return answer.body

    def send(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        key: str = "",
    ) -> Answer:
        """Any answer at all, refusals included."""
        answer = self._session.request(
            method,
            f"{self._base}{path}",
            json=body,
            params=query,
            headers={"Idempotency-Key": key} if key else {},
            timeout=TIMEOUT,
        )
        try:
            read = answer.json() if answer.content else {}
        except requests.JSONDecodeError:
            read = {}
        return Answer(answer.status_code, read, answer.headers.get("Idempotency-Replayed") == "true")
