"""The labelled corpus: its cases, what is labelled in them, and how a tool's report is scored.

A place is a file, relative to the project's root with forward slashes, and a line from 1.
README.md beside this file says what is labelled and why.
"""

import ast
import re
import shutil
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CASES = HERE / "cases"
LABELS = HERE / "labels"

Place = tuple[str, int]

_MARKER = re.compile(r"# (blocks|either): (.+)$")
_TEMPLATE_MARKER = re.compile(r"\{# (blocks|either): (.+?) #\}")


@dataclass(frozen=True)
class Label:
    """A line that blocks.

    Attributes:
        file: As in a place.
        line: Where the expression that blocks begins.
        end: Its last line.
        start: Where the comprehension begins that iterates there, which is where Python itself
            places the iteration; else 0.
        callables: What blocks there, for people.
        either: Whether a report of it is neither right nor wrong.
    """

    file: str
    line: int
    end: int
    callables: str
    either: bool = False
    start: int = 0


@dataclass(frozen=True)
class Case:
    """A small app: a file, or a folder with an `app.py`."""

    name: str
    path: Path

    @property
    def group(self) -> str:
        """The folder that it is in."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Score:
    """What a tool's report is worth: labelled lines found, labelled lines missed, other lines."""

    found: tuple[Label, ...] = ()
    missed: tuple[Label, ...] = ()
    wrong: tuple[Place, ...] = ()

    def __add__(self, other: "Score") -> "Score":
        return Score(self.found + other.found, self.missed + other.missed, self.wrong + other.wrong)

    @property
    def recall(self) -> float:
        """The share of the labelled lines that was found; 1 where none is labelled."""
        return _divide(len(self.found), len(self.found) + len(self.missed))

    @property
    def precision(self) -> float:
        """The share of what was reported that is labelled; 1 where nothing was reported."""
        return _divide(len(self.found), len(self.found) + len(self.wrong))


def _divide(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def score(labels: Iterable[Label], reported: Iterable[Place]) -> Score:
    """Return how a report fits the labels. A line counts once, however often it is reported."""
    labels = list(labels)
    hit: set[Label] = set()
    wrong: set[Place] = set()
    for place in reported:
        label = _find_label(labels, place)
        if label is None:
            wrong.add(place)
        else:
            hit.add(label)
    counted = [label for label in labels if not label.either]
    return Score(
        tuple(label for label in counted if label in hit),
        tuple(label for label in counted if label not in hit),
        tuple(sorted(wrong)),
    )


def _find_label(labels: list[Label], place: Place) -> Label | None:
    """Return the narrowest label around a place, one that begins there before all others."""
    file, line = place
    around = [label for label in labels if label.file == file and _covers(label, line)]
    return min(around, key=lambda it: (it.line != line, it.end - it.line), default=None)


def _covers(label: Label, line: int) -> bool:
    return label.line <= line <= label.end or label.start == line


# --- small cases -------------------------------------------------------------------------------


def list_cases() -> list[Case]:
    """Return every small case, sorted by name."""
    paths = [
        path for path in CASES.glob("*/*") if path.suffix == ".py" or (path / "app.py").exists()
    ]
    return sorted(
        (Case(path.relative_to(CASES).with_suffix("").as_posix(), path) for path in paths),
        key=lambda case: case.name,
    )


def lay_out(case: Case, folder: Path) -> Path:
    """Copy a case into an empty folder, as a project whose app is `app.py`; return the folder."""
    if case.path.is_dir():
        shutil.copytree(case.path, folder, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        folder.mkdir(parents=True)
        shutil.copy(case.path, folder / "app.py")
    return folder


def read_markers(root: Path) -> list[Label]:
    """Return the labels that stand in the files themselves, at the ends of their lines."""
    return [
        Label(path.relative_to(root).as_posix(), number, number, match[2], match[1] == "either")
        for path in sorted(root.rglob("*"))
        if path.suffix in {".py", ".html"}
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (match := (_MARKER if path.suffix == ".py" else _TEMPLATE_MARKER).search(line))
    ]


# --- real applications -------------------------------------------------------------------------


def read_label_file(path: Path, root: Path) -> list[Label]:
    """Return the labels of an application, found in its files by function and snippet.

    Raises:
        LookupError: A snippet is not in its function, or is there more than once: the source has
            changed, or the label is wrong.
    """
    files = tomllib.loads(path.read_text())
    return [
        _locate(root, file, entry) for file, table in files.items() for entry in table["labels"]
    ]


def _locate(root: Path, file: str, entry: dict[str, str]) -> Label:
    text = (root / file).read_text()
    lines = text.splitlines()
    tree = ast.parse(text) if file.endswith(".py") else None
    function, snippet = entry.get("in", ""), entry["at"]
    first, last = _find_function(tree, function) if tree else (1, len(lines))
    found = [number for number in range(first, last + 1) if snippet in lines[number - 1]]
    if len(found) != 1:
        raise LookupError(f"{file}: {snippet!r} is {len(found)} times in {function or 'the file'}")
    line = found[0]
    end = max((end for start, end in _list_spans(tree) if start == line), default=line)
    either = "either" in entry
    start = min((first for first, at in _list_iterations(tree) if at == line), default=0)
    return Label(file, line, end, entry["either" if either else "blocks"], either, start)


def _find_function(tree: ast.AST, name: str) -> tuple[int, int]:
    """Return the first and last line of a function, decorators included, by its dotted name."""
    node = tree
    for part in name.split("."):
        inner = [
            child
            for child in ast.walk(node)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and child.name == part
            and child is not node
        ]
        if len(inner) != 1:
            raise LookupError(f"{name!r}: {part!r} is there {len(inner)} times")
        node = inner[0]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _list_spans(tree: ast.AST | None) -> Iterator[tuple[int, int]]:
    """Yield the first and last lines of all calls, which may go over several lines."""
    if tree is not None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield node.lineno, node.end_lineno or node.lineno


def _list_iterations(tree: ast.AST | None) -> Iterator[tuple[int, int]]:
    """Yield the first lines of all comprehensions, with the line of what each iterates over."""
    if tree is not None:
        for node in ast.walk(tree):
            if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                yield node.lineno, node.generators[0].iter.lineno
