"""The pings to the bystander before and during a load, sent from a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flasync.toolkit.verifying import pinging
from flasync.toolkit.verifying.run import Ping
from flasync.toolkit.verifying.sending import Exchange


@dataclass(slots=True)
class Watch:
    """The pings of a load: all of them once the watch is over."""

    pings: tuple[tuple[float, float, bool], ...] = ()
    """Start and end in milliseconds of `time.perf_counter()`, and whether it failed."""

    def split(self, load: Exchange) -> tuple[tuple[Ping, ...], tuple[Ping, ...]]:
        """Return the pings before a load's connections were made, and those during the load.

        Their times count from its first request, as those of its requests do.
        """
        origin_ms, begun_ms = load.origin_ms, load.begun_ms - load.origin_ms
        moved = [
            Ping(start - origin_ms, end - origin_ms, failed) for start, end, failed in self.pings
        ]
        calm = tuple(ping for ping in moved if ping.end_ms < begun_ms)
        during = tuple(ping for ping in moved if ping.end_ms >= 0 and ping.start_ms <= load.wall_ms)
        return calm, during


@contextmanager
def watch(
    url: str, headers: tuple[tuple[str, str], ...] = (), timeout_s: float = 60.0
) -> Iterator[Watch]:
    """Ping a URL from another process while the block runs.

    Args:
        url: What is asked for with GET.
        headers: Sent with each ping.
        timeout_s: Seconds after which a ping has failed.

    Returns:
        What has the pings when the block is over.
    """
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-I", pinging.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # CTRL+C is for us alone.
    )
    seen = Watch()
    with process:
        try:
            # Not as arguments: everybody on the machine may read those.
            order = json.dumps([url, dict(headers), timeout_s])
            process.stdin.write(f"{order}\n")  # type: ignore[union-attr]  # it is a pipe
            process.stdin.flush()  # type: ignore[union-attr]  # as above
            process.stdout.readline()  # type: ignore[union-attr]  # as above
            yield seen
            output, _ = process.communicate()
            seen.pings = tuple(
                (start * 1000, end * 1000, failed) for start, end, failed in json.loads(output)
            )
        finally:
            process.kill()
