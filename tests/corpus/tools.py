"""The tools that are compared, each as a function from a project to the places it reports."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from corpus.importing import imported_app
from corpus.labelled import HERE, Label, Place
from corpus.scanning import list_blocking_places

# Ruff's rules about blocking calls; its other ASYNC rules are about other things.
_RUFF_RULES = "ASYNC210,ASYNC212,ASYNC220,ASYNC221,ASYNC222,ASYNC230,ASYNC240,ASYNC250,ASYNC251"
_DEF = re.compile(r"^(\s*)def (?!__)", re.MULTILINE)
_TESTS_TIMEOUT_S = 900


@dataclass(frozen=True)
class Project:
    """An app of the corpus, laid out in a folder.

    Attributes:
        group: The line of the table that it counts for.
        name: For messages.
        root: Its folder.
        import_path: As `flask --app` takes it.
        labels: What blocks in it.
        environment: The variables that it is deployed with.
        tested: Whether it has a test suite; else a request is sent to each of its routes.
    """

    group: str
    name: str
    root: Path
    import_path: str
    labels: tuple[Label, ...]
    environment: tuple[tuple[str, str], ...] = ()
    tested: bool = False


def run_flasync(project: Project) -> set[Place]:
    """What `flasync scan` reports with its rules about blocking calls."""
    saved = dict(os.environ)
    os.environ.update(project.environment)
    try:
        with imported_app(project.root, project.import_path) as app:
            return list_blocking_places(app, project.root)
    finally:
        os.environ.clear()
        os.environ.update(saved)


def run_ruff(project: Project) -> set[Place]:
    """What Ruff's ASYNC rules report of the files as they are."""
    return _check(project.root)


def run_ruff_on_async(project: Project) -> set[Place]:
    """What Ruff's ASYNC rules report of a copy in which every `def` has become `async def`.

    They look into async functions alone, so this is the most that they can find. Special methods
    stay as they are.
    """
    copy = project.root.with_name(project.root.name + "-async")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project.root, copy)
    for path in copy.rglob("*.py"):
        path.write_text(_DEF.sub(r"\1async def ", path.read_text()))
    return _check(copy)


def _check(root: Path) -> set[Place]:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--preview", "--no-cache"]
    command += ["--select", _RUFF_RULES, "--exit-zero", "--output-format", "json", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {
        (Path(item["filename"]).relative_to(root).as_posix(), item["location"]["row"])
        for item in json.loads(done.stdout)
        if not Path(item["filename"]).is_relative_to(root / "tests")
        and item["code"].startswith("ASYNC")
    }


def run_blockbuster(project: Project) -> set[Place]:
    """What blockbuster sees while the project's tests run, or a request of each route."""
    places = project.root.with_name(project.root.name + "-places.json")
    places.unlink(missing_ok=True)
    environment = {
        **os.environ,
        # The tests set what they need by themselves.
        **({} if project.tested else dict(project.environment)),
        "FLASYNC_CORPUS_PLACES": str(places),
        "PYTHONPATH": str(HERE.parent),
    }
    command = [sys.executable, "-m"]
    if project.tested:
        command += ["pytest", "-q", "-p", "corpus.blockbuster_record", "-p", "no:cacheprovider"]
    else:
        command += ["corpus.blockbuster_record", str(project.root)]
    done = subprocess.run(
        command,
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TESTS_TIMEOUT_S,
    )
    if not places.exists():
        raise RuntimeError(f"blockbuster failed on {project.name}:\n{done.stdout}{done.stderr}")
    return {(file, line) for file, line in json.loads(places.read_text())}
