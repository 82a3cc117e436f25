"""Edits of a text, and where they leave the stretches of it that they do not cut."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.plan import Span

# What ends a line for Python; `str.splitlines` knows more.
_LINE_END = re.compile(r"\r\n|\r|\n")


class ContradictionError(RuntimeError):
    """Changes that cannot be carried out together: a bug of whoever planned or built them."""


@dataclass(frozen=True, slots=True)
class _Splice:
    """An edit by offsets, in characters."""

    start: int
    end: int
    text: str


class EditedText:
    """A text after edits.

    Args:
        text: The text before.
        edits: What changes, by positions in the text before, in any order; insertions at one place
            are made in the order given.

    Attributes:
        text: The text after.

    Raises:
        ContradictionError: Two edits overlap, or one lies outside of the text.
    """

    def __init__(self, text: str, edits: Iterable[Edit]) -> None:
        self._before = _Lines(text)
        splices = [
            _Splice(self._before.find(edit.start), self._before.find(edit.end), edit.text)
            for edit in edits
        ]
        self._splices = sorted(splices, key=lambda splice: (splice.start, splice.end))
        self.text = self._apply(text)
        self._after = _Lines(self.text)

    def move(self, span: Span) -> Span:
        """Return where a span of the text before is in the text after.

        What is inserted at one of its ends is outside of it.

        Raises:
            ContradictionError: An edit cuts it.
        """
        start, end = self._before.find(span.start), self._before.find(span.end)
        new_start, new_end = start, end
        for splice in self._splices:
            longer = len(splice.text) - (splice.end - splice.start)
            if splice.end <= start:
                new_start += longer
                new_end += longer
            elif start <= splice.start < end and splice.end <= end:
                new_end += longer
            elif splice.start < end:
                raise ContradictionError(f"{span.place}: an edit cuts what another change is about")
        return Span(span.file, self._after.locate(new_start), self._after.locate(new_end))

    def _apply(self, text: str) -> str:
        parts, done = [], 0
        for splice in self._splices:
            if not done <= splice.start <= splice.end:
                line = text.count("\n", 0, splice.start) + 1
                raise ContradictionError(f"two edits of line {line} overlap")
            parts += [text[done : splice.start], splice.text]
            done = splice.end
        return "".join([*parts, text[done:]])


class _Lines:
    """The positions of a text, as lines and columns and as offsets."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
        self._length = len(text)

    def find(self, position: tuple[int, int]) -> int:
        """Return the offset of a line and column, both from 1."""
        line, column = position
        if not 1 <= line <= len(self._starts):
            raise ContradictionError(f"line {line} of an edit does not exist")
        return min(self._starts[line - 1] + column - 1, self._length)

    def locate(self, offset: int) -> tuple[int, int]:
        """Return the line and column, both from 1, of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
