"""`dns.resolver.resolve(…)` of dnspython becomes `dns.asyncresolver.resolve(…)`, awaited."""

from __future__ import annotations

import re

import libcst as cst

from flasync.toolkit.migration.imports import Import
from flasync.toolkit.migration.local_values import find_own_value
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin

_TWIN_MODULES = {"resolver": "asyncresolver", "query": "asyncquery"}
# By function, for how many positions the twin has the same parameters.
_SAME_POSITIONS = {
    "dns.query.tcp": 8,
    "dns.query.tls": 8,
    "dns.query.udp": 10,
    "dns.query.udp_with_fallback": 9,
    "dns.resolver.Resolver.canonical_name": 1,
    "dns.resolver.Resolver.resolve": 9,
    "dns.resolver.Resolver.resolve_address": 1,
    "dns.resolver.Resolver.resolve_name": 2,
    "dns.resolver.canonical_name": 1,
    "dns.resolver.resolve": 9,
    "dns.resolver.resolve_address": 9,
    "dns.resolver.resolve_at": 10,
    "dns.resolver.resolve_name": 2,
    "dns.resolver.zone_for_name": 3,
}
_CLASS = "dns.resolver.Resolver"
_METHODS = f"{_CLASS}."
# Sockets and resolvers that wait by themselves; the twin takes others.
_SYNC_OBJECTS = frozenset({"resolver", "sock", "tcp_sock", "udp_sock"})
# These ask whomever they are told to ask; the rest asks the default resolver of their module.
_ASKS_NO_DEFAULT = ("dns.query.", "dns.resolver.resolve_at")
_CHANGES_DEFAULT = re.compile(r"\b(?:default_resolver|get_default_resolver)\b")

_APP = """\
import dns.resolver
from flask import Flask

app = Flask(__name__)
"""
_APP_AFTER = "import dns.asyncresolver\n" + _APP


