"""The migration run: `scripts/migrations [NAME ...]`.

For each application: its sdist from the package index, one run of its tests as they are, `flasync
migrate` by one command, one run of the same tests on the migrated source under WSGI, and one
through flasync with the guard that names what holds the loop. No test may turn red, and no route
that moved may stall.
"""

import argparse
import json
import os
import re
import shlex
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.command import CommandFailedError, run_logged
from conformance.environment import ROOT
from conformance.migration_page import Outcome, build_page
from conformance.outcome import Record, find_differing, is_flaky
from conformance.packages import Packages, use_pip_settings
from conformance.run import (
    STOCK,
    Bench,
    SuiteFailedError,
    find_uv,
    prepare_bench,
)
from conformance.sdist import unpack_sdist
from conformance.suite import HERE, read_catalogue

NATURAL = "natural"
# Seconds for one migration, the test runs in it included.
MIGRATION_TIMEOUT_S = 1800
RERUNS = 2
# Async drivers and clients that a migration may write, as a user would install them.
DRIVERS = ("aiosqlite", "asyncpg", "asyncmy", "niquests")
# What differs in a stall from one time to the next.
_DURATION = re.compile(r"for \d+ ms")
GREEN = frozenset({"passed", "xfailed", "skipped"})


@dataclass(frozen=True, slots=True)
class Application:
    """What `migrations.toml` says of one application."""

    name: str
    app: str
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    install: tuple[str, ...] = ()


def read_applications() -> dict[str, Application]:
    """The applications by their names, in the file's order."""
    data = tomllib.loads((HERE / "migrations.toml").read_text())
    return {
        name: Application(
            name,
            table["app"],
            table.get("env", {}),
            table.get("files", {}),
            tuple(table.get("paths", ())),
            tuple(table.get("install", ())),
        )
        for name, table in data.items()
    }


def migrate(application: Application, options: argparse.Namespace) -> Outcome:
    """Migrate one application and test it before and after."""
    started = time.monotonic()
    suite = next(item for item in options.catalogue.suites if item.name == application.name)
    suite = replace(
        suite,
        env={**suite.env, **application.env},
        paths=application.paths or suite.paths,
    )
    bench = prepare_bench(suite, options)
    wanted = ["--editable", f"{ROOT}[toolkit]", *DRIVERS, *application.install]
    options.packages.install(bench.python, wanted, suite.overrides)
    stock = bench.run(STOCK, STOCK)
    project = unpack_sdist(bench.archive, bench.folder / "migrated") / suite.directory
    for path, text in application.files.items():
        (project / path).write_text(text)
    report = run_migration(application, bench, project)
    after = bench.run_in(project, STOCK, "migrated-stock")
    red = [
        test
        for test in find_differing(stock, after)
        if not is_green(after, test) and is_green(stock, test)
    ]
    red = confirm(bench, project, stock, after, red)
    stalls = find_stalls(bench, project)
    outcomes = [item for item in report["outcomes"] if item["status"] in {"applied", "proved"}]
    return Outcome(
        application.name,
        routes=sum(len(item["stage"]["routes"]) for item in outcomes) + len(report["left"]),
        moved=sum(len(item["stage"]["routes"]) for item in outcomes),
        left=count(item["reason"] for item in report["left"]),
        ways=count(
            {
                json.dumps(change["span"]): change["way"]
                for item in outcomes
                for change in item["stage"]["changes"]
                if "way" in change
            }.values()
        ),
        red=tuple(red),
        stalls=stalls,
        tests=len(stock.outcomes),
        seconds=time.monotonic() - started,
    )


def run_migration(application: Application, bench: Bench, project: Path) -> dict[str, Any]:
    """What `flasync migrate` says, as its JSON.

    Raises:
        SuiteFailedError: when it ended with another code than 0 and 1, or took too long.
    """
    suite = bench.suite
    tests = [str(bench.python), "-m", "pytest", "-q", "--rootdir", "."]
    tests += [*(f"--deselect={test}" for test in suite.deselect), *suite.options, *suite.paths]
    command = [str(bench.python.parent / "flasync"), "migrate", "--app", application.app]
    command += ["--write", "--allow-dirty", "--bisect", "--test", shlex.join(tests), "--json"]
    log = bench.folder / "migration.log"
    code = run_logged(
        command,
        log,
        cwd=project,
        env={
            "TZ": "UTC",
            **suite.env,
            "PATH": f"{bench.python.parent}:{os.environ['PATH']}",
        },
        timeout_s=MIGRATION_TIMEOUT_S,
    )
    # What the application logs, before and after, is in the file as well.
    lines = log.read_text(errors="replace").splitlines()
    reports = [line for line in lines if line.startswith('{"version"')]
    if code not in (0, 1) or not reports:
        raise SuiteFailedError(f"{suite.name}: migrate ended with {code}: see {log}")
    report: dict[str, Any] = json.loads(reports[-1])
    return report


