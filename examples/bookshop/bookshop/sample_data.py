"""Books, customers and orders to try the shop with. The same every time."""

import random
from datetime import timedelta

from .extensions import db
from .models import Author, Book, Category, Order, OrderItem, Review, User, slugify, utcnow

# Category: title, author, the author's year of birth, year, pages, price in cents.
BOOKS = {
    "Adventure": [
        ("Treasure Island", "Robert Louis Stevenson", 1850, 1883, 292, 1190),
        ("Kidnapped", "Robert Louis Stevenson", 1850, 1886, 248, 1090),
        ("King Solomon's Mines", "H. Rider Haggard", 1856, 1885, 320, 1290),
        ("The Three Musketeers", "Alexandre Dumas", 1802, 1844, 700, 1890),
        ("The Count of Monte Cristo", "Alexandre Dumas", 1802, 1846, 1276, 2490),
        ("Around the World in Eighty Days", "Jules Verne", 1828, 1873, 252, 990),
        ("The Call of the Wild", "Jack London", 1876, 1903, 172, 890),
        ("Moby-Dick", "Herman Melville", 1819, 1851, 720, 1790),
    ],
    "Classics": [
        ("Pride and Prejudice", "Jane Austen", 1775, 1813, 432, 1190),
        ("Emma", "Jane Austen", 1775, 1815, 474, 1190),
        ("Persuasion", "Jane Austen", 1775, 1817, 249, 990),
        ("Jane Eyre", "Charlotte Brontë", 1816, 1847, 532, 1390),
        ("Wuthering Heights", "Emily Brontë", 1818, 1847, 416, 1290),
        ("Middlemarch", "George Eliot", 1819, 1871, 880, 1890),
        ("Great Expectations", "Charles Dickens", 1812, 1861, 544, 1390),
        ("Bleak House", "Charles Dickens", 1812, 1853, 1036, 1990),
        ("Anna Karenina", "Leo Tolstoy", 1828, 1877, 864, 2190),
        ("Crime and Punishment", "Fyodor Dostoevsky", 1821, 1866, 576, 1590),
    ],
    "Detective stories": [
        ("A Study in Scarlet", "Arthur Conan Doyle", 1859, 1887, 192, 890),
        ("The Hound of the Baskervilles", "Arthur Conan Doyle", 1859, 1902, 256, 1090),
        ("The Moonstone", "Wilkie Collins", 1824, 1868, 528, 1490),
        ("The Woman in White", "Wilkie Collins", 1824, 1859, 672, 1590),
        ("The Innocence of Father Brown", "G. K. Chesterton", 1874, 1911, 240, 1090),
        ("Tales of Mystery", "Edgar Allan Poe", 1809, 1845, 368, 1290),
    ],
    "Science fiction": [
        ("The Time Machine", "H. G. Wells", 1866, 1895, 128, 790),
        ("The War of the Worlds", "H. G. Wells", 1866, 1898, 192, 890),
        ("The Invisible Man", "H. G. Wells", 1866, 1897, 176, 890),
        ("Twenty Thousand Leagues under the Seas", "Jules Verne", 1828, 1870, 496, 1490),
        ("Journey to the Centre of the Earth", "Jules Verne", 1828, 1864, 272, 1090),
        ("Frankenstein", "Mary Shelley", 1797, 1818, 288, 990),
        ("Flatland", "Edwin A. Abbott", 1838, 1884, 112, 790),
    ],
    "For children": [
        ("Alice's Adventures in Wonderland", "Lewis Carroll", 1832, 1865, 144, 1290),
        ("Through the Looking-Glass", "Lewis Carroll", 1832, 1871, 160, 1290),
        ("The Wind in the Willows", "Kenneth Grahame", 1859, 1908, 240, 1390),
        ("The Jungle Book", "Rudyard Kipling", 1865, 1894, 224, 1190),
        ("Peter and Wendy", "J. M. Barrie", 1860, 1911, 208, 1090),
        ("The Wonderful Wizard of Oz", "L. Frank Baum", 1856, 1900, 272, 1290),
        ("Black Beauty", "Anna Sewell", 1820, 1877, 256, 990),
        ("Five Children and It", "E. Nesbit", 1858, 1902, 224, 990),
    ],
}

