"""The shown micrograph with its particles outlined in the colours of their classes; lattice, strain."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import panel as pn
import param
import xarray as xr

from dashboard.kit import Work, markup, switch
from dashboard.pages.nanoparticles.state import MicrographData, load_micrograph
from dashboard.theme import NO_CLASS
from dashboard.views.linked import LinkedMaps
from dashboard.views.map_grid import TITLE_HEIGHT, map_cell
from dashboard.workspace.datasets import Result
from dashboard.workspace.object_table import ObjectSelection
from dashboard.workspace.session import Session, pixel_units
from dashboard.workspace.workspace import Workspace
from engine.nanoparticles.lattice_map import lattice_map
from engine.nanoparticles.strain import strain_map
from engine.pyramid import Pyramid, value_pyramid
from engine.schema import PIXEL
from engine.schema import columns as c

IMAGE: Final = "micrograph"
LATTICE: Final = "lattice"
STRAIN: Final = "strain"
TITLES: Final = {
    IMAGE: "Micrograph",
    LATTICE: "Lattice: peaks of windowed spectra, in standard deviations of noise",
    STRAIN: "Strain of the strongest fringes, % of their spacing (geometric phase)",
}
WINDOW: Final = 32
"""Edge of the windows of the map of the lattice in pixels."""
THIN, THICK = 1.5, 3.5
SLACK: Final = 0.02
"""Share of the visible width by which a particle may be out of sight."""


class MicrographView(param.Parameterized):
    """The picture; another micrograph makes it anew, another class of a particle only recolours."""

    micrograph = param.ClassSelector(class_=MicrographData, default=None, allow_None=True)
    layer = param.Selector(default=IMAGE, objects=list(TITLES))
    busy = param.Boolean(False)

    def __init__(
        self,
        session: Session,
        objects: ObjectSelection,
        workspace: Workspace,
        work: Work,
        *,
        on_tap: Callable[[float, float], None],
        on_move: Callable[[float, float], None],
    ) -> None:
        super().__init__()
        self.session, self.objects, self.workspace, self.work = session, objects, workspace, work
        self.gestures: dict[str, Any] = {"on_tap": on_tap, "on_move": on_move, "guard": work.guard}
        self.linked: LinkedMaps | None = None
        self.title = markup("", height=TITLE_HEIGHT)
        self.root = pn.Column(sizing_mode="stretch_both", margin=0, css_classes=["map-grid"])
        self.layers = switch({name: name for name in TITLES}, "layers", value=IMAGE)
        self.layers.link(self, value="layer")
        session.param.watch(self._load, ["stack", "plane"])
        session.param.watch(self._reload, "result")
        session.param.watch(self._color, ["object_id", "selected"])
        objects.param.watch(self._color, "every")
        self.param.watch(self._draw, ["micrograph", "layer"])
        self._show_nothing()

    def reset(self) -> None:
        """Show the whole micrograph."""
        if self.linked is not None:
            self.linked.reset()

    def reveal(self, row: dict[str, Any]) -> None:
        """Make sure that a particle is seen: open its micrograph, move to where it is out of sight."""
        if int(row["image"]) != self.session.plane:
            self.session.plane = int(row["image"])
        elif self.micrograph is not None and self.linked is not None:
            x0, x1, y0, y1 = self.micrograph.box(row)
            left, right, top, bottom = self.linked.ranges
            slack = SLACK * (right - left)
            if min(x0 - left, right - x1, y0 - top, bottom - y1) < -slack:
                x, y, wide, high = (x0 + x1) / 2, (y0 + y1) / 2, (right - left) / 2, (bottom - top) / 2
                self.linked.show(x - wide, x + wide, y - high, y + high)

    def _show_nothing(self) -> None:
        self.root.objects = [markup('<p class="empty">Open micrographs with “change…” on the left.</p>')]

    def _load(self, *_: Any) -> None:
        stack, number, result = self.session.stack, self.session.plane, self.session.result
        if stack is None:
            self._show_nothing()
            return
        self.work.run(
            lambda: load_micrograph(self.workspace, stack, number, result),
            lambda micrograph: setattr(self, "micrograph", micrograph),
            key="micrograph",
        )

    def _reload(self, event: Any) -> None:
        """Outline anew what was found anew; edits leave the outlines as they are."""
        found = [None if result is None else _detection_key(result) for result in (event.old, event.new)]
        if found[0] != found[1]:
            self._load()

    def _draw(self, *_: Any) -> None:
        shown, layer = self.micrograph, self.layer
        if shown is None:
            return
        self._retitle("")
        if layer == IMAGE:
            self._show(shown.pyramid)
            return
        self._retitle("computing …")
        self.work.run(lambda: compute_layer(shown, layer), self._show, key="layer")

    def _show(self, pyramid: Pyramid | None) -> None:
        shown = self.micrograph
        if shown is None:
            return
        if pyramid is None:
            self._retitle("needs particles: press Run")
            return
        first = shown.pyramid
        if (
            self.linked is None
            or self.linked.bounds != first.bounds
            or self.linked.units != pixel_units(shown.stack)
        ):
            self.linked = LinkedMaps(first.bounds, units=pixel_units(shown.stack), **self.gestures)
        streams = {each: self.session.param[each] for each in ("percent", "colormap")}
        plot = self.linked.values(pyramid, streams=streams, symbol=self.layer)
        self.root.objects = [map_cell("micrograph", self.title, plot)]
        self._retitle("")
        self._color()

    def _color(self, *_: Any) -> None:
        """Outline the particles in the colours of their classes, the chosen one thick."""
        shown, every = self.micrograph, self.objects.every
        if shown is None or self.linked is None:
            return
        here = every[every["image"] == shown.number] if "image" in every else every
        colors = dict(zip(here["object"].tolist(), here[c.COLOR].tolist(), strict=True))
        labels = dict(zip(here["object"].tolist(), here.get("class", here["object"]).tolist(), strict=True))
        wanted, object_id = set(self.session.selected), self.session.object_id
        rings, paint, widths = [], [], []
        for number, corners in shown.rings.items():
            faint = bool(wanted) and labels.get(number) not in wanted and number != object_id
            for ring in corners:
                rings.append(ring)
                paint.append(colors.get(number, NO_CLASS) + ("55" if faint else ""))
                widths.append(THICK if number == object_id else THIN)
        self.linked.rings(rings, colors=paint, widths=widths)

    def _retitle(self, note: str) -> None:
        self.title.object = f'<div class="map-title"><b>{TITLES[self.layer]}</b><span>{note}</span></div>'


def _detection_key(result: Result) -> tuple[Any, ...]:
    """Return all that the regions and numbers of the particles depend on."""
    recipe = result.recipe
    return result.tree.attrs["source_digest"], recipe.settings, recipe.prepare, recipe.model


def compute_layer(shown: MicrographData, layer: str) -> Pyramid | None:
    """Compute a layer of a micrograph; None where it needs particles and there are none.

    Parameters
    ----------
    shown
        The micrograph.
    layer
        `lattice` or `strain`.

    Returns
    -------
    Pyramid | None
        Pyramid of the layer.
    """
    image = shown.stack.images[shown.stack.variables[0]]
    values = np.nan_to_num(np.asarray(image.values, np.float32))
    if layer == LATTICE:
        return value_pyramid(_lattice(values, image).assign_attrs(units="1")).build()
    if shown.objects is None:
        return None
    strain = image.copy(data=strain_map(values, shown.objects)).assign_attrs(units="%")
    return value_pyramid(strain).build()


def _lattice(values: np.ndarray, image: xr.DataArray) -> xr.DataArray:
    """Return the map of lattice peaks in the coordinates of the image."""
    window = min(WINDOW, 2 * (min(values.shape) // 4))
    step = max(2, window // 4)
    found = lattice_map(xr.DataArray(values, dims=PIXEL), window=window, step=step).compute()
    coords = {}
    for dim in PIXEL:
        places = np.interp(found[dim].values, np.arange(image.sizes[dim]), image[dim].values)
        coords[dim] = (dim, places, image[dim].attrs)
    return xr.DataArray(found.values, coords, PIXEL)
