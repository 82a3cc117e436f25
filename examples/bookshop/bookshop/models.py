"""The tables."""

import re
import secrets
import unicodedata
from datetime import UTC, datetime

from flask import current_app
from flask_login import UserMixin
from sqlalchemy.orm import validates
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import db, login_manager


def utcnow():
    """Return the time in UTC without a zone, which every database can store."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def slugify(text):
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:120] or "book"


class User(UserMixin, db.Model):
    __tablename__ = "users"

    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(190), unique=True, nullable=False)
    name = db.Column(db.String(100), nullable=False)
    password_hash = db.Column(db.String(255), nullable=False)
    is_admin = db.Column(db.Boolean, nullable=False, default=False)
    api_token = db.Column(db.String(64), unique=True)
    created_at = db.Column(db.DateTime, nullable=False, default=utcnow)
    last_seen_at = db.Column(db.DateTime)

    orders = db.relationship("Order", back_populates="user", lazy="dynamic")
    reviews = db.relationship("Review", back_populates="user", cascade="all, delete-orphan")

    @validates("email")
    def lower_email(self, key, email):
        return email.strip().lower()

    def set_password(self, password):
        self.password_hash = generate_password_hash(
            password, method=current_app.config["PASSWORD_METHOD"]
        )

    def check_password(self, password):
        return check_password_hash(self.password_hash, password)

    def new_api_token(self):
        self.api_token = secrets.token_hex(20)
        return self.api_token


@login_manager.user_loader
def load_user(user_id):
    return db.session.get(User, int(user_id))


book_authors = db.Table(
    "book_authors",
    db.Column("book_id", db.ForeignKey("books.id", ondelete="CASCADE"), primary_key=True),
    db.Column("author_id", db.ForeignKey("authors.id", ondelete="CASCADE"), primary_key=True),
)


class Author(db.Model):
    __tablename__ = "authors"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(120), unique=True, nullable=False)
    born = db.Column(db.Integer)
    biography = db.Column(db.Text, nullable=False, default="")

    books = db.relationship(
        "Book", secondary=book_authors, back_populates="authors", order_by="Book.published"
    )


class Category(db.Model):
    __tablename__ = "categories"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), unique=True, nullable=False)
    slug = db.Column(db.String(120), unique=True, nullable=False)

    books = db.relationship("Book", back_populates="category", lazy="dynamic")


class Book(db.Model):
    __tablename__ = "books"

    id = db.Column(db.Integer, primary_key=True)
    isbn = db.Column(db.String(13), unique=True, nullable=False)
    slug = db.Column(db.String(140), unique=True, nullable=False)
    title = db.Column(db.String(200), nullable=False, index=True)
    summary = db.Column(db.Text, nullable=False, default="")
    published = db.Column(db.Integer)
    pages = db.Column(db.Integer)
    price_cents = db.Column(db.Integer, nullable=False)
    stock = db.Column(db.Integer, nullable=False, default=0)
    cover = db.Column(db.String(80))
    category_id = db.Column(db.ForeignKey("categories.id"), nullable=False, index=True)
    created_at = db.Column(db.DateTime, nullable=False, default=utcnow)

    category = db.relationship("Category", back_populates="books")
    authors = db.relationship(
        "Author", secondary=book_authors, back_populates="books", order_by="Author.name"
    )
    reviews = db.relationship(
        "Review",
        back_populates="book",
        cascade="all, delete-orphan",
        order_by="Review.id.desc()",
    )
    price_changes = db.relationship(
        "PriceChange",
        back_populates="book",
        cascade="all, delete-orphan",
        order_by="PriceChange.id.desc()",
    )

    @property
    def author_names(self):
        return ", ".join(author.name for author in self.authors)

    @property
    def rating(self):
        """The mean of the readers' ratings, None without any."""
        if not self.reviews:
            return None
        return sum(review.rating for review in self.reviews) / len(self.reviews)

    def change_price(self, price_cents):
        """Set the price and keep the old one; return whether it differs."""
        if price_cents == self.price_cents:
            return False
        self.price_changes.append(PriceChange(old_cents=self.price_cents, new_cents=price_cents))
        self.price_cents = price_cents
        return True

    def to_dict(self):
        return {
            "isbn": self.isbn,
            "slug": self.slug,
            "title": self.title,
            "authors": [author.name for author in self.authors],
            "category": self.category.slug,
            "published": self.published,
            "pages": self.pages,
            "price_cents": self.price_cents,
            "stock": self.stock,
        }


class Review(db.Model):
    __tablename__ = "reviews"
    __table_args__ = (db.UniqueConstraint("book_id", "user_id"),)

    id = db.Column(db.Integer, primary_key=True)
    book_id = db.Column(db.ForeignKey("books.id"), nullable=False)
    user_id = db.Column(db.ForeignKey("users.id"), nullable=False)
    rating = db.Column(db.Integer, nullable=False)
    text = db.Column(db.Text, nullable=False, default="")
    created_at = db.Column(db.DateTime, nullable=False, default=utcnow)

    book = db.relationship("Book", back_populates="reviews")
    user = db.relationship("User", back_populates="reviews")


class PriceChange(db.Model):
    __tablename__ = "price_changes"

    id = db.Column(db.Integer, primary_key=True)
    book_id = db.Column(db.ForeignKey("books.id"), nullable=False)
    old_cents = db.Column(db.Integer, nullable=False)
    new_cents = db.Column(db.Integer, nullable=False)
    changed_at = db.Column(db.DateTime, nullable=False, default=utcnow)

    book = db.relationship("Book", back_populates="price_changes")


class Order(db.Model):
    __tablename__ = "orders"

    PLACED = "placed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"

    id = db.Column(db.Integer, primary_key=True)
    number = db.Column(db.String(20), unique=True, nullable=False)
    user_id = db.Column(db.ForeignKey("users.id"), nullable=False, index=True)
    status = db.Column(db.String(20), nullable=False, default=PLACED)
    recipient = db.Column(db.String(100), nullable=False)
    street = db.Column(db.String(120), nullable=False)
    city = db.Column(db.String(100), nullable=False)
    created_at = db.Column(db.DateTime, nullable=False, default=utcnow, index=True)

    user = db.relationship("User", back_populates="orders")
    items = db.relationship(
        "OrderItem", back_populates="order", cascade="all, delete-orphan", order_by="OrderItem.id"
    )

    @staticmethod
    def new_number():
        return f"B-{secrets.token_hex(4).upper()}"

    @property
    def total_cents(self):
        return sum(item.total_cents for item in self.items)

    @property
    def total_copies(self):
        return sum(item.quantity for item in self.items)


class OrderItem(db.Model):
    __tablename__ = "order_items"

    id = db.Column(db.Integer, primary_key=True)
    order_id = db.Column(db.ForeignKey("orders.id"), nullable=False, index=True)
    book_id = db.Column(db.ForeignKey("books.id"), nullable=False, index=True)
    quantity = db.Column(db.Integer, nullable=False)
    price_cents = db.Column(db.Integer, nullable=False)
    reserved = db.Column(db.Integer, nullable=False, default=0)
    reservation = db.Column(db.String(40))

    order = db.relationship("Order", back_populates="items")
    book = db.relationship("Book")

    @property
    def total_cents(self):
        return self.quantity * self.price_cents
