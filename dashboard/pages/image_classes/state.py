"""Sorted images as the page shows them: filtered, doubtful first, counted."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import param

from dashboard.format import format_share
from dashboard.theme import NO_CLASS
from dashboard.workspace.datasets import Result, Stack
from dashboard.workspace.image_collection import read_values
from dashboard.workspace.object_table import ALL, ObjectSelection
from engine.image_classes.network_inputs import level_background, specimen, square
from engine.schema import CONFIDENCE, EXAMPLE, IMAGE, IMAGE_TABLE, KNOWN, LABEL, PICTURES, TILES, table
from engine.schema import columns as col
from engine.schema.kinds import SORTED_IMAGES, has, is_kind

EDGE: Final = 448
"""Rows and columns of the picture close up."""
N_ALIKE: Final = 5
"""Pictures learned from that are shown as most alike."""
EVERY: Final = "all pictures"
STATES: Final[Mapping[str, Callable[[pd.DataFrame], Any]]] = {
    EVERY: lambda rows: np.ones(len(rows), dtype=bool),
    "not sure": lambda rows: rows[col.ABSTAINED].to_numpy(bool),
    "unlike anything seen": lambda rows: rows[col.UNLIKE].to_numpy(bool),
    "reviewed": lambda rows: rows[col.REVIEWED].to_numpy(bool),
    "not reviewed": lambda rows: ~rows[col.REVIEWED].to_numpy(bool),
    "not as labelled": lambda rows: ((rows[col.TRUTH] > 0) & (rows[col.TRUTH] != rows[col.CLASS])).to_numpy(
        bool
    ),
}
"""What pictures can be looked at alone, by how the page says it."""
COLUMNS: Final = (
    "object",
    "file",
    "class",
    "second",
    CONFIDENCE,
    "novelty",
    "unlike",
    "abstained",
    "reviewed",
    "truth",
    "pixel_size",
    "name",
    "color",
    "first_share",
    "second_share",
    "second_name",
    "truth_name",
    "certainty",
)
"""Columns of the table, where there is none."""


class ImageSelection(ObjectSelection):
    """Pictures of a class and a state (empty: none), in the order of the table; numbered from 1."""

    state = param.Selector(default=EVERY, objects=list(STATES), doc="Which pictures are shown.")
    every = param.DataFrame(pd.DataFrame(columns=COLUMNS))
    shown = param.DataFrame(pd.DataFrame(columns=COLUMNS))

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"sort": "certainty", "descending": False, **values})
        self.param.watch(self._filter, "state")

    def adopt(self, result: Result | None) -> None:
        """Take the pictures of another result; the limits stay."""
        rows = image_rows(result)
        names = sorted(set(rows[col.NAME].tolist()))
        self.param["kind"].objects = [ALL, *names]
        self.param.update(kind=self.kind if self.kind in names else ALL, every=rows)

    def format_class_name(self, name: str) -> str:
        """Return a class name as people say it."""
        return format_class_name(name)

    def _passing(self) -> Any:
        return super()._passing() & STATES[self.state](self.every)


def format_class_name(name: object) -> str:
    """Return a class name as people say it: names of folders have no spaces."""
    return str(name).replace("_", " ")


def image_rows(result: Result | None) -> pd.DataFrame:
    """Return one row a picture: names, colours and shares of its two best classes; empty without a result.

    `certainty` puts the pictures in the order in which they are worth a look: those unlike all seen first,
    then the least certain; it does not change when a person says the class.
    """
    if result is None or not is_kind(result.tree, SORTED_IMAGES):
        return pd.DataFrame(columns=COLUMNS)
    data = table(result.tree, IMAGE_TABLE)
    rows = pd.DataFrame({name: data[name].values for name in data.data_vars if data[name].dims == (IMAGE,)})
    names, colors = class_names(result), class_colors(result)
    probabilities = data[col.PROBABILITY].values
    label_column = {int(label): n for n, label in enumerate(data[LABEL].values)}
    best = (
        np.sort(probabilities, axis=1)[:, ::-1]
        if probabilities.shape[1] > 1
        else np.pad(probabilities, ((0, 0), (0, 1)))
    )
    own = [
        probabilities[n, label_column[c]] if c in label_column else np.nan
        for n, c in enumerate(rows[col.CLASS])
    ]
    return rows.assign(
        object=data[IMAGE].values.astype(int) + 1,
        name=rows[col.CLASS].map(names).fillna(""),
        color=rows[col.CLASS].map(colors).fillna(NO_CLASS),
        second_name=rows[col.SECOND].map(names).fillna(""),
        truth_name=rows[col.TRUTH].map(names).fillna(""),
        first_share=own,
        second_share=best[:, 1],
        certainty=rows[CONFIDENCE].astype(float) - rows[col.UNLIKE].astype(float),
    )


def class_names(result: Result) -> dict[int, str]:
    """Return class names by label, as people say them."""
    labels = result.classes[LABEL].values.tolist()
    return {
        int(n): format_class_name(name)
        for n, name in zip(labels, result.classes[col.NAME].values, strict=True)
    }


def class_colors(result: Result) -> dict[int, str]:
    """Return colours by label."""
    labels = result.classes[LABEL].values.tolist()
    return {int(n): str(color)[:7] for n, color in zip(labels, result.classes[col.COLOR].values, strict=True)}


def count_rows(result: Result | None, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row a class: number and share of its pictures, and the key that gives it.

    Parameters
    ----------
    result
        The result; None: there is none.
    rows
        Table of the images.

    Returns
    -------
    list[dict[str, Any]]
        Rows of the card of classes.
    """
    if result is None:
        return []
    colors = class_colors(result)
    given = rows[~rows[col.ABSTAINED].astype(bool)][col.CLASS].astype(int)
    counts = given.value_counts()
    return [
        {
            "label": label,
            "name": name,
            "color": colors[label],
            "count": int(counts.get(label, 0)),
            "fraction": round(100 * int(counts.get(label, 0)) / max(1, len(given)), 1),
            "key": str(label % 10) if label <= 10 else "",
        }
        for label, name in class_names(result).items()
    ]


