"""The lessons as a page for those who would rather read; `python -m` writes or checks it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from flasync.toolkit.lessons.lesson import Lesson, load_lessons, read_app

_HEAD = """\
# Tutorial

Ten minutes from an ordinary Flask app to one whose requests wait together. `flasync learn` is the
same in the terminal: it makes the app in a folder of its own, asks you for a prediction before each
step, runs the command for real and shows what comes out. It needs no network, and goes on where you
left it. To read along here, save this as `app.py`:

"""


def build_tutorial() -> str:
    """Return the page."""
    lessons = load_lessons()
    parts = [_HEAD + _fence(read_app(), "python")]
    parts += ["\n".join(_write_lesson(number, item)) for number, item in enumerate(lessons, 1)]
    return "\n".join(parts)


def _write_lesson(number: int, lesson: Lesson) -> Iterator[str]:
    yield f"## {number}. {lesson.title}\n"
    yield f"{lesson.text}\n"
    if lesson.question:
        yield f"*{lesson.question}*\n"
        yield from (f"{index}. {choice}" for index, choice in enumerate(lesson.choices, 1))
        yield f"\n<details><summary>Answer</summary>\n\n{lesson.choices[lesson.answer - 1]}\n"
        yield "</details>\n"
    for old, new in lesson.edits:
        yield _fence(f"-{old}\n+{new}\n", "diff")
    command = lesson.command or "flasync serve --app app"
    yield _fence(f"$ {command}\n", "console")
    yield f"{lesson.after}\n"


def _fence(text: str, language: str) -> str:
    return f"```{language}\n{text}```\n"


def main(page: str, *options: str) -> str | None:
    """Write the page, or with `--check` return what is wrong with it."""
    path, text = Path(page), build_tutorial()
    if "--check" not in options:
        path.write_text(text, encoding="utf-8")
        return None
    is_same = path.exists() and path.read_text(encoding="utf-8") == text
    return None if is_same else f"Out of date: {page}. Run scripts/tutorial"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
