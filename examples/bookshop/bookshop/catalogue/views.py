"""The pages that everybody sees."""

import uuid

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from flask_login import current_user, login_required

from ..extensions import db, redis_store, supplier
from ..models import Author, Book, Category, Review
from ..supplier_client import SupplierError
from .forms import ReviewForm
from .queries import best_rated, bestsellers, books_by_ids, newest_books, search_books

bp = Blueprint("catalogue", __name__)


def visitor_id():
    if "visitor" not in session:
        session["visitor"] = uuid.uuid4().hex
    return session["visitor"]


def get_book(slug):
    return Book.query.filter_by(slug=slug).first_or_404("We do not have this book.")


@bp.get("/")
def home():
    return render_template(
        "catalogue/home.html",
        bestsellers=bestsellers(),
        newest=newest_books(),
        best_rated=best_rated(),
        viewed=books_by_ids(redis_store.recently_viewed(visitor_id())),
    )


@bp.get("/books")
def books():
    text = request.args.get("q", "").strip()
    order = request.args.get("order", "title")
    page = search_books(text, order=order).paginate(per_page=current_app.config["BOOKS_PER_PAGE"])
    return render_template("catalogue/books.html", page=page, text=text, order=order)


@bp.get("/categories/<slug>")
def category(slug):
    category = Category.query.filter_by(slug=slug).first_or_404()
    order = request.args.get("order", "title")
    page = search_books(category=category, order=order).paginate(
        per_page=current_app.config["BOOKS_PER_PAGE"]
    )
    return render_template("catalogue/books.html", page=page, category=category, order=order)


@bp.get("/authors/<int:author_id>")
def author(author_id):
    author = db.get_or_404(Author, author_id)
    return render_template("catalogue/author.html", author=author)


@bp.get("/books/<slug>")
def book(slug):
    book = get_book(slug)
    redis_store.remember_viewed(visitor_id(), book.id)
    related = (
        book.category.books.filter(Book.id != book.id).order_by(Book.price_cents, Book.id).limit(4)
    )
    return render_template("catalogue/book.html", book=book, related=related, form=ReviewForm())


@bp.get("/books/<slug>/availability")
def availability(slug):
    """Return the fragment that the book's page loads when it is shown."""
    book = get_book(slug)
    at_supplier = None
    try:
        at_supplier = supplier.stock(book.isbn)
    except SupplierError:
        current_app.logger.warning("no availability for %s", book.isbn)
    return render_template("catalogue/_availability.html", book=book, at_supplier=at_supplier)


@bp.get("/books/<slug>/cover")
def cover(slug):
    book = get_book(slug)
    if book.cover:
        return send_from_directory(current_app.config["COVER_FOLDER"], book.cover, max_age=3600)
    drawing = render_template("catalogue/cover.svg", book=book)
    return Response(drawing, mimetype="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


@bp.post("/books/<slug>/reviews")
@login_required
def review(slug):
    book = get_book(slug)
    form = ReviewForm()
    if not form.validate_on_submit():
        flash("A review needs a rating and a text.", "error")
    elif Review.query.filter_by(book_id=book.id, user_id=current_user.id).first():
        flash("You have already reviewed this book.", "error")
    else:
        db.session.add(
            Review(
                book_id=book.id,
                user_id=current_user.id,
                rating=form.rating.data,
                text=form.text.data.strip(),
            )
        )
        db.session.commit()
        flash("Thank you for your review.", "success")
    return redirect(url_for("catalogue.book", slug=slug) + "#reviews")
