"""What happens around every request."""

import time
from datetime import timedelta

from flask import g, request
from flask_login import current_user

from .cart import cart_count
from .catalogue.queries import all_categories
from .extensions import db
from .models import utcnow

SEEN_EVERY = timedelta(minutes=5)


def start_clock():
    g.started = time.perf_counter()


def note_last_seen():
    if request.endpoint == "static" or not current_user.is_authenticated:
        return
    now = utcnow()
    if current_user.last_seen_at is None or now - current_user.last_seen_at > SEEN_EVERY:
        current_user.last_seen_at = now
        db.session.commit()


def add_server_timing(response):
    if "started" in g:
        duration_ms = (time.perf_counter() - g.started) * 1000
        response.headers["Server-Timing"] = f"app;dur={duration_ms:.1f}"
    return response


def navigation():
    return {"nav_categories": all_categories, "cart_count": cart_count}


def init_app(app):
    app.before_request(start_clock)
    app.before_request(note_last_seen)
    app.after_request(add_server_timing)
    app.context_processor(navigation)
