"""The sandbox stands alone: it may be run, and believed, without the application."""

from __future__ import annotations

import ast
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[1]
ALLOWED = ("learning247.sandbox", "learning247.kit")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_it_imports_neither_django_nor_anything_of_ours_but_itself_and_the_kit() -> None:
    for path in SANDBOX.rglob("*.py"):
        for name in imported(path):
            assert name.split(".")[0] not in ("django", "rest_framework", "celery"), path
            assert not name.startswith("learning247.") or name.startswith(ALLOWED), path


def test_the_running_part_needs_no_development_library() -> None:
    for path in SANDBOX.rglob("*.py"):
        if "tests" in path.parts:
            continue
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"stripe", "yaml", "jsonschema", "openapi_core", "pytest", "hypothesis"}, path