def group_by_truth(rows: pd.DataFrame) -> dict[tuple[int, int], list[int]]:
    """Return the numbers of the pictures whose class is known, by that class and the one they were given."""
    known = rows[rows[col.TRUTH].astype(int) > 0]
    found: dict[tuple[int, int], list[int]] = {}
    for truth, label, number in zip(known[col.TRUTH], known[col.CLASS], known["object"], strict=True):
        found.setdefault((int(truth), int(label)), []).append(int(number))
    return found


def metric_rows(result: Result | None) -> list[dict[str, Any]]:
    """Return the metrics of the model on held-out images, which are used here for the first time."""
    if result is None:
        return []
    judged = json.loads(str(result.tree.attrs.get("judged", "[]")))
    return [
        {
            "id": str(row[col.NAME]),
            "name": format_class_name(row[col.NAME]),
            **{name: format_share(row.get(name)) for name in ("precision", "recall")},
            "f1": _with_interval(row),
            "support": str(row.get("support", "")),
            "actions": [],
        }
        for row in judged
    ]


def _with_interval(row: Mapping[str, Any]) -> str:
    ends = [row.get(name) for name in ("f1_low", "f1_high")]
    if any(format_share(end) == "–" for end in ends):
        return format_share(row.get("f1"))
    return f"{format_share(row.get('f1'))} ({'–'.join(format_share(end) for end in ends)})"


@dataclass(frozen=True, eq=False)
class ReferenceImage:
    """A picture that the model learned from."""

    file: str
    name: str
    color: str
    thumbnail: np.ndarray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Prediction:
    """All that is shown of one picture."""

    row: Mapping[str, Any]
    picture: np.ndarray = field(repr=False)
    """The square that the network saw, larger, `(y, x)`."""
    evidence: np.ndarray = field(repr=False)
    """Positive speaks for the class, `(y, x)`; NaN where the network tells none."""
    similar: tuple[ReferenceImage, ...] = ()
    parts: "PartsMap | None" = None
    """What its parts show, where each was classified by itself."""


