"""What `flasync learn` does: a course in a folder, lesson by lesson."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

from flasync.toolkit.lessons.lesson import Lesson, load_lessons, read_app
from flasync.toolkit.served_app import serve_app

# The name of the next lesson; a folder with this file is a course's.
_STATE = ".flasync-learn"

_DONE = "done"

# The exit codes of a command that did its work: clean, or with findings.
_EXPECTED = (0, 1)
_SKIP, _QUIT = "s", "q"

# Columns that text gets at most, as long lines are hard to read.
_WIDTH = 88


class _Quit(Exception):
    """The learner leaves."""


class Course:
    """The lessons in a folder, with what the learner has done of them.

    Args:
        folder: Where the app of the course is; made if it is not there.
        restart: Whether the course begins anew.
    """

    def __init__(self, folder: Path, *, restart: bool = False) -> None:
        self._folder = folder
        self._state = folder / _STATE
        self._app = folder / "app.py"
        self._lessons = load_lessons()
        self._console = Console(highlight=False)
        self._console.width = min(self._console.width, _WIDTH)
        self._prepare(restart)

    def run(self) -> None:
        """Go through the lessons that are left, until the last one or until the learner leaves."""
        names = [lesson.name for lesson in self._lessons]
        name = self._state.read_text(encoding="utf-8")
        first = names.index(name) if name in names else len(names)
        if first == len(names):
            self._say(f"You have done all {len(names)} lessons. To begin anew: {self._again(True)}")
        try:
            for number, lesson in enumerate(self._lessons[first:], first):
                self._teach(lesson, number + 1)
                self._state.write_text([*names, _DONE][number + 1], encoding="utf-8")
        except (_Quit, click.Abort):
            self._say(f"\nGo on with: {self._again(False)}")

    def _prepare(self, restart: bool) -> None:
        is_course = self._state.exists()
        if self._folder.exists() and any(self._folder.iterdir()) and not is_course:
            raise click.BadParameter(
                f"{str(self._folder)!r} holds other files, which the course would mix with its own."
                " Name a folder that is empty or not there yet.",
                param_hint="FOLDER",
            )
        if restart or not is_course:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._app.write_text(read_app(), encoding="utf-8")
            self._state.write_text(self._lessons[0].name, encoding="utf-8")

    def _again(self, restart: bool) -> str:
        folder = shlex.quote(str(self._folder))
        return f"flasync learn {folder}{' --restart' if restart else ''}"

    def _teach(self, lesson: Lesson, number: int) -> None:
        self._say(f"\n{number} of {len(self._lessons)} · {lesson.title}\n", style="bold")
        self._console.print(Markdown(lesson.text))
        if lesson.serve:
            self._serve(lesson)
        elif (guess := self._ask(lesson)) == _SKIP:
            if lesson.changes:
                self._run(lesson, quietly=True)
            return
        else:
            self._run(lesson, quietly=False)
            self._compare(lesson, int(guess))
        self._console.print(Markdown(lesson.after))

    def _ask(self, lesson: Lesson) -> str:
        """Return the number of the learner's prediction, or that the lesson is skipped."""
        self._say(f"\n{lesson.question}\n")
        for number, choice in enumerate(lesson.choices, 1):
            self._say(f"  {number}  {choice}")
        numbers = [str(number) for number in range(1, len(lesson.choices) + 1)]
        answer = click.prompt(
            f"\nYour prediction ({_SKIP} skips this step, {_QUIT} leaves)",
            type=click.Choice([*numbers, _SKIP, _QUIT]),
            show_choices=False,
        )
        if answer == _QUIT:
            raise _Quit
        return str(answer)

    def _compare(self, lesson: Lesson, guess: int) -> None:
        is_right = guess == lesson.answer
        said = "As you predicted" if is_right else "Not as you predicted"
        self._say(f"\n{said}: {lesson.choices[lesson.answer - 1]}\n", style="bold")

    def _run(self, lesson: Lesson, *, quietly: bool) -> None:
        if not quietly:
            self._say(f"\n$ {lesson.command}\n", style="bold")
        program, *arguments = shlex.split(lesson.command)
        with self._edited(lesson):
            ended = subprocess.run(  # noqa: S603 (our own command)
                [sys.executable, "-m", f"{program}.cli", *arguments],
                cwd=self._folder,
                stdout=subprocess.DEVNULL if quietly else None,
                stderr=subprocess.DEVNULL if quietly else None,
                check=False,
            )
        if ended.returncode not in _EXPECTED:
            self._say(f"\nThis step failed with exit code {ended.returncode}; its output says why.")
            raise _Quit

    @contextmanager
    def _edited(self, lesson: Lesson) -> Iterator[None]:
        before = self._app.read_text(encoding="utf-8")
        text = before
        for old, new in lesson.edits:
            text = text.replace(old, new)
        if text != before:
            self._app.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            if text != before:
                self._app.write_text(before, encoding="utf-8")

    def _serve(self, lesson: Lesson) -> None:
        with serve_app("app", folder=self._folder) as app:
            self._say("\n$ flasync serve --app app\n", style="bold")
            self._say(f"It runs at {app.url}{lesson.serve}: open that in a browser, or in several.")
            if click.prompt("Enter ends it", default="", show_default=False) == _QUIT:
                raise _Quit

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False)
