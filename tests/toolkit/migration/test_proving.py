"""Running real suites: which tests pass, what turned red, what hangs, what is flaky."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flasync.errors import SuiteError
from flasync.toolkit.migration import proving
from flasync.toolkit.migration.proving import (
    Comparison,
    SuiteResult,
    choose_timeout,
    compare,
    prove,
    run_suite,
    split_command,
)

PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
TIMEOUT_S = 100.0

Write = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def bare_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the plugins of this environment out of the suites: they take longer than the tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the project."""

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    return write


def run(root: Path, *options: str) -> SuiteResult:
    return run_suite((*PYTEST, *options), root, TIMEOUT_S)


def run_again(before: SuiteResult, root: Path) -> Comparison:
    return prove(before, root, TIMEOUT_S)


def test_outcomes(tmp_path: Path, write: Write) -> None:
    """Each test is known by pytest's own id, with its outcome and the reason in one line."""
    write(
        "tests/test_shop.py",
        """
        import pytest

        class TestBasket:
            class TestEmpty:
                @pytest.mark.parametrize("case", [1, "a::b", "x y"])
                def test_sum(self, case):
                    pass

        def test_wrong():
            assert 1 == 2, "first\\nsecond"

        @pytest.fixture
        def broken():
            raise ValueError("no database")

        def test_setup(broken):
            pass

        @pytest.mark.skip(reason="not here")
        def test_skipped():
            pass

        @pytest.mark.xfail(reason="known")
        def test_expected():
            raise ValueError
        """,
    )
    result = run(tmp_path)
    tests = "tests/test_shop.py::TestBasket::TestEmpty::test_sum"
    assert result.passed == {f"{tests}[1]", f"{tests}[a::b]", f"{tests}[x y]"}
    assert result.failed.keys() == {
        "tests/test_shop.py::test_wrong",
        "tests/test_shop.py::test_setup",
    }
    assert result.failed["tests/test_shop.py::test_wrong"] == "AssertionError: first"
    assert "no database" in result.failed["tests/test_shop.py::test_setup"]
    assert result.skipped == {
        "tests/test_shop.py::test_skipped": "not here",
        "tests/test_shop.py::test_expected": "known",
    }
    assert (result.errors, result.exit_code, result.timed_out) == ({}, 1, False)
    assert "1 failed" in result.output_tail


def test_command_as_typed(tmp_path: Path, write: Write) -> None:
    """A command with variables and options is understood as a shell would."""
    write("test_env.py", 'import os\ndef test_env():\n    assert os.environ["SHOP"] == "a b"\n')
    result = run_suite(f"SHOP='a b' {sys.executable} -m pytest -q", tmp_path, TIMEOUT_S)
    assert result.passed == {"test_env.py::test_env"}


def test_inherited_test(tmp_path: Path, write: Write) -> None:
    """A test that a class inherits from another file is that class's, and can be run again."""
    write("tests/__init__.py", "")
    write(
        "tests/shared.py",
        "class Shared:\n    value = 1\n    def test_it(self):\n        assert self.value\n",
    )
    write(
        "tests/test_own.py", "from tests.shared import Shared\nclass TestOwn(Shared):\n    pass\n"
    )
    before = run(tmp_path)
    assert before.passed == {"tests/test_own.py::TestOwn::test_it"}
    write("tests/shared.py", "class Shared:\n    def test_it(self):\n        assert 0, 'broken'\n")
    red = run_again(before, tmp_path).turned_red
    assert [test for test, _ in red] == ["tests/test_own.py::TestOwn::test_it"]


def test_root_above(tmp_path: Path, write: Write) -> None:
    """Where pytest's root is above the folder that it runs in, tests are found again."""
    write("pytest.ini", "[pytest]\n")
    write("back/tests/test_a.py", "def test_a():\n    pass\n")
    before = run(tmp_path / "back")
    assert before.passed == {"back/tests/test_a.py::test_a"}
    write("back/tests/test_a.py", "def test_a():\n    assert 0, 'broken'\n")
    assert len(run_again(before, tmp_path / "back").turned_red) == 1


