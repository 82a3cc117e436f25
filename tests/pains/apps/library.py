"""Flask-SQLAlchemy as its documentation shows it; only the URL names an async driver."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable

import flask
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import flasync
from pains.apps import services
from pains.apps.ledger import Ledger


class Base(DeclarativeBase):
    """The declarative base."""


app = flasync.Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = services.SQLALCHEMY_URL
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 10, "max_overflow": 0}
app.config["WORKER_THREADS"] = 10
db = SQLAlchemy(app, model_class=Base)
ledger = Ledger()
ledger.init_app(app)


class Author(db.Model):
    """Who writes books."""

    __tablename__ = "flasync_pains_author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")


class Book(db.Model):
    """What authors write."""

    __tablename__ = "flasync_pains_book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("flasync_pains_author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


@app.while_serving
async def tables() -> AsyncIterator[None]:
    """Tables with one author and two books."""
    with app.app_context():
        db.drop_all()
        db.create_all()
        db.session.add(Author(id=1, name="Ada", books=[Book(title="One"), Book(title="Two")]))
        db.session.commit()
    yield
    with app.app_context():
        db.drop_all()
        db.engine.dispose()


@app.teardown_request
def note_teardown(error: BaseException | None) -> None:
    """Count the teardowns of the routes under test."""
    if flask.request.path.startswith("/books"):
        ledger.note("teardown")


def describe() -> list[str]:
    """A book, its author and the author's books: three queries, two of them lazy."""
    book = db.session.get(Book, 1)
    return [book.title, book.author.name, *(each.title for each in book.author.books)]


@app.get("/books/async")
async def async_book() -> list[str]:
    """Lazy loads in an async view, between awaits."""
    await asyncio.sleep(0)
    found = describe()
    await asyncio.sleep(0)
    return found


@app.get("/books/sync")
def sync_book() -> list[str]:
    """Lazy loads in a sync view."""
    return describe()


@app.get("/books/async-template")
async def async_template() -> str:
    """Lazy loads in a template."""
    return flask.render_template("book.html", book=db.session.get(Book, 1))


@app.get("/books/async-stream")
async def async_stream() -> AsyncIterator[str]:
    """Lazy loads in an async generator."""

    async def generate() -> AsyncIterator[str]:
        for book in db.session.scalars(sa.select(Book).order_by(Book.id)):
            yield f"{book.title} by {book.author.name};"
            await asyncio.sleep(0)

    return flask.stream_with_context(generate())


@app.get("/books/async-sleep")
async def async_sleep() -> str:
    """A slow query in an async view."""
    db.session.execute(sa.text("SELECT pg_sleep(0.2)"))
    return ""


@app.get("/books/sync-sleep")
def sync_sleep() -> str:
    """A slow query in a sync view."""
    db.session.execute(sa.text("SELECT pg_sleep(0.2)"))
    return ""


@app.get("/books/task")
async def book_in_task() -> str:
    """A lazy load in a task of its own."""

    async def load() -> str:
        return db.session.get(Book, 1).author.name

    return await asyncio.create_task(load())


@app.get("/books/gathered")
async def gathered() -> list[str]:
    """Lazy loads in three tasks at once, a session each."""

    async def load() -> str:
        with sa.orm.Session(db.engine) as session:
            return session.scalars(sa.select(Book).order_by(Book.id)).first().author.name

    return list(await asyncio.gather(*(load() for _ in range(3))))


def try_in_callback(function: Callable[[], object]) -> asyncio.Future[str]:
    """What a loop callback gets that waits in sync code: there is no task to suspend."""
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def callback() -> None:
        try:
            future.set_result(str(function()))
        except Exception as error:
            future.set_result("".join(traceback.format_exception_only(error)))

    asyncio.get_running_loop().call_soon(callback)
    return future


@app.get("/books/callback")
async def book_in_callback() -> str:
    """A lazy load in a loop callback."""
    return await try_in_callback(lambda: db.session.get(Book, 1).author.name)


@app.get("/books/await-in-callback")
async def await_in_callback() -> str:
    """`await_` in a loop callback."""
    return await try_in_callback(lambda: flasync.await_(asyncio.sleep(0)))


@app.get("/checked-out")
async def checked_out() -> str:
    """How many connections are in use."""
    return str(db.engine.pool.checkedout())