@dataclass(frozen=True, eq=False)
class PartsMap:
    """A category map: a picture without its data bar, smaller, and what parts of it show."""

    picture: np.ndarray = field(repr=False)
    """`(y, x)` uint8."""
    colors: np.ndarray = field(repr=False)
    """Of each part, `(tile_row, tile_column)`; empty where there is no answer."""
    top: np.ndarray
    """First row of each row of parts, in shares of the picture's rows."""
    left: np.ndarray
    tile: tuple[float, float]
    """Rows and columns of a part, in shares of the picture's."""
    counts: Mapping[str, int]
    """How many parts show what, by class name."""


def explain_image(stack: Stack, result: Result, row: Mapping[str, Any]) -> Prediction:
    """Read what is shown of a picture; call it in a thread.

    Parameters
    ----------
    stack
        The opened data.
    result
        The result that is shown.
    row
        Row of the table of objects or images.

    Returns
    -------
    Prediction
        Picture, evidence, similar images and parts.
    """
    number = int(row["object"]) - 1
    small = table(result.tree, PICTURES)
    values = read_values(stack, number)
    databar = bool(result.recipe.settings.get("databar", False))
    evidence = np.asarray(small[col.EVIDENCE].isel({IMAGE: number}).values, float)
    if values is None:  # it was read when it was judged: what was kept of it is shown
        picture = np.asarray(small[col.THUMBNAIL].isel({IMAGE: number}).values)
        return Prediction(row, picture, evidence, _find_similar(result, number))
    picture = square(values, edge=EDGE, databar=databar).grey
    parts = _parts(result, number, specimen(values, databar=databar))
    return Prediction(row, picture, evidence, _find_similar(result, number), parts)


def _parts(result: Result, number: int, picture: np.ndarray) -> PartsMap | None:
    """Return what the parts of a picture show; None where they were not classified."""
    if not has(result.tree, TILES):
        return None
    from PIL import Image

    found = table(result.tree, TILES).isel({IMAGE: number})
    top, left = (found[name].values[found[name].values >= 0] for name in ("top", "left"))
    category = found["category"].values[: top.size, : left.size]
    names, colors = class_names(result), class_colors(result)
    rows, columns = picture.shape
    small = Image.fromarray(np.nan_to_num(picture.astype(np.float32)))
    small.thumbnail((EDGE, EDGE), Image.Resampling.BOX)
    tile = int(table(result.tree, TILES).attrs["tile"])
    return PartsMap(
        picture=level_background(np.asarray(small)),
        colors=np.array([[colors.get(int(label), "") for label in line] for line in category], dtype=str),
        top=top / rows,
        left=left / columns,
        tile=(min(1.0, tile / rows), min(1.0, tile / columns)),
        counts={name: int((category == label).sum()) for label, name in names.items()},
    )


def _find_similar(result: Result, number: int) -> tuple[ReferenceImage, ...]:
    numbers = table(result.tree, IMAGE_TABLE)[col.SIMILAR].isel({IMAGE: number}).values[:N_ALIKE]
    known = table(result.tree, KNOWN).isel({EXAMPLE: numbers})
    names, colors = class_names(result), class_colors(result)
    labels = known[col.CLASS].values.tolist()
    return tuple(
        ReferenceImage(
            str(file), names.get(int(label), ""), colors.get(int(label), NO_CLASS), np.asarray(small)
        )
        for file, label, small in zip(
            known[col.FILE].values, labels, known[col.THUMBNAIL].values, strict=True
        )
    )


def read_thumbnails(result: Result, numbers: list[int]) -> dict[int, np.ndarray]:
    """Read thumbnails `(y, x)` by number; call it in a thread.

    Parameters
    ----------
    result
        The result that is shown.
    numbers
        Numbers of the images.

    Returns
    -------
    dict[int, np.ndarray]
        Thumbnails by number.
    """
    small = table(result.tree, PICTURES)[col.THUMBNAIL].isel({IMAGE: [n - 1 for n in numbers]}).values
    return dict(zip(numbers, small, strict=True))


def find_changed_images(before: Result, after: Result) -> list[int]:
    """Return the numbers of the pictures that have another class than before.

    Parameters
    ----------
    before
        Result before the change.
    after
        Result after the change.

    Returns
    -------
    list[int]
        Their numbers.
    """
    given = [table(result.tree, IMAGE_TABLE)[col.CLASS].values for result in (before, after)]
    return [int(n) + 1 for n in np.flatnonzero(given[0] != given[1])]
