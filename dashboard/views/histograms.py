"""Histograms of the objects that are shown, with a line where the chosen one lies."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import holoviews as hv
import pandas as pd
import panel as pn

from dashboard import theme
from dashboard.plots.object_charts import plot_distribution
from dashboard.views.charts import chart_pane
from dashboard.workspace.object_table import KEV, ObjectSelection
from dashboard.workspace.session import Session


class Distribution(NamedTuple):
    """A chart of the objects: a column, its name and units on screen, and the factor to those units.

    Without units, lengths are in that of the objects.
    """

    column: str
    label: str
    units: str = ""
    factor: float = 1.0
    axis: str = "log"


DISTRIBUTIONS: Final = (
    Distribution("area", "size", "px"),
    Distribution("energy", "energy", "keV", factor=1 / KEV),
)


class ObjectCharts:
    """A histogram a column of the objects that are shown, with a line where the chosen one lies."""

    def __init__(
        self,
        session: Session,
        objects: ObjectSelection,
        distributions: Sequence[Distribution] = DISTRIBUTIONS,
    ) -> None:
        self.session, self.objects = session, objects
        charts = [self._chart(each) for each in distributions]
        self.root = pn.Row(*charts, sizing_mode="stretch_both", margin=0)

    def _chart(self, of: Distribution) -> Any:
        streams = {"shown": self.objects.param.shown, "object_id": self.session.param.object_id}

        def draw(shown: pd.DataFrame, object_id: int) -> hv.Overlay:
            row = self.objects.row(object_id)
            return plot_distribution(
                shown[of.column].to_numpy(float) * of.factor,
                label=of.label,
                units=of.units or self.objects.length,
                axis=of.axis,
                color=theme.ACCENT_DARK,
                mark=None if row is None else float(row[of.column]) * of.factor,
            )

        plot = hv.DynamicMap(draw, streams=hv.streams.Params.from_params(streams))
        pane = chart_pane(plot, options={"ylabel": "", "yticks": 3})
        pane.css_classes = ["chart", f"objects-{of.column}"]
        return pane
