"""The conformance run: `scripts/conformance [--core] [NAME ...]`.

For each suite: its sdist from the package index, an environment of its own, one run of its tests
as they are and one through flasync in each lane asked for, then the comparison, test by test.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from conformance.command import CommandFailedError, run_logged
from conformance.environment import PLUGIN, ROOT, prepare_environment
from conformance.outcome import (
    ABSENT,
    Difference,
    Record,
    count_outcomes,
    find_differing,
    is_flaky,
    match_known,
    parse_record,
    read_known,
)
from conformance.packages import Packages, use_pip_settings
from conformance.report import Result, build_page
from conformance.sdist import fetch_sdist, unpack_sdist
from conformance.suite import HERE, LANES, Catalogue, Suite, read_catalogue

STOCK = "stock"
THREADED = "threaded"
# More differing tests than this are not rerun one by one: something is broken as a whole.
MOST_RERUN = 60
RERUNS = 3
# Seconds after which a single test is failed with every thread's stack.
TEST_TIMEOUT_S = 120


class SuiteFailedError(Exception):
    """A suite gave no result that could be compared."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One suite, ready to run: its archive, its Python, and where its files go."""

    suite: Suite
    archive: Path
    python: Path
    folder: Path

    def run(self, mode: str, name: str, tests: Sequence[str] = ()) -> Record:
        """Run the suite's tests, or only ``tests``, in "stock" mode or in a lane.

        Raises:
            SuiteFailedError: when the run was killed or wrote no record.
        """
        project = unpack_sdist(self.archive, self.folder / name) / self.suite.directory
        return self.run_in(project, mode, name, tests)

    def run_in(self, project: Path, mode: str, name: str, tests: Sequence[str] = ()) -> Record:
        """Run the tests of a project that is unpacked already; raises what `run` raises."""
        record, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        record.unlink(missing_ok=True)
        started = time.monotonic()
        code = run_logged(
            self._build_command(mode, record, tests),
            log,
            cwd=project,
            env={
                "TZ": "UTC",
                **self.suite.env,
                "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            },
            timeout_s=self.suite.timeout_s,
        )
        if code not in (0, 1) or not record.exists():  # 1: some tests failed
            raise SuiteFailedError(f"{self.suite.name}: {mode} ended with {code}: see {log}")
        data = json.loads(record.read_text())
        return parse_record({**data, "seconds": round(time.monotonic() - started, 1)})

    def _build_command(self, mode: str, record: Path, tests: Sequence[str]) -> list[str]:
        suite = self.suite
        command = [str(self.python), "-m", "pytest", "-q", "--rootdir", ".", "-p", PLUGIN]
        command += [f"--timeout={TEST_TIMEOUT_S}", f"--flasync-record={record}"]
        if mode != STOCK:
            command.append(f"--flasync-lane={mode}")
        if suite.lend:
            command.append("--flasync-lend")
        if suite.driver and mode in LANES:
            command.append(f"--flasync-driver={suite.driver}")
        command += [f"--deselect={test}" for test in suite.deselect]
        return [*command, *suite.options, *(tests or suite.paths)]


def prepare_bench(suite: Suite, options: argparse.Namespace) -> Bench:
    """Fetch and install what the suite needs."""
    packages = options.packages
    archive = fetch_sdist(packages, suite.source, suite.version)
    python = prepare_environment(packages, suite, archive, suite.python or options.python)
    folder = options.cache / "runs" / suite.name
    folder.mkdir(parents=True, exist_ok=True)
    return Bench(suite, archive, python, folder)


def run_suite(suite: Suite, options: argparse.Namespace) -> Result:
    """The suite's result in stock mode and in each of its lanes."""
    bench = prepare_bench(suite, options)
    stock = bench.run(STOCK, STOCK)
    result = Result(suite=suite.name, stock=stock)
    print(f"{suite.name}: stock {count_outcomes(stock)} ({stock.seconds} s)", flush=True)
    for lane in () if options.stock else options.lane or suite.lanes:
        record = bench.run(lane, lane)
        result.lanes[lane] = record
        differences, flaky = compare(bench, lane, stock, record)
        result.differences.extend(differences)
        result.flaky.extend(flaky)
        print(
            f"{suite.name}: {lane} {count_outcomes(record)} ({record.seconds} s), "
            f"{record.bridged} requests bridged, {len(differences)} differences",
            flush=True,
        )
    return result


def compare(
    bench: Bench, lane: str, stock: Record, record: Record
) -> tuple[list[Difference], list[str]]:
    """The differences that every rerun confirms, and the ids of the tests that proved flaky."""
    tests = find_differing(stock, record)
    stocks, records = [stock], [record]
    # A test that one of the runs did not even collect cannot be asked for by its id.
    named = [test for test in tests if test in stock.outcomes and test in record.outcomes]
    flaky = [test for test in tests if test in bench.suite.timed]
    for number in range(1, RERUNS + 1) if len(named) <= MOST_RERUN else ():
        asked = [test for test in named if test not in flaky]
        if not asked:
            break
        stocks.append(bench.run(STOCK, f"{lane}-rerun-{STOCK}-{number}", asked))
        records.append(bench.run(lane, f"{lane}-rerun-{number}", asked))
        flaky += [test for test in asked if is_flaky(test, stocks, records)]
    differing = [test for test in tests if test not in flaky]
    control = Record({})
    if differing and len(differing) <= MOST_RERUN:
        control = bench.run(THREADED, f"{lane}-{THREADED}", differing)
    differences = [
        Difference(
            bench.suite.name,
            lane,
            test,
            stock.outcomes.get(test, ABSENT),
            record.outcomes.get(test, ABSENT),
            control.outcomes.get(test, ""),
        )
        for test in differing
    ]
    return differences, [f"{lane}: {test}" for test in flaky]


def choose_suites(catalogue: Catalogue, options: argparse.Namespace) -> list[Suite]:
    """The suites asked for by name, or the core ones, or all.

    Raises:
        SystemExit: with code 2 when a name is no suite's.
    """
    names = {suite.name for suite in catalogue.suites}
    if unknown := set(options.names) - names:
        print(f"no such suite: {', '.join(sorted(unknown))}; see --list", file=sys.stderr)
        raise SystemExit(2)
    return [
        suite
        for suite in catalogue.suites
        if (suite.name in options.names if options.names else suite.core or not options.core)
    ]


def report(results: list[Result], broken: list[str], suites: list[Suite]) -> int:
    """Print what differs; the exit code: 0 when nothing does that is not listed."""
    known = read_known(HERE / "differences.toml")
    found = [difference for result in results for difference in result.differences]
    ran = [(result.suite, lane) for result in results for lane in result.lanes]
    unlisted, gone = match_known(found, known, ran)
    by_name = {suite.name: suite for suite in suites}
    silent = [
        f"{result.suite}: no request went through flasync in the {lane} lane"
        for result in results
        for lane, record in result.lanes.items()
        if not record.bridged and not by_name[result.suite].quiet
    ]
    for result in results:
        for test in result.flaky:
            print(f"flaky: {result.suite}: {test}")
    for difference in unlisted:
        print(
            f"DIFFERENCE: {difference.suite} ({difference.lane}): {difference.test}: "
            f"{difference.stock} -> {difference.flasync} "
            f"(in another thread without flasync: {difference.threaded or 'not run'})"
        )
    for entry in gone:
        print(f"GONE: {entry.difference}: delete it from differences.toml")
    for line in [*broken, *silent]:
        print(f"BROKEN: {line}")
    tests = sum(len(record.outcomes) for result in results for record in result.lanes.values())
    print(
        f"{len(results)} suites, {tests} tests through flasync, {len(found)} differences "
        f"({len(found) - len(unlisted)} listed)"
    )
    return 1 if unlisted or gone or broken or silent else 0


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="suites to run; all by default")
    parser.add_argument("--core", action="store_true", help="only the fast set that CI runs")
    parser.add_argument("--list", action="store_true", help="list the suites and end")
    parser.add_argument("--stock", action="store_true", help="only without flasync")
    parser.add_argument(
        "--lane", action="append", choices=LANES, help="this lane instead of each suite's own"
    )
    parser.add_argument("--page", action="store_true", help="write docs/extensions.md, of all")
    parser.add_argument("--jobs", type=int, default=1, help="suites run at once (default: 1)")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "conformance")
    options = parser.parse_args(arguments)
    options.cache = options.cache.resolve()
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the suites; 0 clean, 1 on a difference or a broken suite, 2 on wrong usage."""
    options = parse_arguments(arguments)
    catalogue = read_catalogue()
    suites = choose_suites(catalogue, options)
    if options.list:
        for suite in suites:
            print(f"{suite.name:40} {suite.version:10} {', '.join(suite.lanes)}")
        return 0
    options.packages = Packages(find_uv(), catalogue.newest, options.cache)
    use_pip_settings()
    results, broken = [], []

    def attempt(suite: Suite) -> None:
        try:
            result = run_suite(suite, options)
        except (CommandFailedError, SuiteFailedError, LookupError) as error:
            broken.append(f"{suite.name}: {error}")
            print(f"{suite.name}: {error}", flush=True)
            return
        results.append(result)
        if not options.stock and not options.lane:
            result.write(options.cache / "results")

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(attempt, suites))
    code = report(results, broken, suites)
    if options.page:
        kept = (options.cache / "results").glob("*.json")
        page = build_page(
            catalogue,
            {path.stem: Result.read(path) for path in kept},
            read_known(HERE / "differences.toml"),
        )
        (ROOT / "docs" / "extensions.md").write_text(page)
    return code


def find_uv() -> str:
    """The path of uv, beside this Python or on the PATH.

    Raises:
        SystemExit: with code 2 when there is none.
    """
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        print("needs uv: run scripts/conformance, which installs it", file=sys.stderr)
        raise SystemExit(2)
    return uv


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
