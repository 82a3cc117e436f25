"""Price lists: from a CSV file or from the supplier."""

import csv

from .extensions import db, supplier
from .models import Book


class BadPriceList(ValueError):
    """A line of the price list cannot be read."""


def read_price_list(lines):
    """Read `isbn,price` lines and return the prices in cents, by ISBN."""
    prices = {}
    for number, row in enumerate(csv.DictReader(lines), start=2):
        try:
            prices[row["isbn"].strip()] = round(float(row["price"]) * 100)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadPriceList(f"line {number} is not `isbn,price`") from error
    return prices


def supplier_prices():
    isbns = [isbn for (isbn,) in db.session.query(Book.isbn).order_by(Book.isbn)]
    return supplier.prices(isbns)


def update_prices(prices):
    """Set new prices and return (number changed, ISBNs that we do not sell)."""
    books = {book.isbn: book for book in Book.query.filter(Book.isbn.in_(prices))}
    changed = sum(
        books[isbn].change_price(cents) for isbn, cents in prices.items() if isbn in books
    )
    db.session.commit()
    return changed, sorted(set(prices) - set(books))
