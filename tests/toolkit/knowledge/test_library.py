"""`parse_library`: a knowledge file as values, or an error that says where it is wrong."""

from pathlib import Path

import pytest

from flasync.errors import KnowledgeError
from flasync.toolkit.knowledge import Kind, Way, parse_library

PATH = Path("shop/knowledge.toml")
HEAD = 'library = "shop"\ntitle = "The shop"\nsource = "https://shop.example/docs"\n'
BLOCKING = (
    '[[blocking]]\nnames = ["shop.buy"]\nkind = "network"\nway = "rewrite"\nrecipe = "wait"\n'
)
RETURNS = '[[returns]]\nnames = ["shop.connect"]\ntype = "shop.Client"\n'
RUNS = '[[runs]]\nnames = ["shop.each"]\narguments = ["0"]\n'
OBJECTS = '[[objects]]\nnames = ["shop.customer"]\nruns = ["shop._callback"]\n'
DECORATORS = '[[decorators]]\nnames = ["shop.members_only"]\nuses = ["shop.customer"]\n'
DELEGATES = '[[delegates]]\nnames = ["shop.Shop"]\nto = ["shop.api"]\n'
TEMPLATES = '[[templates]]\nnames = ["shop.render"]\nargument = "0"\n'
ATTRIBUTES = '[[attributes]]\ndescriptor = "shop.Lazy"\nkind = "disk"\nrecipe = "read it before"\n'


def test_a_whole_file() -> None:
    """Every section of the format comes back as its values."""
    text = f"""{HEAD}
    [[blocking]]
    names = ["shop.Client.*", "shop.buy"]
    except = ["basket"]
    kind = "network"
    twin = "shop.aio.Client"
    way = "bridge"
    recipe = "swap the client"
    notes = "It is slow on Sundays."
    unless = ["block=False", "1=0"]
    lazy = true

    [[returns]]
    names = ["shop.connect"]
    type = "shop.Client"

    [[runs]]
    names = ["shop.Client.each"]
    arguments = ["0", "callback"]
    iterates = ["1"]
    methods = ["check_*"]
    where = "thread"

    [[objects]]
    names = ["shop.customer"]
    runs = ["shop._callback"]

    [[decorators]]
    names = ["shop.members_only"]
    uses = ["shop.customer"]
    runs = ["self.callback"]

    [[delegates]]
    names = ["shop.Shop"]
    to = ["shop.api", "shop.orm"]

    [[templates]]
    names = ["shop.render"]
    argument = "name"

    [[attributes]]
    descriptor = "shop.Lazy"
    where = {{ "mode" = ["lazy", "later"] }}
    value = "target"
    many = "is_list"
    type = "shop.Bag"
    kind = "database"
    recipe = "read it before"
    """
    library = parse_library(text, PATH)
    assert (library.name, library.title) == ("shop", "The shop")
    assert (library.source, library.path) == ("https://shop.example/docs", PATH)
    (blocking,) = library.blocking
    assert blocking.names == ("shop.Client.*", "shop.buy")
    assert (blocking.kind, blocking.way) == (Kind.NETWORK, Way.BRIDGE)
    assert (blocking.twin, blocking.recipe) == ("shop.aio.Client", "swap the client")
    assert (blocking.notes, blocking.unless) == ("It is slow on Sundays.", ("block=False", "1=0"))
    assert (blocking.excepted, blocking.library) == (frozenset({"basket"}), "The shop")
    assert blocking.is_lazy
    (returns,) = library.returns
    assert (returns.names, returns.type) == (("shop.connect",), "shop.Client")
    (runs,) = library.runs
    assert (runs.arguments, runs.iterates) == (("0", "callback"), ("1",))
    assert (runs.methods, runs.where) == (("check_*",), "thread")
    (used,) = library.objects
    assert (used.names, used.runs) == (("shop.customer",), ("shop._callback",))
    (decorator,) = library.decorators
    assert (decorator.uses, decorator.runs) == (("shop.customer",), ("self.callback",))
    (delegates,) = library.delegates
    assert (delegates.names, delegates.to) == (("shop.Shop",), ("shop.api", "shop.orm"))
    (template,) = library.templates
    assert (template.names, template.argument) == (("shop.render",), "name")
    (attribute,) = library.attributes
    assert attribute.where == {"mode": ("lazy", "later")}
    assert (attribute.value, attribute.many, attribute.type) == ("target", "is_list", "shop.Bag")
    assert (attribute.kind, attribute.library) == (Kind.DATABASE, "The shop")


