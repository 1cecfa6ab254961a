"""Run the system under fault injection, with new seeds each time: `python -m tests.faults`.

A run with violations prints its seed and saves its operations under out/; `--seed` repeats it.
"""

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

from tests.faults.harness import Outcome, Plan, run


def show(outcome: Outcome) -> None:
    """Print the summary and the violations of a run."""
    asked = Counter(f"{done.kind} {done.tries[-1]}" for done in outcome.operations)
    tries = sum(len(done.tries) for done in outcome.operations)
    lines = [
        f"seed {outcome.plan.seed}, {outcome.plan.store}: {len(outcome.operations)} requests in {tries} tries,"
        f" {outcome.entries} entries, {sum(outcome.faults.values())} faults",
        "  " + ", ".join(f"{name}: {count}" for name, count in sorted(asked.items())),
        "  " + ", ".join(f"{name}: {count}" for name, count in sorted(outcome.faults.items())),
        *(f"  VIOLATION {violation[-1500:]}" for violation in outcome.violations),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run all seeds and stores; exit with 1 if there were violations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="the first seed; a random one by default")
    parser.add_argument("--seconds", type=float, default=40, help="how long one run takes")
    parser.add_argument("--runs", type=int, default=2, help="how many seeds")
    parser.add_argument("--stores", nargs="+", default=["disk", "s3"], choices=["disk", "s3"])
    arguments = parser.parse_args()
    first = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    failed = False
    for seed in range(first, first + arguments.runs):
        for store in arguments.stores:
            outcome = run(Plan(seed, arguments.seconds, store))
            show(outcome)
            if outcome.violations:
                failed = True
                sys.stdout.write(f"  what happened: {outcome.save(Path('out'))}\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
