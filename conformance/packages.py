"""The package index, through its ordinary client."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.command import run_command


@dataclass(frozen=True, slots=True)
class Packages:
    """The client (the path of uv), the moment up to which releases are taken, and the cache."""

    uv: str
    newest: str
    cache: Path

    def find_sdist(self, name: str, version: str) -> tuple[str, str]:
        """The URL and the SHA-256 digest of a source distribution.

        The resolver is asked, because `pip download` builds a project only to read its metadata.

        Raises:
            LookupError: when that version has no source distribution.
        """
        command = [self.uv, "pip", "compile", "--quiet", "--no-deps", "--format", "pylock.toml"]
        command += ["--exclude-newer", self.newest, "-"]
        (package,) = tomllib.loads(run_command(command, text=f"{name}=={version}\n"))["packages"]
        if "sdist" not in package:
            raise LookupError(f"{name} {version} has no sdist on the package index")
        return package["sdist"]["url"], package["sdist"]["hashes"]["sha256"]

    def create_environment(self, folder: Path, python: str) -> None:
        """Make a virtual environment."""
        run_command([self.uv, "venv", "--quiet", "--python", python, str(folder)])

    def install(self, python: Path, requirements: Sequence[str], overrides: Sequence[str]) -> None:
        """Install requirements; ``overrides`` replace what others ask of the same packages."""
        command = [self.uv, "pip", "install", "--quiet", "--python", str(python)]
        command += ["--exclude-newer", self.newest, "--overrides", "-"]
        run_command([*command, *requirements], text="\n".join(overrides))


def use_pip_settings() -> None:
    """Let uv use the package index and the certificates that pip is set up with, if any."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0 and done.stdout.strip():
        os.environ.setdefault("UV_DEFAULT_INDEX", done.stdout.strip())
    if certificates := os.environ.get("PIP_CERT"):
        os.environ.setdefault("SSL_CERT_FILE", certificates)
