"""Objects: connected pixels of a mask over any chunking, and the table that measures them."""

from engine.objects.connect import connect
from engine.objects.measure import measure

__all__ = ["connect", "measure"]
