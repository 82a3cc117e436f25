"""What `flasync verify` shows while it measures: live on a terminal, else a line for each route."""

from __future__ import annotations

import time
from types import TracebackType

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from flasync.toolkit.report.terminal import Writer, build_console
from flasync.toolkit.report.verify_table import STYLES, name_route
from flasync.toolkit.verifying.run import Route
from flasync.toolkit.verifying.verification import Progress, Step

# Drawing takes the client a few milliseconds, so a load is left alone for this long.
_REFRESH_S = 0.5

# Routes that are done and still shown.
_SHOWN = 8
_BAR_COLUMNS = 24


class VerifyProgress:
    """Shows on stderr how far a verification is; on a terminal, afterwards nothing is left of it.

    The object is what `verify()` takes as `tell`. It draws when it is called and has no thread of
    its own, which would take time from the client in the middle of a load.

    Args:
        requests: How many are sent at once.
    """

    def __init__(self, requests: int) -> None:
        console = build_console(stderr=True)
        self._requests = requests
        self._writer = Writer(console)
        self._done: list[Route] = []
        self._drawn_at = 0.0
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> VerifyProgress:
        """Take the lower lines of the terminal."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Give them back."""
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where a verification is."""
        if progress.route is not None:
            self._done.append(progress.route)
        if self._live is None:
            # A single route's report follows at once.
            if progress.route and (len(self._done) > 1 or progress.loads_done < progress.loads):
                outcome = progress.route.measured[-1].judgement.outcome.value
                click.echo(f"{name_route(progress.route)}: {outcome}", err=True)
            return
        now = time.monotonic()
        # The first call of a load comes before anything is sent.
        if progress.answered and now - self._drawn_at < _REFRESH_S:
            return
        self._drawn_at = now
        self._live.update(self._build(progress), refresh=True)

    def _build(self, progress: Progress) -> RenderableType:
        done = Table.grid(padding=(0, 2, 0, 0))
        for route in self._done[-_SHOWN:]:
            outcome = route.measured[-1].judgement.outcome
            done.add_row(
                self._writer.text((outcome.value, STYLES[outcome])),
                self._writer.text(name_route(route)),
            )
        return Group(*([done] if self._done else []), self._build_line(progress))

    def _build_line(self, progress: Progress) -> RenderableType:
        line = Table.grid(padding=(0, 2, 0, 0))
        if not progress.loads:
            line.add_row(self._writer.text(_describe(progress)))
            return line
        share = progress.answered / self._requests if progress.step is Step.LOADING else 0
        bar = ProgressBar(
            total=progress.loads, completed=progress.loads_done + share, width=_BAR_COLUMNS
        )
        line.add_row(bar, self._writer.text(_describe(progress)))
        return line


def _describe(progress: Progress) -> str:
    if progress.step is Step.STARTING:
        return f"Starting {progress.stack} …"
    if progress.step is Step.MEASURING_COST:
        return "Measuring what the client itself needs …"
    if progress.step is Step.BROWSING:
        return f"{progress.method} {progress.path} in a browser …"
    answered = f", {progress.answered} answered" if progress.answered else ""
    stack = f" on {progress.stack}" if progress.stack else ""
    return f"{progress.method} {progress.path}{stack}{answered}"
