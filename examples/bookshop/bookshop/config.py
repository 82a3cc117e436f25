"""Settings, from the environment."""

import os


def flag(name, default="0"):
    return os.environ.get(name, default).lower() in {"1", "true", "yes", "on"}


class Config:
    def __init__(self, instance_path):
        self.SECRET_KEY = os.environ.get("SECRET_KEY", "change me")

        self.SQLALCHEMY_DATABASE_URI = os.environ.get(
            "DATABASE_URL", "sqlite:///" + os.path.join(instance_path, "bookshop.db")
        )
        self.SQLALCHEMY_ECHO = flag("SQLALCHEMY_ECHO")

        self.REDIS_URL = os.environ.get("REDIS_URL")
        self.CACHE_TYPE = "RedisCache" if self.REDIS_URL else "SimpleCache"
        self.CACHE_REDIS_URL = self.REDIS_URL
        self.CACHE_KEY_PREFIX = "bookshop:cache:"
        self.CACHE_DEFAULT_TIMEOUT = 60

        self.SUPPLIER_URL = os.environ.get("SUPPLIER_URL", "http://127.0.0.1:5001")
        self.SUPPLIER_API_KEY = os.environ.get("SUPPLIER_API_KEY", "bookshop-demo")
        self.SUPPLIER_TIMEOUT = float(os.environ.get("SUPPLIER_TIMEOUT", "5"))
        self.SUPPLIER_ATTEMPTS = int(os.environ.get("SUPPLIER_ATTEMPTS", "2"))
        self.SUPPLIER_BACKOFF = float(os.environ.get("SUPPLIER_BACKOFF", "0.2"))

        # Without a mail server, mails go to the log.
        self.MAIL_SERVER = os.environ.get("MAIL_SERVER")
        self.MAIL_PORT = int(os.environ.get("MAIL_PORT", "25"))
        self.MAIL_USERNAME = os.environ.get("MAIL_USERNAME")
        self.MAIL_PASSWORD = os.environ.get("MAIL_PASSWORD")
        self.MAIL_USE_TLS = flag("MAIL_USE_TLS")
        self.MAIL_SENDER = os.environ.get("MAIL_SENDER", "The Bookshop <shop@example.com>")

        self.COVER_FOLDER = os.environ.get("COVER_FOLDER", os.path.join(instance_path, "covers"))
        self.MAX_CONTENT_LENGTH = 4 * 1024 * 1024

        self.BOOKS_PER_PAGE = 12
        self.ORDERS_PER_PAGE = 10
        self.API_REQUESTS_PER_MINUTE = int(os.environ.get("API_REQUESTS_PER_MINUTE", "120"))
        self.FORECAST_ROUNDS = int(os.environ.get("FORECAST_ROUNDS", "1500"))
        self.PASSWORD_METHOD = "scrypt"

        # Without it, SQLAlchemy's own: 5 connections, and 10 more while they are needed.
        if "DATABASE_POOL_SIZE" in os.environ:
            self.SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": int(os.environ["DATABASE_POOL_SIZE"])}
