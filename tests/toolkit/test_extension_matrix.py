"""What the package knows of extensions is what the conformance run found."""

import tomllib
from pathlib import Path

from flasync.toolkit.extension_matrix import load_extension_matrix

ROOT = Path(__file__).parent.parent.parent


def read_table() -> list[tuple[str, str, int, int]]:
    """Title, version, tests and differences of each row of the page's table of extensions."""
    page = (ROOT / "docs" / "extensions.md").read_text(encoding="utf-8")
    section = page.split("\n## Extensions\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    head, _, *body = rows
    columns = [head.index(name) for name in ("Project", "Version", "Tests", "Differences")]
    picked = [[row[column] for column in columns] for row in body]
    return [
        (title, version, int(tests.replace(",", "")), int(differences))
        for title, version, tests, differences in picked
    ]


def test_matrix_is_the_page() -> None:
    """The data file has each row of docs/extensions.md, in its order, with its figures."""
    matrix = [
        (entry.title, entry.version, entry.tests, entry.differences)
        for entry in load_extension_matrix()
        if entry.version
    ]
    assert matrix == read_table()


def test_distributions_are_those_that_were_tested() -> None:
    """Each tested extension is known by the name of the distribution whose suite was run."""
    suites = tomllib.loads((ROOT / "conformance" / "suites.toml").read_text())["suite"]
    tested = {table.get("title", name): table.get("source", name) for name, table in suites.items()}
    for entry in load_extension_matrix():
        if entry.version:
            assert entry.distribution == tested[entry.title]


def test_untested_have_advice() -> None:
    """An extension outside of the run is only listed for its advice, and once."""
    others = [entry for entry in load_extension_matrix() if not entry.version]
    assert all(entry.advice for entry in others)
    assert len({entry.module for entry in others}) == len(others)
    tested = {entry.module for entry in load_extension_matrix() if entry.version}
    assert not tested & {entry.module for entry in others}
