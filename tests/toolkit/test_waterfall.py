"""The bars of the waterfall."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flasync.toolkit.measuring import Measurement, Sample
from flasync.toolkit.waterfall import MAX_ROWS, build_bar, build_waterfall, thin_out


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "bar"),
    [
        (0, 100, "##########"),
        (0, 50, "#####     "),
        (50, 100, "     #####"),
        (0, 0.1, "#         "),
        (99.9, 100, "         #"),
    ],
)
def test_bar_shows_start_and_end(start_ms: float, end_ms: float, bar: str) -> None:
    """A bar begins and ends where its request did, and is never empty."""
    assert build_bar(Sample(start_ms, end_ms, 200), 0.1, 10, "#") == bar


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(1e-6, 10),
    st.integers(min_value=1, max_value=300),
)
def test_bar_keeps_its_width(start_ms: float, length_ms: float, scale: float, columns: int) -> None:
    """Every bar has exactly the columns it was given, with at least one block."""
    bar = build_bar(Sample(start_ms, start_ms + length_ms, 200), scale, columns, "#")
    assert len(bar) == columns
    assert "#" in bar


@pytest.mark.parametrize("count", [1, 2, MAX_ROWS, MAX_ROWS + 1, 1000])
def test_many_requests_are_thinned_out(count: int) -> None:
    """Of many requests a few are drawn, the first and the last among them, none twice."""
    rows = [(number, Sample(0, number, 200)) for number in range(1, count + 1)]
    kept = thin_out(rows)
    assert len(kept) == min(count, MAX_ROWS)
    assert (kept[0], kept[-1]) == (rows[0], rows[-1])
    assert sorted(set(number for number, _ in kept)) == [number for number, _ in kept]


@pytest.mark.parametrize("width", [40, 41, 80, 133, 200])
def test_rows_fit_the_width(width: int) -> None:
    """No row is wider than the terminal, nor shortened, at any usual width."""
    samples = tuple(Sample(0, 1000.0 * number, 500) for number in range(1, 1001))
    console = Console(width=width, record=True, quiet=True)
    console.quiet = False
    with console.capture() as capture:
        console.print(build_waterfall(Measurement(samples[:1], samples), width))
    lines = capture.get().splitlines()
    assert len(lines) == MAX_ROWS
    assert max(map(len, lines)) <= width
    assert all(line.endswith("500") and "…" not in line for line in lines)


def test_status_is_shown() -> None:
    """Each row says the status, or that there was no answer."""
    samples = (Sample(0, 1, 200), Sample(0, 2, 503), Sample(0, 3, None, "ReadError"))
    console = Console(width=60)
    with console.capture() as capture:
        console.print(build_waterfall(Measurement(samples, samples), 60, ascii_only=True))
    assert [line.split()[-1] for line in capture.get().splitlines()] == ["200", "503", "failed"]
