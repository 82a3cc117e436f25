from .basket import cart_count
from .views import bp

__all__ = ["bp", "cart_count"]
