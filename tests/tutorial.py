"""flaskr, the application of Flask's tutorial, as Flask's own source distribution has it."""

import functools
import importlib.metadata
import subprocess
import sys
import tarfile
from pathlib import Path


@functools.cache
def fetch_flaskr(base: Path) -> Path:
    """Fetch the folder `examples/tutorial` of the Flask that is installed.

    It is put below `base`, the session's temporary folder, once.
    """
    folder = base / "flask-sdist"
    folder.mkdir()
    requirement = f"flask=={importlib.metadata.version('flask')}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", "flask", "--dest", str(folder), requirement]
    subprocess.run(command, check=True, timeout=100)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    (tutorial,) = folder.glob("*/examples/tutorial")
    return tutorial
