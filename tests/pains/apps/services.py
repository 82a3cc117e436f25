"""Where the real services of the tests are; the environment may say otherwise."""

import os

POSTGRES_DSN = os.environ.get("FLASYNC_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
REDIS_URL = os.environ.get("FLASYNC_TEST_REDIS", "redis://127.0.0.1:6379/0")
SQLALCHEMY_URL = POSTGRES_DSN.replace("postgresql://", "postgresql+asyncpg://", 1)
