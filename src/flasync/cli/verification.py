"""What `flasync verify` does once its arguments are checked: serve, measure, judge, print."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from flasync.toolkit.measuring import Measurement, measure
from flasync.toolkit.overlap import Judgement, Outcome, format_ms, judge
from flasync.toolkit.served_app import serve_app
from flasync.toolkit.waterfall import MAX_ROWS, build_waterfall

_EXIT_FAILED_CHECK = 1
_STYLES = {
    Outcome.OVERLAPPED: "bold green",
    Outcome.UNDECIDED: "bold yellow",
    Outcome.SERIAL: "bold red",
    Outcome.FAILED: "bold red",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """One run of `flasync verify`."""

    import_path: str | None
    """As `flask --app` takes it; None: found in the current directory."""
    path: str
    """The URL path, with a slash at its beginning."""
    requests: int
    """How many are sent at once."""
    min_overlap: float | None
    """How many must run at a time; None: half of them."""
    server: str | None
    timeout_s: float

    def run(self) -> int:
        """Serve the app, measure, print the report, and return the exit code.

        Raises:
            AppNotFoundError: `flasync serve` refused to start.
            AppStartError: The app did not start.
        """
        arguments = ["--server", self.server] if self.server else []
        with serve_app(self.import_path, arguments) as app:
            measurement = measure(app.url + self.path, self.requests, self.timeout_s)
            if all(sample.status is None for sample in measurement.samples):
                app.check_alive()
        judgement = judge(measurement, self.min_overlap)
        print_report(self.path, measurement, judgement)
        failed = judgement.outcome in (Outcome.SERIAL, Outcome.FAILED)
        return _EXIT_FAILED_CHECK if failed else 0


def print_report(path: str, measurement: Measurement, judgement: Judgement) -> None:
    """Print the verdict, then its evidence."""
    console = Console(highlight=False)
    console.print(judgement.sentence, style=_STYLES[judgement.outcome], markup=False)
    console.print()
    count = len(measurement.samples)
    console.print(
        f"GET {path}\n"
        f"  one alone     {format_ms(measurement.baseline_ms)}\n"
        f"  {f'{count} at once':<13} {format_ms(measurement.wall_ms)}\n"
        f"  overlap       {judgement.factor:.1f} of {count} at a time",
        markup=False,
    )
    console.print()
    ascii_only = not console.encoding.startswith("utf")
    console.print(build_waterfall(measurement, console.width, ascii_only))
    if count > MAX_ROWS:
        console.print(f"({count - MAX_ROWS} of {count} requests are not drawn)", markup=False)
