"""Each small case of the labelled corpus: what blocks in it is found, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from corpus.importing import imported_app
from corpus.labelled import (
    LABELS,
    Case,
    Label,
    lay_out,
    list_cases,
    read_label_file,
    read_markers,
    score,
)
from corpus.scanning import list_blocking_places

# The cases leave their engines to the garbage collector; from Python 3.13 on sqlite3 warns of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

BOOKSHOP = Path(__file__).parents[2] / "examples" / "bookshop"

# What `flasync scan` gets wrong, and why that is so; a case that comes right must leave the list.
KNOWN_LIMITS = {
    "iteration/generator_not_iterated": "a generator that is made counts as run: who iterates over"
    " it, and whether, is rarely to be seen where it is made",
    "unusual/delegating_getattr": "what __getattr__ gives for a name is not worked out",
    "unusual/import_module_constant": "a module imported by its name inside a function is unknown",
    "unusual/operator_module": "operator.attrgetter gives something unknown",
    "unusual/unreachable_branch": "statements that no path leads to are looked at like any others",
}


def list_parameters() -> list[Any]:
    """The cases; those of the known limits are expected to fail."""
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(strict=True, reason=KNOWN_LIMITS[case.name])]
            if case.name in KNOWN_LIMITS
            else [],
        )
        for case in list_cases()
    ]


def test_known_limits_are_cases() -> None:
    """Each known limit is a case of the corpus."""
    assert set(KNOWN_LIMITS) <= {case.name for case in list_cases()}


@pytest.mark.parametrize("case", list_parameters())
def test_small_case(case: Case, tmp_path: Path) -> None:
    """Exactly the lines of a case that block are found."""
    root = lay_out(case, tmp_path / "project")
    labels = read_markers(root)
    with imported_app(root) as app:
        result = score(labels, list_blocking_places(app, root))
    assert ([f"{it.file}:{it.line} {it.callables}" for it in result.missed], result.wrong) == (
        [],
        (),
    )


def test_labels_of_the_bookshop() -> None:
    """Each label of the example shop is still found in its source, on a line of its own."""
    labels = read_label_file(LABELS / "bookshop.toml", BOOKSHOP)
    assert len({(label.file, label.line) for label in labels}) == len(labels)


def test_label_that_is_not_there(tmp_path: Path) -> None:
    """A snippet that its function no longer has is an error, and not a missed line."""
    (tmp_path / "app.py").write_text("def view():\n    return 1\n")
    labels = tmp_path / "labels.toml"
    labels.write_text(
        '["app.py"]\nlabels = [{ in = "view", at = "sleep(", blocks = "time.sleep" }]'
    )
    with pytest.raises(LookupError, match=r"'sleep\(' is 0 times in view"):
        read_label_file(labels, tmp_path)


def test_score() -> None:
    """A line counts once; what may go either way counts for nothing; spans are met anywhere."""
    outer, inner = Label("a.py", 2, 6, "outer"), Label("a.py", 4, 4, "inner")
    either, other = Label("a.py", 9, 9, "either", either=True), Label("b.py", 4, 4, "other")
    labels = [outer, inner, either, other]
    result = score(labels, [("a.py", 4), ("a.py", 4), ("a.py", 9), ("a.py", 7), ("a.py", 7)])
    assert (result.found, result.missed, result.wrong) == (
        (inner,),
        (outer, other),
        (("a.py", 7),),
    )
    assert score(labels, [("a.py", 6)]).found == (outer,)
    assert (result.recall, result.precision) == (1 / 3, 1 / 2)
