import os
import shutil
import socket
import subprocess
import threading
import time
from email import message_from_bytes, policy

import pytest
import redis
import sqlalchemy
import supplier
from aiosmtpd.controller import Controller
from bookshop import create_app
from bookshop.extensions import cache, db, redis_store
from bookshop.models import Author, Book, Category, Order, OrderItem, Review, User
from werkzeug.serving import make_server

PASSWORD = "correct horse"


# The database. TEST_DATABASE_URL names a server; the tests make a database of their own there.


@pytest.fixture(scope="session")
def database_url():
    url = sqlalchemy.make_url(os.environ.get("TEST_DATABASE_URL", "sqlite://"))
    if url.get_backend_name() == "sqlite":
        yield url
        return
    name = f"{url.database}_{os.getpid()}"
    maintenance = "postgres" if url.get_backend_name() == "postgresql" else "information_schema"
    server = sqlalchemy.create_engine(
        url.set(database=maintenance),
        isolation_level="AUTOCOMMIT",
        poolclass=sqlalchemy.NullPool,
    )
    with server.connect() as connection:
        connection.execute(sqlalchemy.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    yield url.set(database=name)
    with server.connect() as connection:
        connection.execute(sqlalchemy.text(f"DROP DATABASE {name}"))


@pytest.fixture(scope="session")
def shop(database_url, tmp_path_factory):
    """The application with its tables, made once."""
    instance_path = tmp_path_factory.mktemp("instance")
    app = create_app(
        {
            "TESTING": True,
            "SECRET_KEY": "test",
            "SQLALCHEMY_DATABASE_URI": database_url.render_as_string(hide_password=False),
            "REDIS_URL": None,
            "CACHE_TYPE": "SimpleCache",
            "COVER_FOLDER": str(instance_path / "covers"),
            "MAIL_SERVER": None,
            "PASSWORD_METHOD": "pbkdf2:sha256:10",
            "SUPPLIER_URL": "http://127.0.0.1:9",
            "SUPPLIER_ATTEMPTS": 2,
            "SUPPLIER_BACKOFF": 0,
            "WTF_CSRF_ENABLED": False,
            "BOOKS_PER_PAGE": 4,
            "ORDERS_PER_PAGE": 2,
            "FORECAST_ROUNDS": 40,
        },
        instance_path=str(instance_path),
    )
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.drop_all()
        db.engine.dispose()


@pytest.fixture
def app(shop):
    """The application with an empty database and its first settings."""
    config = dict(shop.config)
    yield shop
    shop.config.clear()
    shop.config.update(config)
    with shop.app_context():
        cache.clear()
        db.session.rollback()
        for table in reversed(db.metadata.sorted_tables):
            db.session.execute(table.delete())
        db.session.commit()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def runner(app):
    return app.test_cli_runner()


# What is in the shop.


@pytest.fixture
def books(app):
    """Six books of two categories and three authors; returns their ids by title."""
    with app.app_context():
        novels = Category(name="Novels", slug="novels")
        adventure = Category(name="Adventure", slug="adventure")
        austen = Author(name="Jane Austen", born=1775, biography="She wrote six novels.")
        verne = Author(name="Jules Verne", born=1828)
        editor = Author(name="Ed Itor")
        rows = [
            ("Emma", novels, [austen], 1815, 1190, 5),
            ("Persuasion", novels, [austen, editor], 1817, 990, 0),
            ("Sanditon", novels, [austen], 1925, 790, 2),
            ("Around the World", adventure, [verne], 1873, 890, 8),
            ("Michael Strogoff", adventure, [verne], 1876, 1290, 3),
            ("Mysterious Island", adventure, [verne], 1875, 1390, 1),
        ]
        for number, (title, category, authors, published, price_cents, stock) in enumerate(rows):
            db.session.add(
                Book(
                    isbn=f"978000000{number:04d}",
                    slug=title.lower().replace(" ", "-"),
                    title=title,
                    category=category,
                    authors=authors,
                    published=published,
                    pages=200,
                    price_cents=price_cents,
                    stock=stock,
                    summary=f"About {title}.",
                )
            )
        db.session.commit()
        return {book.title: book.id for book in Book.query}


def add_user(email, name, **kwargs):
    user = User(email=email, name=name, **kwargs)
    user.set_password(PASSWORD)
    db.session.add(user)
    db.session.commit()
    return user.id


@pytest.fixture
def reader(app):
    with app.app_context():
        return add_user("rita@example.com", "Rita Reader", api_token="rita-token")


@pytest.fixture
def other_reader(app):
    with app.app_context():
        return add_user("otto@example.com", "Otto Other", api_token="otto-token")


@pytest.fixture
def admin(app):
    with app.app_context():
        return add_user("staff@example.com", "Staff", is_admin=True, api_token="staff-token")


def log_in(client, email, password=PASSWORD, **kwargs):
    return client.post("/account/login", data={"email": email, "password": password}, **kwargs)


@pytest.fixture
def reader_client(app, reader):
    client = app.test_client()
    assert log_in(client, "rita@example.com").status_code == 302
    return client


@pytest.fixture
def admin_client(app, admin):
    client = app.test_client()
    assert log_in(client, "staff@example.com").status_code == 302
    return client


@pytest.fixture
def make_order(app, books):
    """Return a function that stores an order of (title, copies) and returns its number."""

    def make(user_id, *lines, **kwargs):
        with app.app_context():
            order = Order(
                number=Order.new_number(),
                user_id=user_id,
                recipient="Rita Reader",
                street="Long Lane 1",
                city="1010 Vienna",
                **kwargs,
            )
            for title, quantity in lines:
                book = db.session.get(Book, books[title])
                order.items.append(
                    OrderItem(book=book, quantity=quantity, price_cents=book.price_cents)
                )
            db.session.add(order)
            db.session.commit()
            return order.number

    return make


@pytest.fixture
def make_review(app, books):
    def make(user_id, title, rating, text="Good."):
        with app.app_context():
            review = Review(book_id=books[title], user_id=user_id, rating=rating, text=text)
            db.session.add(review)
            db.session.commit()

    return make


# The services that the shop talks to: real ones.


@pytest.fixture(scope="session")
def supplier_server():
    server = make_server("127.0.0.1", 0, supplier.create_app(delay=0), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def real_supplier(app, supplier_server):
    app.config["SUPPLIER_URL"] = supplier_server


class Mailbox(list):
    async def handle_DATA(self, server, session, envelope):
        self.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture(scope="session")
def mail_server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, port
    controller.stop()


@pytest.fixture
def mailbox(app, mail_server):
    """The list of the mails that the shop sends."""
    mailbox, port = mail_server
    mailbox.clear()
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port)
    return mailbox


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A Redis of our own (TEST_REDIS_URL names another one)."""
    if "TEST_REDIS_URL" in os.environ:
        yield os.environ["TEST_REDIS_URL"]
        return
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server or TEST_REDIS_URL")
    path = tmp_path_factory.mktemp("redis") / "socket"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    with redis.Redis(unix_socket_path=str(path)) as probe:
        while True:
            try:
                probe.ping()
                break
            except redis.ConnectionError:
                assert server.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
    yield f"unix://{path}"
    server.terminate()
    server.wait()


@pytest.fixture
def with_redis(app, redis_url):
    app.config["REDIS_URL"] = redis_url
    redis_store.init_app(app)
    client = redis_store.client
    yield client
    for key in client.scan_iter("bookshop:*"):
        client.delete(key)
    client.close()
    redis_store.client = None