def test_options_of_the_project(tmp_path: Path, write: Write) -> None:
    """The project's own options stay in force, and all failures are seen in spite of `-x`."""
    write("pytest.ini", "[pytest]\naddopts = -x --junit-xml=mine.xml -q --strict-markers\n")
    write(
        "test_a.py",
        "def test_a():\n    assert 0\ndef test_b():\n    assert 0\ndef test_c(): pass\n",
    )
    result = run(tmp_path)
    assert (len(result.failed), len(result.passed)) == (2, 1)


def test_parallel_workers(tmp_path: Path, write: Write) -> None:
    """Tests in xdist's workers are known one by one, too."""
    write("test_a.py", "def test_a():\n    pass\ndef test_b():\n    assert 0\n")
    result = run(tmp_path, "-p", "xdist", "-n2")
    assert result.passed == {"test_a.py::test_a"}
    assert result.failed.keys() == {"test_a.py::test_b"}


def test_what_turned_red(tmp_path: Path, write: Write) -> None:
    """Red is what passed before and fails now; what failed before is not counted."""
    write("test_a.py", "def test_a(): pass\ndef test_old(): assert 0\ndef test_new(): assert 0\n")
    before = run(tmp_path)
    write(
        "test_a.py", "def test_a(): assert 0, 'now'\ndef test_old(): assert 0\ndef test_new(): 1\n"
    )
    comparison = run_again(before, tmp_path)
    [(test, reason)] = comparison.turned_red
    assert test == "test_a.py::test_a"
    assert "now" in reason
    assert comparison.fixed == ("test_a.py::test_new",)
    assert (comparison.vanished, comparison.flaky) == ((), ())


def test_vanished(tmp_path: Path, write: Write) -> None:
    """A test that does not run any more is red, and so is one that is skipped now."""
    write("test_a.py", "def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n")
    before = run(tmp_path)
    write(
        "test_a.py",
        "import pytest\ndef test_a(): pass\n"
        "@pytest.mark.skip(reason='no driver')\ndef test_b(): pass\n",
    )
    comparison = run_again(before, tmp_path)
    assert comparison.turned_red == (
        ("test_a.py::test_b", "it is skipped: no driver"),
        ("test_a.py::test_c", "it did not run"),
    )
    assert comparison.vanished == ("test_a.py::test_b", "test_a.py::test_c")


def test_file_that_cannot_be_collected(tmp_path: Path, write: Write) -> None:
    """A file that raises at its import is named with the exception, and the others go on."""
    write("tests/test_a.py", "def test_a(): pass\n")
    write("tests/test_b.py", "def test_b(): pass\n")
    before = run(tmp_path, "tests")
    write("tests/test_b.py", "import nowhere\ndef test_b(): pass\n")
    comparison = run_again(before, tmp_path)
    why = "ModuleNotFoundError: No module named 'nowhere'"
    assert comparison.turned_red == (
        ("tests/test_b.py", why),
        ("tests/test_b.py::test_b", f"it did not run: {why}"),
    )
    assert comparison.after.passed == {"tests/test_a.py::test_a"}


def test_suite_that_was_broken_before(tmp_path: Path, write: Write) -> None:
    """A file that could not be collected before is told, and not counted; the rest is compared."""
    write("test_a.py", "def test_a(): pass\n")
    write("test_b.py", "import nowhere\n")
    before = run(tmp_path)
    assert before.errors.keys() == {"test_b.py"}
    assert run_again(before, tmp_path).turned_red == ()
    write("test_a.py", "def test_a(): assert 0\n")
    assert len(run_again(before, tmp_path).turned_red) == 1


def test_conftest_that_breaks(tmp_path: Path, write: Write) -> None:
    """A suite that pytest cannot even start is red as a whole, with what it said."""
    write("test_a.py", "def test_a(): pass\n")
    before = run(tmp_path)
    write("conftest.py", "raise RuntimeError('no app')\n")
    comparison = run_again(before, tmp_path)
    reasons = dict(comparison.turned_red)
    assert "no app" in comparison.after.output_tail
    assert "test_a.py::test_a" in reasons
    assert any("exit code" in reason for reason in reasons.values())


