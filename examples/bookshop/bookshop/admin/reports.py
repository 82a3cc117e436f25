"""Sums over orders."""

from sqlalchemy import extract, func

from ..extensions import db
from ..models import Book, Category, Order, OrderItem, Review, User

REVENUE = func.sum(OrderItem.quantity * OrderItem.price_cents)


def shop_totals():
    revenue = db.session.query(REVENUE).join(OrderItem.order).filter(sold()).scalar()
    return {
        "books": Book.query.count(),
        "customers": User.query.filter_by(is_admin=False).count(),
        "open orders": Order.query.filter_by(status=Order.PLACED).count(),
        "reviews": db.session.query(func.count(Review.id)).scalar(),
        "revenue": int(revenue or 0),
    }


def revenue_by_month():
    """Return (year, month, orders, cents) of each month, the newest first."""
    year = extract("year", Order.created_at)
    month = extract("month", Order.created_at)
    rows = (
        db.session.query(year, month, func.count(Order.id.distinct()), REVENUE)
        .join(OrderItem.order)
        .filter(sold())
        .group_by(year, month)
        .order_by(year.desc(), month.desc())
    )
    return [tuple(int(value) for value in row) for row in rows]


def revenue_by_category():
    """Return (category, copies, cents, share of all), the biggest first."""
    rows = (
        db.session.query(Category.name, func.sum(OrderItem.quantity), REVENUE)
        .select_from(OrderItem)
        .join(OrderItem.order)
        .join(OrderItem.book)
        .join(Book.category)
        .filter(sold())
        .group_by(Category.name)
        .order_by(REVENUE.desc(), Category.name)
        .all()
    )
    total = sum(row[2] for row in rows)
    return [(name, int(copies), int(cents), float(cents / total)) for name, copies, cents in rows]


def sold():
    return Order.status != Order.CANCELLED
