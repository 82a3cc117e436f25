"""`Knowledge`: what is known of a name, and by which names a live object is known."""

import concurrent.futures
import importlib.metadata
import os
import sqlite3
import threading
import time
from pathlib import Path
from types import ModuleType

import flask
import pytest
import redis

from flasync.errors import KnowledgeError
from flasync.toolkit.knowledge import Knowledge, load_knowledge, lookup, parse_library

HEAD = 'library = "shop"\ntitle = "shop"\nsource = "https://shop.example"\n'


def build_knowledge(*texts: str) -> Knowledge:
    return Knowledge(
        parse_library(HEAD + text, Path(f"{number}.toml")) for number, text in enumerate(texts)
    )


def build_blocking(names: str, recipe: str = "wait", more: str = "") -> str:
    return (
        f"[[blocking]]\nnames = {names}\nkind = 'network'\nway = 'offload'\n"
        f"recipe = '{recipe}'\n{more}\n"
    )


def find_recipe(knowledge: Knowledge, name: str) -> str | None:
    entry = knowledge.find(name)
    return entry.blocking.recipe if entry is not None and entry.blocking is not None else None


def test_exact_name() -> None:
    """A name is found as it is written, and no other is."""
    knowledge = build_knowledge(build_blocking("['shop.buy']"))
    assert find_recipe(knowledge, "shop.buy") == "wait"
    assert knowledge.find("shop.buy.now") is None
    assert knowledge.find("shop") is None
    assert knowledge.find("buy") is None


def test_wildcard() -> None:
    """A `*` stands for the public members of its owner, not for the owner or what is below."""
    knowledge = build_knowledge(build_blocking("['shop.Client.*']"))
    assert find_recipe(knowledge, "shop.Client.buy") == "wait"
    assert knowledge.find("shop.Client") is None
    assert knowledge.find("shop.Client.basket.add") is None
    assert knowledge.find("shop.ClientPool.buy") is None


@pytest.mark.parametrize("member", ["_connect", "__init__", "__iter__"])
def test_private_members_match_no_wildcard(member: str) -> None:
    """Private and special members are known only where they are named."""
    knowledge = build_knowledge(
        build_blocking("['shop.Client.*']"), build_blocking("['shop.Pool.__iter__']", "iterate")
    )
    assert knowledge.find(f"shop.Client.{member}") is None
    assert find_recipe(knowledge, "shop.Pool.__iter__") == "iterate"


def test_except() -> None:
    """What `except` names is not meant by the `*`, and the rest is."""
    knowledge = build_knowledge(build_blocking("['shop.Client.*']", more="except = ['basket']"))
    assert knowledge.find("shop.Client.basket") is None
    assert find_recipe(knowledge, "shop.Client.buy") == "wait"


@pytest.mark.parametrize("swapped", [False, True])
def test_exact_beats_wildcard(swapped: bool) -> None:
    """An exact name wins over a `*`, whichever comes first."""
    texts = [
        build_blocking("['shop.Client.*']", "any"),
        build_blocking("['shop.Client.buy']", "exact"),
    ]
    knowledge = build_knowledge(*(reversed(texts) if swapped else texts))
    assert find_recipe(knowledge, "shop.Client.buy") == "exact"
    assert find_recipe(knowledge, "shop.Client.sell") == "any"


def test_sections_are_merged() -> None:
    """What the exact name does not say, the `*` says."""
    knowledge = build_knowledge(
        build_blocking("['shop.Client.*']"),
        "[[returns]]\nnames = ['shop.Client.pipeline']\ntype = 'shop.Pipeline'\n",
        "[[returns]]\nnames = ['shop.Client.*']\ntype = 'self'\n",
    )
    pipeline, buy = knowledge.find("shop.Client.pipeline"), knowledge.find("shop.Client.buy")
    assert pipeline is not None
    assert buy is not None
    assert pipeline.returns is not None
    assert buy.returns is not None
    assert (pipeline.returns.type, buy.returns.type) == ("shop.Pipeline", "self")
    assert find_recipe(knowledge, "shop.Client.pipeline") == "wait"
    assert find_recipe(knowledge, "shop.Client.buy") == "wait"


def test_merging_changes_nothing() -> None:
    """Looking one member up does not add to what is known of the others."""
    knowledge = build_knowledge(
        "[[returns]]\nnames = ['shop.Client.*']\ntype = 'self'\n",
        build_blocking("['shop.Client.buy']"),
    )
    assert find_recipe(knowledge, "shop.Client.buy") == "wait"
    assert find_recipe(knowledge, "shop.Client.sell") is None


@pytest.mark.parametrize("name", ["shop.buy", "shop.Client.buy"])
def test_later_libraries_win(name: str) -> None:
    """Where two files know a name, or the same `*`, the later one counts."""
    names = "['shop.buy', 'shop.Client.*']"
    knowledge = build_knowledge(build_blocking(names, "first"), build_blocking(names, "second"))
    assert find_recipe(knowledge, name) == "second"


def test_attributes_are_listed_in_order() -> None:
    """All that is known of a descriptor is kept, the first file's first."""
    text = "[[attributes]]\ndescriptor = 'shop.Lazy'\nvalue = '{}'\n"
    knowledge = build_knowledge(text.format("first"), text.format("second"))
    assert [read.value for read in knowledge.attributes["shop.Lazy"]] == ["first", "second"]


