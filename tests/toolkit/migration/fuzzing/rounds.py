"""One round: an app is copied, mutated, migrated and checked."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.importing import imported_app
from flasync.errors import AppStartError
from flasync.toolkit.migration.planning import Wish
from flasync.toolkit.surface import read_surface
from toolkit.migration.fuzzing.checking import PropertyError, check_migration
from toolkit.migration.fuzzing.mutated_project import Target, copy_target, mutate
from toolkit.migration.fuzzing.suite_runs import THROUGH_ASGI, run_tests

# Of the rounds that migrate one route before the others.
_SHARE_IN_TWO = 0.25


@dataclass(slots=True)
class Round:
    """One mutant.

    Attributes:
        target: The app.
        seed: What its mutations are chosen by.
        root: A folder that does not exist yet; the migrated project is there afterwards, and the
            mutant beside it, with the ending `.before`.
        mutations: What was done to it.
    """

    target: Target
    seed: int
    root: Path
    mutations: list[str] = field(default_factory=list)


def run_round(this: Round, *, with_tests: bool) -> bool:
    """Mutate, migrate and check.

    Args:
        this: The mutant.
        with_tests: Whether its tests are run: under WSGI or through ASGI, each every other seed.

    Returns:
        Whether it was of use; not, when it does not start, or tests fail without a migration, too.

    Raises:
        PropertyError: The migration broke it.
    """
    copy_target(this.target, this.root)
    this.mutations += mutate(this.target, this.root, this.seed)
    before = this.root.with_suffix(".before")
    shutil.copytree(this.root, before)
    try:
        with imported_app(this.root, this.target.app) as app:
            routes = sorted(route.id for route in read_surface(app).routes)
    except AppStartError:
        return False
    first = choose_first(this.seed, routes)
    if first:
        this.mutations.append(f"{first} moved before the others")
        check_migration(this.root, this.target.app, Wish(frozenset({first})))
    check_migration(this.root, this.target.app)
    if not with_tests or not (this.root / "tests").is_dir():
        return True
    options = THROUGH_ASGI if chooses_asgi(this.seed) else ()
    after = run_tests(this.root, *options)
    if after.are_green:
        return True
    stock = run_tests(before)
    red = stock.passed - after.passed
    if red:
        raise PropertyError(f"{', '.join(sorted(red))} turned red {options}:\n{after.said}")
    return False


def choose_first(seed: int, routes: Sequence[str]) -> str:
    """Return the route of a round that has been moved by a migration of its own, or ""."""
    chance = random.Random(f"first {seed}")
    return chance.choice(routes) if chance.random() < _SHARE_IN_TWO else ""


def chooses_asgi(seed: int) -> bool:
    """Return whether the tests of a round run through ASGI."""
    return random.Random(f"asgi {seed}").random() < 0.5
