"""Queries of Flask-SQLAlchemy: building one is quick, using it is not."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80))


def search(text):
    query = Book.query.filter(Book.title.contains(text))
    return query.order_by(Book.title)


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///case.db"
    db.init_app(app)
    with app.app_context():
        db.create_all()

    @app.get("/")
    def index():
        books = search("a")
        return ", ".join(book.title for book in books)  # blocks: sqlalchemy.orm.Query.__iter__

    @app.get("/all")
    def everything():
        number = Book.query.count()  # blocks: sqlalchemy.orm.Query.count
        return f"{number} {search('e').limit(3).all()}"  # blocks: sqlalchemy.orm.Query.all

    @app.get("/built")
    def built():
        return str(search("b"))

    @app.post("/")
    def add():
        book = Book(title="Emma")
        db.session.add(book)
        db.session.commit()  # blocks: sqlalchemy.orm.Session.commit
        return "added"

    @app.get("/<int:number>")
    def one(number):
        return db.get_or_404(Book, number).title  # blocks: flask_sqlalchemy.SQLAlchemy.get_or_404

    return app
