from . import stock


def place(title):
    return stock.reserve(title)


def cancel(title):
    return stock.release(title)