def test_what_may_be_left_out() -> None:
    """A head alone is a file, and optional keys have their defaults."""
    assert parse_library(HEAD, PATH).blocking == ()
    (blocking,) = parse_library(HEAD + BLOCKING, PATH).blocking
    assert (blocking.twin, blocking.notes, blocking.unless) == ("", "", ())
    assert not blocking.is_lazy
    (runs,) = parse_library(HEAD + RUNS, PATH).runs
    assert runs.where == "here"


def test_an_attribute_that_waits_for_nothing() -> None:
    """Without kind and recipe, the reading of an attribute only tells what is read."""
    text = f'{HEAD}[[attributes]]\ndescriptor = "shop.Eager"\nvalue = "target"\n'
    (attribute,) = parse_library(text, PATH).attributes
    assert (attribute.kind, attribute.recipe, attribute.value) == (None, "", "target")


@pytest.mark.parametrize("key", ["library", "title", "source"])
def test_head_key_is_missing(key: str) -> None:
    """The three keys of the head are wanted."""
    lines = [line for line in HEAD.splitlines() if not line.startswith(key)]
    _expect_error("\n".join(lines), "the file", f"the key '{key}' is missing")


@pytest.mark.parametrize(
    ("table", "section", "key"),
    [
        (BLOCKING, "blocking", "kind"),
        (BLOCKING, "blocking", "way"),
        (BLOCKING, "blocking", "recipe"),
        (RETURNS, "returns", "type"),
        (TEMPLATES, "templates", "argument"),
        (ATTRIBUTES, "attributes", "descriptor"),
        (ATTRIBUTES, "attributes", "kind"),
        (ATTRIBUTES, "attributes", "recipe"),
    ],
)
def test_key_is_missing(table: str, section: str, key: str) -> None:
    """Without a key that a table needs, the error names the table and the key."""
    lines = [line for line in table.splitlines() if not line.startswith(f"{key} =")]
    text = HEAD + "\n".join(lines)
    _expect_error(text, f"[[{section}]] number 1", f"the key '{key}' is missing")


@pytest.mark.parametrize(
    ("table", "section"),
    [
        (BLOCKING, "blocking"),
        (RETURNS, "returns"),
        (RUNS, "runs"),
        (OBJECTS, "objects"),
        (DECORATORS, "decorators"),
        (DELEGATES, "delegates"),
        (TEMPLATES, "templates"),
    ],
)
@pytest.mark.parametrize("names", ["names = []", ""])
def test_names_are_missing(table: str, section: str, names: str) -> None:
    """A table that names nothing is an error."""
    lines = [names if line.startswith("names") else line for line in table.splitlines()]
    _expect_error(HEAD + "\n".join(lines), f"[[{section}]] number 1", "`names`")


@pytest.mark.parametrize(
    "table", [BLOCKING, RETURNS, RUNS, OBJECTS, DECORATORS, DELEGATES, TEMPLATES, ATTRIBUTES]
)
def test_unknown_key_of_a_table(table: str) -> None:
    """A key that the format does not know, such as a mistyped one, is named with its table."""
    section = table.partition("]]")[0].removeprefix("[[")
    _expect_error(f"{HEAD}{table}twinn = 1\n", f"[[{section}]] number 1", "unknown keys: twinn")


def test_unknown_key_of_the_file() -> None:
    """A section that the format does not know is named."""
    _expect_error(f"{HEAD}[[blokcing]]\nnames = []\n", "the file", "unknown keys: blokcing")