def test_flaky(tmp_path: Path, write: Write) -> None:
    """A test that fails once and passes when it is run again alone does not count."""
    write("test_a.py", "def test_a(): pass\ndef test_b(): pass\n")
    before = run(tmp_path, "test_a.py")
    write(
        "test_a.py",
        """
        import pathlib, sys
        def test_a():
            path = pathlib.Path("seen")
            if not path.exists():
                path.write_text("x")
                raise AssertionError("by chance")
        def test_b():
            path = pathlib.Path("runs")
            path.write_text(path.read_text() + "b" if path.exists() else "b")
        """,
    )
    comparison = run_again(before, tmp_path)
    assert comparison.turned_red == ()
    assert comparison.flaky == ("test_a.py::test_a",)
    assert "test_a.py::test_a" in comparison.after.passed
    assert (tmp_path / "runs").read_text() == "b", "the other test ran once"


def test_one_case_of_many(tmp_path: Path, write: Write) -> None:
    """A red case of a parametrised test is run again, whatever its id looks like."""
    text = """
        import pathlib, pytest
        @pytest.mark.parametrize("case", ["\\x1b[31m", "é/::[", "b"])
        def test_a(case):
            assert case != {wrong!r}
        """
    write("test_a.py", text.format(wrong=""))
    before = run(tmp_path)
    assert len(before.passed) == 3
    write("test_a.py", text.format(wrong="é/::["))
    comparison = run_again(before, tmp_path)
    assert len(comparison.turned_red) == 1
    assert len(comparison.after.passed) == 2


def test_run_that_fails_without_a_test(tmp_path: Path, write: Write) -> None:
    """A run that fails although every test passes, as for coverage that is too low, is red."""
    write("test_a.py", "def test_a(): pass\n")
    before = run(tmp_path)
    write("conftest.py", "def pytest_sessionfinish(session):\n    session.exitstatus = 1\n")
    [(test, reason)] = run_again(before, tmp_path).turned_red
    assert test == " ".join(PYTEST)
    assert reason.startswith("exit code 1")


def test_hanging_test(tmp_path: Path, write: Write) -> None:
    """A suite that hangs is interrupted, and what had passed by then is known."""
    write(
        "test_a.py",
        """
        import threading
        def test_a(): pass
        def test_b(): threading.Event().wait()
        """,
    )
    result = run_suite(PYTEST, tmp_path, 8.0)
    assert result.timed_out
    assert result.passed == {"test_a.py::test_a"}
    assert any("did not end within" in reason for reason in result.errors.values())
    assert "KeyboardInterrupt" in result.output_tail


