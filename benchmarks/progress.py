"""What the benchmark says while it runs, on standard error."""

import sys
import time

STARTED = time.monotonic()


def progress(message: str) -> None:
    """Prints one line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.0f} s] {message}", file=sys.stderr, flush=True)
