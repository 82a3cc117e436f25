"""What a method is to other classes, imported or only written."""

import ast
import threading
from pathlib import Path

import pytest

from flasync.toolkit.migration.class_relations import ClassRelations
from flasync.toolkit.sources import SourceFile, Sources


def find(text: str, namespace: dict[str, object] | None = None) -> str:
    """Why others may call `Books.load` of a file."""
    file = SourceFile(Path("shop.py"), "shop.py", text)
    [owner] = [
        node
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ClassDef) and node.name == "Books"
    ]
    relations = ClassRelations(Sources(Path(__file__).parent), [file])
    return relations.find(owner, "load", namespace or {})


LOAD = "    def load(self): ...\n"


@pytest.mark.parametrize(
    "text",
    [
        f"class Books:\n{LOAD}",
        f"class Books(object):\n{LOAD}",
        f"class Books(abc.ABC, Generic[T]):\n{LOAD}",
        f"class Books:\n{LOAD}class Papers(Books):\n    def save(self): ...\n",
        f"class Books:\n{LOAD}class Papers:\n{LOAD}",
        f"class Books:\n{LOAD}    def find(self):\n        return getattr(self, 'name', '')\n",
    ],
)
def test_alone(text: str) -> None:
    """A method of a class without others above, and not overridden below, is known to nobody."""
    assert find(text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"class Books(Thread):\n{LOAD}", "nothing is known of `Thread`"),
        (f"class Books:\n{LOAD}class Papers(shop.Books):\n{LOAD}", "`Papers` overrides it"),
        (f"class Books:\n{LOAD}class Papers(Books):\n    load = None\n", "`Papers` overrides it"),
        (
            f"class Books:\n{LOAD}    def find(self, x):\n        return getattr(self, x)\n",
            "looks up methods by name",
        ),
    ],
)
def test_written(text: str, reason: str) -> None:
    """Of classes that are not imported, the source tells what there is."""
    assert reason in find(text)


class Books:
    """A class of the project."""

    def load(self) -> None:
        """Do nothing."""


class Papers(Books):
    """One that overrides."""

    def load(self) -> None:
        """Do nothing else."""


def test_live() -> None:
    """Of imported classes, their relatives are asked."""
    text = f"class Books:\n{LOAD}"
    assert find(text, {"Books": Books}) == "`Papers` overrides it"
    own = type("Books", (), {"load": print})
    assert find(text, {"Books": own}) == ""
    above = type("Books", (Papers,), {"load": print})
    assert find(text, {"Books": above}) == "it overrides that of `Papers`"
    worker = type("Books", (threading.Thread,), {"load": print})
    assert "`Thread`, which is no class of the project" in find(text, {"Books": worker})
