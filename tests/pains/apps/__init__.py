"""Ordinary Flask apps, each the subject of one group of tests."""
