"""Commands: `flask init-db`, `flask seed`, `flask import-prices`."""

import os

import click
from flask import current_app
from flask.cli import with_appcontext

from .extensions import cache, db
from .models import Book
from .prices import BadPriceList, read_price_list, supplier_prices, update_prices
from .sample_data import fill
from .supplier_client import SupplierError


@click.command("init-db")
@click.option("--drop", is_flag=True, help="Delete all tables first.")
@with_appcontext
def init_db(drop):
    """Create the tables."""
    os.makedirs(current_app.instance_path, exist_ok=True)
    if drop:
        db.drop_all()
    db.create_all()
    click.echo("The tables are there.")


@click.command("seed")
@click.option("--orders", default=200, show_default=True, help="Number of orders.")
@with_appcontext
def seed(orders):
    """Fill an empty shop with sample books, customers and orders."""
    if Book.query.first() is not None:
        click.echo("There are already books in the shop.")
        return
    counts = fill(orders)
    cache.clear()
    click.echo(", ".join(f"{number} {name}" for name, number in counts.items()))
    click.echo("Log in as admin@example.com or reader1@example.com, password `bookshop`.")


@click.command("import-prices")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"), required=False)
@with_appcontext
def import_prices(file):
    """Set the prices from FILE (lines of `isbn,price`), or from the supplier."""
    try:
        prices = supplier_prices() if file is None else read_price_list(file)
    except (BadPriceList, SupplierError) as error:
        raise click.ClickException(str(error)) from error
    changed, unknown = update_prices(prices)
    cache.clear()
    click.echo(f"{changed} prices changed.")
    for isbn in unknown:
        click.echo(f"We do not sell {isbn}.", err=True)


def init_app(app):
    for command in (init_db, seed, import_prices):
        app.cli.add_command(command)
