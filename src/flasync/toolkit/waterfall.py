"""Drawing the requests of a measurement as bars over time, for a terminal."""

from __future__ import annotations

from rich.table import Table

from flasync.toolkit.measuring import Measurement, Sample
from flasync.toolkit.overlap import format_ms

# Rows that are drawn; more are left out evenly, the first and the last request stay.
MAX_ROWS = 25

# Columns beside the bars: number, duration, status, and the space between them.
_OTHER_COLUMNS = 24
_MIN_BAR_COLUMNS = 10

_ERROR_STATUS = 400


def build_waterfall(measurement: Measurement, width: int, ascii_only: bool = False) -> Table:
    """Return a rich table with a bar for each request.

    Args:
        measurement: What is drawn, in the order in which the requests ended.
        width: Columns of the terminal.
        ascii_only: Whether the terminal's encoding lacks block characters.
    """
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False)
    for justify in ("right", "left", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    columns = max(_MIN_BAR_COLUMNS, width - _OTHER_COLUMNS)
    scale = columns / measurement.wall_ms
    ordered = sorted(measurement.samples, key=lambda sample: sample.end_ms)
    for number, sample in thin_out(list(enumerate(ordered, 1))):
        bar = build_bar(sample, scale, columns, "#" if ascii_only else "█")
        table.add_row(str(number), bar, format_ms(sample.duration_ms), _format_status(sample))
    return table


def thin_out(rows: list[tuple[int, Sample]]) -> list[tuple[int, Sample]]:
    """Return at most `MAX_ROWS` of the rows, evenly spread, the first and last among them."""
    if len(rows) <= MAX_ROWS:
        return rows
    step = (len(rows) - 1) / (MAX_ROWS - 1)
    return [rows[round(index * step)] for index in range(MAX_ROWS)]


def build_bar(sample: Sample, scale: float, columns: int, block: str) -> str:
    """Return the bar of one request: blanks until it began, blocks until it ended.

    Args:
        sample: The request.
        scale: Columns a millisecond.
        columns: Columns that the bar may take at most.
        block: The character of a running request.
    """
    start = min(int(sample.start_ms * scale), columns - 1)
    end = max(start + 1, min(round(sample.end_ms * scale), columns))
    return (" " * start + block * (end - start)).ljust(columns)


def _format_status(sample: Sample) -> str:
    if sample.status is None:
        return "[red]failed[/]"
    return f"[red]{sample.status}[/]" if sample.status >= _ERROR_STATUS else str(sample.status)
