"""Source distributions: kept in the cache, unpacked for each run."""

import hashlib
import shutil
import tarfile
import urllib.request
import zipfile
from pathlib import Path

from conformance.packages import Packages


def fetch_sdist(packages: Packages, name: str, version: str) -> Path:
    """The path of the archive, downloaded once and checked against the index's digest.

    Raises:
        LookupError: when the index has no such archive, or another file than it promised.
    """
    folder = packages.cache / "sdists"
    folder.mkdir(parents=True, exist_ok=True)
    url, digest = packages.find_sdist(name, version)
    archive = folder / url.rsplit("/", 1)[1]
    if not archive.exists() or _digest(archive) != digest:
        with urllib.request.urlopen(url) as response:
            archive.write_bytes(response.read())
    if _digest(archive) != digest:
        raise LookupError(f"{archive} is not the file that the index promised: delete it")
    return archive


def unpack_sdist(archive: Path, target: Path) -> Path:
    """The project folder inside ``target``, which is emptied first: no run sees another's files."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # A suite without settings of its own must not find those of a project around the cache.
    (target / "pytest.ini").touch()
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            file.extractall(target)
    else:
        with tarfile.open(archive) as file:
            file.extractall(target, filter="data")
    (project,) = (child for child in target.iterdir() if child.is_dir())
    return project


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
