"""Adding requirements: where, in which order and style, and what is only noted."""

import importlib.metadata
import os
import textwrap
from pathlib import Path

import pytest

from flasync.toolkit.migration.applying import Workspace
from flasync.toolkit.migration.plan import Safety
from flasync.toolkit.migration.requirement_files import (
    RequirementPlan,
    declared_distributions,
    plan_requirements,
)
from toolkit.migration.edits import apply_edits

AIOSQLITE = importlib.metadata.version("aiosqlite")
WERKZEUG = importlib.metadata.version("werkzeug")


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def plan(root: Path, files: dict[str, str], *wanted: str) -> tuple[dict[str, str], RequirementPlan]:
    """Return the files that change, with their new texts, and the plan; a second one is empty."""
    write(root, files)
    found = plan_requirements(root, wanted or ("aiosqlite",))
    assert {change.safety for change in found.changes} <= {Safety.SAFE}
    new = {
        name: apply_edits(text, [c.edit for c in found.changes if c.edit.file == name])
        for name, text in files.items()
    }
    write(root, new)
    assert plan_requirements(root, wanted or ("aiosqlite",)).changes == ()
    return {name: text for name, text in new.items() if text != files[name]}, found


# Files as a diff shows them: what begins with + is added, with - is gone.
ADDED = {
    "sorted array, comments": (
        "pyproject.toml",
        """
          [project]
          dependencies = [
        +   'aiosqlite',
            'Alembic',  # tables
            'flask[async]>=3'  # web
          ]
        """,
    ),
    "unsorted array": (
        "pyproject.toml",
        """
          [project]
          dependencies = [
              # web
              "flask",  # why
        +     "aiosqlite",
              # data
              "aaa"  # last
          ]

          [tool.x]
          y = [[1]]
        """,
    ),
    "after the last, with a comment": (
        "pyproject.toml",
        """
          [project]
          dependencies = [
              "zzz",
        -     "flask"  # web
        +     "flask",  # web
        +     "aiosqlite"
          ]
        """,
    ),
    "one line": (
        "pyproject.toml",
        """
          [project]
        - dependencies = ["flask>=3", "redis"]
        + dependencies = ["aiosqlite", "flask>=3", "redis"]
        """,
    ),
    "an extra": (
        "pyproject.toml",
        """
          [project]
          dependencies = []
          [project.optional-dependencies]
        - web = ["flask"]
        + web = ["flask", "aiosqlite"]
        """,
    ),
    "Poetry": (
        "pyproject.toml",
        f"""
          [tool.poetry.dependencies]
          python = "^3.11"
        + aiosqlite = "^{AIOSQLITE}"
          flask = "^3.0"  # web
          redis = {{version = "^5", extras = ["hiredis"]}}

          [tool.other]
          flask = 1
        """,
    ),
    "Pipfile": (
        "Pipfile",
        """
          [packages]
          flask = "*"
        + aiosqlite = "*"

          [dev-packages]
          pytest = "*"
        """,
    ),
    "setup.cfg": (
        "setup.cfg",
        """
          [metadata]
          name = shop
          [options]
          install_requires =
        +     aiosqlite
              flask
              redis>=5
          packages = find:
        """,
    ),
    "setup.py": (
        "setup.py",
        """
          from setuptools import setup

        - setup(name='é', install_requires=['flask', 'redis'])  # é
        + setup(name='é', install_requires=['aiosqlite', 'flask', 'redis'])  # é
        """,
    ),
    "setup.py with a variable": (
        "setup.py",
        """
          from setuptools import setup

          NEEDS = [
              'zzz',
              'flask',
        +     'aiosqlite',
          ]
          setup(install_requires=NEEDS)
        """,
    ),
    "sections of requirements": (
        "requirements.txt",
        """
          # web
          Flask  # the framework
        + aiosqlite
          Another

          # data
          psycopg2-binary
        """,
    ),
    "sections that happen to be sorted": (
        "requirements.txt",
        """
          # web
          flask
        + aiosqlite
          # testing
          pytest
        """,
    ),
    "a sorted section of several": (
        "requirements.txt",
        """
          zope.interface

          Flask
        + aiosqlite
          gunicorn
        """,
    ),
    "a comment that may be of the first": (
        "requirements.txt",
        """
          # 3.1 breaks the login.
          flask<3.1
        + aiosqlite
          requests
        """,
    ),
    "options and addresses": (
        "requirements/base.in",
        """
          -c constraints.txt
          git+https://example.org/x.git
          flask ; python_version > '3'
        + aiosqlite
        """,
    ),
}


