"""Writes that rest on what was read before a wait, in functions made of a few statements."""

import ast

import pytest

from flasync.toolkit.races import Race, RaceFinder

# In these functions STOCK and TOTAL are shared, `await` waits, and `lock` is a lock.
SHARED = {"STOCK", "TOTAL"}


def find_races(body: str) -> list[Race]:
    """The races of an async function with these statements."""
    [tree] = ast.parse("async def view(title):\n" + indent(body)).body
    assert isinstance(tree, ast.AsyncFunctionDef)
    finder = RaceFinder(
        lambda node: node.id if isinstance(node, ast.Name) and node.id in SHARED else None,
        lambda node: isinstance(node, ast.Await),
        lambda node: isinstance(node, ast.Name) and node.id == "lock",
    )
    return finder.find(tree)


def indent(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.strip().splitlines())


@pytest.mark.parametrize(
    "body",
    [
        "left = STOCK[title]\nawait f()\nSTOCK[title] = left - 1",
        "TOTAL += await f()",
        "STOCK[title] = STOCK[title] + await f()",
        "STOCK[title] = STOCK.get(title) or await f()",
        "if title not in STOCK:\n    STOCK[title] = await f()",
        "if title in STOCK:\n    return\nfound = await f()\nSTOCK[title] = found",
        "if (left := STOCK[title]) > 0:\n    await f()\n    STOCK[title] = left - 1",
        "while not STOCK:\n    STOCK.update(await f())",
        "number = len(STOCK)\nawait f()\nSTOCK[number] = title",
        "first, second = STOCK[title]\nawait f()\nSTOCK[title] = (second, first)",
        "try:\n    left = STOCK[title]\n    await f()\nexcept KeyError:\n    left = 0\n"
        "STOCK[title] = left",
        "try:\n    STOCK[title]\nfinally:\n    if STOCK:\n        await f()\n        STOCK.clear()",
        "match STOCK[title]:\n    case 0:\n        await f()\n        STOCK[title] = 3",
        "left = STOCK[title]\nif left:\n    await f()\nelse:\n    g()\nSTOCK[title] = left",
        "async with session:\n    if title in STOCK:\n        await f()\n        del STOCK[title]",
        "left = STOCK[title]['left']\nawait f()\nSTOCK[title]['left'] = left - 1",
        "found = [STOCK[title]]\nawait f()\nSTOCK[title] = found[0]",
    ],
)
def test_race(body: str) -> None:
    """A write of what a stale value or a stale test led to is found, once."""
    assert len(find_races(body)) == 1


@pytest.mark.parametrize(
    "body",
    [
        "await f()\nSTOCK[title] -= 1",
        "STOCK[title] -= 1\nawait f()",
        "left = STOCK[title]\nSTOCK[title] = left - 1\nawait f()",
        "left = STOCK[title]\nawait f()\nleft = STOCK[title]\nSTOCK[title] = left - 1",
        "with lock:\n    left = STOCK[title]\n    await f()\n    STOCK[title] = left - 1",
        "if title not in STOCK:\n    await f()\n    if not STOCK:\n        STOCK[title] = 1",
        "if title not in STOCK:\n    STOCK[title] = 0\n    STOCK[title] = await f()",
        "if title not in STOCK:\n    await f()\nSTOCK['other'] = 1",
        "if title in STOCK:\n    await f()\n    return\nSTOCK[title] = 1",
        "if title in STOCK:\n    left = STOCK[title]\nelse:\n    await f()\n    STOCK['x'] = 1",
        "STOCK['answer'] = await f(STOCK['url'])",
        "STOCK.append(await f())",
        "if title in STOCK:\n    await f()\n    STOCK.pop(title, None)",
        "STOCK = {}\nlocal = {}\nif title not in local:\n    local[title] = await f()",
        "left = STOCK[title]\nawait f()\nleft = 3\nSTOCK[title] = left",
        "get = lambda: STOCK[title]\nawait f()\nSTOCK[title] = 1",
        "while STOCK[title]:\n    await f()\nSTOCK[title] = 1",
        "raise ValueError\nSTOCK[title] = STOCK[title] + await f()",
    ],
)
def test_no_race(body: str) -> None:
    """A write that rests on nothing stale is left alone."""
    assert find_races(body) == []


def test_places() -> None:
    """A race names the reading, the wait and the write."""
    [race] = find_races("left = STOCK[title]\nawait f()\nSTOCK[title] = left - 1")
    assert race.path == "STOCK"
    lines = [node.lineno for node in (race.read, race.wait, race.write)]  # type: ignore[attr-defined]
    assert lines == [2, 3, 4]
