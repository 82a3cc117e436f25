"""From a cart to an order, and back."""

from ..extensions import db, supplier
from ..mail import send_mail
from ..models import Book, Order, OrderItem
from ..supplier_client import OutOfStock


def place_order(user, lines, recipient, street, city):
    """Make the order: from our shelves what is there, the rest reserved at the supplier."""
    order = Order(
        number=Order.new_number(), user_id=user.id, recipient=recipient, street=street, city=city
    )
    for line in lines:
        order.items.append(reserve_copies(line, order.number))
    # The supplier is slow: only now do we lock the books.
    for item in order.items:
        book = Book.query.filter_by(id=item.book_id).with_for_update().populate_existing().one()
        if book.stock < item.quantity - item.reserved:
            raise OutOfStock(book.isbn)
        book.stock -= item.quantity - item.reserved
    db.session.add(order)
    db.session.commit()
    send_mail(user.email, f"Your order {order.number}", "order_placed", order=order)
    return order


def reserve_copies(line, number):
    """Make the order's item, with the copies that we lack reserved at the supplier."""
    item = OrderItem(
        book_id=line.book.id, quantity=line.quantity, price_cents=line.book.price_cents, reserved=0
    )
    missing = line.quantity - line.book.stock
    if missing > 0:
        item.reserved = missing
        item.reservation = supplier.reserve(line.book.isbn, missing, number)
    return item


def cancel_order(order):
    """Put the copies back on the shelves."""
    for item in order.items:
        item.book.stock += item.quantity - item.reserved
    order.status = Order.CANCELLED
    db.session.commit()
    send_mail(order.user.email, f"Order {order.number} cancelled", "order_cancelled", order=order)
