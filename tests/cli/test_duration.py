"""Durations on the command line."""

import click
import pytest

from flasync.cli.duration import Duration


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("300ms", 300),
        ("1.5s", 1500),
        ("1.5 s", 1500),
        ("2m", 120_000),
        (".5ms", 0.5),
        ("1.s", 1000),
    ],
)
def test_units(text: str, duration_ms: float) -> None:
    """Milliseconds, seconds and minutes are understood."""
    assert Duration().convert(text, None, None) == duration_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "300",
        "ms",
        "-1s",
        "0s",
        "1h",
        "1.5.s",
        "1e3ms",
        "nan s",
        "\u0661s",
        "1s2",
        "9" * 400 + "s",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """What has no unit, or is no duration, is refused with an example."""
    with pytest.raises(click.BadParameter, match="Write 300ms"):
        Duration().convert(text, None, None)


def test_milliseconds_stay() -> None:
    """What was converted is left as it is."""
    assert Duration().convert(300.0, None, None) == 300.0
