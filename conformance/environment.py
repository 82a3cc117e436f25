"""One virtual environment a suite, made again only when what it is made of has changed."""

import hashlib
import json
import shutil
from pathlib import Path

from conformance.packages import Packages
from conformance.suite import Suite

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = "flasync_conformance"
"""The name under which a suite's environment imports `conformance/plugin`.

The plugin is copied into each environment instead of being found through a path: a folder of this
checkout on `PYTHONPATH` could shadow a suite's own `tests` or `run` module.
"""
# The second turns a test that hangs into a failed test with every thread's stack.
TOOLS = ("pytest", "pytest-timeout")


def prepare_environment(packages: Packages, suite: Suite, archive: Path, python: str) -> Path:
    """The path of the environment's Python: the suite's project, its test tools, this checkout."""
    folder = packages.cache / "venvs" / suite.name
    executable = folder / "bin" / "python"
    extras = f"[{','.join(suite.extras)}]" if suite.extras else ""
    requirements = [f"{suite.source}{extras} @ {archive.as_uri()}", *suite.requires, *TOOLS]
    checkout = (ROOT / "pyproject.toml").read_text()
    made_of = json.dumps([requirements, suite.overrides, python, packages.newest, checkout])
    digest = hashlib.sha256(made_of.encode()).hexdigest()
    stamp = folder / "made-of"
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        packages.create_environment(folder, python)
        packages.install(executable, ["--editable", str(ROOT), *requirements], suite.overrides)
        stamp.write_text(digest)
    (site_packages,) = folder.glob("lib/python3*/site-packages")
    shutil.rmtree(site_packages / PLUGIN, ignore_errors=True)
    shutil.copytree(ROOT / "conformance" / "plugin", site_packages / PLUGIN)
    return executable
