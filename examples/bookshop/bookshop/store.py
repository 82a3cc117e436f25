"""What the shop keeps in Redis. Without a Redis it does without."""

import logging
import time

import redis

log = logging.getLogger(__name__)


class RedisStore:
    def __init__(self):
        self.client = None

    def init_app(self, app):
        self.client = None
        if app.config["REDIS_URL"]:
            self.client = redis.Redis.from_url(
                app.config["REDIS_URL"], socket_timeout=1, decode_responses=True
            )

    def run(self, command, default):
        """Return what `command(client)` returns, or the default when there is no Redis."""
        if self.client is None:
            return default
        try:
            return command(self.client)
        except redis.RedisError as error:
            log.warning("Redis is not available: %s", error)
            return default

    def remember_viewed(self, visitor, book_id, keep=6):
        key = f"bookshop:viewed:{visitor}"

        def remember(client):
            with client.pipeline() as pipe:
                pipe.lrem(key, 0, book_id)
                pipe.lpush(key, book_id)
                pipe.ltrim(key, 0, keep - 1)
                pipe.expire(key, 30 * 24 * 3600)
                pipe.execute()

        self.run(remember, None)

    def recently_viewed(self, visitor):
        key = f"bookshop:viewed:{visitor}"
        return [int(value) for value in self.run(lambda client: client.lrange(key, 0, -1), [])]

    def count_request(self, who):
        """Count a request of this minute, and return how many there were."""
        key = f"bookshop:rate:{who}:{int(time.time() // 60)}"

        def count(client):
            number = client.incr(key)
            if number == 1:
                client.expire(key, 120)
            return number

        return self.run(count, 0)

    def ping(self):
        return self.run(lambda client: client.ping(), False)