@pytest.mark.parametrize(
    ("table", "section", "line"),
    [
        (BLOCKING, "blocking", 'names = "shop.buy"'),
        (BLOCKING, "blocking", "names = [1]"),
        (BLOCKING, "blocking", "kind = 1"),
        (BLOCKING, "blocking", 'kind = "sleeep"'),
        (BLOCKING, "blocking", 'way = "throw"'),
        (BLOCKING, "blocking", "recipe = [1]"),
        (BLOCKING, "blocking", 'except = "pipeline"'),
        (BLOCKING, "blocking", "twin = true"),
        (BLOCKING, "blocking", "notes = 1.5"),
        (BLOCKING, "blocking", "unless = [false]"),
        (BLOCKING, "blocking", "lazy = 1"),
        (RETURNS, "returns", "type = {}"),
        (RUNS, "runs", "arguments = [0]"),
        (RUNS, "runs", 'iterates = "0"'),
        (RUNS, "runs", 'methods = "run"'),
        (RUNS, "runs", 'where = "elsewhere"'),
        (OBJECTS, "objects", 'runs = "a"'),
        (DECORATORS, "decorators", 'uses = "shop.customer"'),
        (DECORATORS, "decorators", "runs = [1]"),
        (DELEGATES, "delegates", 'to = "shop.api"'),
        (TEMPLATES, "templates", "argument = 0"),
        (ATTRIBUTES, "attributes", 'where = ["a"]'),
        (ATTRIBUTES, "attributes", 'where = { mode = "lazy" }'),
        (ATTRIBUTES, "attributes", "value = 1"),
        (ATTRIBUTES, "attributes", "many = true"),
        (ATTRIBUTES, "attributes", "type = 1"),
        (ATTRIBUTES, "attributes", 'kind = "tape"'),
    ],
)
def test_value_is_wrong(table: str, section: str, line: str) -> None:
    """A value of the wrong type, or none of the known words, is named with its table and key."""
    key, _, _ = line.partition(" =")
    kept = [other for other in table.splitlines() if not other.startswith(f"{key} =")]
    _expect_error(HEAD + "\n".join([*kept, line]), f"[[{section}]] number 1", f"{key} = ")


def test_the_number_of_the_table() -> None:
    """Tables are counted from 1, each section on its own."""
    text = HEAD + RETURNS + BLOCKING + BLOCKING.replace("network", "net")
    _expect_error(text, "[[blocking]] number 2", "kind = 'net'")


def test_runs_nothing() -> None:
    """A table of what runs the app's code says what it runs."""
    text = f'{HEAD}[[runs]]\nnames = ["shop.each"]\n'
    _expect_error(text, "[[runs]] number 1", "`arguments`, `iterates`, `methods` and `receivers`")


def test_object_runs_nothing() -> None:
    """A known object says which functions its use runs."""
    text = f'{HEAD}[[objects]]\nnames = ["shop.customer"]\n'
    _expect_error(text, "[[objects]] number 1", "`runs` is missing or empty")


def test_single_brackets() -> None:
    """`[blocking]` instead of `[[blocking]]` is an error of the file."""
    _expect_error(HEAD + BLOCKING.replace("[[blocking]]", "[blocking]"), "the file", "blocking = ")


def test_a_section_of_values() -> None:
    """A section is a list of tables, not of values."""
    _expect_error(f"{HEAD}blocking = [1]\n", "the file", "[[blocking]] number 1 is no table but 1")


def test_no_toml() -> None:
    """A text that is no TOML is refused with the file and the place in it."""
    with pytest.raises(KnowledgeError) as info:
        parse_library("library = = 1\n", PATH)
    assert repr(str(PATH)) in str(info.value)
    assert "line 1" in str(info.value)


def _expect_error(text: str, where: str, problem: str) -> None:
    with pytest.raises(KnowledgeError) as info:
        parse_library(text, PATH)
    message = str(info.value)
    assert repr(str(PATH)) in message
    assert f"{where}: " in message
    assert problem in message
    assert "FSE407" in message
