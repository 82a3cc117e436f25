"""Every name in the knowledge files is there in the libraries that are installed."""

import tomllib
from pathlib import Path

import pytest
from tests.toolkit.knowledge.names import exists, holds, is_installed, list_names

from flasync.toolkit.knowledge import Library, load_knowledge

ONLY_IN = tomllib.loads(Path(__file__).with_name("only_in.toml").read_text())


def list_packages() -> list[tuple[Library, str]]:
    """Return each file with each of the top-level packages that its names begin with."""
    found = []
    for library in load_knowledge().libraries:
        packages = {name.partition(".")[0] for name in list_names(library)}
        found.extend((library, package) for package in sorted(packages))
    return found


@pytest.mark.parametrize(
    ("library", "package"),
    [
        pytest.param(library, package, id=f"{library.path.stem}-{package}")
        for library, package in list_packages()
    ],
)
def test_names_exist(library: Library, package: str) -> None:
    """What a file names exists, in the versions that only_in.toml says where it says some."""
    if not is_installed(package):
        pytest.skip(f"{package} is not installed")
    names = {name for name in list_names(library) if name.partition(".")[0] == package}
    wrong = {
        name: "is missing" if wanted else f"exists, and not only in {ONLY_IN[name]}"
        for name in sorted(names)
        if exists(name) != (wanted := name not in ONLY_IN or holds(ONLY_IN[name]))
    }
    assert not wrong, f"{library.path.name}: {wrong}"


def test_only_in_names_known_names() -> None:
    """Each name of only_in.toml is a name of some knowledge file."""
    known = {name for library in load_knowledge().libraries for name in list_names(library)}
    assert set(ONLY_IN) <= known


@pytest.mark.parametrize(
    "name",
    [
        "no_such_package_at_all.function",
        "os.no_such_function",
        "sqlite3.Connection.no_such_method",
        "http.client.HTTPConnection.sock.no_such_member",
        "time.sleep.no_such_attribute",
    ],
)
def test_a_wrong_name_is_missing(name: str) -> None:
    """A mistyped package, function, method or member is not taken for a real one."""
    assert not exists(name)


@pytest.mark.parametrize(
    "name",
    [
        "time",
        "os.path.join",
        "sqlite3.Connection.execute",
        "flask.current_app",
        "http.client.HTTPConnection.sock",
        "concurrent.futures.ThreadPoolExecutor",
    ],
)
def test_a_right_name_exists(name: str) -> None:
    """Modules, functions, methods, proxies, members of instances and lazy members are found."""
    assert exists(name)
