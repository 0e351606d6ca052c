"""The selection on the maps: one pixel, or a drawn region beside the classes."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import panel as pn

from dashboard.format import format_symbol, format_units
from dashboard.kit import Work, button, escape, markup
from dashboard.views.charts import SpectraPanel
from dashboard.workspace.drawn_region import RegionSummary, read_pixel, summarise_region
from dashboard.workspace.session import Session, pixel_units
from engine.schema import columns as c

HINT: Final = "Click a pixel, or draw with the lasso or box above a map."


class SelectionCard:
    """Statistics of the picked pixel and the drawn region; `use` gets what to do with the region."""

    def __init__(
        self, session: Session, work: Work, spectra: SpectraPanel, use: Callable[[str], None]
    ) -> None:
        self.session, self.work, self.spectra = session, work, spectra
        self.text = markup(f'<p class="empty">{HINT}</p>')
        self.tools = pn.Row(
            button("exclude", "region-exclude", lambda: use("exclude")),
            button("keep only", "region-keep", lambda: use("keep")),
            button("split its class", "region-split", lambda: use("split")),
            button("set class", "region-relabel", lambda: use("relabel")),
            visible=False,
            margin=0,
        )
        self.root = pn.Column(self.tools, self.text, sizing_mode="stretch_width", margin=0)
        self.region: RegionSummary | None = None
        session.param.watch(self._pixel, "pixel")
        session.param.watch(self._region, "region")

    def _pixel(self, *_: Any) -> None:
        stack, pixel = self.session.stack, self.session.pixel
        if stack is None or pixel is None:
            self.spectra.picked = {}
            self._draw()
            return

        def show(values: Any) -> None:
            self.spectra.picked = values
            self._draw()

        self.work.run(lambda: read_pixel(stack, *pixel), show, key="pixel")

    def _region(self, *_: Any) -> None:
        stack, polygon = self.session.stack, self.session.region
        if stack is None or not polygon:
            self._show_region(None)
            return
        result = self.session.result
        self.work.run(
            lambda: summarise_region(stack, result, polygon),
            self._show_region,
            key="region",
            failed=lambda: setattr(self.session, "region", []),
        )

    def _show_region(self, region: RegionSummary | None) -> None:
        self.region = region
        self.spectra.region = None if region is None else region.spectrum
        self._draw()

    def _draw(self) -> None:
        self.tools.visible = self.region is not None
        if self.region is not None:
            self.text.object = region_html(self.session, self.region)
        elif self.session.pixel is not None:
            self.text.object = pixel_html(self.session, self.spectra.picked)
        else:
            self.text.object = f'<p class="empty">{HINT}</p>'


def pixel_html(session: Session, values: dict[str, Any]) -> str:
    """Say what the picked pixel holds."""
    stack, pixel = session.stack, session.pixel
    if stack is None or pixel is None:
        return ""
    found = [_value(stack, name, values[name][min(session.plane, len(values[name]) - 1)]) for name in values]
    where = f"x {pixel[0]:.1f}, y {pixel[1]:.1f} {escape(pixel_units(stack))}"
    joined = " · ".join(found)
    return (
        f'<div class="region" id="pixel"><b>Pixel</b> {where}<br>{joined}'
        " <small>dashed in the spectra</small></div>"
    )


def region_html(session: Session, region: RegionSummary) -> str:
    """Say what the drawn region holds, beside the classes it crosses.

    Parameters
    ----------
    session
        Session of the tab.
    region
        Statistics of the drawn region.
    """
    stack, result = session.stack, session.result
    if stack is None:
        return ""
    head = "".join(
        f"<th class='number'>{escape(format_symbol(name))} mean ± sd</th>" for name in stack.variables[:2]
    )
    rows = [f"<tr><td>region</td>{_cells(session, region.spectrum)}<td></td></tr>"]
    if result is not None:
        table = result.classes.set_index(label="label")
        for label, share in sorted(region.shares.items(), key=lambda item: -item[1])[:3]:
            name = escape(table[c.NAME].sel(label=label).item())
            row = result.spectra.sel(label=label)
            rows.append(f"<tr><td>{name}</td>{_cells(session, row)}<td class='number'>{share:.0%}</td></tr>")
    return (
        f'<div class="region" id="region"><b>Region</b> <span id="region-size">{region.n_pixels:,} px</span>'
        f"<table><tr><th></th>{head}<th class='number'>share</th></tr>{''.join(rows)}</table></div>"
    )


def _cells(session: Session, spectrum: Any) -> str:
    stack = session.stack
    cells = []
    for name in [] if stack is None else stack.variables[:2]:
        mean, std = (
            float(
                np.atleast_1d(spectrum[f"{name}_{statistic}"].values)[session.plane if stack.spectral else 0]
            )
            for statistic in ("mean", "std")
        )
        cells.append(f"<td class='number'>{mean:.4g} ± {std:.2g}</td>")
    return "".join(cells)


def _value(stack: Any, name: str, value: float) -> str:
    if not np.isfinite(value):
        return f"{escape(format_symbol(name))} no data"
    units = str(stack.images[name].attrs.get("units", "1"))
    return f"{escape(format_symbol(name))} {value:.4g}{escape(format_units(units, after_number=True))}"
