"""Error pages, and the same as JSON for the API."""

from flask import render_template, request
from werkzeug.exceptions import HTTPException

from .extensions import db
from .supplier_client import SupplierError


def wants_json():
    return request.path.startswith("/api/")


def answer(code, name, description):
    if wants_json():
        return {"error": name, "message": description}, code
    page = render_template("errors/error.html", code=code, name=name, description=description)
    return page, code


def http_error(error):
    if error.code is None or error.code < 400:
        return error
    body, code = answer(error.code, error.name, error.description)
    if not isinstance(body, dict):
        return body, code
    return body, code, {key: value for key, value in error.get_headers() if key == "Retry-After"}


def supplier_error(error):
    db.session.rollback()
    return answer(502, "Bad Gateway", "Our supplier does not answer. Please try again later.")


def internal_error(error):
    db.session.rollback()
    return answer(500, "Internal Server Error", "Something went wrong on our side.")


def init_app(app):
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(SupplierError, supplier_error)
    app.register_error_handler(500, internal_error)
