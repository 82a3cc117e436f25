"""Questions about the catalogue."""

from sqlalchemy import func

from ..extensions import cache, db
from ..models import Author, Book, Category, Order, OrderItem, Review

ORDERINGS = {
    "title": (Book.title, Book.id),
    "newest": (Book.published.desc(), Book.id),
    "cheapest": (Book.price_cents, Book.id),
}


def all_categories():
    return Category.query.order_by(Category.name).all()


def search_books(text="", category=None, order="title"):
    """Return the query for the books whose title or author contains the text."""
    query = Book.query
    if text:
        pattern = f"%{text}%"
        query = query.filter(
            db.or_(Book.title.ilike(pattern), Book.authors.any(Author.name.ilike(pattern)))
        )
    if category is not None:
        query = query.filter(Book.category == category)
    return query.order_by(*ORDERINGS.get(order, ORDERINGS["title"]))


@cache.memoize(timeout=120)
def bestseller_ids(limit):
    sold = func.sum(OrderItem.quantity).label("sold")
    rows = (
        db.session.query(OrderItem.book_id, sold)
        .join(OrderItem.order)
        .filter(Order.status != Order.CANCELLED)
        .group_by(OrderItem.book_id)
        .order_by(sold.desc(), OrderItem.book_id)
        .limit(limit)
    )
    return [row.book_id for row in rows]


def books_by_ids(ids):
    """Return the books with these ids, in this order."""
    books = {book.id: book for book in Book.query.filter(Book.id.in_(ids))}
    return [books[book_id] for book_id in ids if book_id in books]


def bestsellers(limit=6):
    return books_by_ids(bestseller_ids(limit))


def newest_books(limit=6):
    return Book.query.order_by(Book.created_at.desc(), Book.id.desc()).limit(limit).all()


def best_rated(limit=4):
    """Return (book, mean rating, number of ratings) for the books that readers like best."""
    mean = func.avg(Review.rating).label("mean")
    number = func.count(Review.id).label("number")
    ratings = (
        db.session.query(Review.book_id, mean, number).group_by(Review.book_id).subquery("ratings")
    )
    rows = (
        db.session.query(Book, ratings.c.mean, ratings.c.number)
        .join(ratings, Book.id == ratings.c.book_id)
        .order_by(ratings.c.mean.desc(), ratings.c.number.desc(), Book.id)
        .limit(limit)
    )
    return [(book, float(mean), number) for book, mean, number in rows]
