"""The tests of a project, run where it was copied to: stock, and after its migration."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[4]
_LINE = re.compile(r"^(PASSED|FAILED|ERROR) (\S+)", re.MULTILINE)
TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One run of the tests of a project.

    Attributes:
        are_green: Whether all tests have passed, and nothing else went wrong.
        passed: The tests that have passed.
        said: What pytest has printed.
    """

    are_green: bool
    passed: frozenset[str]
    said: str


def run_tests(root: Path, *options: str) -> SuiteRun:
    """Run the tests of a project.

    Args:
        root: The project's folder.
        options: More options of pytest.
    """
    command = (sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(root), str(_REPOSITORY))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [*command, "--rootdir", str(root), "-W", "error::RuntimeWarning", *options, "tests"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = done.stdout + done.stderr
    passed = frozenset(name for how, name in _LINE.findall(said) if how == "PASSED")
    return SuiteRun(done.returncode == 0, passed, said)


# The requests of the test clients go through ASGI, each view in the lane that is its own.
THROUGH_ASGI = ("-p", "conformance.plugin", "--flasync-lane=natural")
