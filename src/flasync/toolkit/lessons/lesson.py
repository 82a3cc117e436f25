"""A lesson of the course, and all of them as the file has them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Lesson:
    """One step of the course.

    Attributes:
        name: What the state of a course calls it.
        title: Its heading.
        text: What is said before the question, as Markdown; so is `after`.
        after: What is said once the command has run.
        question: What the learner predicts; "" asks nothing.
        choices: The answers to choose from.
        answer: The number of the right one, from 1.
        command: What is run, as it is typed; "" for a lesson that serves.
        changes: Whether the next lessons need what the command does.
        edits: (old, new) pieces of app.py for the length of the command.
        serve: The path to look at while the app is served; "" for one that runs a command.
    """

    name: str
    title: str
    text: str
    after: str
    question: str = ""
    choices: tuple[str, ...] = ()
    answer: int = 0
    command: str = ""
    changes: bool = False
    edits: tuple[tuple[str, str], ...] = ()
    serve: str = ""


def load_lessons() -> tuple[Lesson, ...]:
    """Return the lessons in their order."""
    data = tomllib.loads(_read("lessons.toml"))
    return tuple(
        Lesson(
            name=item["name"],
            title=item["title"],
            text=item["text"].strip(),
            after=item["after"].strip(),
            question=item.get("question", ""),
            choices=tuple(item.get("choices", ())),
            answer=item.get("answer", 0),
            command=item.get("command", ""),
            changes=item.get("changes", False),
            edits=tuple((old, new) for old, new in item.get("edits", ())),
            serve=item.get("serve", ""),
        )
        for item in data["lesson"]
    )


def read_app() -> str:
    """Return the source of the app that the course begins with."""
    return _read("weather.txt")


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
