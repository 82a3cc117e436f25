"""The commands in a piece of a file that a shell, or something like one, runs."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flasync.toolkit.finding import Place

_TOKEN = re.compile(
    r"""
    (?P<space>[^\S\n]+|\\\r?\n)
    | (?P<comment>\#[^\n]*)
    | (?P<end>\n|&&|\|\||[;&|])
    | (?P<word>(?:[^\s'"\\;&|]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)""", re.DOTALL)
_LIST_ITEM = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|[^\s\[\],'"]+""")
_SHELLS = frozenset({"ash", "bash", "dash", "sh", "zsh"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command.

    Attributes:
        text: Without its quotes.
        raw: As written.
        start: Its offset in the file.
    """

    text: str
    raw: str
    start: int


Words = tuple[Word, ...]


class Text:
    """The contents of one file, with the places in it.

    Args:
        name: How reports call the file.
        contents: All of it.
    """

    def __init__(self, name: str, contents: str) -> None:
        self.name = name
        self.contents = contents

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.contents))]

    def locate(self, offset: int) -> Place:
        """Return the place of an offset."""
        line = bisect.bisect_right(self._line_starts, offset)
        return Place(self.name, line, offset - self._line_starts[line - 1] + 1)

    def split_commands(self, start: int, end: int, *, folded: bool = False) -> Iterator[Words]:
        """Yield the simple commands between two offsets, those given to `sh -c` included.

        Args:
            start: Where they begin.
            end: Where they end.
            folded: Whether a line break is a space, as in YAML, and not the end of a command.
        """
        words: list[Word] = []
        for match in _TOKEN.finditer(self.contents, start, end):
            if match["word"]:
                words.append(Word(_unquote(match["word"]), match["word"], match.start()))
            elif match["end"] and words and not (folded and match["end"] == "\n"):
                yield from self._open_shells(tuple(words))
                words = []
        if words:
            yield from self._open_shells(tuple(words))

    def split_list(self, start: int, end: int) -> Iterator[Words]:
        """Yield the command that a list of strings, as JSON and YAML write it, is."""
        found = _LIST_ITEM.finditer(self.contents, start, end)
        words = tuple(Word(_unquote(match[0]), match[0], match.start()) for match in found)
        if words:
            yield from self._open_shells(words)

    def _open_shells(self, words: Words) -> Iterator[Words]:
        """Yield a command, or what it gives to a shell to run."""
        for before, flag, script in zip(words, words[1:], words[2:], strict=False):
            is_shell = before.text.rpartition("/")[2] in _SHELLS
            if is_shell and re.fullmatch(r"-\w*c", flag.text):
                quotes = int(script.raw[0] in "'\"")
                end = script.start + len(script.raw) - quotes
                yield from self.split_commands(script.start + quotes, end)
                return
        yield words


def _unquote(raw: str) -> str:
    return _QUOTED.sub(lambda match: match[1] or match[2] or match[3] or "", raw)
