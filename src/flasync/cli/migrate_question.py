"""The question about each step that `flasync migrate --interactive` asks."""

from __future__ import annotations

import click

from flasync.cli.scan_progress import ScanProgress
from flasync.toolkit.migration.plan import Stage
from flasync.toolkit.report.migration_text import print_diff
from flasync.toolkit.report.terminal import build_console


class StageQuestion:
    """Asks about one step after the other, until the answer is for all that are left.

    Args:
        progress: The bar that makes room for the question.
    """

    def __init__(self, progress: ScanProgress) -> None:
        self._progress = progress
        self._for_all: bool | None = None

    def __call__(self, stage: Stage, diff: str) -> bool:
        """Return whether a step is to be done.

        Raises:
            Abort: There is nobody to answer.
        """
        if self._for_all is None:
            answer = self._ask(stage, diff)
            if answer in {"all", "quit"}:
                self._for_all = answer == "all"
            return answer in {"yes", "all"}
        return self._for_all

    def _ask(self, stage: Stage, diff: str) -> str:
        self._progress.hide()
        console = build_console()
        console.print()
        console.print(stage.title, style="bold")
        print_diff(diff, console)
        choice = click.Choice(["yes", "no", "all", "quit"])
        return str(click.prompt("Do this?", type=choice, default="yes"))