@pytest.mark.parametrize(("file", "diff"), ADDED.values(), ids=ADDED)
def test_added(tmp_path: Path, file: str, diff: str) -> None:
    """A requirement is added where Flask is, sorted where the list is, and comments stay."""
    lines = textwrap.dedent(diff).strip("\n").split("\n")
    before = "".join(line[2:] + "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[2:] + "\n" for line in lines if not line.startswith("-"))
    assert plan(tmp_path, {file: before})[0] == {file: after}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"flask", b"flask\naiosqlite"),
        (b"Flask>=3\r\nredis\r\n", b"aiosqlite\r\nFlask>=3\r\nredis\r\n"),
        (b"\xef\xbb\xbfflask\n", b"\xef\xbb\xbfflask\naiosqlite\n"),
    ],
    ids=["no last line end", "CR LF", "byte order mark"],
)
def test_line_ends(tmp_path: Path, before: bytes, after: bytes) -> None:
    """Line ends and a byte order mark are the file's own."""
    path = tmp_path / "requirements.txt"
    path.write_bytes(before)
    workspace = Workspace(tmp_path)
    edits = [change.edit for change in plan_requirements(tmp_path, ["aiosqlite"]).changes]
    workspace.write({path.name: apply_edits(workspace.read(path.name), edits)})
    assert path.read_bytes() == after


def test_several_at_one_place(tmp_path: Path) -> None:
    """Requirements that belong at one place come there in their order, each once."""
    new, _ = plan(
        tmp_path,
        {"pyproject.toml": '[project]\ndependencies = [\n    "zzz",\n    "flask"  # web\n]\n'},
        "flasync[serve]", "aiosqlite", "aiofiles>=24", "aiosqlite",
    )  # fmt: skip
    assert new["pyproject.toml"] == (
        '[project]\ndependencies = [\n    "zzz",\n    "flask",  # web\n'
        '    "aiofiles>=24",\n    "aiosqlite",\n    "flasync[serve]"\n]\n'
    )


def test_pins_stay_pins(tmp_path: Path) -> None:
    """Where everything is pinned, the version that is installed is pinned, if there is one."""
    before = "blinker==1.0\nflask==3.0  # web\n"
    wanted = ("werkzeug", "not-installed-anywhere", "aiofiles>=24")
    new, _ = plan(tmp_path, {"requirements.txt": before}, *wanted)
    assert new["requirements.txt"] == (
        "aiofiles>=24\nblinker==1.0\nflask==3.0  # web\n"
        f"not-installed-anywhere\nwerkzeug=={WERKZEUG}\n"
    )


def test_extras_of_poetry(tmp_path: Path) -> None:
    """An extra is written as Poetry writes it, in the style of the other constraints."""
    before = '[tool.poetry.dependencies]\nflask = "3.0.1"\nredis = "5.0"\n'
    new, _ = plan(tmp_path, {"pyproject.toml": before}, "werkzeug[watchdog]")
    line = f'werkzeug = {{version = "{WERKZEUG}", extras = ["watchdog"]}}\n'
    assert new["pyproject.toml"] == before + line


def test_every_list_with_flask(tmp_path: Path) -> None:
    """Two files that both have Flask both get it; one that includes another does not."""
    new, _ = plan(
        tmp_path,
        {
            "setup.py": "import setuptools\nsetuptools.setup(install_requires=['flask'])\n",
            "requirements/base.txt": "flask\n",
            "requirements/dev.txt": "-r base.txt\nflask\npytest\n",
            "requirements/docs.txt": "sphinx\n",
        },
    )
    assert new.keys() == {"setup.py", "requirements/base.txt"}


