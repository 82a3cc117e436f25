"""The example shop's migration, as a good Flask developer would have written it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(__file__).with_name("bookshop.diff")


def test_golden_diff(tmp_path: Path) -> None:
    """The plan of bookshop gives the diff that is kept here; nothing is written.

    After a change that is meant, `flasync migrate --app wsgi --json` in a copy of the example has
    the new one under "diff".
    """
    shop = tmp_path / "bookshop"
    shutil.copytree(ROOT / "examples" / "bookshop", shop)
    before = {path: path.read_bytes() for path in shop.rglob("*.py")}
    command = [sys.executable, "-m", "flasync.cli", "migrate", "--app", "wsgi", "--json"]
    done = subprocess.run(command, cwd=shop, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["diff"] == GOLDEN.read_text(encoding="utf-8")
    assert {path: path.read_bytes() for path in shop.rglob("*.py")} == before
