"""What must hold of every migration, whatever the project looks like."""

import ast
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from corpus.importing import imported_app
from flasync.toolkit.migration.migrating import Manner, Migration
from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.migration.plan import CallChange, Change, TextChange, get_span
from flasync.toolkit.migration.planning import Planner, Wish
from flasync.toolkit.migration.rewriting import render
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.scanning import build_program, build_report
from toolkit.migration.stripped_trees import parse_stripped

# What takes a coroutine, and sees to it that it runs.
_TAKERS = frozenset(
    {"await_", "create_task", "ensure_future", "gather", "run", "run_until_complete", "wait_for"}
)


class PropertyError(AssertionError):
    """A migration did what none may do."""


def check_migration(root: Path, app: str, wish: Wish | None = None) -> MigrationReport:
    """Migrate a project, write the files, and check them.

    Args:
        root: The project's folder.
        app: How `flask --app` takes it.
        wish: What is wished for; None: everything that gains.

    Raises:
        PropertyError: Something was changed that was not planned, a coroutine is not awaited, or a
            second migration finds more to do.
    """
    before = read_files(root)
    report = _migrate(root, app, wish)
    after = read_files(root)
    for name, text in after.items():
        compile(text.removeprefix("\ufeff"), name, "exec", dont_inherit=True)
    _check_awaited(before, after)
    again = _migrate(root, app, wish, is_second=True)
    for name, text in read_files(root).items():
        if text != after[name]:
            raise PropertyError(f"a second migration changed {name}:\n{again.diff}")
    return report


def _migrate(
    root: Path, app: str, wish: Wish | None, *, is_second: bool = False
) -> MigrationReport:
    with imported_app(root, app) as flask_app:
        program = build_program(flask_app, root, path=app)
        planner = Planner(program, build_report(program, ProjectSettings()))
        if not is_second:
            _check_plain(planner)
        return Migration(planner, root.resolve(), app, Manner(write=True)).run(wish or Wish())


def _check_plain(planner: Planner) -> None:
    """Check that a plan without its recipes changes nothing but the colours."""
    changes: dict[str, dict[object, Change]] = {}
    for stage in planner.plan().stages:
        for change in stage.changes:
            if not isinstance(change, TextChange):
                plain = replace(change, recipe="") if isinstance(change, CallChange) else change
                changes.setdefault(get_span(change).file, {})[change.span] = plain
    for name, own in changes.items():
        file = planner.files.get(name)
        if file is None:
            raise PropertyError(f"{name} is planned to change and is no file to change")
        before = file.text.removeprefix("\ufeff")
        after = render(file, list(own.values()), {}).removeprefix("\ufeff")
        if parse_stripped(after) != parse_stripped(before):
            raise PropertyError(f"more than the colours changed in {name}:\n{after}")


def read_files(root: Path) -> dict[str, str]:
    """Return the text of every Python file of a project that is none of its tests."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes().decode()
        for path in sorted(root.rglob("*.py"))
        if "tests" not in path.relative_to(root).parts
    }


def _check_awaited(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Check that all calls of the functions that have become async are awaited, and no others."""
    old, new = _list_functions(before), _list_functions(after)
    known = {name for name, count in Counter(name for name, _ in new).items() if count == 1}
    homes = {"self", *(Path(path).stem for path in after)} - {"app"}  # `app.get` is none of its
    coloured = {name for name, is_async in new if is_async} & known
    coloured -= {name for name, is_async in old if is_async}
    plain = ({name for name, is_async in new if not is_async} & known) - coloured
    for path, text in after.items():
        for call, is_awaited in _list_calls(ast.parse(text.removeprefix("\ufeff"))):
            name = _get_own_name(call.func, homes)
            if name in coloured and not is_awaited:
                raise PropertyError(f"{path}:{call.lineno}: {name} is not awaited")
            if name in plain and is_awaited and isinstance(call.func, ast.Name):
                if not _is_in(before, ast.unparse(call)):
                    raise PropertyError(f"{path}:{call.lineno}: {name} is awaited")


def _is_in(texts: Mapping[str, str], code: str) -> bool:
    return any(f"await {code}" in ast.unparse(ast.parse(text)) for text in texts.values())


def _list_functions(texts: Mapping[str, str]) -> list[tuple[str, bool]]:
    return [
        (node.name, isinstance(node, ast.AsyncFunctionDef))
        for text in texts.values()
        for node in ast.walk(ast.parse(text.removeprefix("\ufeff")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _list_calls(tree: ast.AST) -> Iterator[tuple[ast.Call, bool]]:
    """Yield every call, and whether something waits for what it gives."""
    taken: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Await):
            taken.add(id(node.value))
        elif isinstance(node, ast.Call):
            if _get_name(node.func) in _TAKERS:
                taken |= {id(arg) for arg in node.args}
            yield node, id(node) in taken


def _get_own_name(node: ast.expr, homes: Container[str]) -> str:
    """Return the name of what is called, if that may be a function of the project; else nothing."""
    if isinstance(node, ast.Attribute) and _get_name(node.value) not in homes:
        return ""
    return _get_name(node)


def _get_name(node: ast.expr) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))
