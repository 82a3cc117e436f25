"""`redis.Redis(…)` becomes `bridged(partial(redis.asyncio.Redis, …))`."""

from __future__ import annotations

import libcst as cst

from flasync.toolkit.migration.client_recipe import (
    ClientRecipe,
    bridge_factory,
    name_arguments,
    spell_class,
)
from flasync.toolkit.migration.client_uses import ClientUses, Kind
from flasync.toolkit.migration.recipe import Case, LeaveAlone, RecipePage, Scene, Twin

_POSITIONS = (
    "host port db password socket_timeout socket_connect_timeout socket_keepalive"
    " socket_keepalive_options"
).split()
# What both clients take in the same meaning. `max_connections` is not among them: on the loop more
# requests wait at once than there are threads, and the client raises where it has no connection.
_ARGUMENTS = frozenset(
    "client_name db decode_responses encoding encoding_errors health_check_interval host lib_name"
    " lib_version password port protocol retry_on_error retry_on_timeout socket_connect_timeout"
    " socket_keepalive socket_keepalive_options socket_timeout ssl ssl_ca_certs ssl_ca_data"
    " ssl_ca_path ssl_cert_reqs ssl_certfile ssl_check_hostname ssl_keyfile ssl_min_version"
    " ssl_password unix_socket_path url username".split()
)

_APP = """\
import redis
from flask import Flask

app = Flask(__name__)
"""
_APP_AFTER = """\
import functools

import redis.asyncio
from flask import Flask
from flasync import bridged

app = Flask(__name__)
"""
_CACHE = f"{_APP}\ncache = redis.Redis()\n"
_USE = """

@app.get("/")
def index():
    with cache.pipeline() as pipe:
        return str(pipe.incr("visits").expire("visits", 60).execute())
"""


