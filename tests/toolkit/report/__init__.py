"""The output of `flasync scan`."""
