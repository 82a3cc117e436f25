"""The fuzzing by hand: `scripts/fuzz-migrate [--rounds N] [--seed S] [--target NAME]`."""

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

from toolkit.migration.fuzzing.mutated_project import TARGETS
from toolkit.migration.fuzzing.rounds import Round, run_round

# Lines of an error that are printed; the files of its project are kept.
_LINES_SHOWN = 40


def main() -> int:
    """Run the rounds; return 1 when one has failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="that of the first one (%(default)s)")
    parser.add_argument("--target", choices=[target.name for target in TARGETS], action="append")
    parser.add_argument("--suites", type=int, default=1, help="run the tests every so many rounds")
    parser.add_argument("--keep", type=Path, help="a folder for the projects of failed rounds")
    wanted = parser.parse_args()
    targets = [item for item in TARGETS if not wanted.target or item.name in wanted.target]
    failed = unused = 0
    for seed in range(wanted.seed, wanted.seed + wanted.rounds):
        target = targets[seed % len(targets)]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, f"{target.name}-{seed}")
            this = Round(target, seed, root)
            try:
                is_used = run_round(this, with_tests=seed % wanted.suites == 0)
            except Exception:
                failed += 1
                print(f"FAILED {target.name} --seed {seed}: {', '.join(this.mutations)}")
                lines = traceback.format_exc(limit=-3).splitlines()
                print("\n".join(lines[:_LINES_SHOWN]))
                if wanted.keep is not None:
                    wanted.keep.mkdir(parents=True, exist_ok=True)
                    root.rename(wanted.keep / root.name)
            else:
                unused += not is_used
    print(f"{wanted.rounds} rounds: {failed} failed, {unused} mutants were of no use")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