class RedisClient(ClientRecipe):
    """Makes the clients of redis-py async, behind a face on which the calls stay as they are."""

    name = "redis-client"
    title = "redis.Redis"
    names = (
        "redis.Redis",
        "redis.Redis.from_url",
        "redis.StrictRedis",
        "redis.StrictRedis.from_url",
        "redis.client.Redis",
        "redis.client.Redis.from_url",
        "redis.from_url",
    )
    frees = ("redis.Redis.*", "redis.client.*", "redis.lock.*", "redis.commands.*")
    distributions = ("redis>=5",)
    unlike = frozenset(
        # `transaction` gives its callback an async pipeline; the others are the connection itself,
        # or modules of the server that nobody has tried here.
        "bf cf client cms connection connection_pool ft get_cache get_connection_kwargs"
        " get_encoder get_retry hotkeys json load_external_module monitor parse_response"
        " response_callbacks retry set_response_callback set_retry tdigest topk transaction ts"
        " vset".split()
    )
    page = RecipePage(
        what=(
            "Replaces `redis.Redis(…)` and `redis.Redis.from_url(…)` by"
            " `flasync.bridged(functools.partial(redis.asyncio.Redis, …))`. Commands, pipelines,"
            " locks and subscriptions are written as before."
        ),
        meaning=(
            "Commands return the same and raise the same exceptions, which both clients share. The"
            " client is made on the event loop when it is first used, again in a forked worker, and"
            " closed when the loop ends; a plain `bridged(redis.asyncio.Redis())` would keep"
            " connections of a loop that is gone, when the app uses it at import. Connections are"
            " as many as requests wait for Redis at once."
        ),
        safety=(
            "Safe. Nothing is done when the client is given to other libraries (RQ, Flask-Session,"
            " Flask-Limiter want the sync one), subscripted, or used for what differs:"
            " `transaction`, `run_in_thread`, modules such as JSON; when it is made with options"
            " that differ (`connection_pool`, `retry`, `max_connections`, a cache); or when it is"
            " made anew in each request, where nobody would close it."
        ),
        references=(
            (
                "redis-py: asyncio",
                "https://redis.readthedocs.io/en/stable/examples/asyncio_examples.html",
            ),
        ),
    )
    changed = (
        Case(
            "at module level",
            _APP
            + """
cache = redis.Redis("localhost", 6379)  # visits
"""
            + _USE,
            _APP_AFTER
            + """
cache = bridged(functools.partial(redis.asyncio.Redis, host="localhost", port=6379))  # visits
"""
            + _USE,
        ),
        Case(
            "from a URL, the class imported",
            """\
from functools import partial

from redis import Redis, RedisError

from flasync import bridged


def init_app(app):
    app.cache = Redis.from_url(app.config["URL"])


def visit(app):
    try:
        return app.cache.incr("visits")
    except RedisError:
        return 0
""",
            """\
from functools import partial

import redis.asyncio
from redis import RedisError

from flasync import bridged


def init_app(app):
    app.cache = bridged(partial(redis.asyncio.Redis.from_url, app.config["URL"]))


def visit(app):
    try:
        return app.cache.incr("visits")
    except RedisError:
        return 0
""",
        ),
        Case(
            "the module's name taken",
            """\
from functools import partial

from flasync import bridged
from redis import StrictRedis

redis = StrictRedis(
    host="localhost",
    db=1,
)


def visit():
    return redis.incr("visits")
""",
            """\
from functools import partial

from flasync import bridged
from redis.asyncio import Redis as AsyncRedis

redis = bridged(
    partial(
        AsyncRedis,
        host="localhost",
        db=1,
    )
)


def visit():
    return redis.incr("visits")
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            ("given to another library", f"{_CACHE}queue = Queue(connection=cache)\n"),
            (
                "a setting of an extension",
                f'{_APP}\napp.config["SESSION_REDIS"] = redis.from_url("redis://")\n',
            ),
            ("subscripted", f"{_CACHE}\n\ndef read(key):\n    return cache[key]\n"),
            ("asked for a key", f"{_CACHE}\n\ndef has(key):\n    return key in cache\n"),
            ("asked for its class", f"{_CACHE}is_strict = isinstance(cache, redis.StrictRedis)\n"),
            (
                "a callback with a pipeline",
                f"{_CACHE}\n\ndef add(f):\n    return cache.transaction(f, 'key')\n",
            ),
            (
                "a thread of its own",
                f"{_CACHE}\n\ndef listen():\n    return cache.pubsub().run_in_thread()\n",
            ),
            ("a lock for all requests", f"{_CACHE}lock = cache.lock('shop')\n"),
            (
                "a pool of its own",
                f"{_APP}\ncache = redis.Redis(connection_pool=redis.ConnectionPool())\n",
            ),
            ("few connections", f"{_APP}\ncache = redis.Redis(max_connections=5)\n"),
            ("unknown options", f"{_APP}\ncache = redis.Redis(**app.config['REDIS'])\n"),
            (
                "made in each request",
                f"{_APP}\n\ndef read(key):\n    return redis.Redis().get(key)\n",
            ),
            (
                "made for each request",
                f"{_APP}\n\ndef connect():\n    g.cache = redis.Redis()\n    return g.cache\n",
            ),
            (
                "closed by its block",
                f"{_APP}\nwith redis.Redis() as cache:\n    app.hits = cache.get('hits')\n",
            ),
            ("another class of that name", "from shop import Redis\n\ncache = Redis()\n"),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the face of the async client, made with the same arguments."""
        is_url = scene.name.endswith(".from_url")
        first = 1 if is_url else 0
        positions = ("url",) if is_url else tuple(_POSITIONS)
        args = name_arguments(scene, positions, {name: name for name in _ARGUMENTS}, first)
        self._check(self.follow(scene))
        factory, needed = spell_class(scene, "redis.asyncio", "Redis")
        if is_url:
            factory = cst.Attribute(factory, cst.Name("from_url"))
        return bridge_factory(scene, factory, args, needed)

    def _check(self, uses: ClientUses) -> None:
        """Raise for a client, or what it makes, that belongs to something else than the loop."""
        if uses.find(Kind.WITH) is not None:
            raise LeaveAlone("it is entered in a `with` statement, which closes it for good")
        if not uses.is_kept:
            raise LeaveAlone("it is made anew for each request, and nobody closes it")
        for file, call in uses.list_calls("lock"):
            if file.find_enclosing(call) is None:
                place = file.locate(call).place
                raise LeaveAlone(f"its lock at {place} tells threads apart, and not requests")
        for file, call in uses.list_calls("pubsub"):
            if "run_in_thread" in file.text:
                place = file.locate(call).place
                raise LeaveAlone(f"its subscription at {place} may run in a thread of its own")
