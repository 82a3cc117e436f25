"""A progress bar on stderr while a scan is under way."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn

from flasync.toolkit.report.terminal import build_console

_REFRESH_S = 0.1


class ScanProgress:
    """Shows how far a scan is, if stderr is a terminal; afterwards nothing is left of it.

    The object is what `scan()` takes as `progress`. It draws when it is called and has no thread of
    its own, which could write between the lines of the app that is imported meanwhile.

    Args:
        is_wanted: False for a bar that never shows, as beside the output of another command.
    """

    def __init__(self, is_wanted: bool = True) -> None:
        console = build_console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not (is_wanted and console.is_terminal),
        )
        self._task = self._progress.add_task("")
        self._drawn_stage = ""
        self._drawn_at = 0.0

    def __enter__(self) -> ScanProgress:
        """Take a line of the terminal."""
        self._progress.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Give the line back."""
        self._progress.stop()

    def hide(self) -> None:
        """Take the bar away until it is next called, so that others can write there."""
        self._drawn_stage = ""
        self._progress.update(self._task, visible=False)
        self._progress.refresh()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how much of a stage is done; a total of 0 means that nobody knows."""
        now = time.monotonic()
        if stage == self._drawn_stage and now - self._drawn_at < _REFRESH_S:
            return
        self._drawn_stage, self._drawn_at = stage, now
        self._progress.reset(
            self._task, total=total or None, completed=done, description=stage, visible=True
        )
        self._progress.refresh()
