"""Reading and writing notes."""

import time
from os import listdir, unlink

from paths import find_path

PAUSE_S = 0.001


def settle():
    """Give a slow disk its time."""
    time.sleep(PAUSE_S)


def list_titles(folder):
    return sorted(name[:-4] for name in listdir(folder) if name.endswith(".txt"))


def read_note(folder, title):
    path = find_path(folder, title)
    if not path.exists():
        return None
    with open(path) as file:
        return file.read()


def write_note(folder, title, text):
    settle()
    with open(find_path(folder, title), "w") as file:
        size = file.write(text)
    settle()
    return size


def delete_note(folder, title):
    settle()
    unlink(find_path(folder, title))