READERS = "Ada Bram Cleo Dora Emil Finn Greta Hugo Iris Jonas Kira Leo Mara Nils Olga Paul".split()
CITIES = ("1010 Vienna", "80331 Munich", "8001 Zurich", "1012 Amsterdam", "11455 Stockholm")
OPINIONS = {
    5: ("I read it in two nights and started again.", "The best book of my year."),
    4: ("Very good, with some slow chapters.", "I have already given it to a friend."),
    3: ("Well written, but it did not move me.", "Good for a long train ride."),
    2: ("Not for me. The beginning is too long.",),
}


def fill(number_of_orders, seed=42):
    """Fill the empty tables; return how much there is of each kind."""
    dice = random.Random(seed)
    books = add_books(dice)
    users = add_users()
    db.session.flush()
    add_reviews(dice, books, users)
    add_orders(dice, books, users, number_of_orders)
    db.session.commit()
    return {"books": len(books), "customers": len(users), "orders": number_of_orders}


def make_isbn(number):
    """Return a well-formed ISBN-13 of the range that nobody uses."""
    digits = f"97800{number:07d}"
    weighted = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def add_books(dice):
    authors, books = {}, []
    for name, rows in BOOKS.items():
        category = Category(name=name, slug=slugify(name))
        for title, author, born, published, pages, price_cents in rows:
            if author not in authors:
                authors[author] = Author(name=author, born=born)
            book = Book(
                isbn=make_isbn(1000 + 37 * len(books)),
                title=title,
                slug=slugify(title),
                published=published,
                pages=pages,
                price_cents=price_cents,
                stock=dice.choice([0, 2, 4, 9, 14, 25, 40]),
                summary=f"{title} by {author}, first published in {published}: the full text, "
                "with an introduction and notes. Sewn binding, good paper, a ribbon.",
                category=category,
                authors=[authors[author]],
                created_at=utcnow() - timedelta(days=dice.randrange(700)),
            )
            books.append(book)
    db.session.add_all(books)
    return books


def add_users():
    admin = User(email="admin@example.com", name="Staff", is_admin=True)
    readers = [
        User(email=f"reader{number}@example.com", name=name)
        for number, name in enumerate(READERS, start=1)
    ]
    admin.set_password("bookshop")
    admin.new_api_token()
    for reader in readers:
        reader.password_hash = admin.password_hash
    db.session.add_all([admin, *readers])
    return readers


def add_reviews(dice, books, users):
    for book in books:
        for user in dice.sample(users, dice.randrange(5)):
            rating = dice.choices([5, 4, 3, 2], weights=[5, 6, 3, 1])[0]
            text = dice.choice(OPINIONS[rating])
            review = Review(book_id=book.id, user_id=user.id, rating=rating, text=text)
            review.created_at = utcnow() - timedelta(days=dice.randrange(300))
            db.session.add(review)


def add_orders(dice, books, users, number_of_orders):
    popularity = [dice.paretovariate(1.2) for _ in books]
    for number in range(number_of_orders):
        age = timedelta(days=dice.randrange(1, 180), minutes=dice.randrange(1440))
        user = dice.choice(users)
        status = Order.PLACED if age.days < 4 else Order.SHIPPED
        order = Order(
            number=f"B-{number + 1:08d}",
            user_id=user.id,
            status=dice.choices([status, Order.CANCELLED], weights=[19, 1])[0],
            recipient=user.name,
            street=f"Library Lane {dice.randrange(1, 90)}",
            city=dice.choice(CITIES),
            created_at=utcnow() - age,
        )
        chosen = dice.choices(books, weights=popularity, k=dice.choice([1, 1, 2, 3]))
        for book in dict.fromkeys(chosen):
            order.items.append(
                OrderItem(
                    book_id=book.id,
                    quantity=dice.choice([1, 1, 1, 2]),
                    price_cents=book.price_cents,
                )
            )
        db.session.add(order)
