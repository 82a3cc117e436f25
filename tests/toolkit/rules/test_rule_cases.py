"""Every rule on its own cases, and what every rule says of itself."""

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.serving.location import load_flask_app
from flasync.toolkit.rules import Case, Program, Rule, load_rules
from flasync.toolkit.scanning import build_program

RULES = load_rules()
CASES = [
    pytest.param(rule, case, id=f"{rule.name}-{kind}-{case.title}")
    for rule in RULES.values()
    for kind, cases in (("invalid", rule.invalid), ("valid", rule.valid))
    for case in cases
]
# `# FSY101` ends a line, `{# FSY110 #}` one of a template; a marker may name several codes.
MARKER = re.compile(r"#\s*(FSY\d{3}(?:,\s*FSY\d{3})*)\s*(?:#\})?$")

# What is only seen while the app runs has no cases in its source.
SEEN_AT_RUN_TIME = {"FSY199"}

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.fixture
def build_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Program]]:
    """Write a case's files and return what the rules look at; afterwards, forget its modules."""

    def build(case: Case) -> Program:
        for name, text in case.files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if (tmp_path / name.partition(".")[0]).exists()]:
            monkeypatch.delitem(sys.modules, name)
        for path in tmp_path.glob("*.py"):
            monkeypatch.delitem(sys.modules, path.stem, raising=False)
        importlib.invalidate_caches()
        app = load_flask_app("app") if "app.py" in case.files else None
        return build_program(app, tmp_path)

    yield build
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def read_markers(case: Case, code: str) -> list[tuple[str, int]]:
    """The file and line of each marker of a rule."""
    return sorted(
        (file, number)
        for file, text in case.files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if (marker := MARKER.search(line)) and code in re.split(r",\s*", marker[1])
    )


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_case(rule: Rule, case: Case, build_case: Callable[[Case], Program]) -> None:
    """A rule finds exactly the marked lines of its case."""
    found = list(rule.find(build_case(case)))
    places = sorted({(finding.place.file, finding.place.line) for finding in found})
    assert places == read_markers(case, rule.code)
    for finding in found:
        assert (finding.code, finding.rule) == (rule.code, rule.name)
        assert finding.message and finding.advice and finding.subject
        assert "\n" not in finding.message + finding.advice


@every_rule
def test_invalid_cases_are_marked(rule: Rule) -> None:
    """An invalid case marks a line with the rule's code, a valid case marks none."""
    assert all(read_markers(case, rule.code) for case in rule.invalid)
    assert not any(read_markers(case, rule.code) for case in rule.valid)


@every_rule
def test_leaves_more_alone_than_it_finds(rule: Rule) -> None:
    """A rule has at least as many cases to leave alone as to find, under titles of their own."""
    assert len(rule.valid) >= len(rule.invalid)
    assert bool(rule.invalid) is (rule.code not in SEEN_AT_RUN_TIME)
    titles = [case.title for case in (*rule.invalid, *rule.valid)]
    assert len(set(titles)) == len(titles)


@every_rule
def test_module_is_named_for_the_rule(rule: Rule) -> None:
    """The rule `a-b` is the only one in `rules/a_b.py`, and is called for the pattern in it."""
    module = type(rule).__module__.rpartition(".")[2]
    assert rule.name == module.replace("_", "-")
    assert type(rule).__name__.lower() == rule.name.replace("-", "")


def test_names_are_unique() -> None:
    """No two rules share a name, and each is filed under its own code."""
    assert len({rule.name for rule in RULES.values()}) == len(RULES)
    assert all(
        rule.code == code and re.fullmatch(r"FSY\d{3}", code) for code, rule in RULES.items()
    )


@every_rule
def test_page_is_complete(rule: Rule) -> None:
    """Every section of the page says something, in whole sentences."""
    page = rule.page
    assert page.what.startswith("Finds ")
    for section in (page.what, page.why, page.fix_safety):
        assert section.strip() == section
        assert section.endswith(".")
    assert page.example.strip() != page.instead.strip() != ""
    assert page.references
    assert all(title and re.match("https?://", address) for title, address in page.references)


@every_rule
def test_examples_compile(rule: Rule) -> None:
    """The page's code is valid Python, where it is Python."""
    for code in (rule.page.example, rule.page.instead):
        if re.search(r"^(@|async def |def |import |from |class |\w+ = )", code, re.MULTILINE):
            ast.parse(code)
