"""Which functions of a project code may lead to, by the names that it mentions."""

import pytest

from flasync.toolkit.migration.function_words import FunctionWords
from flasync.toolkit.migration.parsed_file import ParsedFile

VIEWS = """\
import json
import flask as web
from shop import service

def view(key):
    return json.loads(service.find(key))

def other():
    return web.fetch, json.find
"""
ALIASES = """\
import functools
from service import fetch, fetch as ask_service

class Holder:
    run = staticmethod(fetch)

load = Holder.run
get, = [fetch]
run_later: object = functools.partial(fetch)

def main():
    call = fetch
    answer = fetch()
    return call()
"""
SERVICE = """\
class Supplier:
    def ask(self):
        return [fetch for _ in ()]

def find(key):
    return Supplier().stock

def fetch():
    def inner():
        return view
"""


def find_reached(*words: str) -> set[str]:
    """What words lead to in a project of two files."""
    files = [ParsedFile("views.py", VIEWS), ParsedFile("service.py", SERVICE)]
    return FunctionWords(files).find_reached(words)


def test_follows_names_over_files() -> None:
    """A function leads to whatever has the name of something that it mentions, in any file."""
    assert find_reached("find") == {"find", "Supplier", "fetch", "view"}
    assert find_reached("ask") == {"ask", "fetch", "view", "find", "Supplier"}


@pytest.mark.parametrize("name", ["run", "load", "get", "run_later", "call", "ask_service"])
def test_follows_other_names_of_a_function(name: str) -> None:
    """What a function is assigned to leads to it; the result of calling it does not."""
    files = [ParsedFile("service.py", SERVICE), ParsedFile("aliases.py", ALIASES)]
    words = FunctionWords(files)
    assert "fetch" in words.find_reached({name})
    assert words.find_reached({"answer"}) == set()


def test_minds_no_other_names() -> None:
    """Unknown names, and attributes of libraries that call nothing back, lead nowhere."""
    assert find_reached("unknown", "stock", "key") == set()
    assert find_reached("other") == {"other"}


def test_reads_each_file_once() -> None:
    """The files are read when they are needed first, and not again."""
    reads = []

    class Files:
        def __iter__(self):
            reads.append(1)
            return iter([ParsedFile("views.py", VIEWS)])

    words = FunctionWords(Files())
    assert not reads
    assert words.find_reached({"view"}) == words.find_reached({"view"}) == {"view"}
    assert len(reads) == 1
