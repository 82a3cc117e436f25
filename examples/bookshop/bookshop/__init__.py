"""An online bookshop."""

import os

from flask import Flask

from . import accounts, admin, api, cart, catalogue, commands, errors, hooks, template_filters
from .config import Config
from .extensions import cache, csrf, db, login_manager, redis_store, supplier


def create_app(config=None, instance_path=None):
    """Make the application. `config` (a mapping) wins over the environment."""
    app = Flask(
        __name__, instance_path=instance_path or os.environ.get("BOOKSHOP_INSTANCE") or None
    )
    app.config.from_object(Config(app.instance_path))
    app.config.from_mapping(config or {})

    db.init_app(app)
    login_manager.init_app(app)
    csrf.init_app(app)
    cache.init_app(app)
    redis_store.init_app(app)
    supplier.init_app(app)

    app.register_blueprint(catalogue.bp)
    app.register_blueprint(cart.bp)
    app.register_blueprint(accounts.bp, url_prefix="/account")
    app.register_blueprint(admin.bp, url_prefix="/admin")
    app.register_blueprint(api.bp, url_prefix="/api")
    csrf.exempt(api.bp)

    commands.init_app(app)
    errors.init_app(app)
    hooks.init_app(app)
    template_filters.init_app(app)
    return app
