"""The recipe `subprocess-call`: real programs end with the same code, awaited."""

from pathlib import Path

import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = "import os\nimport pathlib\nimport subprocess\nimport sys\n"
BODIES = [
    'return subprocess.call(["true"])',
    'return subprocess.call(("sh", "-c", "exit 3"))',
    'return subprocess.call(["sh", "-c", "kill -9 $$"])',
    'return subprocess.call([sys.executable, "-c", "import sys; sys.exit(4)"])',
    'return subprocess.call(["sh", "-c", "exit $CODE"], env={**os.environ, "CODE": "5"})',
    'return subprocess.call(["sh", "-c", "test $PWD = /"], cwd="/", start_new_session=True)',
    'return subprocess.call(["sh", "-c", "read x || exit 6"], stdin=subprocess.DEVNULL)',
    'return subprocess.call("exit 7", shell=True)',
    'return subprocess.call("true", shell=False)',
    'return subprocess.call(["sh", "-c", "echo $0 >&2"], stderr=subprocess.DEVNULL)',
]
FAILING = [
    'subprocess.call(["no-such-program"])',
    'subprocess.call(["/"])',
    'subprocess.call(["true"], cwd="/no/such/folder")',
]


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the return code is the same."""
    await round_trip("subprocess-call", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the return code is the same."""
    round_trip("subprocess-call", SETUP, body).check_outside()


@pytest.mark.parametrize("call", FAILING)
async def test_errors(call: str, round_trip: RoundTrip, serving: Serving) -> None:
    """What cannot be started raises the same class of error with the same number."""
    body = f"""
try:
    {call}
except OSError as error:
    return type(error), error.errno
"""
    _, found = await round_trip("subprocess-call", SETUP, body).check_served(serving)
    assert found is not None


@pytest.mark.parametrize(
    "statement",
    ['subprocess.run(["sh", "-c", "echo one >> $FILE"])', "os.system('echo one >> $FILE')"],
)
async def test_statements(
    statement: str,
    round_trip: RoundTrip,
    serving: Serving,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that is run for what it does has done it when the next line runs."""
    file = tmp_path / "file"
    monkeypatch.setenv("FILE", str(file))
    body = f"""
file = pathlib.Path(os.environ["FILE"])
file.write_text("")
{statement}
return file.read_text()
"""
    sides = round_trip("subprocess-call", SETUP, body)
    assert await sides.check_served(serving) == ("returned", "one\n")
