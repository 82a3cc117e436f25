"""Carrying out edits in a text, as plainly as can be."""

from collections.abc import Iterable

from flasync.toolkit.finding import Edit


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return a text after edits that do not overlap."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        first, last = (starts[line - 1] + column - 1 for line, column in (edit.start, edit.end))
        assert first <= last <= len(text)
        text = text[:first] + edit.text + text[last:]
    return text
