"""What the staff sees."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from functools import wraps

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_login import current_user, login_required
from sqlalchemy.orm import joinedload

from ..covers import NotAnImage, delete_cover, save_cover
from ..extensions import cache, db
from ..mail import send_mail
from ..models import Author, Book, Category, Order, OrderItem, slugify, utcnow
from ..prices import BadPriceList, read_price_list, update_prices
from .forecast import forecast_demand
from .forms import BookForm, PriceListForm
from .reports import revenue_by_category, revenue_by_month, shop_totals

bp = Blueprint("admin", __name__)


def staff_only(view):
    @wraps(view)
    @login_required
    def checked_view(*args, **kwargs):
        if not current_user.is_admin:
            abort(403)
        return view(*args, **kwargs)

    return checked_view


@bp.get("/")
@staff_only
def dashboard():
    latest = (
        Order.query.options(joinedload(Order.user))
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(10)
    )
    low_stock = Book.query.filter(Book.stock < 5).order_by(Book.stock, Book.title).limit(10)
    return render_template(
        "admin/dashboard.html", totals=shop_totals(), latest=latest, low_stock=low_stock
    )


@bp.get("/reports/sales")
@staff_only
def sales_report():
    return render_template(
        "admin/sales.html", months=revenue_by_month(), categories=revenue_by_category()
    )


@bp.get("/reports/forecast")
@staff_only
def forecast_report():
    """Simulate the demand of the next weeks. This takes its time."""
    days = min(request.args.get("days", 30, type=int), 90)
    since = utcnow() - timedelta(days=180)
    sales = (
        db.session.query(OrderItem.book_id, Order.created_at, OrderItem.quantity)
        .join(OrderItem.order)
        .filter(Order.created_at >= since, Order.status != Order.CANCELLED)
        .all()
    )
    books = Book.query.order_by(Book.title).all()
    rows = forecast_demand(
        books, sales, since, days=days, rounds=current_app.config["FORECAST_ROUNDS"]
    )
    return render_template("admin/forecast.html", rows=rows, days=days)


@bp.get("/orders.csv")
@staff_only
def export_orders():
    """Send all orders, line by line."""

    def batches():
        last_id = 0
        while batch := Order.query.filter(Order.id > last_id).order_by(Order.id).limit(50).all():
            yield batch
            last_id = batch[-1].id

    def lines():
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(["number", "date", "customer", "status", "isbn", "copies", "cents"])
        for orders in batches():
            for item in (item for order in orders for item in order.items):
                writer.writerow(
                    [
                        item.order.number,
                        item.order.created_at.date().isoformat(),
                        item.order.user.email,
                        item.order.status,
                        item.book.isbn,
                        item.quantity,
                        item.total_cents,
                    ]
                )
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
        yield buffer.getvalue()

    return Response(
        stream_with_context(lines()),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=orders.csv"},
    )


@bp.post("/orders/<number>/ship")
@staff_only
def ship(number):
    order = Order.query.filter_by(number=number).first_or_404()
    if order.status != Order.PLACED:
        flash(f"Order {number} is already {order.status}.", "error")
    else:
        order.status = Order.SHIPPED
        db.session.commit()
        send_mail(order.user.email, f"Order {number} is on its way", "order_shipped", order=order)
        flash(f"Order {number} is shipped.", "success")
    return redirect(url_for("admin.dashboard"))


@bp.route("/books/new", methods=["GET", "POST"])
@staff_only
def new_book():
    return edit(Book(), BookForm())


@bp.route("/books/<int:book_id>", methods=["GET", "POST"])
@staff_only
def edit_book(book_id):
    book = db.get_or_404(Book, book_id)
    values = {
        "title": book.title,
        "isbn": book.isbn,
        "authors": book.author_names,
        "category_id": book.category_id,
        "price": Decimal(book.price_cents) / 100,
        "stock": book.stock,
        "published": book.published,
        "pages": book.pages,
        "summary": book.summary,
    }
    return edit(book, BookForm(book=book, data=values))


def edit(book, form):
    categories = Category.query.order_by(Category.name)
    form.category_id.choices = [(category.id, category.name) for category in categories]
    if form.validate_on_submit():
        try:
            fill_book(book, form)
        except NotAnImage:
            db.session.rollback()
            form.cover.errors = ["This file is not an image."]
        else:
            db.session.add(book)
            db.session.commit()
            cache.clear()
            flash(f"“{book.title}” is saved.", "success")
            return redirect(url_for("catalogue.book", slug=book.slug))
    return render_template("admin/book.html", book=book, form=form)


def fill_book(book, form):
    if form.cover.data:
        old_cover = book.cover
        book.cover = save_cover(form.cover.data)
        delete_cover(old_cover)
    with db.session.no_autoflush:
        book.title = form.title.data
        book.isbn = form.isbn.data
        book.slug = book.slug or f"{slugify(form.title.data)}-{form.isbn.data[-5:]}"
        book.summary = form.summary.data
        book.category_id = form.category_id.data
        book.published = form.published.data
        book.pages = form.pages.data
        book.stock = form.stock.data
        price_cents = round(form.price.data * 100)
        if book.price_cents is None:
            book.price_cents = price_cents
        else:
            book.change_price(price_cents)
        book.authors = [
            Author.query.filter_by(name=name).first() or Author(name=name)
            for name in dict.fromkeys(name.strip() for name in form.authors.data.split(","))
            if name
        ]


@bp.post("/books/<int:book_id>/delete")
@staff_only
def delete_book(book_id):
    book = db.get_or_404(Book, book_id)
    if OrderItem.query.filter_by(book_id=book.id).first():
        flash(f"“{book.title}” was ordered and has to stay.", "error")
        return redirect(url_for("catalogue.book", slug=book.slug))
    cover = book.cover
    db.session.delete(book)
    db.session.commit()
    delete_cover(cover)
    cache.clear()
    flash(f"“{book.title}” is gone.", "success")
    return redirect(url_for("admin.dashboard"))


@bp.route("/prices", methods=["GET", "POST"])
@staff_only
def prices():
    form = PriceListForm()
    if form.validate_on_submit():
        try:
            lines = io.TextIOWrapper(form.file.data.stream, encoding="utf-8-sig", newline="")
            price_list = read_price_list(lines)
            lines.detach()
        except (BadPriceList, UnicodeDecodeError) as error:
            flash(f"This price list cannot be read: {error}", "error")
        else:
            changed, unknown = update_prices(price_list)
            cache.clear()
            flash(f"{changed} prices changed, {len(unknown)} unknown books.", "success")
            return redirect(url_for("admin.prices"))
    return render_template("admin/prices.html", form=form)
