"""The report of a verification as people read it."""

import io
from dataclasses import replace

import pytest

from flasync.toolkit.report.terminal import build_console
from flasync.toolkit.report.verify_text import print_run
from flasync.toolkit.verifying.run import BrowserTimes, Run, Sameness
from toolkit.verifying.sample_runs import (
    COMPARED,
    COMPUTING,
    FAILING,
    FAST,
    FROM_OUTSIDE,
    MANY,
    OVERLAPPING,
    POOLED,
    RUNS,
    SERIAL,
    SEVERAL,
    THREADED,
)


def render(run: Run, width: int = 100, encoding: str = "utf-8", **options: object) -> str:
    """What is printed into a pipe of that encoding."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = build_console(file)
    console.width = width
    print_run(run, console, import_path="wsgi", **options)  # type: ignore[arg-type]
    file.seek(0)
    return file.read()


def render_words(run: Run, **options: object) -> str:
    """The same in one line."""
    return " ".join(render(run, **options).split())  # type: ignore[arg-type]


def test_verdict_comes_first() -> None:
    """The first line is the verdict; of several routes it is the count."""
    assert render(SERIAL).startswith("The requests do not overlap: requests.get at shop/api.py:41")
    assert render(SEVERAL).startswith("1 of 7 routes overlap")


def test_failed_checks_follow_it() -> None:
    """What makes the exit code 1 is said, whatever the verdicts are."""
    failed = ["GET /weather: its p99 is 245 ms, --max-p99 is 100 ms"]
    assert f"Check failed: {failed[0]}" in render_words(OVERLAPPING, failed=failed)
    assert "Check failed" not in render(OVERLAPPING)


def test_table_has_a_row_for_each_route() -> None:
    """A row has the route, its lane, the verdict and the figures."""
    lines = [" ".join(line.split()) for line in render(SEVERAL, width=80).splitlines()]
    assert "Route Lane Verdict Overlap p50 p99 Bystander" in lines
    assert "GET /prices loop does not overlap 1.0 of 20 670 ms 1.22 s 975 ms" in lines
    assert "GET /catalogue thread limited 6.6 of 20 301 ms 452 ms 0.5 ms" in lines
    assert "GET /cart loop requests failed - - - -" in lines


def test_waterfall_shows_the_stairs_of_a_held_loop() -> None:
    """Requests that hold the loop run one below the other, and another route waits with them."""
    lines = render(SERIAL).splitlines()
    bars = [line for line in lines if line.rstrip().endswith(" 200")]
    assert len(bars) == 20
    assert all(bar.count("█") in range(3, 7) for bar in bars)
    starts = [bar.index("█") for bar in bars]
    assert starts == sorted(set(starts))
    assert sum(line.count("▲") for line in lines) > 40


def test_waterfall_tells_who_waits_for_a_turn() -> None:
    """Requests that wait for a connection or a thread are drawn apart from those that run."""
    assert "░" in render(POOLED)
    assert "░" in render(THREADED)
    assert "waits for its turn" in render(POOLED)
    assert "waited for its turn (pool) 1.89 s" in render_words(POOLED)


def test_legend_explains_every_character() -> None:
    """Whatever a bar is made of is in the legend, and nothing else is."""
    text = render(THREADED)
    legend = {
        line.split()[0] for line in text.splitlines() if line[:2] == "  " and line[3:4] == " "
    }
    bars = [line[5:85] for line in text.splitlines() if line.endswith(" 200")]
    assert {cell for bar in bars for cell in bar if cell in "·░█▓─▪═"} <= legend
    assert "█" not in legend


def test_time_is_told_by_its_place() -> None:
    """The place, the call, how often and how long are told; the phase is in words."""
    text = render_words(SERIAL)
    assert (
        "shop/api.py:41 `requests.get`: held the loop 1.20 s"
        " (20 requests, the longest 60 ms, 2.0 ms of it computing)"
    ) in text


def test_many_requests_are_thinned_out() -> None:
    """Of 200 requests 25 are drawn, and it is said so."""
    text = render(MANY)
    assert sum(line.endswith(" 200") for line in text.splitlines()) == 25
    assert "175 of 200 are not drawn" in text


def test_many_routes_are_drawn_where_there_is_something_to_see() -> None:
    """Of many routes, those that overlap are drawn with --verbose alone."""
    brief, verbose = render(SEVERAL), render(SEVERAL, verbose=True)
    assert "\nGET /weather\n" not in brief
    assert "\nGET /prices\n" in brief
    assert "--verbose draws the requests of every route." in brief
    assert "\nGET /weather\n" in verbose


def test_stacks_stand_side_by_side() -> None:
    """A comparison has a column for each stack and says whether the answers are the same."""
    lines = [" ".join(line.split()) for line in render(COMPARED).splitlines()]
    assert "Flask on gunicorn, 4 threads flasync on uvicorn" in lines
    assert "Server blocking 0.5 ms at worst 0.5 ms at worst" in lines
    assert "Concurrent requests 4.0 of 20 at a time 16.3 of 20 at a time" in lines
    assert "Response latency p50 454 ms, p99 756 ms p50 226 ms, p99 245 ms" in lines
    assert "Verdict limited overlaps" in lines
    assert "The answers are the same: status, headers and body." in lines
    assert any(line.startswith("The answers differ: headers: X-Worker") for line in lines)


def test_stacks_share_a_scale() -> None:
    """The slower stack's bars are longer: both are drawn on one axis."""
    lines = render(replace(COMPARED, routes=COMPARED.routes[:1])).splitlines()
    axes = [line for line in lines if line.strip().startswith("0  ")]
    assert len(axes) == 2
    assert axes[0] == axes[1]


