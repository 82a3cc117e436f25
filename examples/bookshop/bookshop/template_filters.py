"""Filters for the templates."""

from markupsafe import Markup


def money(cents):
    cents = int(cents or 0)
    return f"€ {cents // 100:,}.{cents % 100:02d}"


def stars(rating):
    if rating is None:
        return ""
    full = round(rating)
    label = f"{rating:.1f} of 5"
    return Markup('<span class="stars" title="{}">{}<i>{}</i></span>').format(
        label, "★" * full, "★" * (5 - full)
    )


def hue(text):
    """Return a colour's angle for a text, always the same one."""
    return sum(ord(letter) * (place + 7) for place, letter in enumerate(text)) % 360


def init_app(app):
    app.add_template_filter(money)
    app.add_template_filter(stars)
    app.add_template_filter(hue)
