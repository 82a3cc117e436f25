"""Relationships that are loaded when they are first read."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import joinedload

db = SQLAlchemy()


class Author(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    books = db.relationship("Book", back_populates="author")
    prizes = db.relationship("Prize", lazy="selectin")


class Prize(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.ForeignKey("author.id"))
    name = db.Column(db.String(80))


class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.ForeignKey("author.id"))
    title = db.Column(db.String(80))
    author = db.relationship(Author, back_populates="books")

    @property
    def by(self):
        return self.author.name  # blocks: lazy load of Book.author


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///case-lazy.db"
    db.init_app(app)
    with app.app_context():
        db.create_all()
        if db.session.get(Author, 1) is None:
            author = Author(id=1, name="Jane", prizes=[Prize(name="first")])
            db.session.add(Book(title="Emma", author=author))
            db.session.commit()

    @app.get("/author")
    def author():
        author = db.session.get(Author, 1)  # blocks: sqlalchemy.orm.Session.get
        return ", ".join(book.title for book in author.books)  # blocks: lazy load of Author.books

    @app.get("/by")
    def by():
        book = Book.query.first()  # blocks: sqlalchemy.orm.Query.first
        return book.by

    @app.get("/prizes")
    def prizes():
        author = db.session.get(Author, 1)  # blocks: sqlalchemy.orm.Session.get
        return ", ".join(prize.name for prize in author.prizes) + author.name

    return app
