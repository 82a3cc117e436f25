"""How much of what blocks is found, and how much of what is reported blocks: `scripts/accuracy`.

Scans the labelled corpus with flasync, with Ruff's ASYNC rules and with blockbuster, and prints
the recall and the precision of each. Exits with 1 when flasync is below what is promised.
"""

import argparse
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conformance.packages import Packages, use_pip_settings
from conformance.sdist import fetch_sdist, unpack_sdist

from corpus.labelled import LABELS, Place, Score, lay_out, list_cases, read_label_file, read_markers
from corpus.labelled import score as score_report
from corpus.tools import Project, run_blockbuster, run_flasync, run_ruff, run_ruff_on_async

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "accuracy"

# What is promised of flasync, over the whole corpus.
LEAST_RECALL = 0.95
LEAST_PRECISION = 0.97

FLASK_VERSION = "3.1.3"
HTTPBIN_VERSION = "0.10.4"
# Releases after this day are not taken, so that the labels fit.
NEWEST = "2026-11-01T00:00:00Z"

# Folders of the applications that are not the app: what is reported there counts for nothing.
BESIDE_THE_APP = ("supplier/", "tests/")

# Where the small cases send their requests; nothing else is needed by most of them.
CASES_PORT = 8799

FLASYNC = "flasync scan"
TOOLS: dict[str, Callable[[Project], set[Place]]] = {
    FLASYNC: run_flasync,
    "Ruff ASYNC": run_ruff,
    "Ruff ASYNC, all made async": run_ruff_on_async,
    "blockbuster": run_blockbuster,
}
TOTAL = "all"

Scores = dict[str, dict[str, Score]]


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/accuracy", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--only", metavar="TOOL", choices=TOOLS, help="run one tool alone")
    parser.add_argument("--small", action="store_true", help="leave the real applications out")
    arguments = parser.parse_args()
    tools = [arguments.only] if arguments.only else list(TOOLS)
    with tempfile.TemporaryDirectory() as folder:
        projects = [*list_small_projects(Path(folder))]
        if not arguments.small:
            projects += list_applications(Path(folder))
        scores = {tool: measure(tool, projects) for tool in tools}
    groups = [*dict.fromkeys(project.group for project in projects), TOTAL]
    print(build_table(scores, groups, markdown=arguments.markdown))
    return check(scores[FLASYNC][TOTAL]) if FLASYNC in scores else 0


def check(score: Score) -> int:
    """Return the exit code for flasync's score over everything."""
    good = score.recall >= LEAST_RECALL and score.precision >= LEAST_PRECISION
    if not good:
        print(
            f"flasync scan is below recall {LEAST_RECALL:.0%} or precision {LEAST_PRECISION:.0%}:"
            " the lines above are where",
            file=sys.stderr,
        )
    return 0 if good else 1


# --- the corpus --------------------------------------------------------------------------------


def list_small_projects(folder: Path) -> Iterable[Project]:
    """Lay out every small case in a folder of its own."""
    for case in list_cases():
        root = lay_out(case, folder / case.name)
        yield Project(case.group, case.name, root, "app", tuple(read_markers(root)))


def list_applications(folder: Path) -> list[Project]:
    """Lay out the bookshop, the tutorial's application and httpbin."""
    use_pip_settings()
    packages = Packages(uv=str(Path(sys.executable).with_name("uv")), newest=NEWEST, cache=CACHE)
    shop = folder / "bookshop"
    shutil.copytree(
        REPOSITORY / "examples" / "bookshop", shop, ignore=shutil.ignore_patterns("__pycache__")
    )
    flask_sdist = unpack_sdist(fetch_sdist(packages, "flask", FLASK_VERSION), folder / "flask")
    httpbin = unpack_sdist(fetch_sdist(packages, "httpbin", HTTPBIN_VERSION), folder / "httpbin")
    flaskr = flask_sdist / "examples" / "tutorial"
    deployed = (
        ("BOOKSHOP_INSTANCE", str(folder / "instance")),
        ("REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("MAIL_SERVER", "127.0.0.1"),
    )
    return [
        _build_application("bookshop", shop, "wsgi", deployed),
        _build_application("flaskr", flaskr, "flaskr"),
        _build_application("httpbin", httpbin, "httpbin:app"),
    ]


def _build_application(
    name: str, root: Path, import_path: str, environment: tuple[tuple[str, str], ...] = ()
) -> Project:
    labels = tuple(read_label_file(LABELS / f"{name}.toml", root))
    return Project(name, name, root, import_path, labels, environment, tested=True)


# --- measuring ---------------------------------------------------------------------------------


def measure(tool: str, projects: list[Project]) -> dict[str, Score]:
    """Return a tool's score for each group, and for all of them together."""
    run = TOOLS[tool]
    with serve_answers():
        if tool == FLASYNC:  # imports the projects into this process, one after another
            reports = [run(project) for project in projects]
        else:
            with ThreadPoolExecutor(2) as pool:
                reports = list(pool.map(run, projects))
    scores: dict[str, Score] = {TOTAL: Score()}
    for project, report in zip(projects, reports, strict=True):
        app_report = (place for place in report if not place[0].startswith(BESIDE_THE_APP))
        score = score_report(project.labels, app_report)
        scores[project.group] = scores.get(project.group, Score()) + score
        scores[TOTAL] += score
        if tool == FLASYNC:
            tell_mistakes(project, score)
    return scores


def tell_mistakes(project: Project, score: Score) -> None:
    """Print which lines flasync misses, and which it should not report."""
    for label in score.missed:
        print(f"missed  {project.name}: {label.file}:{label.line}  {label.callables}")
    for file, line in score.wrong:
        print(f"wrong   {project.name}: {file}:{line}")


class _Answers(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def serve_answers() -> Iterator[None]:
    """Answer whatever the small cases ask for over HTTP, while the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", CASES_PORT), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- printing ----------------------------------------------------------------------------------


def build_table(scores: Scores, groups: list[str], *, markdown: bool) -> str:
    """Return recall and precision of each tool by group, and the number of labelled lines."""
    first = next(iter(scores.values()))
    rows = [["", "lines", *scores], ["-", "-:", *("-:" for _ in scores)]]
    for group in groups:
        labelled = first[group].found + first[group].missed
        cells = [_format_score(by_group[group]) for by_group in scores.values()]
        rows.append([group, str(len(labelled)), *cells])
    if markdown:
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)
    del rows[1]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _format_score(score: Score) -> str:
    """Return recall and precision; "none" for the precision of an empty report."""
    reported = score.found or score.wrong
    return f"{score.recall:.1%} / {f'{score.precision:.1%}' if reported else 'none'}"


if __name__ == "__main__":
    sys.exit(main())
