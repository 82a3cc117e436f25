"""Small projects that are run under observation, and looking at what was seen of them."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from flasync.toolkit.observing.launch import run_observed
from flasync.toolkit.observing.observation import Observation, ObservedPlace, ObservedRoute

# What share of a planted wait or computation must be found at its line. Two sampling intervals of
# each are not, and on a busy machine an interval is long.
MOST = 0.7
# What another line may have of it at most. Only if it were taken for the planted one had it more.
LITTLE = 0.5
# How many requests of 200 ms are made, and how many of half as long: a look may come so late that
# one of them passes unseen, and then the others still make up `MOST`.
TIMES = 5
TIMES_SHORT = 10


class Project:
    """A folder with a module `app` and whatever else is written to it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def write(self, name: str, text: str) -> Path:
        """Write a file; its text may be indented."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def write_view(self, body: str = "", *, above: str = "", result: str = '""') -> None:
        """Write an app whose view for / has this body and result, below other code."""
        indented = textwrap.indent(textwrap.dedent(body), "    ")
        self.write(
            "app.py",
            f"import flask\n{textwrap.dedent(above)}\napp = flask.Flask(__name__)\n\n"
            f"@app.get('/')\ndef index():\n{indented}\n    return {result}\n",
        )

    def find_line(self, mark: str, name: str = "app.py") -> int:
        """The number of the line that ends with a mark, as a comment."""
        lines = (self.root / name).read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {mark}"))

    def observe(self, *arguments: str, lines: dict[str, set[int]] | None = None) -> Observation:
        """Run Python with these arguments in the project's folder."""
        exit_code, observation = self.run(*arguments, lines=lines)
        assert exit_code == 0
        return observation

    def run(
        self, *arguments: str, lines: dict[str, set[int]] | None = None
    ) -> tuple[int, Observation]:
        """The same, whatever the exit code."""
        # `env -C` so that the test's own folder stays: other tests run in this process. Plugins of
        # pytest that happen to be installed take longer to import than most of these suites run.
        settings = ["-C", str(self.root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1"]
        command = ["env", *settings, sys.executable, *arguments]
        return run_observed(command, self.root, lines or {})

    def write_requests(self, *urls: str, times: int = 1) -> None:
        """Write a test suite of one test that asks for each URL with the test client."""
        self.write(
            "test_app.py",
            f"""\
            import app

            def test_requests():
                client = app.app.test_client()
                for url in {urls!r} * {times}:
                    client.get(url).get_data()
            """,
        )

    def write_visitors(self, *visitors: list[str]) -> None:
        """Write a program of threads, each of which asks for its own URLs, one after another."""
        self.write(
            "main.py",
            f"""\
            import threading
            import app

            def visit(urls):
                client = app.app.test_client()
                for url in urls:
                    client.get(url).get_data()

            threads = [threading.Thread(target=visit, args=[urls]) for urls in {visitors!r}]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            """,
        )


def get_route(observation: Observation, rule: str) -> ObservedRoute:
    """The one route with that rule."""
    (route,) = [route for route in observation.routes if route.rule == rule]
    return route


def list_at(route: ObservedRoute, line: int) -> Iterator[ObservedPlace]:
    """The places at a line, by the innermost of the project's own frames."""
    for place in route.places:
        if place.chain and place.chain[-1].line <= line <= place.chain[-1].end_line:
            yield place


def sum_waited(route: ObservedRoute, line: int) -> float:
    """The milliseconds that a route waited at a line."""
    return sum(place.waited_ms for place in list_at(route, line))


def sum_cpu(route: ObservedRoute, line: int) -> float:
    """The milliseconds that a route computed at a line."""
    return sum(place.cpu_ms for place in list_at(route, line))


def get_kind(route: ObservedRoute, line: int) -> str:
    """What a route waited for at a line, most of the time."""
    totals: dict[str, float] = {}
    for place in list_at(route, line):
        for kind, waited_ms in (place.kinds or {}).items():
            totals[kind] = totals.get(kind, 0.0) + waited_ms
    return max(totals, key=totals.__getitem__)


def get_chain(route: ObservedRoute, line: int) -> list[str]:
    """The functions of the project's own frames down to a line."""
    return get_functions(next(list_at(route, line)))


def get_functions(place: ObservedPlace) -> list[str]:
    """The functions of the project's own frames down to a place."""
    return [frame.function for frame in place.chain]
