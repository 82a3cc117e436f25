"""Finding a browser."""

from pathlib import Path

import pytest

from flasync.errors import MissingExtraError
from flasync.toolkit.verifying.chromium import find_chromium


def place(path: Path) -> str:
    """An executable file."""
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable comes first, then the names in their order."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FLASYNC_CHROMIUM", raising=False)
    chrome = place(tmp_path / "google-chrome")
    assert find_chromium() == chrome
    chromium = place(tmp_path / "chromium")
    assert find_chromium() == chromium
    monkeypatch.setenv("FLASYNC_CHROMIUM", chrome)
    assert find_chromium() == chrome


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, it is said what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FLASYNC_CHROMIUM", str(tmp_path / "gone"))
    with pytest.raises(MissingExtraError, match="apt install chromium, or set FLASYNC_CHROMIUM"):
        find_chromium()
