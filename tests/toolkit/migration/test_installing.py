"""What the new code needs: found missing, and installed from a wheel that is made here."""

import importlib.util
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from flasync.errors import InstallError
from flasync.toolkit.migration.installing import find_missing, install


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Python of an environment of its own, which this process takes for its own."""
    has_pip = importlib.util.find_spec("pip") is not None
    venv.create(tmp_path / "venv", with_pip=has_pip)
    python = tmp_path / "venv" / "bin" / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    return python


def build_wheel(folder: Path) -> Path:
    """A wheel of one module, `tiny`."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "SIZE = 1\n")
        about = "tiny-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return wheel


def test_missing() -> None:
    """What is not there, or in another version, is missing, each once; extras do not matter."""
    wanted = ["flask", "flask[async]", "flask>=999", "no-such-thing", "no-such-thing", "Flask>=3"]
    assert find_missing(wanted) == ("flask>=999", "no-such-thing")


def test_install(python: Path, tmp_path: Path) -> None:
    """It is installed into the environment of this Python."""
    install([str(build_wheel(tmp_path))])
    subprocess.run([python, "-c", "import tiny"], check=True, timeout=60)


def test_failure(python: Path, tmp_path: Path) -> None:
    """What cannot be installed is an error that has the command and what it said."""
    with pytest.raises(InstallError, match=r"(?s)exit code \d+.*leave out --install") as raised:
        install([str(tmp_path / "absent-1.0-py3-none-any.whl")])
    assert "absent" in str(raised.value)


def test_neither_pip_nor_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installer the error names what to install by hand."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InstallError, match="no pip, and there is no uv, so tiny cannot"):
        install(["tiny"])
