"""Edits of a text, and where they leave what they do not cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.plan import Span
from flasync.toolkit.migration.text_edits import ContradictionError, EditedText


def build_edit(start: tuple[int, int], end: tuple[int, int], text: str) -> Edit:
    """An edit of the one file."""
    return Edit("app.py", start, end, text)


def test_edits() -> None:
    """Edits in any order are made at the positions of the text before; line ends stay."""
    text = "one\r\ntwo\rthree\nfour"
    edits = [
        build_edit((4, 5), (4, 5), "\n"),
        build_edit((2, 1), (2, 4), "2"),
        build_edit((1, 1), (1, 1), "a"),
        build_edit((1, 1), (1, 1), "b"),
        build_edit((3, 3), (4, 2), "-"),
    ]
    assert EditedText(text, edits).text == "abone\r\n2\rth-our\n"
    assert EditedText(text, []).text == text


@pytest.mark.parametrize(
    "edits",
    [
        [build_edit((1, 1), (1, 3), ""), build_edit((1, 2), (1, 4), "")],
        [build_edit((1, 1), (1, 3), ""), build_edit((1, 1), (1, 2), "")],
        [build_edit((1, 3), (1, 1), "")],
        [build_edit((3, 1), (3, 1), "")],
        [build_edit((0, 1), (1, 1), "")],
    ],
)
def test_impossible_edits(edits: list[Edit]) -> None:
    """Edits that overlap, end before they begin or are nowhere are refused."""
    with pytest.raises(ContradictionError):
        EditedText("abcdef\n", edits)


@given(st.data(), st.text("ab\r\n", max_size=30))
def test_spans_move(data: st.DataObject, text: str) -> None:
    """A span holds what it held, wherever text is put in around it."""
    offsets = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6).map(sorted))
    starts = [0]
    for position, character in enumerate(text):
        if character == "\n" or (character == "\r" and text[position + 1 : position + 2] != "\n"):
            starts.append(position + 1)

    def locate(offset: int) -> tuple[int, int]:
        line = sum(start <= offset for start in starts)
        return line, offset - starts[line - 1] + 1

    first, last = offsets[0], offsets[-1]
    outside = [build_edit(locate(at), locate(at), "x") for at in (first, last)]
    edited = EditedText(text, outside)
    moved = edited.move(Span("app.py", locate(first), locate(last)))
    held = EditedText(edited.text, [build_edit(moved.start, moved.end, "|")]).text
    assert held == f"{text[:first]}x|x{text[last:]}" or first == last


@pytest.mark.parametrize(("start", "end"), [((1, 1), (1, 3)), ((1, 1), (1, 8)), ((1, 5), (1, 7))])
def test_cut_spans(start: tuple[int, int], end: tuple[int, int]) -> None:
    """A span that an edit cuts or swallows is refused."""
    edited = EditedText("abcdefgh", [build_edit(start, end, "-")])
    with pytest.raises(ContradictionError, match="cuts"):
        edited.move(Span("app.py", (1, 2), (1, 6)))
