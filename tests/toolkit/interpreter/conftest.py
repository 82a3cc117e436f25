"""A small project on disk, imported and interpreted by a test."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .projects import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project in the current directory; afterwards its modules are forgotten."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(root)
    # A file that is written twice in one second would be taken from its stale bytecode.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield Project(root)
    inside = os.path.join(str(root), "")
    for name in set(sys.modules) - before:
        module = sys.modules[name]
        origin = getattr(getattr(module, "__spec__", None), "origin", None) or ""
        if origin.startswith(inside):
            del sys.modules[name]
