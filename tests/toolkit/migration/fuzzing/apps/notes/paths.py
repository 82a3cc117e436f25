"""Where notes are."""

from pathlib import Path


def find_path(folder, title):
    return Path(folder) / f"{title}.txt"


def find_lock(folder, title):
    return find_path(folder, title).with_suffix(".lock")


def is_locked(folder, title):
    return find_lock(folder, title).exists()
