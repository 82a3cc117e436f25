"""The wholesaler's web service: stock, prices, reservations."""

import logging
import time

import requests
from flask import current_app

log = logging.getLogger(__name__)

PRICES_PER_REQUEST = 20


class SupplierError(Exception):
    """The supplier did not answer, or not with what was asked for."""


class OutOfStock(SupplierError):
    """The supplier cannot deliver that many copies."""


class Supplier:
    def init_app(self, app):
        app.extensions["supplier"] = self

    def stock(self, isbn):
        """Return the supplier's stock of a book: available, delivery_days."""
        return self._request("GET", f"/v1/stock/{isbn}")

    def prices(self, isbns):
        """Return the supplier's prices in cents, by ISBN."""
        found = {}
        for start in range(0, len(isbns), PRICES_PER_REQUEST):
            batch = ",".join(isbns[start : start + PRICES_PER_REQUEST])
            answer = self._request("GET", "/v1/prices", params={"isbn": batch})
            found.update((price["isbn"], price["price_cents"]) for price in answer["prices"])
        return found

    def reserve(self, isbn, quantity, reference):
        """Reserve copies and return the supplier's reservation number."""
        order = {"isbn": isbn, "quantity": quantity, "reference": reference}
        return self._request("POST", "/v1/reservations", json=order)["reservation"]

    def _request(self, method, path, **kwargs):
        config = current_app.config
        attempts = config["SUPPLIER_ATTEMPTS"]
        for attempt in range(1, attempts + 1):
            try:
                response = requests.request(
                    method,
                    config["SUPPLIER_URL"] + path,
                    headers={"X-Api-Key": config["SUPPLIER_API_KEY"]},
                    timeout=config["SUPPLIER_TIMEOUT"],
                    **kwargs,
                )
                if response.status_code == requests.codes.conflict:
                    raise OutOfStock(path)
                response.raise_for_status()
                return response.json()
            except requests.RequestException as error:
                log.warning("supplier, attempt %s of %s: %s", attempt, attempts, error)
                if attempt == attempts:
                    raise SupplierError(f"{method} {path} failed") from error
                time.sleep(config["SUPPLIER_BACKOFF"] * attempt)
