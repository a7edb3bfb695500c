"""The staff console in somebody's browser: pages to read, and forms to send as they stand there."""

from typing import Final

import requests

from learning247.demo.browser import Form
from learning247.demo.http import TIMEOUT, NotAsExpected

FORGERY_FIELD: Final = "csrfmiddlewaretoken"


class Console:
    """Nobody's until somebody has signed in."""

    def __init__(self, base: str) -> None:
        self._base = f"{base.rstrip('/')}/admin"
        self._browser = requests.Session()
        self._browser.trust_env = False

    def sign_in(self, email: str, password: str) -> None:
        """Raises NotAsExpected where the console does not open."""
        self.send("/login/", username=email, password=password)
        self.read("/")

    def read(self, path: str) -> str:
        """The page's HTML, or a document's text. Raises NotAsExpected."""
        answer = self._browser.get(f"{self._base}{path}", timeout=TIMEOUT, allow_redirects=False)
        if answer.status_code != requests.codes.ok:
            raise NotAsExpected(f"The console's page {path} answered {answer.status_code} instead of 200.")
        return answer.text

    def send(self, path: str, **fields: str) -> str:
        """Fill the form of a page in and send it; the page that comes next. Raises NotAsExpected."""
        token = Form(self.read(path)).fields.get(FORGERY_FIELD, "")
        answer = self._browser.post(f"{self._base}{path}", data={FORGERY_FIELD: token, **fields}, timeout=TIMEOUT)
        if not answer.ok:
            raise NotAsExpected(f"The console's form at {path} answered {answer.status_code}.")
        return answer.text
