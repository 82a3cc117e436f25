"""Templates that include others and call their macros."""

from flask import Flask, render_template
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Category(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    books = db.relationship("Book")


class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    category_id = db.Column(db.ForeignKey("category.id"))
    title = db.Column(db.String(80))


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///case.db"
    db.init_app(app)
    with app.app_context():
        db.create_all()
        if db.session.get(Category, 1) is None:
            db.session.add(Category(id=1, name="Novels", books=[Book(title="Emma")]))
            db.session.commit()

    @app.get("/")
    def index():
        return render_template("index.html", categories=Category.query.all())  # blocks: sqlalchemy.orm.Query.all

    return app
