"""How many copies of each book the next weeks need: a simulation, pure arithmetic."""

import random
from collections import defaultdict
from dataclasses import dataclass

from ..models import Book

HISTORY_DAYS = 180


@dataclass
class Forecast:
    book: Book
    expected: float
    likely_most: int
    sold_out_share: float


def forecast_demand(books, sales, since, *, days, rounds, seed=1):
    """Draw the demand of `days` days from the past, `rounds` times, for every book."""
    history = daily_sales(sales, since)
    dice = random.Random(seed)
    rows = [simulate(book, history[book.id], days, rounds, dice) for book in books]
    return sorted(rows, key=lambda row: (-row.sold_out_share, -row.expected, row.book.title))


def daily_sales(sales, since):
    """Return the copies sold on each day, by book."""
    history = defaultdict(lambda: [0] * HISTORY_DAYS)
    for book_id, sold_at, quantity in sales:
        history[book_id][min((sold_at - since).days, HISTORY_DAYS - 1)] += quantity
    return history


def simulate(book, history, days, rounds, dice):
    demands = sorted(sum(dice.choices(history, k=days)) for _ in range(rounds))
    return Forecast(
        book=book,
        expected=sum(demands) / rounds,
        likely_most=demands[int(rounds * 0.95)],
        sold_out_share=sum(demand > book.stock for demand in demands) / rounds,
    )
