"""Flask-Login's decorator and its user loader, which every protected view runs."""

import time

from flask import Flask
from flask_login import LoginManager, UserMixin, current_user, login_required

app = Flask(__name__)
app.secret_key = "key"
manager = LoginManager(app)


class User(UserMixin):
    id = "1"
    name = "Ada"


@manager.request_loader
def load_from_request(request):
    time.sleep(0.01)  # blocks: time.sleep
    return User()


@app.get("/")
@login_required
def index():
    return current_user.name


@app.get("/open")
def open_page():
    return "hello"
