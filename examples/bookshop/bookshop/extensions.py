"""The extensions, made here and tied to the application by its factory."""

from flask_caching import Cache
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from .store import RedisStore
from .supplier_client import Supplier

db = SQLAlchemy()
login_manager = LoginManager()
csrf = CSRFProtect()
cache = Cache()
redis_store = RedisStore()
supplier = Supplier()

login_manager.login_view = "accounts.login"
login_manager.login_message = "Please log in first."
login_manager.login_message_category = "info"
