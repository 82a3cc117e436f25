"""Running the app's own tests: what passes, and what a change has turned red.

pytest is asked for a JUnit file, which every version of it writes without any plugin of ours in the
app's environment, also from parallel workers. Of other commands only the exit code is known: such a
command is one test, named by the command itself.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from flasync.errors import SuiteError
from flasync.toolkit.migration.junit_report import Outcomes, read_outcomes, shorten

Command = tuple[str, ...]

_TAIL_LINES = 40
# After an interrupt pytest runs the teardown of its fixtures and writes its report.
_GRACE_S = 10.0
# More red tests than this are no accident of one test's timing: running each again proves nothing.
_MOST_REPEATED = 50
_USAGE_ERROR = 4
_NO_TESTS = 5
_LAUNCHERS = re.compile(
    r"(python[\d.]*|env|uv|uvx|poetry|pipenv|pdm|hatch|rye|coverage|nice|timeout|xvfb-run)$"
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SHELL_SYNTAX = re.compile(r"[|&;<>$`*?\n]|^\s*\(")
# Flags of pytest without a value, after which a path is an argument of its own.
_PLAIN_FLAGS = re.compile(r"-[vqxsl]+$|--[\w-]+=")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What one run of the tests gave.

    Attributes:
        command: What was run, as given.
        passed: The ids of the tests that passed. An id is pytest's, such as
            "tests/test_shop.py::TestBasket::test_add[1]"; without pytest it is the command.
        failed: The first line of the reason, by the id of the test.
        skipped: The reason, by the id of the test; expected failures included.
        errors: What else went wrong, in one line: by the file that could not be collected, or by
            the command for what is wrong with the run as a whole.
        exit_code: As a shell gives it.
        duration_s: From start to end.
        output_tail: The last lines of its output, without colours.
        timed_out: Whether it was ended because it took too long.
    """

    command: Command
    passed: frozenset[str]
    failed: Mapping[str, str]
    skipped: Mapping[str, str]
    errors: Mapping[str, str]
    exit_code: int
    duration_s: float
    output_tail: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is different between two runs.

    Attributes:
        turned_red: Tests that passed before and do not now, and new errors, each with the reason.
        fixed: Tests that passed now alone.
        vanished: Those of `turned_red` that did not run at all.
        flaky: Tests that failed and passed when they were run once more.
        after: The second run, flaky tests counted as passed: what to compare the next one with.
    """

    turned_red: tuple[tuple[str, str], ...]
    fixed: tuple[str, ...]
    vanished: tuple[str, ...]
    after: SuiteResult
    flaky: tuple[str, ...] = ()


def run_suite(command: str | Sequence[str], cwd: Path, timeout_s: float | None) -> SuiteResult:
    """Run the app's tests to their end and return what they gave.

    The command runs with this process's environment, without input, in a session of its own; an
    exception in this process, such as KeyboardInterrupt, ends it.

    Args:
        command: As in a shell, or the program and its arguments.
        cwd: Where it runs.
        timeout_s: How long it may take; then it is interrupted, and killed if that does not end
            it. None: no limit.

    Raises:
        SuiteError: It cannot be started.
    """
    words = split_command(command)
    with tempfile.TemporaryDirectory(prefix="flasync-") as name:
        folder = Path(name)
        place = _find_pytest(words)
        if place is None:
            return _read_plain(words, _run(words, cwd, timeout_s, folder))
        report = folder / "report.xml"
        run = _run(_add_report(words, report), cwd, timeout_s, folder)
        if run.exit_code == _USAGE_ERROR and not report.exists():
            # An option of ours is unknown to it, or it cannot start for a reason of its own.
            run = _run(words, cwd, timeout_s, folder)
        if run.exit_code in {0, 1} and not report.exists():
            return _read_plain(words, run)  # as with `-p no:junitxml`
        return _read_report(words, run, report, cwd)


def compare(before: SuiteResult, after: SuiteResult) -> Comparison:
    """Return what turned red and what was fixed between two runs.

    A test that failed before does not count. A test that passed before and did not run after is
    red, and so is a file that can be collected no longer.
    """
    lost = before.passed - after.passed
    broken = after.errors.keys() - before.errors.keys()
    vanished = tuple(sorted(lost - after.failed.keys() - broken))
    return Comparison(
        turned_red=tuple((test, _explain(test, after)) for test in sorted(lost | broken)),
        fixed=tuple(sorted(test for test in before.failed if test in after.passed)),
        vanished=vanished,
        after=after,
    )


def prove(
    before: SuiteResult, cwd: Path, timeout_s: float | None, command: Command | None = None
) -> Comparison:
    """Run the tests again and return what turned red; what did is run once more, alone, first.

    Args:
        before: An earlier run.
        cwd: Where the command runs.
        timeout_s: As for `run_suite`.
        command: Another command than that of the earlier run.

    Raises:
        SuiteError: It cannot be started.
    """
    command = command or before.command
    comparison = compare(before, run_suite(command, cwd, timeout_s))
    red = [test for test, _ in comparison.turned_red]
    if not red or comparison.after.timed_out or len(red) > _MOST_REPEATED:
        return comparison
    again = run_suite(_select(command, red, cwd), cwd, timeout_s)
    spoilt = again.errors.keys() | again.failed.keys()
    is_sound = shlex.join(again.command) not in spoilt
    flaky = [
        test
        for test in red
        if test in again.passed
        or (test in comparison.after.errors and is_sound and test not in spoilt)
    ]
    return _forgive(comparison, flaky)


def choose_timeout(before: SuiteResult) -> float:
    """Return how long a suite may take that took a known time before: seconds."""
    return 60.0 + 3 * before.duration_s


def split_command(command: str | Sequence[str]) -> Command:
    """Return the program and arguments of a command as one types it.

    What only a shell understands is given to one.
    """
    if not isinstance(command, str):
        return tuple(command)
    if _SHELL_SYNTAX.search(command):
        return ("sh", "-c", command)
    words = tuple(shlex.split(command))
    return ("env", *words) if words and _ASSIGNMENT.match(words[0]) else words


@dataclass(frozen=True, slots=True)
class _Run:
    exit_code: int
    duration_s: float
    output: str
    timed_out: bool


def _run(words: Command, cwd: Path, timeout_s: float | None, folder: Path) -> _Run:
    started = time.perf_counter()
    # A file and not a pipe: what the tests leave running in the background would keep a pipe open.
    with open(folder / "output", "w+b") as output:
        try:
            process = subprocess.Popen(  # noqa: S603  the user's command
                words,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, IndexError) as error:
            raise SuiteError(
                f"The tests cannot be run: {shlex.join(words)!r} does not start"
                f" ({getattr(error, 'strerror', error)}). Write the command as you would type it"
                " in the project's folder, such as: python -m pytest"
            ) from error
        timed_out = False
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            if process.returncode is None:
                _end_group(process)
        text = (folder / "output").read_bytes().decode(errors="replace")
    code = process.returncode
    duration_s = time.perf_counter() - started
    return _Run(code if code >= 0 else 128 - code, duration_s, _COLOURS.sub("", text), timed_out)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        pass  # it is killed below
    finally:
        # The leader may be gone while others of the group are not.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def _find_pytest(words: Command) -> int | None:
    """Return where the arguments of pytest begin; None for another command."""
    for index, word in enumerate(words):
        name = os.path.basename(word)
        if name in {"pytest", "py.test"}:
            is_run = index == 0 or words[index - 1] != "install"
            return index + 1 if is_run else None
        if name.endswith(".py") or (index == 0 and not _LAUNCHERS.match(name)):
            return None  # what comes after it are arguments of its own
    return None


def _add_report(words: Command, report: Path) -> Command:
    """Return a pytest command with a report on every test.

    Ours come last, so they win over the user's: `-x` would hide what comes after the first failure.
    """
    options = (
        f"--junit-xml={report}",
        "-o",
        "junit_family=xunit1",  # it names the files
        "--maxfail=0",
        "--continue-on-collection-errors",
    )
    end = words.index("--") if "--" in words[(_find_pytest(words) or 0) :] else len(words)
    return (*words[:end], *options, *words[end:])


def _read_plain(words: Command, run: _Run) -> SuiteResult:
    """Return the result of a command of which only the exit code is known."""
    name, tail = shlex.join(words), _get_tail(run.output)
    is_good = run.exit_code == 0 and not run.timed_out
    reason = _name_end(run, tail)
    return SuiteResult(
        command=words,
        passed=frozenset({name} if is_good else ()),
        failed={} if is_good else {name: reason},
        skipped={},
        errors={},
        exit_code=run.exit_code,
        duration_s=run.duration_s,
        output_tail=tail,
        timed_out=run.timed_out,
    )


def _name_end(run: _Run, tail: str) -> str:
    if run.timed_out:
        return f"it did not end within {run.duration_s:.0f} s"
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    marked = [line.removeprefix("E ").strip() for line in lines if line.startswith("E  ")]
    last = (marked or lines or [""])[-1]
    return shorten(f"exit code {run.exit_code}" + (f": {last}" if last else ""))


def _read_report(words: Command, run: _Run, report: Path, cwd: Path) -> SuiteResult:
    name, tail = shlex.join(words), _get_tail(run.output)
    try:
        outcomes = read_outcomes(report, cwd)
    except (OSError, ElementTree.ParseError):
        outcomes = Outcomes(errors={name: f"pytest gave no report: {_name_end(run, tail)}"})
    if run.timed_out:
        outcomes.errors[name] = _name_end(run, tail)
    if run.exit_code not in {0, _NO_TESTS} and not (outcomes.failed or outcomes.errors):
        # Coverage that is too low fails the run, and no test in it.
        outcomes.errors[name] = _name_end(run, tail)
    return SuiteResult(
        command=words,
        passed=frozenset(outcomes.passed),
        failed=outcomes.failed,
        skipped=outcomes.skipped,
        errors=outcomes.errors,
        exit_code=run.exit_code,
        duration_s=run.duration_s,
        output_tail=tail,
        timed_out=run.timed_out,
    )


def _select(command: Command, tests: Iterable[str], cwd: Path) -> Command:
    """Return the command for certain tests alone; the whole command where that cannot be said.

    Of a parametrised test all cases are run: what stands in its brackets may not survive a report.
    """
    start = _find_pytest(command)
    ids = dict.fromkeys(_locate(test, cwd) for test in tests)
    if start is None or None in ids:
        return command
    kept = _drop_paths(command[start:], cwd)
    return (*command[:start], *kept, *(test for test in ids if test is not None))


def _locate(test: str, cwd: Path) -> str | None:
    """Return a test's id as an argument for pytest in a folder, or None."""
    path, separator, rest = test.partition("[")[0].partition("::")
    for base in (cwd, *cwd.resolve().parents):
        if (base / path).is_file():
            return f"{base / path}{separator}{rest}"
    return None