def test_failures_are_named() -> None:
    """A request without an answer is marked, and why is told once."""
    text = render(FAILING)
    assert sum(line.endswith(" failed") for line in text.splitlines()) == 3
    assert text.count("failed: ConnectionRefusedError: port 5000") == 1


@pytest.mark.parametrize(
    ("run", "command"),
    [
        (SERIAL, "flasync trace --app wsgi GET /prices"),
        (SERIAL, "flasync migrate --app wsgi --route /prices"),
        (COMPUTING, "flasync trace --app wsgi POST /report"),
        (FAST, "flasync scan --app wsgi"),
        (OVERLAPPING, "flasync verify --app wsgi /weather --compare --html verify.html"),
        (
            OVERLAPPING,
            "flasync verify --app wsgi /weather --requests 20 --min-overlap 8 --max-p99 490ms"
            " --max-bystander 50ms",
        ),
        (
            FROM_OUTSIDE,
            "flasync verify --url https://shop.example /weather --requests 20 --min-overlap 8"
            " --max-p99 490ms --max-bystander 50ms",
        ),
    ],
)
def test_next_step_is_a_command(run: Run, command: str) -> None:
    """What to do next is there to be copied, in a line of its own."""
    assert f"     {command}\n" in render(run, width=60)


def test_server_elsewhere_is_not_compared() -> None:
    """A server that somebody else runs is there once."""
    assert "--compare" in render(OVERLAPPING)
    assert "--compare" not in render(FROM_OUTSIDE)


def test_computing_is_not_sent_to_migrate() -> None:
    """Async gains nothing where a route computes."""
    assert "flasync migrate" not in render(COMPUTING)


def test_server_that_tells_nothing() -> None:
    """Without marks the bars say how long, and the legend that no more is known."""
    text = render(FROM_OUTSIDE)
    assert "═" in text
    assert "at the server, which tells no more" in text
    assert "Where the time went" not in text


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("width", [40, 61, 100, 200])
def test_lines_fit(run: Run, width: int) -> None:
    """No line but a command is wider than the terminal."""
    lines = render(
        run, width=width, failed=["one two three four five six seven eight"]
    ).splitlines()
    assert not [line for line in lines if len(line) > width and not line.startswith("     flasync")]


def test_narrow_table_is_a_list() -> None:
    """Where there is no room for a table, the figures of each route stand below it, uncropped."""
    lines = [" ".join(line.split()) for line in render(SEVERAL, width=40).splitlines()]
    start = lines.index("GET /catalogue (thread)")
    assert lines[start + 1 : start + 4] == ["limited", "at a time 6.6 of 20", "p50 301 ms"]


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("width", [40, 100])
def test_ascii_alone_is_enough(run: Run, width: int) -> None:
    """Where the encoding has no more than ASCII, nothing but names is replaced."""
    text = render(run, width=width, encoding="ascii", verbose=True)
    if run is not RUNS["hostile"]:
        assert "?" not in text


def test_nothing_is_left_out_when_verbose() -> None:
    """Every hold is told."""
    (route,) = SERIAL.routes
    (measured,) = route.measured
    many = tuple(replace(measured.holds[0], place=f"shop/a.py:{line}") for line in range(9))
    run = replace(SERIAL, routes=(replace(route, measured=(replace(measured, holds=many),)),))
    assert render(run).count("shop/a.py:") == 5
    assert render(run, verbose=True).count("shop/a.py:") == 9


def test_answers_that_were_not_compared() -> None:
    """One stack alone has nothing to be the same as."""
    assert "The answers" not in render(OVERLAPPING)
    (first, *_) = COMPARED.routes
    same = replace(COMPARED, routes=(replace(first, sameness=Sameness()),))
    assert "The answers are the same" in render(same)


def test_browser_is_told_apart() -> None:
    """What a browser has seen stands beside what the client has."""
    (route,) = OVERLAPPING.routes
    (measured,) = route.measured
    times = BrowserTimes(2, (210.0, 220.0), (0.0, 0.0), (), 0, 221.0, 9.0, (10.0, 12.0))
    seen = replace(route, measured=(replace(measured, browser=times),))
    text = render_words(replace(OVERLAPPING, routes=(seen,)))
    assert "In a browser: flasync on uvicorn: fetches" in text
    assert "In a browser" not in render(OVERLAPPING)
