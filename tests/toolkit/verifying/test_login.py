"""Login scripts, as users write them."""

from pathlib import Path

import pytest

from flasync.errors import VerifyError
from flasync.toolkit.verifying.login import log_in

URL = "http://127.0.0.1:5000"


def test_headers_of_a_login(tmp_path: Path) -> None:
    """The script is told the URL, and what it returns are headers."""
    script = tmp_path / "login.py"
    script.write_text('def login(url):\n    return {"Cookie": f"from={url}", "X-A": "b"}\n')
    assert log_in(script, URL) == (("Cookie", f"from={URL}"), ("X-A", "b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("def login(url):\n    raise SystemExit(1)", "failed: SystemExit: 1"),
        ("def log_in(url): ...", "has no function 'login'"),
        ("def login(url): ...", "returned None, which are no headers"),
        ("def login(url): return {'a': 1}", "returned {'a': 1}, which are no headers"),
    ],
)
def test_scripts_that_do_not_log_in(tmp_path: Path, text: str, words: str) -> None:
    """A script that fails, or gives no headers, is named with what it did."""
    script = tmp_path / "login.py"
    script.write_text(text)
    with pytest.raises(VerifyError, match="login") as info:
        log_in(script, URL)
    assert words in str(info.value)
    assert repr(str(script)) in str(info.value)


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    """A script that does not exist is an error of the same kind."""
    with pytest.raises(VerifyError, match="FileNotFoundError"):
        log_in(tmp_path / "absent.py", URL)
