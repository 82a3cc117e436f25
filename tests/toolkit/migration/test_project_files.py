"""The files that may change: the project's own source, and not its tests."""

from pathlib import Path

from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.suite_reading import read_suite
from flasync.toolkit.sources import Sources
from toolkit.migration.planners import write_files


def open_files(root: Path, files: dict[str, str]) -> ProjectFiles:
    """The files of a project."""
    write_files(root, files)
    return ProjectFiles(Sources(root), read_suite(root))


def test_tests_are_left_out(tmp_path: Path) -> None:
    """Test modules stay as they are, and conftest.py does."""
    files = open_files(
        tmp_path,
        {"shop.py": "", "tests/test_shop.py": "", "tests/conftest.py": "", "conftest.py": ""},
    )
    assert [file.name for file in files] == ["shop.py"]
    assert files.get("tests/test_shop.py") is None
    assert files.get("absent.py") is None


def test_mentioning(tmp_path: Path) -> None:
    """The files whose text has a word are found without parsing the others."""
    files = open_files(tmp_path, {"a.py": "import redis\n", "b.py": "import json\n"})
    assert [file.name for file in files.list_mentioning("redis")] == ["a.py"]


def test_exported_names(tmp_path: Path) -> None:
    """What modules and tests of the project import from one another counts, and nothing else."""
    files = open_files(
        tmp_path,
        {
            "shop/__init__.py": "from .books import load\n",
            "shop/books.py": "from json import loads\nload = loads\nfind = loads\n",
            "tests/test_books.py": "from shop.books import find\n",
        },
    )
    assert files.exported == {"load", "find"}


def test_neighbour_of_a_package_and_of_a_module(tmp_path: Path) -> None:
    """A new module is put into the app's package, or beside its module."""
    files = open_files(tmp_path, {"shop/__init__.py": "", "single.py": ""})
    assert files.place_beside("shop", "http_client") == ("shop.http_client", "shop/http_client.py")
    assert files.place_beside("single", "http_client") == ("http_client", "http_client.py")
    assert files.place_beside("absent", "http_client") == ("http_client", "http_client.py")


def test_each_is_parsed_once(tmp_path: Path) -> None:
    """A file is one object, so that its nodes can be told apart by identity."""
    files = open_files(tmp_path, {"a.py": "x = 1\n"})
    assert files.get("a.py") is files.get("a.py")
