"""FSY110: an attribute whose plain reading asks the database."""

from __future__ import annotations

from flasync.toolkit.graph import CallSite
from flasync.toolkit.knowledge import AttributeRead, Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page

_MODELS = """\
import flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


app = flask.Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app, model_class=Base)


class Author(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author"{books})


class Book(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books"{author})
"""
_LAZY = _MODELS.format(books="", author="")


class LazyLoad(BlockingCallRule):
    """Finds attributes of models that are loaded by a query of their own when they are read."""

    code = "FSY110"
    name = "lazy-load"
    kind = Kind.DATABASE
    waiting = "asks the database when it is read"

    page = Page(
        what=(
            "Finds relationships of models that are read, in code or in templates, and loaded by"
            " a query at that moment."
        ),
        why=(
            "It looks like an attribute and is a query: in a loop over a hundred books,"
            " `book.author` is a hundred queries. With a sync driver in an async view, every other"
            " request waits during each of them. With SQLAlchemy's own asyncio session it fails"
            " with `MissingGreenlet`; through flasync it works, one query after the other."
        ),
        example="""\
@app.get("/books")
def books():
    found = db.session.scalars(db.select(Book))
    return {book.title: book.author.name for book in found}
""",
        instead="""\
@app.get("/books")
def books():
    found = db.session.scalars(db.select(Book).options(selectinload(Book.author)))
    return {book.title: book.author.name for book in found}
""",
        fix_safety=(
            "Loading with the first query never changes what the code sees, only how many queries"
            " it takes; which of `selectinload` and `joinedload` is right depends on the data."
        ),
        references=(
            (
                "SQLAlchemy: relationship loading",
                "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html",
            ),
        ),
    )

    invalid = (
        Case(
            "one object",
            {
                "app.py": _LAZY
                + """

@app.get("/books/<int:number>")
def show(number):
    book = db.session.get(Book, number)
    return book.author.name  # FSY110
"""
            },
        ),
        Case(
            "a collection, in an async view",
            {
                "app.py": _LAZY
                + """

@app.get("/authors/<int:number>")
async def show(number):
    author = db.get_or_404(Author, number)
    return {"titles": [book.title for book in author.books]}  # FSY110
"""
            },
        ),
        Case(
            "in a helper with an annotated parameter",
            {
                "app.py": _LAZY
                + """

def describe(book: Book) -> str:
    return f"{book.title} by {book.author.name}"  # FSY110


@app.get("/books/<int:number>")
def show(number):
    return describe(db.get_or_404(Book, number))
"""
            },
        ),
    )
    valid = (
        Case(
            "a plain column",
            {
                "app.py": _LAZY
                + """

@app.get("/books/<int:number>")
def show(number):
    book = db.session.get(Book, number)
    return f"{book.title} {book.author_id}"
"""
            },
        ),
        Case(
            "a relationship that is loaded with its object",
            {
                "app.py": _MODELS.format(books=', lazy="selectin"', author=', lazy="joined"')
                + """

@app.get("/books/<int:number>")
def show(number):
    book = db.session.get(Book, number)
    return book.author.name
"""
            },
        ),
        Case(
            "an async driver in the URL",
            {
                "app.py": _LAZY.replace("sqlite://", "sqlite+aiosqlite://")
                + """

@app.get("/books/<int:number>")
async def show(number):
    return db.session.get(Book, number).author.name
"""
            },
        ),
        Case(
            "a relationship in a statement",
            {
                "app.py": _LAZY
                + """

@app.get("/")
def index():
    return str(db.select(Book).options(selectinload(Book.author)).join(Book.author))
"""
            },
        ),
        Case(
            "an attribute of the same name of a plain class",
            {
                "app.py": _LAZY
                + """

class Quote:
    def __init__(self, author):
        self.author = author


@app.get("/")
def index():
    return Quote("Austen").author
"""
            },
        ),
    )

    def accepts(self, site: CallSite) -> bool:
        """Return whether a site is the reading of an attribute that waits."""
        return site.blocking is not None and isinstance(site.blocking.known, AttributeRead)
