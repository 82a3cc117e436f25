"""The cart, the checkout and a customer's orders."""

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    url_for,
)
from flask_login import current_user, login_required

from ..extensions import db
from ..models import Book, Order
from ..supplier_client import OutOfStock
from .basket import add_to_cart, cart_lines, empty_cart, set_quantity
from .forms import AddForm, CheckoutForm, QuantityForm
from .ordering import cancel_order, place_order

bp = Blueprint("cart", __name__)


def get_own_order(number):
    order = Order.query.filter_by(number=number).first_or_404()
    if order.user != current_user and not current_user.is_admin:
        abort(403)
    return order


@bp.get("/cart")
def show():
    lines = cart_lines()
    total_cents = sum(line.total_cents for line in lines)
    return render_template("cart/cart.html", lines=lines, total_cents=total_cents)


@bp.post("/cart/<int:book_id>/add")
def add(book_id):
    book = db.get_or_404(Book, book_id)
    form = AddForm()
    if form.validate_on_submit():
        add_to_cart(book.id, form.quantity.data)
        flash(f"“{book.title}” is in your cart.", "success")
    else:
        flash("That is not a number of copies that we can send.", "error")
    return redirect(url_for("cart.show"))


@bp.post("/cart/<int:book_id>")
def change(book_id):
    form = QuantityForm()
    if form.validate_on_submit():
        set_quantity(book_id, form.quantity.data)
    else:
        flash("That is not a number of copies that we can send.", "error")
    return redirect(url_for("cart.show"))


@bp.route("/checkout", methods=["GET", "POST"])
@login_required
def checkout():
    lines = cart_lines()
    if not lines:
        flash("Your cart is empty.", "info")
        return redirect(url_for("cart.show"))
    form = CheckoutForm(recipient=current_user.name)
    if form.validate_on_submit():
        try:
            order = place_order(
                current_user, lines, form.recipient.data, form.street.data, form.city.data
            )
        except OutOfStock:
            db.session.rollback()
            flash("Our supplier does not have that many copies.", "error")
            return redirect(url_for("cart.show"))
        empty_cart()
        flash("Thank you! A confirmation is on its way to you.", "success")
        return redirect(url_for("cart.order", number=order.number))
    total_cents = sum(line.total_cents for line in lines)
    return render_template("cart/checkout.html", form=form, lines=lines, total_cents=total_cents)


@bp.get("/orders")
@login_required
def orders():
    page = current_user.orders.order_by(Order.created_at.desc(), Order.id.desc()).paginate(
        per_page=current_app.config["ORDERS_PER_PAGE"]
    )
    return render_template("cart/orders.html", page=page)


@bp.get("/orders/<number>")
@login_required
def order(number):
    return render_template("cart/order.html", order=get_own_order(number))


@bp.get("/orders/<number>/invoice")
@login_required
def invoice(number):
    text = render_template("cart/invoice.txt", order=get_own_order(number))
    return Response(
        text,
        mimetype="text/plain",
        headers={"Content-Disposition": f"attachment; filename=invoice-{number}.txt"},
    )


@bp.post("/orders/<number>/cancel")
@login_required
def cancel(number):
    order = get_own_order(number)
    if order.status == Order.PLACED:
        cancel_order(order)
        flash(f"Order {number} is cancelled.", "success")
    else:
        flash(f"Order {number} is already {order.status}.", "error")
    return redirect(url_for("cart.order", number=number))
