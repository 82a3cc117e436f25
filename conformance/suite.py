"""What a suite is, and the data files that list the suites and their known differences."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
LANES = ("natural", "loop", "thread")
KINDS = {"framework": "Flask itself", "extension": "Extensions", "application": "Applications"}


@dataclass(frozen=True, slots=True)
class Suite:
    """One project whose sdist carries its tests.

    ``source`` is the sdist on the package index where it is not the suite's own name: the tutorial
    application, for example, lives inside Flask's sdist. ``overrides`` are requirements that
    replace what a project itself asks of that package. ``deselect`` maps a test id to the reason
    why it is not run at all, and ``timed`` the id of one that measures time to what it asserts: it
    is run, but cannot differ, only be flaky. ``quiet`` is the reason why a suite sends no request,
    ``lend`` the reason why the test's own thread is its requests' worker thread. ``driver``, such
    as "sqlite+aiosqlite", takes the place of the driver in Flask-SQLAlchemy's URLs of that
    database, through flasync only: the stock run keeps its own.
    """

    name: str
    title: str
    version: str
    kind: str
    source: str
    core: bool = False
    python: str = ""
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    directory: str = "."
    paths: tuple[str, ...] = ("tests",)
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    deselect: dict[str, str] = field(default_factory=dict)
    timed: dict[str, str] = field(default_factory=dict)
    lanes: tuple[str, ...] = ("natural",)
    timeout_s: float = 900.0
    lend: str = ""
    quiet: str = ""
    driver: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Untested:
    """A project of the list that no suite can stand for, and why."""

    title: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything `suites.toml` says. ``newest`` is the moment up to which releases are taken."""

    newest: str
    suites: tuple[Suite, ...]
    untested: tuple[Untested, ...]


def parse_suite(name: str, table: dict[str, object]) -> Suite:
    """One `[suite.<name>]` table as a `Suite`.

    Raises:
        ValueError: when the table has an unknown key, kind or lane, so that a typing error in the
            data never silently changes what is run.
    """
    values = {key: _freeze(value) for key, value in table.items()}
    values.setdefault("title", name)
    values.setdefault("source", name)
    try:
        suite = Suite(name=name, **values)  # type: ignore[arg-type]  # checked by the call itself
    except TypeError as error:
        raise ValueError(f"suite {name!r}: {error}") from error
    if suite.kind not in KINDS:
        raise ValueError(f"suite {name!r}: kind {suite.kind!r} is none of {sorted(KINDS)}")
    if not set(suite.lanes) <= set(LANES):
        raise ValueError(f"suite {name!r}: lanes {suite.lanes!r} are not all of {LANES}")
    return suite


def read_catalogue(path: Path = HERE / "suites.toml") -> Catalogue:
    """All suites, in the file's order."""
    data = tomllib.loads(path.read_text())
    return Catalogue(
        newest=data["newest"],
        suites=tuple(parse_suite(name, table) for name, table in data["suite"].items()),
        untested=tuple(Untested(**table) for table in data.get("untested", ())),
    )


def _freeze(value: object) -> object:
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    return value
