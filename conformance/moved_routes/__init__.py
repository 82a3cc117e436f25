"""Whether each route that `flasync migrate` has moved overlaps: `scripts/bookshop migrate`."""
