"""What is shown while a verification measures."""

import pytest

from flasync.cli.verify_progress import VerifyProgress
from flasync.toolkit.verifying.verification import Progress, Step
from toolkit.verifying.sample_runs import OVERLAPPING, SERIAL

STEPS = [
    Progress(Step.STARTING, "flasync"),
    Progress(Step.MEASURING_COST),
    Progress(Step.LOADING, "flasync on uvicorn", "GET", "/prices", loads=2),
    Progress(Step.LOADING, "flasync on uvicorn", "GET", "/prices", loads=2, answered=7),
    Progress(Step.ROUTE_DONE, loads_done=1, loads=2, route=SERIAL.routes[0]),
    Progress(Step.LOADING, "flasync on uvicorn", "GET", "/weather", loads_done=1, loads=2),
    Progress(Step.BROWSING, "", "GET", "/weather", loads_done=2, loads=2),
    Progress(Step.ROUTE_DONE, loads_done=2, loads=2, route=OVERLAPPING.routes[0]),
]


def show(steps: list[Progress]) -> None:
    """Go through the steps."""
    with VerifyProgress(requests=20) as progress:
        for step in steps:
            progress(step)


def test_terminal_shows_what_is_under_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal shows each step and the verdicts so far, and nothing of it is left."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    show(STEPS)
    seen = capsys.readouterr()
    assert not seen.out
    for words in (
        "Starting flasync",
        "Measuring what the client itself needs",
        "GET /prices on flasync on uvicorn",
        "does not overlap",
        "GET /weather in a browser",
    ):
        assert words in seen.err
    erase_line = "\x1b[2K"
    assert seen.err.rstrip("\n").endswith(erase_line)


def test_load_is_left_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers that come right after one another are not drawn: it would take the client's time."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    show(STEPS[:4])
    assert "7 answered" not in capsys.readouterr().err


def test_pipe_gets_a_line_for_each_route(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stderr is no terminal, a route that is done is a plain line."""
    show(STEPS)
    assert capsys.readouterr().err == "GET /prices: does not overlap\nGET /weather: overlaps\n"


def test_single_route_needs_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The report of a single route follows at once, so nothing is said before."""
    show([Progress(Step.ROUTE_DONE, loads_done=1, loads=1, route=SERIAL.routes[0])])
    assert not capsys.readouterr().err
