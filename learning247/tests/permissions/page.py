"""`docs/permissions.md`: the table in words, made from it."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from learning247.tests.permissions.world import ANONYMOUS, PERSONS, STAFF

HEAD = """\
# Who may do what

Made from the table in `learning247/tests/permissions/table.py`, which the tests hold the server to: everybody asks
every route, page and action, and whoever is refused has changed nothing. Who the groups are and who gives the rights:
[operations](operations.md).

"Signed in" is everybody with an account; "the owner" is whose the thing is, and for all others it is not there (404);
the groups and admin are staff. Who is not signed in gets a 401, and who is but may not a 403, or a 404 for somebody
else's things.
"""
CONSOLE_HEAD = """
## The console

Only staff get further than the sign-in page. "Sees" opens the page; "changes" sends its form. Whatever is not named
here is refused to everybody, superusers included: nobody adds a payment or deletes a person by hand.
"""
ACTIONS_HEAD = """
## Actions of the console's lists
"""
# What stands in no OpenAPI document, because no client of the API asks for it.
UNDOCUMENTED = {
    "/admin": "To the staff console",
    "/api/schema": "The API's document",
    "/api/docs": "The same, to read and try",
    "/files/{path}": "A stored file, on a laptop",
}
SIGNED_IN = tuple(person for person in PERSONS if person != ANONYMOUS)
Rows = dict[str, dict[str, str]]


def page_text(api: Rows, pages: Rows, actions: Rows) -> str:
    """The whole page, in Markdown."""
    paths: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    requests = [
        (f"`{row.partition(',')[0]}`{_special(row)}", _summary(paths, row), who)
        for row, cells in api.items()
        if (who := _who(cells))
    ]
    console = [
        (f"`{page}`", sees, changes)
        for page, cells in pages.items()
        if (sees := _staff(cells, 0)) or _staff(cells, 1, changed=True)
        for changes in [_staff(cells, 1, changed=True)]
    ]
    acting = [
        (f"`{page}`", action, who)
        for row, cells in actions.items()
        for page, _, action in [row.partition(" ")]
        if (who := _staff(cells, 0, changed=True))
    ]
    return "\n".join(
        [
            HEAD,
            *_lines(("Request", "What", "Who"), requests),
            CONSOLE_HEAD,
            *_lines(("Page", "Sees", "Changes"), console),
            ACTIONS_HEAD,
            *_lines(("List", "Action", "Who"), acting),
            "",
        ]
    )


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, tuple("---" for _ in head), *rows)]


def _special(row: str) -> str:
    _, _, special = row.partition(", ")
    return f" ({special})" if special else ""


def _summary(paths: dict[str, Any], row: str) -> str:
    method, _, path = row.partition(",")[0].partition(" ")
    documented = paths.get(path.replace("{pk}", "{id}"), {}).get(method.lower(), {})
    return str(documented.get("summary") or UNDOCUMENTED[path])


def _who(cells: dict[str, str]) -> str:
    served = [person for person in PERSONS if cells[person].startswith(("2", "3"))]
    if served == list(PERSONS):
        return "everybody"
    if served == list(SIGNED_IN):
        return "signed in"
    return ", ".join("the owner" if person == "owner" else person for person in served)


def _staff(cells: dict[str, str], part: int, *, changed: bool = False) -> str:
    served = [
        person
        for person in STAFF
        for cell in [cells[person].split("/")[part]]
        if cell.startswith(("2", "3")) and (cell.endswith("*") or not changed)
    ]
    return "all staff" if served == list(STAFF) else ", ".join(served)
