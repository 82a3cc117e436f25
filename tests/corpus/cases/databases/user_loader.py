"""The user loader of Flask-Login, which runs where current_user is first used."""

from flask import Flask
from flask_login import LoginManager, UserMixin, current_user, login_required
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
manager = LoginManager()


class User(UserMixin, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))


@manager.user_loader
def load_user(user_id):
    return db.session.get(User, int(user_id))  # blocks: sqlalchemy.orm.Session.get


@manager.unauthorized_handler
def unauthorized():
    return "who are you?", 401


def create_app():
    app = Flask(__name__)
    app.config.update(SQLALCHEMY_DATABASE_URI="sqlite:///case-user.db", SECRET_KEY="key")
    db.init_app(app)
    manager.init_app(app)
    with app.app_context():
        db.create_all()

    @app.get("/")
    @login_required
    def index():
        return current_user.name

    @app.get("/maybe")
    def maybe():
        return "in" if current_user.is_authenticated else "out"

    return app
