"""The JSON API."""

from functools import wraps

from flask import Blueprint, abort, current_app, g, request, url_for
from flask.views import MethodView
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import TooManyRequests

from ..catalogue.queries import search_books
from ..extensions import cache, db, redis_store, supplier
from ..models import Author, Book, Category, Order, OrderItem, User, slugify

bp = Blueprint("api", __name__)


def token_required(view):
    @wraps(view)
    def checked_view(*args, **kwargs):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        g.api_user = None
        if scheme.lower() == "bearer" and token:
            g.api_user = User.query.filter_by(api_token=token).first()
        if g.api_user is None:
            abort(401, "Send your key as `Authorization: Bearer KEY`.")
        return view(*args, **kwargs)

    return checked_view


def staff_only(view):
    @wraps(view)
    def checked_view(*args, **kwargs):
        if not g.api_user.is_admin:
            abort(403, "This is for the staff.")
        return view(*args, **kwargs)

    return checked_view


@bp.before_request
def limit_rate():
    number = redis_store.count_request(request.remote_addr)
    if number > current_app.config["API_REQUESTS_PER_MINUTE"]:
        raise TooManyRequests("Too many requests in this minute.", retry_after=60)


def get_book(isbn):
    return Book.query.filter_by(isbn=isbn).first_or_404("There is no book with this ISBN.")


def read_book(book, data):
    """Copy the fields of a JSON object into a book; 400 when they do not fit."""
    if not isinstance(data, dict):
        abort(400, "The body is not a JSON object.")
    for name, kind in {"title": str, "summary": str, "stock": int, "pages": int}.items():
        if name in data:
            if type(data[name]) is not kind or (kind is int and data[name] < 0):
                abort(400, f"`{name}` is not of the right type.")
            setattr(book, name, data[name])
    if "price_cents" in data:
        if type(data["price_cents"]) is not int or data["price_cents"] < 0:
            abort(400, "`price_cents` is not a whole number of cents.")
        if book.price_cents is None:
            book.price_cents = data["price_cents"]
        else:
            book.change_price(data["price_cents"])
    if "category" in data:
        book.category = Category.query.filter_by(slug=str(data["category"])).first()
        if book.category is None:
            abort(400, f"There is no category {data['category']!r}.")
    if "authors" in data:
        names = data["authors"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            abort(400, "`authors` is not a list of names.")
        book.authors = [
            Author.query.filter_by(name=name).first() or Author(name=name) for name in names
        ]


class BooksAPI(MethodView):
    @cache.cached(timeout=30, query_string=True)
    def get(self):
        text = request.args.get("q", "").strip()
        per_page = request.args.get("per_page", current_app.config["BOOKS_PER_PAGE"], type=int)
        page = search_books(text).paginate(per_page=per_page, max_per_page=100)
        following = {**request.args, "page": page.next_num}
        return {
            "books": [book.to_dict() for book in page],
            "page": page.page,
            "pages": page.pages,
            "total": page.total,
            "next": url_for("api.books", **following) if page.has_next else None,
        }

    @token_required
    @staff_only
    def post(self):
        data = request.get_json()
        book = Book()
        with db.session.no_autoflush:
            read_book(book, data)
        missing = {"isbn", "title", "price_cents", "category"} - set(data)
        if missing:
            abort(400, f"Missing: {', '.join(sorted(missing))}.")
        book.isbn = str(data["isbn"])
        if len(book.isbn) != 13 or not book.isbn.isdigit():
            abort(400, "An ISBN has 13 digits.")
        book.slug = f"{slugify(book.title)}-{book.isbn[-5:]}"
        db.session.add(book)
        try:
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
            abort(409, "There is already a book with this ISBN.")
        cache.clear()
        location = url_for("api.book", isbn=book.isbn)
        return book.to_dict(), 201, {"Location": location}


class BookAPI(MethodView):
    def get(self, isbn):
        book = get_book(isbn)
        return {
            **book.to_dict(),
            "summary": book.summary,
            "rating": book.rating,
            "reviews": [
                {"by": review.user.name, "rating": review.rating, "text": review.text}
                for review in book.reviews
            ],
        }

    @token_required
    @staff_only
    def patch(self, isbn):
        book = get_book(isbn)
        read_book(book, request.get_json())
        db.session.commit()
        cache.clear()
        return book.to_dict()

    @token_required
    @staff_only
    def delete(self, isbn):
        book = get_book(isbn)
        if OrderItem.query.filter_by(book_id=book.id).first():
            abort(409, "This book was ordered and has to stay.")
        db.session.delete(book)
        db.session.commit()
        cache.clear()
        return "", 204


class StockAPI(MethodView):
    def get(self, isbn):
        book = get_book(isbn)
        at_supplier = supplier.stock(book.isbn)
        return {"isbn": book.isbn, "in_shop": book.stock, "at_supplier": at_supplier}


class OrdersAPI(MethodView):
    decorators = (token_required,)

    def get(self):
        orders = g.api_user.orders.order_by(Order.id.desc()).limit(50)
        return {
            "orders": [
                {
                    "number": order.number,
                    "status": order.status,
                    "placed": order.created_at.isoformat(),
                    "total_cents": order.total_cents,
                    "items": [
                        {"isbn": item.book.isbn, "quantity": item.quantity} for item in order.items
                    ],
                }
                for order in orders
            ]
        }


@bp.get("/health")
def health():
    return {
        "books": db.session.query(func.count(Book.id)).scalar(),
        "redis": bool(redis_store.ping()),
    }


bp.add_url_rule("/books", view_func=BooksAPI.as_view("books"))
bp.add_url_rule("/books/<isbn>", view_func=BookAPI.as_view("book"))
bp.add_url_rule("/books/<isbn>/stock", view_func=StockAPI.as_view("stock"))
bp.add_url_rule("/orders", view_func=OrdersAPI.as_view("orders"))
