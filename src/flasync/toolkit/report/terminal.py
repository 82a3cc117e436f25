"""The terminal, file or pipe that text goes to."""

from __future__ import annotations

import os
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# Columns where there is no terminal to ask and COLUMNS does not say.
PIPED_WIDTH = 100

# Columns below which a table's columns are written below each other.
NARROW_WIDTH = 72

# Columns that text gets however narrow the terminal is.
MIN_TEXT_WIDTH = 20

# What stands for the characters of this package's own texts where an encoding lacks them.
_ASCII = str.maketrans({"…": "...", "·": "-", "“": '"', "”": '"'})


def build_console(file: IO[str] | None = None, *, stderr: bool = False) -> Console:
    """Return a console for plain output: no highlighting of its own, and no markup."""
    console = Console(file=file, stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def fit_encoding(text: str, console: Console) -> str:
    """Return a text as the console's encoding can carry it, without what would steer the terminal.

    Paths and messages are other people's: an escape sequence in one must stay text.
    """
    text = "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
    if console.encoding.startswith("utf"):
        return text
    plain = text.translate(_ASCII)
    return plain.encode(console.encoding, errors="replace").decode(console.encoding)


class Writer:
    """Writes lines made of (text, style) parts to a console, in its encoding.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._is_blank = True

    @property
    def is_narrow(self) -> bool:
        """Whether there is no room for columns beside each other."""
        return self.console.width < NARROW_WIDTH

    def text(self, *parts: str | tuple[str, str]) -> Text:
        """Return a rich text of parts that may carry a style."""
        text = Text(overflow="fold")
        for part in parts:
            content, style = (part, "") if isinstance(part, str) else part
            text.append(fit_encoding(content, self.console), style)
        return text

    def write(self, *parts: str | tuple[str, str], indent: int = 0, hanging: int = 0) -> None:
        """Write one line; what does not fit goes on below it.

        Args:
            parts: Text, or text with its style.
            indent: Columns before the line.
            hanging: Columns more before the lines that follow it.
        """
        width = max(self.console.width - indent - hanging, MIN_TEXT_WIDTH)
        self._is_blank = False
        lines = self.text(*parts).wrap(self.console, width)
        for number, line in enumerate(lines):
            line.rstrip()
            margin = indent + (hanging if number else 0)
            self.console.print(Text(" " * margin).append_text(line), soft_wrap=True)

    def write_command(self, command: str) -> None:
        """Write a command to type, which is never broken, so that it can be copied."""
        self._is_blank = False
        self.console.print(self.text("     ", (command, "bold green")), soft_wrap=True)

    def write_table(self, table: Table, indent: int = 0) -> None:
        """Write a table, without blanks at the ends of its lines."""
        self._is_blank = False
        padded = Padding(table, (0, 0, 0, indent))
        for segments in self.console.render_lines(padded, pad=False):
            line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
            line.rstrip()
            self.console.print(line, soft_wrap=True)

    def blank(self) -> None:
        """Write an empty line, unless there is one already."""
        if not self._is_blank:
            self.console.print()
        self._is_blank = True

    def heading(self, title: str) -> None:
        """Write the title of a section."""
        self.blank()
        self.write((title, "bold underline"))
        self.blank()
