"""A project with some of its files changed at random: the same from the same seed."""

import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from toolkit.migration.fuzzing import (
    part_moving,
    reformatting,
    renaming,
    reordering,
    restructuring,
    wrapping,
)

APPS = Path(__file__).parent / "apps"
EXAMPLES = Path(__file__).parents[4] / "examples"
# In the order in which they may follow one another: what only changes the text comes last.
_OF_TREE: tuple[Callable[[str, random.Random], str], ...] = (
    restructuring.make_async,
    part_moving.offload_sleeps,
    restructuring.extract_returns,
    restructuring.alias_functions,
    restructuring.import_star,
    wrapping.unfold_statements,
    wrapping.wrap_calls,
    restructuring.decorate,
    renaming.rename_locals,
    renaming.rename_imports,
    reordering.shuffle_imports,
    reordering.move_functions,
    reordering.import_late,
    reordering.guard_imports,
    restructuring.annotate,
)
_OF_TEXT: tuple[Callable[[str, random.Random], str], ...] = (
    reformatting.spread,
    reformatting.fold,
    reformatting.comment,
    reformatting.indent_with_tabs,
    reformatting.end_lines,
    reformatting.mark,
)
_OF_PROJECT: tuple[Callable[[Mapping[str, str], str, random.Random], dict[str, str]], ...] = (
    renaming.rename_helpers,
    part_moving.await_helpers,
    restructuring.pass_module_on,
)


@dataclass(frozen=True, slots=True)
class Target:
    """An app that is mutated.

    Attributes:
        name: What the reports call it.
        folder: Where it is.
        app: How `flask --app` takes it.
        changed: Globs of the files that are mutated.
    """

    name: str
    folder: Path
    app: str = "app"
    changed: tuple[str, ...] = ("*.py",)


TARGETS = (
    *(Target(name, APPS / name) for name in ("ledger", "notes", "probes", "stations", "weather")),
    Target("bookshop", EXAMPLES / "bookshop", "wsgi", ("bookshop/**/*.py",)),
)


def copy_target(target: Target, root: Path) -> None:
    """Put a copy of an app into a new folder."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(target.folder, root, ignore=ignored)


def mutate(target: Target, root: Path, seed: int) -> list[str]:
    """Change the files of a copy; return the names of the mutations."""
    chance = random.Random(seed)
    paths = sorted({path for pattern in target.changed for path in root.glob(pattern)})
    texts = {path.relative_to(root).as_posix(): path.read_text() for path in paths}
    others = (path for path in sorted(root.rglob("*.*")) if path not in paths and path.is_file())
    fixed = "\n".join(path.read_text(errors="replace") for path in others)
    done: list[str] = []
    for change_all in _OF_PROJECT:
        if chance.random() < 0.3:
            texts = change_all(texts, fixed, chance)
            done.append(change_all.__name__)
    count = chance.choice([1, 2, 4, 6])
    chosen = set(chance.sample(range(len(_OF_TREE) + len(_OF_TEXT)), count))
    for place, change in enumerate((*_OF_TREE, *_OF_TEXT)):
        if place in chosen:
            new = {path: _change(change, text, chance) for path, text in texts.items()}
            if new != texts:
                done.append(change.__name__)
            texts = new
    for path, text in texts.items():
        (root / path).write_bytes(text.encode())
    return done


def _change(change: Callable[[str, random.Random], str], text: str, chance: random.Random) -> str:
    """Return a text after a mutation, or as it was where that would give no Python."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    try:
        new = change(text.removeprefix("\ufeff"), chance)
        compile(new.removeprefix("\ufeff"), "", "exec", dont_inherit=True)
    except (SyntaxError, cst.CSTValidationError, cst.ParserSyntaxError):
        return text
    return mark + new
