"""A generated Flask project of 100,000 lines, the same for the same seed.

Its shape is a back office: a blueprint for each kind of record with pages, a JSON endpoint and
actions; models with relationships; services with a common base; a client of another service;
decorators and helpers that all share; templates; and much code that only computes. The texts are
in `skeleton/`; `business_code` writes the bulk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from string import Template

from benchmarks.business_code import BusinessModule

LINES = 100_000
DOMAINS = (
    *("account_plan", "address", "article", "asset", "batch", "booking", "budget", "campaign"),
    *("carrier", "category", "claim", "contract", "coupon", "customer", "delivery", "discount"),
    *("document", "employee", "invoice", "lead", "location", "machine", "message", "offer"),
    *("order", "package", "partner", "payment", "permit", "product", "project", "purchase"),
    *("refund", "report_plan", "reservation", "route_plan", "shift", "shipment", "ticket", "tour"),
)
ACTIONS = (
    *("approve", "archive", "assign", "bill", "cancel", "close", "confirm", "escalate"),
    *("freeze", "hold", "lock", "open", "postpone", "reject", "release", "renew", "restore"),
)
ACTIONS_EACH = 11
PURPOSES = ("checks", "exports", "planning", "pricing", "statistics", "transfer")
# Functions of a report of one kind of record.
_REPORT_PARTS = 8
_CLASS_SHARE = 0.15
_SKELETON = Path(__file__).parent / "skeleton"


@dataclass(frozen=True)
class Project:
    """What was generated.

    Attributes:
        root: The folder to scan from.
        app: The app as `flask --app` takes it.
        lines: Lines of Python.
        files: Files of Python.
        templates: Jinja templates.
    """

    root: Path
    app: str
    lines: int
    files: int
    templates: int


def write_project(root: Path, lines: int = LINES, seed: int = 1) -> Project:
    """Write the project into an empty folder.

    Args:
        root: The folder.
        lines: Lines of Python, at least; the smallest project has some 30,000.
        seed: Another seed gives another project of the same kind.
    """
    random = Random(seed)
    package = root / "depot"
    _write_skeleton("app", package, package / "templates", {"domains": repr(DOMAINS)})
    for number, noun in enumerate(DOMAINS):
        # What earlier domains lack or have too much is made up for by the later ones.
        share = (lines - _count_lines(package)) // (len(DOMAINS) - number)
        _Domain(random, package, noun, share).write()
    written = sorted(package.rglob("*.py"))
    templates = len(list(package.rglob("*.html")))
    return Project(root, "depot", _count_lines(package), len(written), templates)


class _Domain:
    """One blueprint with all that belongs to it."""

    def __init__(self, random: Random, package: Path, noun: str, lines: int) -> None:
        self._random = random
        self._lines = lines
        self._noun = noun
        self._plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
        self._folder = package / noun
        self._templates = package / "templates" / noun
        self._actions = sorted(random.sample(ACTIONS, ACTIONS_EACH))

    def write(self) -> None:
        names = {
            "noun": self._noun,
            "Noun": self._noun.title().replace("_", ""),
            "plural": self._plural,
            "modules": ", ".join(PURPOSES),
        }
        # Once without the bulk, to know how many lines are left for it.
        placeholder = {"report_calls": "\n" * _REPORT_PARTS, "methods": "\n" * 17 * ACTIONS_EACH}
        sample = {**names, **placeholder, "module": "checks", "function": "f"}
        _write_skeleton("domain", self._folder, self._templates, sample)
        actions = 8 * ACTIONS_EACH
        modules = self._build_modules(self._lines - _count_lines(self._folder) - actions)
        for purpose, module in modules.items():
            _write(self._folder / f"{purpose}.py", module.render(self._noun))
        pick = iter(self._pick_functions(modules))
        names |= dict(zip(("module", "function"), next(pick), strict=True))
        calls = (
            f"            {'.'.join(next(pick))}(rows, options)," for _ in range(_REPORT_PARTS)
        )
        names["report_calls"] = "\n".join(calls)
        names["methods"] = "".join(self._render_action("method", names, pick))
        _write_skeleton("domain", self._folder, self._templates, names)
        with (self._folder / "views.py").open("a") as views:
            views.writelines(self._render_action("action", names, pick))

    def _build_modules(self, lines: int) -> dict[str, BusinessModule]:
        modules: dict[str, BusinessModule] = {}
        for number, purpose in enumerate(PURPOSES):
            outside = tuple(
                f"{other}.{function}"
                for other, module in modules.items()
                for function in module.functions[-6:]
            )
            module = modules[purpose] = BusinessModule(self._random, purpose, self._plural, outside)
            share = lines // (len(PURPOSES) - number)
            while module.line_count < share or not module.functions:
                if self._random.random() < _CLASS_SHARE:
                    module.add_class()
                else:
                    module.add_function()
            lines -= module.line_count
        return modules

    def _pick_functions(self, modules: dict[str, BusinessModule]) -> Iterator[tuple[str, str]]:
        """Yield (module, function) pairs without end: what views and services call."""
        every = [(name, f) for name, module in modules.items() for f in module.functions]
        while True:
            yield from self._random.sample(every, len(every))

    def _render_action(
        self, kind: str, names: dict[str, str], pick: Iterator[tuple[str, str]]
    ) -> Iterator[str]:
        text = Template((_SKELETON / "domain" / f"{kind}.py.txt").read_text())
        for action in self._actions:
            module, function = next(pick)
            values = {"action": action, "Action": action.title()}
            yield text.substitute(names, **values | {"module": module, "function": function})


def _write_skeleton(part: str, folder: Path, templates: Path, names: dict[str, str]) -> None:
    """Write the files of a part of `skeleton/`, its templates into a folder of their own."""
    source = _SKELETON / part
    for path in sorted(source.rglob("*.txt")):
        if path.name in {"action.py.txt", "method.py.txt"}:
            continue
        relative = path.relative_to(source).with_suffix("")
        is_template = relative.parts[0] == "templates"
        target = templates / relative.name if is_template else folder / relative
        _write(target, Template(path.read_text()).safe_substitute(names))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _count_lines(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))
