"""The project's files: which they are, and what cannot be read."""

import ast
import os
import re
from pathlib import Path

import pytest

from flasync.toolkit.finding import Place
from flasync.toolkit.sources import SourceFile, Sources


def read(text: str) -> SourceFile:
    return SourceFile(Path("a.py"), "a.py", text)


def test_own_files(tmp_path: Path) -> None:
    """Files below the root are own; environments, hidden folders and excluded files are not."""
    for name in ("a.py", "b/c.py", "venv/d.py", ".hidden/e.py", "my/lib/f.py", "skip.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "my" / "pyvenv.cfg").write_text("")
    sources = Sources(tmp_path, exclude=("skip.py",))
    assert [file.name for file in sources.list_files()] == ["a.py", "b/c.py"]
    assert not sources.is_own(re.__file__)
    assert not any(map(sources.is_own, ("<string>", str(tmp_path), str(tmp_path / "venv/d.py"))))


def test_code_without_a_usable_name(tmp_path: Path) -> None:
    """A file name with a null byte, as generated code may have, is no own file."""
    assert not Sources(tmp_path).is_own("a\0b")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"def (", "not valid Python"),
        (b"\0", "null bytes"),
        (b"\xff\xfe", "not"),
        (b"# coding: nonsense\n", "unknown encoding"),
        (b"# coding: undefined\n", "undefined"),
        (b"(" * 5000, "not valid Python"),
        (b"x = " + b"-" * 100_000 + b"1", "not valid Python"),
    ],
)
def test_unreadable(tmp_path: Path, data: bytes, message: str) -> None:
    """A file that cannot be read is a problem with its place and reason, not an error."""
    (tmp_path / "a.py").write_bytes(data)
    sources = Sources(tmp_path)
    assert sources.list_files() == []
    [problem] = sources.problems
    assert (problem.place.file, message in problem.message) == ("a.py", True)


@pytest.mark.parametrize(
    "data", ["é = 1".encode(), b"\xef\xbb\xbfa = 1", "# coding: latin-1\né = 1".encode("latin-1")]
)
def test_encodings(tmp_path: Path, data: bytes) -> None:
    """UTF-8, with a byte order mark too, and declared encodings are read."""
    (tmp_path / "a.py").write_bytes(data)
    assert len(Sources(tmp_path).list_files()) == 1


def test_function_of_a_code_object() -> None:
    """A code object's function is found by its first line, decorators included, and its name."""
    text = "import functools\n@functools.cache\ndef f(): pass\ng = lambda: 1; h = lambda: 2\n"
    space: dict[str, object] = {}
    exec(compile(text, "a.py", "exec"), space)
    file = read(text)
    wrapped = space["f"].__wrapped__  # type: ignore[attr-defined]
    found = [file.find_function(it.__code__) for it in (wrapped, space["g"], space["h"])]  # type: ignore[attr-defined]
    assert [ast.unparse(tree) for tree in found if tree is not None] == [
        "@functools.cache\ndef f():\n    pass",
        "lambda: 1",
        "lambda: 2",
    ]
    assert file.find_function(wrapped.__code__.replace(co_firstlineno=99)) is None


def test_columns_count_characters() -> None:
    """A column is of characters, not bytes."""
    file = read("'é'; x\n")
    statement = file.tree.body[1]
    assert file.locate(statement) == Place("a.py", 1, 6)


def test_module_names(tmp_path: Path) -> None:
    """A file is named as the project imports it, from its root or from src."""
    sources = Sources(tmp_path)
    for name, module in (
        ("a/b.py", "a.b"),
        ("src/a/__init__.py", "a"),
        ("__init__.py", "__init__"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        assert sources.name_module(path) == module
    assert sources.find_module("a.b") == tmp_path / "a" / "b.py"
    assert sources.find_module("absent") is None


def test_counts(tmp_path: Path) -> None:
    """Files and lines that were read are counted; a line is found by its place."""
    (tmp_path / "a.py").write_text("a = 1\nb = 2\n")
    sources = Sources(tmp_path)
    sources.get(os.path.join(str(tmp_path), "a.py"))
    assert (sources.count_files(), sources.count_lines()) == (1, 2)
    assert sources.read_line(Place("a.py", 2)) == "b = 2"
    assert sources.read_line(Place("a.py", 9)) == sources.read_line(Place("c.py", 1)) == ""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_lines_are_those_of_python(end: str, mark: str) -> None:
    """What ends a line for `str.splitlines` alone ends none: places stay those of the tree."""
    source = read(end.join((f"# a{mark}b", "\fé = 'é'; wait()", "")))
    (call,) = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    place = source.locate(call)
    assert len(source.lines) == 2
    assert source.lines[place.line - 1][place.column - 1 :] == "wait()"
