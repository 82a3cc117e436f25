"""A template that iterates over a query, and one that shows what is loaded."""

from flask import Flask, render_template
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80))


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///case.db"
    db.init_app(app)
    with app.app_context():
        db.create_all()

    @app.get("/")
    def index():
        return render_template("lazy.html", books=Book.query.order_by(Book.title))

    @app.get("/loaded")
    def loaded():
        return render_template("loaded.html", books=Book.query.all())  # blocks: sqlalchemy.orm.Query.all

    return app
