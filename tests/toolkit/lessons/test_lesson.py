"""The lessons of `flasync learn`, and the tutorial that is made of them."""

import shlex
from pathlib import Path

import pytest

from flasync.toolkit.lessons.lesson import Lesson, load_lessons, read_app
from flasync.toolkit.lessons.tutorial import build_tutorial, main

LESSONS = load_lessons()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_lessons_are_whole(lesson: Lesson) -> None:
    """A lesson asks and runs, or serves; its right answer is one of its choices."""
    assert bool(lesson.serve) != bool(lesson.command)
    if lesson.command:
        assert shlex.split(lesson.command)[0] == "flasync"
        assert 1 <= lesson.answer <= len(lesson.choices)
    assert lesson.text
    assert lesson.after


def test_names_differ() -> None:
    """The state of a course tells the lessons apart by their names."""
    assert len({lesson.name for lesson in LESSONS}) == len(LESSONS)


def test_the_app_is_python() -> None:
    """The app of the course is a module that compiles."""
    compile(read_app(), "app.py", "exec")


def test_the_tutorial_is_written_or_checked(tmp_path: Path) -> None:
    """A page that differs from the lessons is named, and written anew."""
    page = tmp_path / "tutorial.md"
    assert main(str(page), "--check") == f"Out of date: {page}. Run scripts/tutorial"
    assert main(str(page)) is None
    assert main(str(page), "--check") is None
    for lesson in LESSONS:
        assert lesson.title in page.read_text()
    assert page.read_text() == build_tutorial()
