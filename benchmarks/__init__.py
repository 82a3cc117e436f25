"""The benchmark behind docs/performance.md; run it with `scripts/bench`."""
