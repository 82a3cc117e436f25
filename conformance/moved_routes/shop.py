"""The shop as it is served to be measured: `bookshop` is that of the folder it is served from."""

from bookshop import create_app

app = create_app(
    {
        # A connection for each request, as each keeps one while it waits.
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 20},
        # What is in the cache is not waited for.
        "CACHE_TYPE": "NullCache",
        "CACHE_NO_NULL_WARNING": True,
        # As in the shop's own tests.
        "WTF_CSRF_ENABLED": False,
        "PASSWORD_METHOD": "pbkdf2:sha256:10",
        "BOOKS_PER_PAGE": 4,
        "ORDERS_PER_PAGE": 2,
    }
)