class DnsResolver(Recipe):
    """Awaits dnspython's own async functions."""

    name = "dns-resolver"
    title = "dns.resolver and dns.query (dnspython)"
    names = tuple(_SAME_POSITIONS)

    page = RecipePage(
        what=(
            "Replaces `dns.resolver.resolve(name, kind)` by `await dns.asyncresolver.resolve(name,"
            " kind)`, the functions of `dns.query` by those of `dns.asyncquery`, and a local"
            " `dns.resolver.Resolver()` that is asked once by a `dns.asyncresolver.Resolver()`."
        ),
        meaning=(
            "dnspython gives both kinds of functions the same parameters, answers and exceptions:"
            " `except dns.resolver.NXDOMAIN` stays as it is. So do the settings of a resolver."
        ),
        safety=(
            "Safe. Nothing is done with a socket or resolver that is passed in, which would have to"
            " be an async one; with a `Resolver` that is kept, passed on or asked twice; nor, for"
            " what asks the default resolver, in a project that touches that of `dns.resolver`,"
            " since `dns.asyncresolver` has another."
        ),
        references=(
            ("dnspython, async I/O", "https://dnspython.readthedocs.io/en/latest/async.html"),
        ),
    )

    changed = (
        Case(
            "by the name of the package",
            _APP
            + """

@app.get("/<name>")
async def index(name):
    try:
        # Mail alone.
        return str(dns.resolver.resolve(name, "MX")[0])  # the first
    except dns.resolver.NXDOMAIN:
        return "unknown", 404
""",
            _APP_AFTER
            + """

@app.get("/<name>")
async def index(name):
    try:
        # Mail alone.
        return str((await dns.asyncresolver.resolve(name, "MX"))[0])  # the first
    except dns.resolver.NXDOMAIN:
        return "unknown", 404
""",
        ),
        Case(
            "by the name of the module",
            """\
from dns import query, resolver


async def index(name, message):
    answer = resolver.resolve_at(
        "127.0.0.1",  # here
        name,
        lifetime=2,
    )
    return answer, query.udp(message, "127.0.0.1", timeout=2), resolver.Answer
""",
            """\
from dns import asyncquery, asyncresolver, resolver


async def index(name, message):
    answer = await asyncresolver.resolve_at(
        "127.0.0.1",  # here
        name,
        lifetime=2,
    )
    return answer, await asyncquery.udp(message, "127.0.0.1", timeout=2), resolver.Answer
""",
        ),
        Case(
            "a resolver of the function's own",
            """\
from dns import resolver


async def index(name):
    own = resolver.Resolver(configure=False)
    own.nameservers = ["127.0.0.1"]
    own.nameservers.append("127.0.0.2")
    return own.resolve(name, "A", lifetime=2).rrset
""",
            """\
from dns import asyncresolver


async def index(name):
    own = asyncresolver.Resolver(configure=False)
    own.nameservers = ["127.0.0.1"]
    own.nameservers.append("127.0.0.2")
    return (await own.resolve(name, "A", lifetime=2)).rrset
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "arguments with stars, or too many",
                _APP
                + """

async def index(arguments, options):
    dns.resolver.resolve(*arguments)
    dns.resolver.resolve("localhost", **options)
    return dns.resolver.zone_for_name("localhost", 1, False, None)
""",
            ),
            (
                "a socket or a resolver of its own",
                """\
import dns.query
import dns.resolver


async def index(message, connection, finder):
    dns.resolver.zone_for_name("localhost", resolver=finder)
    return dns.query.udp(message, "127.0.0.1", sock=connection)
""",
            ),
            (
                "a default resolver that was changed",
                _APP
                + """

dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
dns.resolver.default_resolver.nameservers = ["127.0.0.1"]


async def index():
    return dns.resolver.resolve("localhost")
""",
            ),
            (
                "a resolver that is kept, passed on, or asked twice",
                _APP
                + """

shared = dns.resolver.Resolver()


async def index(other):
    shared.resolve("localhost")
    other.resolve("localhost")
    twice = dns.resolver.Resolver()
    return twice.resolve("localhost"), twice.resolve("localhost", "MX")


async def search(check):
    own = dns.resolver.Resolver()
    check(own)
    return own.resolve("localhost")
""",
            ),
            (
                "names that mean something else",
                """\
import dns.resolver


async def index(dns):
    return dns.resolver.resolve("localhost")
""",
            ),
            (
                "a taken name",
                """\
from dns.resolver import resolve


async def index(asyncresolver):
    return resolve("localhost"), asyncresolver
""",
            ),
            (
                "passed on, and outside of functions",
                _APP
                + """

ADDRESS = dns.resolver.resolve("localhost")


async def index():
    return list(map(dns.resolver.resolve, ["localhost"]))
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of the async function, or of the async resolver's method."""
        given = scene.bind(*map(str, range(_SAME_POSITIONS[scene.name])))
        for name in _SYNC_OBJECTS & set(given):
            raise LeaveAlone(f"its `{name}` would have to be an async one")
        scene.require_function()
        if scene.name.startswith(_METHODS):
            return _build_of_method(scene)
        if not scene.name.startswith(_ASKS_NO_DEFAULT):
            for file in scene.files:
                if _CHANGES_DEFAULT.search(file.text):
                    raise LeaveAlone(f"{file.name} has the default resolver of `dns.resolver`")
        function, needed = _spell_twin(scene, scene.call.func, scene.name)
        return Twin(scene.call.with_changes(func=function), (needed,))


def _build_of_method(scene: Scene) -> Twin:
    """Return the call as it is, and the local resolver made async."""
    function = scene.file.find_enclosing(scene.call)
    method = scene.call.func
    resolver = method.value if isinstance(method, cst.Attribute) else None
    if not isinstance(resolver, cst.Name) or function is None:
        raise LeaveAlone("its resolver is no local variable, and may be used elsewhere")

    def is_setting(used: cst.Attribute) -> bool:
        above = scene.file.get_parent(used)
        return used is method or not (isinstance(above, cst.Call) and above.func is used)

    made = find_own_value(scene.file, function, resolver.value, is_setting)
    if not isinstance(made, cst.Call) or _CLASS not in scene.file.name_qualified(made.func):
        raise LeaveAlone("its resolver is made elsewhere")
    twin, needed = _spell_twin(scene, made.func, _CLASS)
    return Twin(scene.call, (needed,), ((made.func, twin),))


def _spell_twin(
    scene: Scene, written: cst.BaseExpression, name: str
) -> tuple[cst.BaseExpression, Import]:
    """Return the async twin of a name in the way in which the file writes the name."""
    package, module, last = name.split(".")
    twin = _TWIN_MODULES[module]
    if written.deep_equals(cst.parse_expression(name)):
        spelling, needed = scene.use(f"{package}.{twin}")
    else:
        spelling, needed = scene.use(package, twin)
    return cst.Attribute(spelling, cst.Name(last)), needed
