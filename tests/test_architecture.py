"""The house plan: floors import only downwards, and the runtime needs Flask and greenlet alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "flasync"

# The floor of each module or package of flasync; a package's modules stand on one floor and may
# import one another, a module on its own may only import what is below it or beside it.
FLOORS = {
    "errors": 0,
    "outcome": 0,
    "importing": 0,
    "instruments": 0,
    "loop_free": 0,
    "locks": 0,
    "database_errors": 0,
    "portal": 1,
    "bridge": 1,
    "wsgi": 1,
    "asgiref_calls": 2,
    "workers": 2,
    "threads": 2,
    "lanes": 2,
    "inbox": 2,
    "settings": 2,
    "streams": 2,
    "async_engines": 2,
    "sqlite_paths": 2,
    "bridged": 2,
    "seams": 2,
    "stalls": 2,
    "lifespan": 2,
    "exchange": 3,
    "runtime": 3,
    "asgi": 3,
    "app": 3,
    "__init__": 3,
    "serving": 4,
    "toolkit": 5,
    "cli": 7,
    "pytest_plugin": 7,
}

# Imports inside functions that go upwards, each with its reason in the code beside it.
UPWARD = {("app", "serving")}  # app.run() loads a server when it is called, and only then

MODULES = sorted(PACKAGE.rglob("*.py"))


def get_house(path: Path) -> str:
    """The name in the floor table of a module's file."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def find_imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The dotted names that a module imports, and whether it does so at its top level."""
    tree = ast.parse(path.read_text())
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in top


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    """A module imports from its own floor and those below it."""
    house = get_house(path)
    for name, is_top in find_imports(path):
        parts = name.split(".")
        if parts[0] != "flasync":
            continue
        target = parts[1] if len(parts) > 1 and parts[1] in FLOORS else "__init__"
        if (house, target) in UPWARD:
            assert not is_top, f"{path}: {name} may only be imported in a function"
            continue
        assert FLOORS[target] <= FLOORS[house], f"{path} (floor {FLOORS[house]}) imports {name}"


def test_no_import_cycle() -> None:
    """The modules of the runtime import one another in no circle."""
    edges: dict[str, set[str]] = {}
    for path in MODULES:
        house = get_house(path)
        for name, is_top in find_imports(path):
            parts = name.split(".")
            if parts[0] == "flasync" and is_top and len(parts) > 1 and parts[1] in FLOORS:
                edges.setdefault(house, set()).add(parts[1])
    done: set[str] = set()

    def visit(house: str, path: tuple[str, ...]) -> None:
        assert house not in path, f"a circle: {' -> '.join([*path, house])}"
        if house not in done:
            for target in sorted(edges.get(house, set()) - {house}):
                visit(target, (*path, house))
            done.add(house)

    for house in edges:
        visit(house, ())


def test_every_module_has_a_floor() -> None:
    """A new module is put into the table."""
    assert {get_house(path) for path in MODULES} <= FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_and_docstrings(path: Path) -> None:
    """A module is named for the one thing that it holds, and says in its docstring what that is."""
    assert path.stem not in {"utils", "util", "helpers", "common", "base", "misc"}
    assert ast.get_docstring(ast.parse(path.read_text())), "a docstring is missing"


# A process in which everything but Flask's and greenlet's own packages cannot be imported.
BLOCKED = """
import importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    allowed = set(sys.stdlib_module_names) | {
        "__main__", "flasync", "flask", "werkzeug",
        "jinja2", "markupsafe", "itsdangerous", "click", "blinker",
        "greenlet",
    }
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
        return None

sys.meta_path.insert(0, Block())
for name in [name for name in sys.modules if name.partition(".")[0] not in Block.allowed]:
    del sys.modules[name]  # what site-packages' own start-up files have loaded
"""


def run_blocked(script: str) -> str:
    """Run a script with the imports blocked and return what it prints."""
    process = subprocess.run(
        [sys.executable, "-c", BLOCKED + script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_runtime_needs_flask_and_greenlet_alone() -> None:
    """An app is built and served, under both interfaces, without any of the extras."""
    script = """
import asyncio, flasync

app = flasync.Flask("bare")

@app.get("/")
async def index():
    await asyncio.sleep(0)
    return "served"

async def main():
    sent, inbox = [], [{"type": "http.request"}]
    async def receive():
        return inbox.pop() if inbox else await asyncio.Event().wait()
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    print(sent[1]["body"].decode())

asyncio.run(main())
print(app.test_client().get("/").text)
"""
    assert run_blocked(script) == "served\nserved\n"


def test_import_loads_no_upper_floor() -> None:
    """`import flasync` loads neither servers nor toolkit nor commands."""
    script = """
import flasync
print(sorted(name for name in sys.modules if name.startswith("flasync.")))
"""
    loaded = run_blocked(script)
    for upper in ("serving", "toolkit", "cli"):
        assert f"flasync.{upper}" not in loaded
