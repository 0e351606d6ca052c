"""Objects: connected pixels over any chunking, the rules they obey, and the table that measures them."""

from engine.objects.connect import connect, connect_classes
from engine.objects.describe import describe_objects
from engine.objects.measure import measure, measure_plane
from engine.objects.rules import Rules
from engine.objects.tracks import Calibration

__all__ = [
    "Calibration",
    "Rules",
    "connect",
    "connect_classes",
    "describe_objects",
    "measure",
    "measure_plane",
]
