"""The recipe `redis-client`, on a real Redis."""

import asyncio
import textwrap

import pytest
import redis

from conftest import Serving
from data.conftest import REDIS_URL
from toolkit.migration.recipes.client_sides import ClientSides

pytestmark = pytest.mark.usefixtures("background_loop")

# What both sides do with their client, each beginning with no keys.
BODIES = {
    "values": "return cache.set(key, 1), cache.incr(key), cache.get(key), cache.get(key + ':no')",
    "a hash": "return cache.hset(key, mapping={'a': 1}), cache.hgetall(key), cache.hget(key, 'b')",
    "a list": "return cache.rpush(key, 'a', 'b'), cache.lrange(key, 0, -1), cache.blpop(key, 1)",
    "expiry": "return cache.setex(key, 60, 'a'), cache.ttl(key) > 50, cache.exists(key)",
    "scanning": "cache.set(key, 1)\nreturn sorted(cache.scan_iter(key + '*'))",
    "a pipeline": """
        with cache.pipeline() as pipe:
            return pipe.set(key, 1).incr(key).execute(), len(pipe)
    """,
    "a pipeline that watches": """
        with cache.pipeline() as pipe:
            pipe.watch(key)
            value = pipe.get(key)
            pipe.multi()
            pipe.set(key, "b")
            return value, pipe.execute()
    """,
    "a lock": """
        with cache.lock(key, timeout=5) as lock:
            return lock.owned(), cache.lock(key).acquire(blocking=False)
    """,
    "a subscription": """
        with cache.pubsub() as pubsub:
            pubsub.subscribe(key)
            cache.publish(key, "news")
            return [next(iter(pubsub.listen()))["data"] for _ in range(2)]
    """,
    "a script": "return cache.register_script('return ARGV[1]')(args=['a'])",
    "an error of the server": "cache.set(key, 'a')\nreturn cache.incr(key)",
    "an error of the client": "return cache.set(key, object())",
    "caught": """
        try:
            cache.set(key, 'a')
            return cache.lpush(key, 'b')
        except redis.ResponseError as error:
            return str(error)
    """,
}
MAKERS = [
    'cache = redis.Redis.from_url("{url}")',
    'cache = redis.from_url("{url}", decode_responses=True, socket_timeout=5)',
    'cache = redis.Redis("{host}", {port}, {db}, health_check_interval=30)',
]


def write(maker: str, body: str, keys: str) -> str:
    """The text of a module with a client and a function `ask`."""
    address, _, db = REDIS_URL.removeprefix("redis://").partition("/")
    host, _, port = address.partition(":")
    made = maker.format(url=REDIS_URL, host=host, port=port or 6379, db=db or 0)
    inner = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    clean = f"    key = {keys!r}\n    cache.delete(key)\n"
    return f"import redis\n\n{made}\n\n\ndef ask():\n{clean}{inner}\n"


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_served(body: str, redis_keys: str, serving: Serving) -> None:
    """In requests, answers and exceptions are the same."""
    await ClientSides("redis-client", write(MAKERS[0], body, redis_keys)).check_served(serving)


@pytest.mark.parametrize("maker", MAKERS)
def test_outside(maker: str, redis_keys: str) -> None:
    """Outside of requests, too, however the client is made."""
    for body in ("values", "a pipeline", "an error of the server"):
        ClientSides("redis-client", write(maker, BODIES[body], redis_keys)).check_outside()


def test_import_then_served(redis_keys: str, serving: Serving) -> None:
    """A client that the app uses while it is imported works on the server's loop as well."""
    sides = ClientSides("redis-client", write(MAKERS[0], BODIES["values"], redis_keys))
    sides.check_outside()
    asyncio.run(sides.check_served(serving))


def test_unreachable() -> None:
    """Without a server both raise the library's own error, each with its words."""
    maker = 'cache = redis.Redis("127.0.0.1", 1)'
    sides = ClientSides("redis-client", write(maker, BODIES["values"], "key"))
    for module in (sides.old, sides.new):
        with pytest.raises(redis.ConnectionError, match=r"127\.0\.0\.1:1"):
            module["ask"]()
