"""An ordinary Flask-SQLAlchemy app, written as for a sync driver: only its URL is async."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import sqlalchemy as sa
from flask import Flask, Response, abort, g, render_template_string, stream_with_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import flasync

AUTHORS = ["Ada", "Grace"]
TITLES = {"Ada": ["One", "Two"], "Grace": ["Three"]}


class Base(DeclarativeBase):
    """The base of the models."""


db = SQLAlchemy(model_class=Base)


class Author(db.Model):  # type: ignore[name-defined]  # Flask-SQLAlchemy builds the class
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")


class Book(db.Model):  # type: ignore[name-defined]  # as above
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(50))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


def read() -> str:
    """All books by author, by lazy loads."""
    authors = db.session.scalars(sa.select(Author).order_by(Author.name))
    return ";".join(f"{a.name}: {', '.join(b.title for b in a.books)}" for a in authors)


CONTENT = "Ada: One, Two;Grace: Three"


def fill() -> None:
    """Make the tables anew, with their content."""
    db.drop_all()
    db.create_all()
    for name in AUTHORS:
        db.session.add(Author(name=name, books=[Book(title=title) for title in TITLES[name]]))
    db.session.commit()


def create_app(url: str, **engine_options: Any) -> flasync.Flask:
    """Build the app with its database filled, all of it at import time, so to say."""
    app = flasync.Flask("library")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options, TESTING=True
    )
    db.init_app(app)
    with app.app_context():
        fill()
    add_views(app)
    add_hooks(app)
    return app


def add_views(app: Flask) -> None:
    template = (
        "{% for a in authors %}{{ a.name }}:{% for b in a.books %} {{ b.title }}{% endfor %};"
        "{% endfor %}"
    )

    def get_authors() -> Any:
        return db.session.scalars(sa.select(Author).order_by(Author.name))

    async def index() -> str:
        return read()

    async def rendered() -> str:
        return render_template_string(template, authors=get_authors())

    async def stream() -> Response:
        async def lines() -> AsyncIterator[str]:
            for author in get_authors():
                yield f"{author.name}: {len(author.books)};"

        return Response(stream_with_context(lines()))

    async def missing() -> str:
        abort(404)

    async def children() -> list[Any]:
        async def count(name: str) -> int:
            # A scoped session belongs to the app context, which the children share: so they take
            # turns here, or they would have to use sessions of their own.
            with sa.orm.Session(db.engine) as session:
                author = session.scalars(sa.select(Author).filter_by(name=name)).one()
                return len(author.books)

        async with asyncio.TaskGroup() as group:
            ada = group.create_task(count("Ada"))
        return [ada.result(), *await asyncio.gather(count("Ada"), count("Grace"))]

    def sync_children() -> list[Any]:
        return flasync.await_(children())

    def sync(function: Any) -> Any:
        return lambda: flasync.await_(function())

    def sync_stream() -> Response:
        def lines() -> Iterator[str]:
            for author in get_authors():
                yield f"{author.name}: {len(author.books)};"

        return Response(stream_with_context(lines()))

    views = {
        "index": (index, read),
        "template": (rendered, lambda: render_template_string(template, authors=get_authors())),
        "stream": (stream, sync_stream),
        "missing": (missing, lambda: abort(404)),
        "children": (children, sync_children),
    }
    for name, (async_view, sync_view) in views.items():
        app.add_url_rule(f"/async/{name}", f"async-{name}", async_view)
        app.add_url_rule(f"/sync/{name}", f"sync-{name}", sync_view)
        app.add_url_rule(f"/on-loop/{name}", f"loop-{name}", flasync.on_loop(sync_view))


def add_hooks(app: Flask) -> None:
    @app.before_request
    def count() -> None:
        g.authors = db.session.scalar(sa.select(sa.func.count()).select_from(Author))

    @app.after_request
    def tell(response: Response) -> Response:
        books = db.session.scalar(sa.select(sa.func.count()).select_from(Book))
        response.headers["X-Counts"] = f"{g.authors} {books}"
        return response

    @app.errorhandler(404)
    def not_found(error: Exception) -> tuple[str, int]:
        return f"instead: {read()}", 404

    @app.cli.command("count")
    def count_books() -> None:
        print(db.session.scalar(sa.select(sa.func.count()).select_from(Book)))


ANSWERS = {
    "index": (200, CONTENT),
    "template": (200, "Ada: One Two;Grace: Three;"),
    "stream": (200, "Ada: 2;Grace: 1;"),
    "missing": (404, f"instead: {CONTENT}"),
    "children": (200, "[2,2,1]"),
}
