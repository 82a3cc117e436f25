"""What customers asked for."""

wishes = {"a book": 3}


def get(name):
    return wishes.get(name, 0)