def test_suite_that_ignores_interrupts(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not end at an interrupt is killed, and what it had started is, too."""
    monkeypatch.setattr(proving, "_GRACE_S", 0.5)
    script = (
        "import os, signal, subprocess, sys, threading\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "wait = 'import threading; threading.Event().wait()'\n"
        "child = subprocess.Popen([sys.executable, '-c', wait])\n"
        "open('child', 'w').write(str(child.pid))\n"
        "threading.Event().wait()\n"
    )
    write("hang.py", script)
    result = run_suite((sys.executable, "hang.py"), tmp_path, 5.0)
    assert result.timed_out
    assert result.exit_code == 128 + signal.SIGKILL
    assert not is_running(int((tmp_path / "child").read_text()))


def test_interrupted_command(tmp_path: Path, write: Write) -> None:
    """Ctrl-C at the command ends the suite that it runs."""
    write(
        "test_a.py",
        """
        import os, threading
        def test_a():
            os.mkfifo("started") if not os.path.exists("started") else None
            with open("started", "w") as file:
                file.write(str(os.getpid()))
            threading.Event().wait()
        """,
    )
    os.mkfifo(tmp_path / "started")
    script = (
        "import sys; from pathlib import Path;"
        "from flasync.toolkit.migration.proving import run_suite;"
        "run_suite(sys.argv[1:], Path.cwd(), None)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *PYTEST], cwd=tmp_path, stderr=subprocess.PIPE
    )
    with open(tmp_path / "started") as file:
        pid = int(file.read())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in said
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a process that was just killed is still there, which it may be for a moment."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
    return True


@pytest.mark.parametrize("source", ["", "raise SystemExit(3)"], ids=["passes", "fails"])
def test_other_command(tmp_path: Path, write: Write, source: str) -> None:
    """Of a command without pytest the exit code and the last lines count."""
    write("check.py", f"print('checked')\n{source}\n")
    result = run_suite(f"{sys.executable} check.py", tmp_path, TIMEOUT_S)
    name = f"{sys.executable} check.py"
    assert result.passed == (set() if source else {name})
    assert result.failed == ({name: "exit code 3: checked"} if source else {})
    assert result.output_tail == "checked"


def test_other_command_turned_red(tmp_path: Path, write: Write) -> None:
    """A command that passed and fails twice is red."""
    write("check.py", "")
    before = run_suite((sys.executable, "check.py"), tmp_path, TIMEOUT_S)
    write("check.py", "raise SystemExit('broken')")
    [(_, reason)] = run_again(before, tmp_path).turned_red
    assert reason == "exit code 1: broken"


def test_word_that_is_no_pytest(tmp_path: Path, write: Write) -> None:
    """A script or an installer that is given the word pytest gets no option of pytest's."""
    write("manage.py", "import sys\nprint(sys.argv[1:])\n")
    result = run_suite((sys.executable, "manage.py", "pytest", "-q"), tmp_path, TIMEOUT_S)
    assert result.output_tail == "['pytest', '-q']"


def test_no_such_command(tmp_path: Path) -> None:
    """A command that does not start says so, with what to write."""
    with pytest.raises(SuiteError, match=r"pytset.*No such file.*python -m pytest"):
        run_suite("pytset -q", tmp_path, None)
    with pytest.raises(SuiteError):
        run_suite("", tmp_path, None)


def test_background_process_does_not_hold_it(tmp_path: Path, write: Write) -> None:
    """A suite that leaves a process behind, with its output open, has ended when it ends."""
    write(
        "start.py",
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import threading as t; t.Event().wait()"])
        print(child.pid)
        """,
    )
    result = run_suite((sys.executable, "start.py"), tmp_path, 60.0)
    os.kill(int(result.output_tail), signal.SIGKILL)
    assert not result.timed_out


def test_pytest_without_reports(tmp_path: Path, write: Write) -> None:
    """Where pytest refuses to write a report, its exit code counts."""
    write("pytest.ini", "[pytest]\naddopts = -p no:junitxml\n")
    write("test_a.py", "def test_a(): pass\n")
    result = run(tmp_path)
    assert (result.exit_code, result.passed) == (0, {" ".join(PYTEST)})


def test_no_tests(tmp_path: Path) -> None:
    """A project without tests has no result to compare, and that is no failure."""
    result = run(tmp_path)
    assert (result.passed, result.failed, result.errors, result.exit_code) == (set(), {}, {}, 5)
    assert compare(result, result).turned_red == ()


def test_colours_are_dropped(tmp_path: Path, write: Write) -> None:
    """The last lines of the output are plain text."""
    write("check.py", r"print('\x1b[1;31mred\x1b[0m')")
    assert run_suite((sys.executable, "check.py"), tmp_path, None).output_tail == "red"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pytest -k 'a b'", ("pytest", "-k", "a b")),
        ("A=1 pytest", ("env", "A=1", "pytest")),
        ("make lint && pytest", ("sh", "-c", "make lint && pytest")),
        (["pytest", "a && b"], ("pytest", "a && b")),
    ],
)
def test_split_command(command: str | list[str], words: tuple[str, ...]) -> None:
    """A command is split as a shell does, and given to one where only that understands it."""
    assert split_command(command) == words


def test_timeout_follows_duration(tmp_path: Path) -> None:
    """A suite that takes longer may take longer the next time."""
    short = run_suite((sys.executable, "-c", ""), tmp_path, None)
    assert choose_timeout(short) > short.duration_s