def test_flask_by_way_of_another(tmp_path: Path) -> None:
    """Where no list has Flask itself, the one with a package named after it is taken."""
    files = {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["tools"]\n',
        "requirements.txt": "apiflask\n",
    }
    assert plan(tmp_path, files)[0].keys() == {"requirements.txt"}


POETRY_LINES = '[tool.poetry.dependencies]\nflask = {version = "3", extras = [\n  "async",\n]}\n'
NOTED = {
    "no file": ({}, "pip install aiosqlite"),
    "hashes": ({"requirements.txt": "flask==3 \\\n    --hash=sha256:00\n"}, "has hashes"),
    "generated": ({"requirements.txt": "# autogenerated by pip-compile\nflask==3\n"}, "generated"),
    "no TOML": ({"pyproject.toml": '[project]\ndependencies = ["flask"\n'}, "pip install"),
    "computed": ({"setup.py": "from x import y\nsetup(install_requires=y())\n"}, "pip install"),
    "several lines": ({"pyproject.toml": POETRY_LINES}, "could not be edited"),
}


@pytest.mark.parametrize(("files", "note"), NOTED.values(), ids=NOTED)
def test_only_noted(tmp_path: Path, files: dict[str, str], note: str) -> None:
    """What cannot be edited safely is left as it is, with a note that says what to do."""
    new, found = plan(tmp_path, files)
    assert new == {}
    assert len(found.notes) == 1
    assert note in found.notes[0]


def test_compiled_requirements(tmp_path: Path) -> None:
    """Of a file that is made from another, the source is edited and the other noted."""
    new, found = plan(tmp_path, {"requirements.in": "flask\n", "requirements.txt": "flask==3.1\n"})
    assert new == {"requirements.in": "flask\naiosqlite\n"}
    assert found.notes == (
        "requirements.txt is made from requirements.in: make it anew; it needs aiosqlite",
    )


def test_lock_file(tmp_path: Path) -> None:
    """A lock file is never edited: the command that makes it anew is noted."""
    files = {"pyproject.toml": '[project]\ndependencies = ["flask"]\n', "uv.lock": "version = 1\n"}
    new, found = plan(tmp_path, files)
    assert new.keys() == {"pyproject.toml"}
    assert any("uv lock" in note for note in found.notes)


def test_there_already(tmp_path: Path) -> None:
    """What is there, in any spelling, is not added; a missing extra is noted."""
    files = {"requirements.txt": "Flask\nAIO_SQLite>=0.1\nredis\n"}
    new, found = plan(tmp_path, files, "aio-sqlite", "redis[hiredis]")
    assert new == {}
    assert found.notes == ("requirements.txt has redis, and it needs the extra [hiredis]",)


def test_declared(tmp_path: Path) -> None:
    """Everything declared anywhere is known by its normalised name."""
    write(
        tmp_path,
        {
            "pyproject.toml": '[project]\ndependencies = ["Flask_Login"]\n'
            '[project.optional-dependencies]\na = ["aiomysql"]\n'
            '[dependency-groups]\ndev = ["pytest", {include-group = "a"}]\n',
            "requirements/prod.txt": "-r base.txt\ngunicorn[gevent]==20\n",
            "Pipfile": '[packages]\n"zope.interface" = "*"\n',
        },
    )
    assert declared_distributions(tmp_path) == {
        "flask-login", "aiomysql", "pytest", "gunicorn", "zope-interface",
    }  # fmt: skip


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is no text counts as none."""
    (tmp_path / "requirements.txt").write_bytes(os.urandom(200) + b"\xff")
    assert declared_distributions(tmp_path) == set()


def test_nothing_wanted(tmp_path: Path) -> None:
    """Without anything to add there is nothing to say."""
    assert plan_requirements(tmp_path, ()) == RequirementPlan((), ())
