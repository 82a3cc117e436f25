"""The cart, which lives in the session: {book id: number of copies}."""

from dataclasses import dataclass

from flask import session

from ..models import Book

MOST_COPIES = 10


@dataclass
class Line:
    book: Book
    quantity: int

    @property
    def total_cents(self):
        return self.quantity * self.book.price_cents


def cart_contents():
    return {int(book_id): number for book_id, number in session.get("cart", {}).items()}


def cart_count():
    return sum(session.get("cart", {}).values())


def set_quantity(book_id, quantity):
    cart = dict(session.get("cart", {}))
    if quantity > 0:
        cart[str(book_id)] = min(quantity, MOST_COPIES)
    else:
        cart.pop(str(book_id), None)
    session["cart"] = cart


def add_to_cart(book_id, quantity):
    set_quantity(book_id, cart_contents().get(book_id, 0) + quantity)


def empty_cart():
    session.pop("cart", None)


def cart_lines():
    contents = cart_contents()
    books = Book.query.filter(Book.id.in_(contents)).order_by(Book.title)
    return [Line(book, contents[book.id]) for book in books]
