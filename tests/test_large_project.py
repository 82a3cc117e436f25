"""The project that scripts/scan-bench generates: what it promises of itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.large_project import ACTIONS_EACH, DOMAINS, write_project

# The smallest project has some 30,000.
LINES = 40_000
# Imported apart: its modules would stay.
COUNT_ROUTES = """
import json
import depot

app = depot.create_app()
print(json.dumps([rule.rule for rule in app.url_map.iter_rules()]))
"""


def list_texts(root: Path) -> dict[str, str]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def test_size(tmp_path: Path) -> None:
    """It has the lines that are asked for and few more, and counts itself rightly."""
    project = write_project(tmp_path, LINES)
    texts = list_texts(tmp_path)
    python = {name: text for name, text in texts.items() if name.endswith(".py")}
    assert project.lines == sum(len(text.splitlines()) for text in python.values())
    assert LINES <= project.lines <= LINES * 1.02
    assert project.files == len(python)
    assert project.templates == sum(name.endswith(".html") for name in texts)


def test_routes(tmp_path: Path) -> None:
    """It can be imported, and each kind of record has its pages and actions, all different."""
    pytest.importorskip("flask_sqlalchemy")
    pytest.importorskip("requests")
    write_project(tmp_path, LINES)
    done = subprocess.run(
        [sys.executable, "-c", COUNT_ROUTES], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    rules = json.loads(done.stdout)
    assert len(rules) == 1_001
    assert sum("<int:" in rule for rule in rules) >= len(DOMAINS) * ACTIONS_EACH


def test_same_for_the_same_seed(tmp_path: Path) -> None:
    """The same seed gives the same project, and another seed another one."""
    folders = [tmp_path / name for name in ("one", "same", "other")]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        write_project(folder, LINES, seed)
    one, same, other = map(list_texts, folders)
    assert one == same
    assert one != other
