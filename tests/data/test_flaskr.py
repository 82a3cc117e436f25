"""flaskr, the application of Flask's tutorial, over aiosqlite: the recipe of `docs/data.md`."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tutorial import fetch_flaskr

DOCS = Path(__file__).parents[2] / "docs" / "data.md"

TESTS = 24
"""How many flaskr has in Flask 3.1."""


def read_recipe() -> str:
    """Return the one code block of the docs that has a `get_db`."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (recipe,) = [block for block in blocks if "def get_db" in block]
    return recipe


def replace_get_db(path: Path, recipe: str) -> None:
    """Put the recipe into a module, in the place of its function `get_db`."""
    source = path.read_text()
    (old,) = [node for node in ast.parse(source).body if getattr(node, "name", "") == "get_db"]
    lines = source.splitlines(keepends=True)
    lines[old.lineno - 1 : old.end_lineno] = [recipe]
    path.write_text("".join(lines))


def run_tests(folder: Path, report: Path) -> dict[str, list[str]]:
    """Run flaskr's own tests; return what went wrong with each, by its name."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    command.append(f"--junitxml={report}")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: some failed
    return {
        f"{case.get('classname')}::{case.get('name')}": [
            f"{part.tag}: {part.text}" for part in case
        ]
        for case in ElementTree.parse(report).iter("testcase")
    }


def test_flaskr_over_aiosqlite(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """All of flaskr's own tests pass after its `db.py` alone has changed."""
    folder = tmp_path / "tutorial"
    shutil.copytree(fetch_flaskr(tmp_path_factory.getbasetemp()), folder)
    replace_get_db(folder / "flaskr" / "db.py", read_recipe())
    outcomes = run_tests(folder, tmp_path / "report.xml")
    assert {name: wrong for name, wrong in outcomes.items() if wrong} == {}
    assert len(outcomes) >= TESTS
