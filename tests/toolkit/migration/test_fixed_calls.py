"""Calls that stay as they are written, and what becomes of the functions that they are in."""

from pathlib import Path

import pytest

from toolkit.migration.fuzzing.migrated_copy import migrate

HEAD = "import time\n\nfrom flask import Flask\n\napp = Flask(__name__)\n\n\n"


def rewrite(folder: Path, body: str) -> str:
    """The app after its migration, without its imports."""
    (folder / "app.py").write_text(HEAD + body)
    migrate(folder)
    return (folder / "app.py").read_text().partition("(__name__)\n\n\n")[2]


@pytest.mark.parametrize("shown", ["{time.sleep(1)=}", "{[time.sleep(1)] = !r:>9}"])
def test_call_that_is_printed(shown: str, tmp_path: Path) -> None:
    """A call whose text an f-string prints stays, and runs in a thread with its function."""
    body = (
        f'def wait():\n    return f"{shown}"\n\n\n'
        '@app.get("/")\ndef index():\n    time.sleep(2)\n    return wait()\n'
    )
    after = rewrite(tmp_path, body)
    assert f'def wait():\n    return f"{shown}"\n' in after
    assert "async def index" in after
    assert "await run_sync(wait)" in after


def test_call_that_is_printed_in_a_view(tmp_path: Path) -> None:
    """A view that prints such a call stays as it is."""
    body = '@app.get("/")\ndef index():\n    return f"{time.sleep(1)=}"\n'
    assert rewrite(tmp_path, body) == body


def test_helper_whose_call_is_printed(tmp_path: Path) -> None:
    """A helper whose call is printed stays a plain function."""
    body = (
        'def wait():\n    time.sleep(1)\n\n\n@app.get("/")\ndef index():\n    return f"{wait()=}"\n'
    )
    after = rewrite(tmp_path, body)
    assert 'f"{wait()=}"' in after
    assert "async def wait" not in after


def test_equals_signs_that_print_nothing(tmp_path: Path) -> None:
    """Other f-strings with an equals sign are no reason to leave a call alone."""
    body = '@app.get("/")\ndef index():\n    return f"{time.sleep(1)!r:=^9}" + f"{app=}"\n'
    assert "{await asyncio.sleep(1)!r:=^9}" in rewrite(tmp_path, body)