def test_delegates() -> None:
    """The modules to which an object passes on what it does not have are known by its class."""
    knowledge = build_knowledge("[[delegates]]\nnames = ['shop.Shop']\nto = ['shop.api']\n")
    assert knowledge.delegates == {"shop.Shop": ("shop.api",)}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    bound = load_knowledge()
    bound.bind()
    return bound


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (time.sleep, "time.sleep"),
        (open, "builtins.open"),
        (os.system, "os.system"),
        (redis.Redis, "redis.Redis"),
        (flask.render_template, "flask.render_template"),
        (sqlite3.connect, "sqlite3.connect"),
        (threading.Lock, "threading.Lock"),
        (type(threading.Lock()), "_thread.LockType"),
        (concurrent.futures.Future, "concurrent.futures.Future"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_public_name(knowledge: Knowledge, target: object, name: str) -> None:
    """A live object is known by the name that people import, wherever it is defined."""
    assert name in knowledge.list_names(target)


def test_own_name_comes_last(knowledge: Knowledge) -> None:
    """The name of the defining module is there, too, after those that the knowledge knows."""
    names = knowledge.list_names(redis.Redis)
    assert names[0] == "redis.Redis"
    assert names[-1] == f"{redis.Redis.__module__}.Redis"


def test_unknown_object(knowledge: Knowledge) -> None:
    """A function that no file names has its own name alone; a value has none."""
    own = f"{__name__}.build_knowledge"
    assert knowledge.list_names(build_knowledge) == (own,)
    assert knowledge.list_names(object()) == ()


def test_a_proxy_is_known_without_being_used(knowledge: Knowledge) -> None:
    """A proxy such as `flask.request`, bound to nothing, is known by its name and not asked."""
    assert knowledge.list_names(flask.request) == ("flask.request",)


def test_binding_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is not imported stays so, and binding again learns of one that is."""
    known = build_knowledge(build_blocking("['shop_of_this_test.buy']"))
    known.bind()
    module = ModuleType("shop_of_this_test")
    exec("def buy(): pass", vars(module))
    assert known.list_names(module.buy) == ("shop_of_this_test.buy",)
    module.buy.__module__ = "shop_of_this_test.inner"
    assert known.list_names(module.buy) == ("shop_of_this_test.inner.buy",)
    monkeypatch.setitem(lookup.sys.modules, "shop_of_this_test", module)
    known.bind()
    assert known.list_names(module.buy)[0] == "shop_of_this_test.buy"


def test_binding_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a module's `__getattr__` nor a property is run to find what a name means."""
    module = ModuleType("shop_of_this_test")
    code = """
def __getattr__(name):
    raise AssertionError(name)
class Client:
    @property
    def basket(self):
        raise AssertionError
"""
    exec(code, vars(module))
    monkeypatch.setitem(lookup.sys.modules, "shop_of_this_test", module)
    known = build_knowledge(
        build_blocking("['shop_of_this_test.lazy', 'shop_of_this_test.Client.basket']")
    )
    known.bind()
    assert known.list_names(module.Client) == ("shop_of_this_test.Client",) * 2
    assert known.list_names(vars(module.Client)["basket"])[0] == "shop_of_this_test.Client.basket"


def test_files_of_the_project(tmp_path: Path) -> None:
    """A project's own file is read, and wins over flasync's."""
    path = tmp_path / "own.toml"
    path.write_text(HEAD + build_blocking("['time.sleep']", "ours"), encoding="utf-8")
    assert find_recipe(load_knowledge([path]), "time.sleep") == "ours"
    assert find_recipe(load_knowledge(), "time.sleep") != "ours"


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named in the error."""
    path = tmp_path / "missing.toml"
    with pytest.raises(KnowledgeError) as info:
        load_knowledge([path])
    assert repr(str(path)) in str(info.value)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    """A file that is no UTF-8 is named in the error."""
    path = tmp_path / "latin.toml"
    path.write_bytes('library = "café"'.encode("latin-1"))
    with pytest.raises(KnowledgeError) as info:
        load_knowledge([path])
    assert repr(str(path)) in str(info.value)


def test_files_of_an_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution brings knowledge by an entry point to a package of files."""
    folder = tmp_path / "shop_knowledge_of_this_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    text = HEAD + build_blocking("['shop.buy']", "theirs")
    (folder / "shop.toml").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    install_entry_point(tmp_path, folder.name)
    assert find_recipe(load_knowledge(), "shop.buy") == "theirs"


@pytest.mark.parametrize("value", ["no_such_package_at_all", "json.decoder"])
def test_an_entry_point_without_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """An entry point that names no package is an error that names both."""
    monkeypatch.syspath_prepend(tmp_path)
    install_entry_point(tmp_path, value)
    with pytest.raises(KnowledgeError) as info:
        load_knowledge()
    assert repr(value) in str(info.value)
    assert "'shop'" in str(info.value)


def install_entry_point(folder: Path, value: str) -> None:
    """Put the metadata of a distribution where the import system finds it."""
    info = folder / "shop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{lookup.ENTRY_POINT_GROUP}]\nshop = {value}\n")
    assert importlib.metadata.version("shop") == "1.0"
