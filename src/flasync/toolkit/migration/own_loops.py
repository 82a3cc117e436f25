"""What ties a project to event loops of its own, so that its coroutines cannot share one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.recipe import LeaveAlone

# On a loop of its own, a coroutine finds nothing but its own tasks and may set what it likes; on
# the loop of the process it would wait for the server's tasks, or set it for every request.
_HAVE_THE_LOOP_TO_THEMSELVES = (
    "add_signal_handler",
    "all_tasks",
    "set_default_executor",
    "set_event_loop_policy",
    "set_exception_handler",
    "set_task_factory",
)
_WORDS = re.compile(rf"\b(?:{'|'.join(_HAVE_THE_LOOP_TO_THEMSELVES)})\b")

EXAMPLE_APP = """\
import asyncio

from flask import Flask

app = Flask(__name__)


async def fetch(number):
    await asyncio.sleep(0)
    return str(number)
"""
"""The beginning of the cases of the recipes that take out such loops."""


def check_shareable(files: Iterable[ParsedFile]) -> None:
    """Raise for a project whose coroutines count on having their event loop to themselves.

    Args:
        files: The files of the project.

    Raises:
        LeaveAlone: One of them has a name that is about the loop as a whole.
    """
    for file in files:
        word = _WORDS.search(file.text)
        if word is not None:
            raise LeaveAlone(
                f"`{word[0]}` in {file.name} is about the event loop as a whole, which would be"
                " that of every request"
            )
