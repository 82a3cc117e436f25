"""Mutates example apps, migrates each mutant, and checks what must hold of every migration.

Ends with exit code 1 when a migration has broken a mutant, and says how each can be had again.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from toolkit.migration.fuzzing.mutated_project import TARGETS
from toolkit.migration.fuzzing.rounds import Round, run_round

# Lines of an error that are printed; the files of its project are kept.
_LINES_SHOWN = 40


def main() -> int:
    """Run the rounds; return 1 when one has failed."""
    wanted = _parse_arguments()
    targets = [item for item in TARGETS if not wanted.target or item.name in wanted.target]
    started = time.monotonic()
    counts: Counter[str] = Counter()
    for seed in range(wanted.seed, wanted.seed + wanted.rounds):
        if time.monotonic() - started > wanted.seconds:
            break
        target = targets[seed % len(targets)]
        with tempfile.TemporaryDirectory() as folder:
            this = Round(target, seed, Path(folder, f"{target.name}-{seed}"))
            counts[_try_round(this, wanted.suites, wanted.keep)] += 1
    print(
        f"{counts.total()} rounds from seed {wanted.seed}: {counts['failed']} failed,"
        f" {counts['unused']} mutants were of no use"
    )
    return 1 if counts["failed"] else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fuzz-migrate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="begin none after that time (no end)"
    )
    parser.add_argument("--seed", type=int, default=0, help="that of the first one (%(default)s)")
    parser.add_argument("--target", choices=[target.name for target in TARGETS], action="append")
    parser.add_argument("--suites", type=int, default=1, help="run the tests every so many rounds")
    parser.add_argument("--keep", type=Path, help="a folder for the projects of failed rounds")
    return parser.parse_args()


def _try_round(this: Round, suites: int, keep: Path | None) -> str:
    """Return what a round was: "failed", "unused" or "passed"; say why it has failed."""
    try:
        return "passed" if run_round(this, with_tests=this.seed % suites == 0) else "unused"
    except Exception:  # whatever breaks, the other rounds are wanted too
        print(f"FAILED {this.target.name} --seed {this.seed}: {', '.join(this.mutations)}")
        lines = traceback.format_exc(limit=-3).splitlines()
        print("\n".join(lines[:_LINES_SHOWN]), flush=True)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for root in (this.root, this.root.with_suffix(".before")):
                if root.exists():
                    shutil.move(root, keep / root.name)
        return "failed"


if __name__ == "__main__":
    sys.exit(main())
