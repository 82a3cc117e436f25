"""A file as LibCST reads it: spans as everywhere else, and what names mean at a node."""

import ast
import random
import sysconfig
from pathlib import Path

import libcst as cst
import pytest

from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import Span

LIBRARY = Path(sysconfig.get_path("stdlib"))
SOURCES = [path for path in sorted(LIBRARY.glob("*.py")) if path.stat().st_size < 40_000]


def find_call(file: ParsedFile, name: str) -> cst.Call:
    """The call of a name."""
    (call,) = [
        call
        for _, call in file.list_calls()
        if isinstance(call.func, cst.Name) and call.func.value == name
    ]
    return call


@pytest.mark.parametrize("path", random.Random(3).sample(SOURCES, 20), ids=lambda path: path.name)
def test_spans_are_those_of_ast(path: Path) -> None:
    """Calls and functions have the spans that Python's own parser gives them."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")

    def place(line: int | None, offset: int | None) -> tuple[int, int]:
        assert line is not None
        return line, len(lines[line - 1].encode()[:offset].decode()) + 1

    expected = sorted(
        (place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call | ast.FunctionDef | ast.AsyncFunctionDef)
    )
    file = ParsedFile(path.name, text)
    found = [*file.list_calls(), *file.list_functions()]
    assert sorted((span.start, span.end) for span, _ in found) == expected
    assert all(span.file == path.name for span, _ in found)


def test_find_by_span() -> None:
    """A call and a function are found by exactly their span, counted from `def`."""
    file = ParsedFile("app.py", "@get\ndef f():\n    return (g(1)).x(2)\n")
    call = file.find_call(Span("app.py", (3, 13), (3, 17)))
    assert call is find_call(file, "g")
    assert file.locate(call) == Span("app.py", (3, 13), (3, 17))
    assert file.find_call(Span("app.py", (3, 12), (3, 18))) is None
    outer = file.find_call(Span("app.py", (3, 12), (3, 23)))
    assert outer is not None and outer.func.deep_equals(cst.parse_expression("(g(1)).x"))
    function = file.find_function(Span("app.py", (2, 1), (3, 23)))
    assert function is not None and function.name.value == "f"
    assert file.find_function(Span("app.py", (1, 1), (3, 23))) is None
    assert file.get_neighbours(call) == ("(", ")")
    assert file.get_neighbours(outer) == (" ", "")


FUNCTIONS = """
x = at_module()
@in_decorator()
def f(a=in_default()) -> in_annotation():
    in_body()
    [in_list() for _ in in_list_iterable()]
    (in_generator() for _ in in_first() if in_condition() for _ in in_second())
    lambda b=in_lambda_default(): in_lambda()
    class C(in_base()):
        in_class()
        def m(self=in_method_default()): in_method()
    value: in_local_annotation() = 1
"""


@pytest.mark.parametrize(
    ("name", "enclosing", "awaiting"),
    [
        ("at_module", None, None),
        ("in_decorator", None, None),
        ("in_default", None, None),
        ("in_annotation", None, None),
        ("in_body", "f", "f"),
        ("in_list", "f", "f"),
        ("in_list_iterable", "f", "f"),
        ("in_generator", "f", None),
        ("in_first", "f", "f"),
        ("in_condition", "f", None),
        ("in_second", "f", None),
        ("in_lambda_default", "f", "f"),
        ("in_lambda", "lambda", None),
        ("in_base", "f", "f"),
        ("in_class", None, None),
        ("in_method_default", None, None),
        ("in_method", "m", "m"),
        ("in_local_annotation", "f", None),
    ],
)
def test_functions(name: str, enclosing: str | None, awaiting: str | None) -> None:
    """It is known which function runs a node, and in which one it may be awaited."""
    file = ParsedFile("app.py", FUNCTIONS)
    call = find_call(file, name)
    around = file.find_enclosing(call)
    found = around.name.value if isinstance(around, cst.FunctionDef) else around and "lambda"
    assert found == enclosing
    function = file.find_awaiting(call)
    assert (function and function.name.value) == awaiting


def test_names() -> None:
    """Names have the dotted names of their imports; what the file binds itself has none."""
    file = ParsedFile(
        "app.py",
        "import redis.asyncio as r\nfrom time import sleep as nap\n"
        "def own(): ...\nr.Redis.from_url()\nnap()\nown()\nlen()\n",
    )
    names = [sorted(file.name_qualified(call.func)) for _, call in file.list_calls()]
    assert names == [["redis.asyncio.Redis.from_url"], ["time.sleep"], [], []]


def test_scopes() -> None:
    """The names that a node can see are those of its scopes, not those of a class around."""
    file = ParsedFile(
        "app.py",
        "import a.b\nclass C:\n    field = 1\n    inside()\n"
        "    def m(self):\n        global g\n        g = local = 1\n"
        "        [within() for i in x]\n",
    )
    assert set(file.list_bound(find_call(file, "inside"))) == {"a", "C", "field", "m", "g"}
    within = find_call(file, "within")
    assert set(file.list_bound(within)) == {"a", "C", "g", "self", "local", "i"}
    assert file.means_global(within, "a")
    assert file.means_global(within, "field")
    assert not file.means_global(within, "local")
    assert [type(node) for node in file.list_globals("a")] == [cst.Import] * 2
    (statement,) = file.list_global_imports()
    assert file.locate(statement).start == (1, 1)