def _drop_paths(arguments: Sequence[str], cwd: Path) -> Iterator[str]:
    """Yield pytest's arguments without those that choose tests by their path."""
    before = ""
    for argument in arguments:
        is_path = (cwd / argument.partition("::")[0]).exists() and not argument.startswith("-")
        is_value = before.startswith("-") and not _PLAIN_FLAGS.match(before)
        if not is_path or is_value:
            yield argument
        before = argument


def _forgive(comparison: Comparison, flaky: Collection[str]) -> Comparison:
    """Return a comparison in which tests that passed the second time count as passed."""
    if not flaky:
        return comparison
    after = comparison.after
    failed = {test: reason for test, reason in after.failed.items() if test not in flaky}
    errors = {file: reason for file, reason in after.errors.items() if file not in flaky}
    return Comparison(
        turned_red=tuple(red for red in comparison.turned_red if red[0] not in flaky),
        fixed=comparison.fixed,
        vanished=tuple(test for test in comparison.vanished if test not in flaky),
        after=replace(after, passed=after.passed | frozenset(flaky), failed=failed, errors=errors),
        flaky=tuple(sorted(flaky)),
    )


def _explain(test: str, after: SuiteResult) -> str:
    """Return why a test that passed before does not now."""
    for reasons in (after.failed, after.errors):
        if test in reasons:
            return reasons[test]
    if test in after.skipped:
        return f"it is skipped: {after.skipped[test]}"
    file = test.partition("::")[0]
    why = after.errors.get(file) or after.errors.get(shlex.join(after.command))
    return f"it did not run: {why}" if why else "it did not run"


def _get_tail(output: str) -> str:
    return "\n".join(output.rstrip().splitlines()[-_TAIL_LINES:])
