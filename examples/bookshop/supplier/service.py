"""Stock, prices and reservations for any ISBN, made up from its digits.

Run it with `flask --app supplier run --port 5001`. SUPPLIER_DELAY sets the seconds that it takes
to answer (0.3 if unset).
"""

import os
import time
import uuid

from flask import Flask, abort, request


def create_app(delay=None):
    app = Flask(__name__)
    app.config["DELAY"] = float(os.environ.get("SUPPLIER_DELAY", "0.3") if delay is None else delay)
    app.config["API_KEY"] = os.environ.get("SUPPLIER_API_KEY", "bookshop-demo")

    @app.before_request
    def answer_slowly():
        time.sleep(app.config["DELAY"])

    @app.before_request
    def check_key():
        if request.headers.get("X-Api-Key") != app.config["API_KEY"]:
            abort(401)

    @app.get("/v1/stock/<isbn>")
    def stock(isbn):
        check_isbn(isbn)
        available = available_copies(isbn)
        return {
            "isbn": isbn,
            "available": available,
            "delivery_days": 2 if available else 14 + digits_sum(isbn) % 7,
        }

    @app.get("/v1/prices")
    def prices():
        isbns = [isbn for isbn in request.args.get("isbn", "").split(",") if isbn]
        for isbn in isbns:
            check_isbn(isbn)
        return {"prices": [{"isbn": isbn, "price_cents": price_cents(isbn)} for isbn in isbns]}

    @app.post("/v1/reservations")
    def reserve():
        order = request.get_json()
        check_isbn(order["isbn"])
        if order["quantity"] > available_copies(order["isbn"]):
            abort(409)
        return {"reservation": uuid.uuid4().hex, "reference": order["reference"]}, 201

    @app.errorhandler(400)
    @app.errorhandler(401)
    @app.errorhandler(404)
    @app.errorhandler(409)
    def error_as_json(error):
        return {"error": error.name}, error.code

    return app


def check_isbn(isbn):
    if len(isbn) != 13 or not isbn.isdigit():
        abort(404)


def digits_sum(isbn):
    return sum(int(digit) for digit in isbn)


def available_copies(isbn):
    return digits_sum(isbn) * 7 % 120


def price_cents(isbn):
    return 690 + int(isbn[-5:]) * 37 % 1900
