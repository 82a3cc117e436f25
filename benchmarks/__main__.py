"""The command: measures what is asked for, prints the report, writes it into the docs."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.inprocess import measure_in_process
from benchmarks.load import MISSING_WRK, measure_load, wrk_is_missing
from benchmarks.report import Report, write_between_markers
from benchmarks.stacks import IN_PROCESS, SERVER_CHOICE, STACKS, Stack
from benchmarks.waiting import measure_waiting

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
PARTS = ("inprocess", "load", "servers", "waiting")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        in_process_rounds: Rounds of the in-process part.
        in_process_requests: Requests a slice there.
        load_rounds: Rounds of wrk.
        load_s: Whole seconds of each run of wrk.
        waiting_rounds: Rounds of waiting requests.
        waiting_sizes: Requests at once.
    """

    in_process_rounds: int
    in_process_requests: int
    load_rounds: int
    load_s: int
    waiting_rounds: int
    waiting_sizes: tuple[int, ...]


FULL = Plan(5, 200, 4, 1, 2, (1_000, 9_000))
QUICK = Plan(1, 100, 1, 1, 1, (120,))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Returns:
        Exit status: 0 when everything was measured, 1 when a stack failed (the report says how),
        2 for wrong usage or a missing load tool.
    """
    options = parse_arguments(arguments)
    if wrk_is_missing() and {"load", "servers"} & set(options.parts):
        print(MISSING_WRK, file=sys.stderr)
        return 2
    machine.raise_file_limit()
    server_core, client_core = machine.split_cores()
    plan = QUICK if options.quick else FULL
    report = Report(machine=machine.describe_machine(), versions=machine.describe_versions())

    if "inprocess" in options.parts:
        machine.pin(server_core)
        report.times = measure_in_process(
            select(IN_PROCESS, options.only), plan.in_process_rounds, plan.in_process_requests
        )
    machine.pin(client_core)
    if "load" in options.parts:
        report.load = measure_load(
            select(STACKS, options.only), plan.load_rounds, plan.load_s, server_core
        )
    if "servers" in options.parts:
        report.servers = measure_load(
            select(SERVER_CHOICE, options.only), plan.load_rounds, plan.load_s, server_core
        )
    if "waiting" in options.parts:
        report.waiting = measure_waiting(
            select(STACKS, options.only), plan.waiting_sizes, plan.waiting_rounds, server_core
        )
    text = report.render(command_line(arguments))
    print(text)
    if options.write:
        write_between_markers(options.write, text)
    return 1 if report.failures() else 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; `write` is None when the result must not go into the docs."""
    names = [stack.name for stack in (*STACKS, *SERVER_CHOICE[1:])]
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Compares flasync with its peers. A full run takes about 20 minutes and writes "
        "its tables into docs/performance.md; any other run only prints them.",
    )
    parser.add_argument("--quick", action="store_true", help="about a minute: does it all work?")
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}"
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        metavar="PART",
        help=f"of {', '.join(PARTS)}",
    )
    parser.add_argument("--write", type=Path, metavar="PATH", help="page to write the tables into")
    options = parser.parse_args(arguments)
    full = not options.quick and not options.only and set(options.parts) == set(PARTS)
    if full and options.write is None:
        options.write = PAGE
    return options


def command_line(arguments: Sequence[str] | None) -> str:
    """The command that makes this report again."""
    return " ".join(["scripts/bench", *(sys.argv[1:] if arguments is None else arguments)])


def select(stacks: Sequence[Stack], names: Sequence[str] | None) -> list[Stack]:
    """The stacks with these names, all of them for None."""
    return [stack for stack in stacks if names is None or stack.name in names]


if __name__ == "__main__":
    sys.exit(main())
