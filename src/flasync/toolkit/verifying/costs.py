"""What a request costs besides the view: it is measured, as no two machines are alike."""

from __future__ import annotations

import statistics
import subprocess
import sys

from flasync.toolkit.verifying import bare_server
from flasync.toolkit.verifying.sending import Question, send

# Loads of an empty answer, for a median, and how many requests are enough for one of them.
_LOADS = 3
_MOST_REQUESTS = 200


def measure_cost(
    url: str, count: int, timeout_s: float, headers: tuple[tuple[str, str], ...] = ()
) -> float:
    """Return the milliseconds that each of many requests at once adds to the time of all.

    Args:
        url: Where an empty answer is got.
        count: How many requests are sent at once.
        timeout_s: Seconds after which a request has failed.
        headers: Sent with each request.
    """
    question, count = Question("GET", url, headers), min(count, _MOST_REQUESTS)
    send(question, 1, timeout_s)
    return (
        statistics.median(send(question, count, timeout_s).wall_ms for _ in range(_LOADS)) / count
    )


def measure_client(count: int, timeout_s: float) -> float:
    """Return what the client alone adds: the cost of a request to a server that does nothing.

    Args:
        count: How many requests are sent at once.
        timeout_s: Seconds after which a request has failed.
    """
    command = [sys.executable, "-I", bare_server.__file__]
    with subprocess.Popen(  # noqa: S603 (our own program)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # CTRL+C is for us alone.
    ) as process:
        try:
            port = process.stdout.readline().strip()  # type: ignore[union-attr]  # it is a pipe
            return measure_cost(f"http://127.0.0.1:{port}/", count, timeout_s)
        finally:
            process.kill()
