"""Tests of the `flasync` command."""
