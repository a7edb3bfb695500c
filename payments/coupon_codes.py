"""How the codes of coupons are written, and read from whatever a buyer typed."""

import re
import unicodedata
from typing import Final

CODE_LENGTH: Final = 40
# Of what somebody typed, spaces and all.
MOST_TYPED: Final = 80
_CODE: Final = re.compile(rf"[A-Z0-9][A-Z0-9_-]{{2,{CODE_LENGTH - 2}}}[A-Z0-9]", re.ASCII)


def code_read(text: str) -> str:
    """The code in its one written form: capitals without spaces, `" spring-25"` is `SPRING-25`. Empty where it could be
    nobody's: 4 to 40 letters of A to Z, digits, `-` and `_`, beginning and ending with a letter or digit."""
    if len(text) > MOST_TYPED:
        return ""
    code = "".join(unicodedata.normalize("NFKC", text).upper().split())
    return code if _CODE.fullmatch(code) else ""
