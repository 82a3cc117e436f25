"""Callbacks for the moment at which a library is imported."""

import importlib
import sys
from pathlib import Path

import pytest

from flasync.importing import when_imported


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that can be imported, and is not."""
    (tmp_path / "flasync_fresh.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "flasync_fresh", raising=False)
    return "flasync_fresh"


def test_after_the_import(library: str) -> None:
    """The callback runs once, when the package is complete; its loader is as it was."""
    calls: list[int] = []
    finders = list(sys.meta_path)
    when_imported(library, lambda: calls.append(sys.modules[library].value))
    assert calls == []
    module = importlib.import_module(library)
    assert calls == [1]
    assert sys.meta_path == finders
    assert "exec_module" not in vars(module.__spec__.loader)
    importlib.reload(module)
    assert calls == [1]


def test_imported_already(library: str) -> None:
    """The callback runs at once."""
    importlib.import_module(library)
    calls: list[str] = []
    when_imported(library, lambda: calls.append("now"))
    assert calls == ["now"]


def test_not_installed(library: str, tmp_path: Path) -> None:
    """A failed import stays one, and the callback waits for one that works."""
    path = tmp_path / f"{library}.py"
    path.rename(tmp_path / "elsewhere")
    calls: list[str] = []
    when_imported(library, lambda: calls.append("now"))
    with pytest.raises(ModuleNotFoundError, match=library):
        importlib.import_module(library)
    assert calls == []
    (tmp_path / "elsewhere").rename(path)
    importlib.invalidate_caches()
    importlib.import_module(library)
    assert calls == ["now"]
