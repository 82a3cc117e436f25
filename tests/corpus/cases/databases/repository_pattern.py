"""A repository and a unit of work around a session."""

from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = Flask(__name__)
engine = create_engine("sqlite:///case-repository.db")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Books:
    def __init__(self, session: Session) -> None:
        self.session = session

    def list(self):
        return self.session.scalars(select(Book)).all()  # blocks: sqlalchemy.orm.Session.scalars

    def add(self, title):
        self.session.add(Book(title=title))

    def remove(self, book):
        self.session.delete(book)


class UnitOfWork:
    def __enter__(self):
        self.session = Session(engine)
        self.books = Books(self.session)
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.session.commit()  # blocks: sqlalchemy.orm.Session.commit
        self.session.close()  # either: sqlalchemy.orm.Session.close


Base.metadata.create_all(engine)


@app.get("/")
def index():
    with UnitOfWork() as unit:
        unit.books.add("Emma")
        return str(len(unit.books.list()))