def count(words: Iterable[str]) -> dict[str, int]:
    """How often each word comes, the most frequent first."""
    return dict(Counter(words).most_common())


def is_green(record: Record, test: str) -> bool:
    """Whether a test came to nothing bad."""
    return record.outcomes.get(test, "absent") in GREEN


def confirm(
    bench: Bench, project: Path, stock: Record, after: Record, red: Sequence[str]
) -> list[str]:
    """Those of the red tests that are red in every rerun, and green in every one without us."""
    stocks, records = [stock], [after]
    for number in range(1, RERUNS + 1) if red else ():
        stocks.append(bench.run(STOCK, f"stock-rerun-{number}", red))
        records.append(bench.run_in(project, STOCK, f"migrated-rerun-{number}", red))
    return [test for test in red if not is_flaky(test, stocks, records)]


def find_stalls(bench: Bench, project: Path) -> tuple[str, ...]:
    """What held the loop while the tests' requests went through flasync, in every rerun as well.

    On a busy machine, the loop's own thread is not run for that long now and then.
    """
    stalls = bench.run_in(project, NATURAL, "migrated-natural").stalls
    for number in range(1, RERUNS + 1) if stalls else ():
        again = bench.run_in(project, NATURAL, f"migrated-natural-rerun-{number}").stalls
        known = {_DURATION.sub("", stall) for stall in again}
        stalls = tuple(stall for stall in stalls if _DURATION.sub("", stall) in known)
        if not stalls:
            break
    return stalls


def describe(outcome: Outcome) -> list[str]:
    """The lines that are printed of one application."""
    lines = [
        f"{outcome.name}: {outcome.moved} of {outcome.routes} routes moved, "
        f"{len(outcome.red)} of {outcome.tests} tests turned red, "
        f"{len(outcome.stalls)} stalls ({outcome.seconds:.0f} s)"
    ]
    lines += [f"    {count} calls: {way}" for way, count in outcome.ways.items()]
    lines += [f"    {count} stay: {reason}" for reason, count in outcome.left.items()]
    lines += [f"    RED {test}" for test in outcome.red]
    lines += [f"    STALL {stall}" for stall in outcome.stalls]
    return lines


def write_page(applications: Mapping[str, Application], options: argparse.Namespace) -> None:
    """Write docs/migrations.md, of all that was ever run here."""
    kept = [Outcome.read(path) for path in (options.cache / "migrations").glob("*.json")]
    suites = {suite.name: suite for suite in options.catalogue.suites}
    page = build_page(
        [suites[name] for name in applications], {outcome.name: outcome for outcome in kept}
    )
    (ROOT / "docs" / "migrations.md").write_text(page)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/migrations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="applications; all by default")
    parser.add_argument("--page", action="store_true", help="write docs/migrations.md, of all")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "conformance")
    options = parser.parse_args(arguments)
    options.cache = options.cache.resolve()
    return options


def main(arguments: Sequence[str]) -> int:
    """Migrate the applications; 0 clean, 1 when something is red, stalls or is broken."""
    options = parse_arguments(arguments)
    applications = read_applications()
    if unknown := set(options.names) - set(applications):
        print(f"no such application: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    options.catalogue = read_catalogue()
    options.packages = Packages(find_uv(), options.catalogue.newest, options.cache)
    use_pip_settings()
    moved = routes = red = stalls = broken = 0
    for name in options.names or applications:
        try:
            outcome = migrate(applications[name], options)
        except (CommandFailedError, SuiteFailedError, LookupError) as error:
            broken += 1
            print(f"BROKEN: {name}: {error}", flush=True)
            continue
        print("\n".join(describe(outcome)), flush=True)
        outcome.write(options.cache / "migrations")
        moved, routes = moved + outcome.moved, routes + outcome.routes
        red, stalls = red + len(outcome.red), stalls + len(outcome.stalls)
    print(f"{moved} of {routes} routes moved, {red} tests turned red, {stalls} stalls")
    if options.page:
        write_page(applications, options)
    return 1 if red or stalls or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
