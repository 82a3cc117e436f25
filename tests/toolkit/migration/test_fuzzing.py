"""Whatever a project looks like, no migration breaks it: a sample of `scripts/fuzz-migrate`."""

from pathlib import Path

import pytest

from toolkit.migration.fuzzing.mutated_project import TARGETS, copy_target, mutate
from toolkit.migration.fuzzing.rounds import Round, run_round

SMALL = [target for target in TARGETS if target.name != "bookshop"]
# One for each way to run the tests.
SEEDS_WITH_TESTS = (3, 4)


@pytest.mark.parametrize("seed", range(12))
def test_mutant(seed: int, tmp_path: Path) -> None:
    """A mutant compiles after its migration, with everything awaited, and stays as it is then."""
    run_round(Round(SMALL[seed % len(SMALL)], seed, tmp_path / "app"), with_tests=False)


@pytest.mark.parametrize("seed", SEEDS_WITH_TESTS)
def test_mutant_with_its_tests(seed: int, tmp_path: Path) -> None:
    """No test of a mutant turns red, be it served under WSGI or ASGI."""
    run_round(Round(SMALL[seed % len(SMALL)], seed, tmp_path / "app"), with_tests=True)


def test_same_seed_same_mutant(tmp_path: Path) -> None:
    """What a seed gives can be had again."""
    target, texts = SMALL[0], []
    for name in ("one", "two"):
        copy_target(target, tmp_path / name)
        mutations = mutate(target, tmp_path / name, 7)
        texts.append((mutations, (tmp_path / name / "app.py").read_bytes()))
    assert texts[0] == texts[1]
    assert texts[0][0]
