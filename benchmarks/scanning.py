"""How long `flasync scan` takes on large projects, and its memory; run with scripts/scan-bench.

Two projects: one of 100,000 lines that is generated (`large_project`), and Apache Superset, the
largest Flask application of the package index that can be imported without a service. Each is
scanned in a fresh process; another process before it only imports the app, for comparison, and
leaves the bytecode of all modules behind, as any earlier run of an app does. The processor's
seconds, of the whole process, change less than the others when a machine has other work.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.large_project import LINES, write_project

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "scan-bench"
LIMIT_S = 10.0
"""What the generated project may take, its import included; `--check` fails above."""
_BASE = ("flask-sqlalchemy", "requests")
# The versions that were measured. Superset's own requirements admit a Flask-Caching with which it
# does not start.
_SUPERSET = ("apache-superset==6.1.0", "flask-caching==2.3.1")


@dataclass(frozen=True)
class Subject:
    """What is scanned.

    Attributes:
        name: What the table calls it.
        app: The app, as `flask --app` takes it.
        requires: What its environment holds beside flasync.
        package: The installed package that is the project; None when it is the folder itself.
        environ: What the app wants to find in its environment.
    """

    name: str
    app: str
    requires: tuple[str, ...]
    package: str | None = None
    environ: dict[str, str] = field(default_factory=dict)


GENERATED = Subject("generated", "depot", _BASE)
SUPERSET = Subject(
    "Apache Superset",
    "superset.app:create_app",
    _SUPERSET,
    "superset",
    {"SUPERSET_SECRET_KEY": "b" * 42},
)
SUBJECTS = {"generated": GENERATED, "superset": SUPERSET}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        Exit status: 0; 1 when `--check` is given and the generated project took too long.
    """
    options = _parse_arguments(arguments)
    print(_describe_machine(), end="\n\n")
    print("| project | lines | files | routes | functions | walks | findings |", end="")
    print(" all s | import s | scan s | processor s | peak MiB | import alone MiB |")
    print(f"| --- |{' ---: |' * 12}")
    slowest = 0.0
    for name in options.only:
        subject = SUBJECTS[name]
        python = _prepare_environment(name, subject)
        for _ in range(options.rounds):
            figures = _measure(subject, python, options.lines)
            print(_render_row(subject, figures), flush=True)
            if subject is GENERATED:
                slowest = max(slowest, figures["import_s"] + figures["scan_s"])
    if options.check and slowest > LIMIT_S:
        print(f"The generated project took {slowest:.1f} s, more than {LIMIT_S:.0f} s.")
        return 1
    return 0


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/scan-bench", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), help="which projects"
    )
    parser.add_argument("--lines", type=int, default=LINES, help="lines of the generated project")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is scanned")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"fail when a scan of the generated project takes more than {LIMIT_S:.0f} s",
    )
    return parser.parse_args(arguments)


def _prepare_environment(name: str, subject: Subject) -> Path:
    """Return the Python of a subject's virtual environment, made when it is not there."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    wanted = "\n".join(subject.requires)
    stamp = folder / "made-of"
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--clear", str(folder)], check=True)
        install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, "--editable", f"{ROOT}[toolkit]", *subject.requires], check=True)
        stamp.write_text(wanted)
    return python


def _measure(subject: Subject, python: Path, lines: int) -> dict[str, Any]:
    """Return the figures of a scan, with the memory of only importing the app."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if subject.package is None:
            write_project(folder, lines)
            root = folder
        else:
            (site_packages,) = python.parent.parent.glob("lib/python3*/site-packages")
            root = site_packages / subject.package
        environ = {**os.environ, **subject.environ, "HOME": name, "PYTHONPATH": ""}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        only_import = _run(python, folder, environ, subject.app, str(root), "--only-import")
        figures = _run(python, folder, environ, subject.app, str(root))
    return {**figures, "import_mib": only_import["peak_mib"]}


def _run(python: Path, folder: Path, environ: dict[str, str], *arguments: str) -> dict[str, Any]:
    # -P: the folder of the script would shadow modules of the app.
    command = [str(python), "-P", str(ROOT / "benchmarks" / "scan_once.py"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _render_row(subject: Subject, figures: dict[str, Any]) -> str:
    counts = ("lines", "files", "routes", "functions", "walks", "findings")
    cells = [subject.name, *(f"{figures[name]:,}" for name in counts)]
    cells.append(f"{figures['import_s'] + figures['scan_s']:.1f}")
    cells += [f"{figures[name]:.1f}" for name in ("import_s", "scan_s", "processor_s")]
    cells += [f"{figures[name]:.0f}" for name in ("peak_mib", "import_mib")]
    return f"| {' | '.join(cells)} |"


def _describe_machine() -> str:
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}{load}"


if __name__ == "__main__":
    sys.exit(main())
