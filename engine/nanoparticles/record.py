"""Record of a micrograph whose particles were detected.

Micrographs are looked at in parallel, some at a time; what a job has finished is found again when it is
resumed.
"""

import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine import blocks, progress
from engine.errors import CancelledError, MapstackError
from engine.nanoparticles.detect import look
from engine.nanoparticles.features import NAMES
from engine.nanoparticles.lattice import Lattice
from engine.objects import measure_plane
from engine.objects.measure import COLUMNS
from engine.readers.collection import without_fill
from engine.schema import LABEL

AT_ONCE: Final = 8
"""Micrographs that are handed out together: progress is told and what is finished is kept after each lot."""
MEASURES: Final = tuple(name for name in COLUMNS if name not in (LABEL, "class", "confidence", "votes"))
LATTICE: Final = ("spacing", "spacing_error", "angle", "angle_error", "spacing_2", "angle_2")
"""Strongest and second fringes: lengths in pixels, angles in degrees; NaN where there are none."""


class Record(NamedTuple):
    """The particles of one micrograph, in the order of their numbers 1, 2, ...

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the micrograph.
    packed : bytes
        Number of each pixel's particle, compressed; `objects` unpacks it.
    contrast : str
        By what they were found.
    measures : ndarray (object, measure)
        Named by `MEASURES`, in pixels.
    lattices : ndarray (object, value)
        Named by `LATTICE`.
    features : ndarray (object, feature), float32
        Named by `features.NAMES`.
    problem : str
        Why the micrograph could not be read; empty if it was.
    """

    shape: tuple[int, int]
    packed: bytes
    contrast: str
    measures: np.ndarray
    lattices: np.ndarray
    features: np.ndarray
    problem: str = ""

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return len(self.features)


def record(image: np.ndarray, *, contrast: str = "", min_radius: float = 1.5) -> Record:
    """Find the particles of a micrograph and measure each.

    Parameters
    ----------
    image : ndarray (y, x)
        What is beyond the last row and column with a value is no part of it.
    contrast, min_radius
        As of `look`.
    """
    image = without_fill(np.asarray(image))
    seen = look(image, contrast=contrast, min_radius=min_radius)
    table = measure_plane(seen.objects, image)
    measures = np.stack([table[name].values.astype(np.float64) for name in MEASURES], axis=1)
    lattices = np.array([_row(lattice) for lattice in seen.lattices]).reshape(-1, len(LATTICE))
    packed = zlib.compress(seen.objects.astype("<u4").tobytes(), 1)
    rows, columns = image.shape
    return Record((rows, columns), packed, seen.contrast, measures, lattices, seen.features)


def objects_of(one: Record) -> np.ndarray:
    """Return the number of each pixel's particle, `(y, x)` uint32, 0 = none."""
    if not one.packed:
        return np.zeros(one.shape, np.uint32)
    return np.frombuffer(zlib.decompress(one.packed), "<u4").reshape(one.shape)


def unread(problem: str) -> Record:
    """Return the record of a micrograph that could not be read."""
    measures, lattices, features = (np.zeros((0, len(names))) for names in (MEASURES, LATTICE, NAMES))
    return Record((0, 0), b"", "", measures, lattices, features.astype(np.float32), problem)


def records(frames: Sequence[xr.DataArray], finding: Mapping[str, Any]) -> list[Record]:
    """Look at all micrographs, some at a time under whatever scheduler is active.

    One that cannot be read is recorded with what is the matter; of several, the others go on.

    Parameters
    ----------
    frames : sequence of DataArray (y, x)
        Lazy; one lot of them is in memory at a time.
    finding
        `contrast` and `min_radius` of `record`.

    Raises
    ------
    MapstackError
        If there is but one micrograph, and it cannot be read.
    """
    found = {n: one for n in range(len(frames)) if (one := _load_kept(n)) is not None}
    waiting = [n for n in range(len(frames)) if n not in found]
    for start in range(0, len(waiting), AT_ONCE):
        lot = waiting[start : start + AT_ONCE]
        with progress.stage(*((len(found) + n) / len(frames) for n in (0, len(lot)))):
            made = _detect_in_image([frames[n] for n in lot], finding, many=len(frames) > 1)
        for n, one in zip(lot, made, strict=True):
            _keep(n, one)
            found[n] = one
    return [found[n] for n in range(len(frames))]


def _detect_in_image(
    frames: Sequence[xr.DataArray], finding: Mapping[str, Any], *, many: bool
) -> list[Record]:
    tasks = [_task(frame, finding) for frame in frames]
    doing = "finding particles"
    try:
        return list(blocks.compute(*tasks, doing=doing))
    except CancelledError:
        raise
    except MapstackError as error:
        if len(frames) == 1 and many:
            return [unread(str(error))]
        if not many:
            raise
    return [one for frame in frames for one in _detect_in_image([frame], finding, many=True)]


def _task(frame: xr.DataArray, finding: Mapping[str, Any]) -> Any:
    plane = blocks.as_tiles(frame)
    parts = plane.rechunk(-1).to_delayed(optimize_graph=False)
    return dask.delayed(record, pure=False, traverse=False)(parts.item(), **finding)


def drawn(
    found: Sequence[Record], lookups: Sequence[np.ndarray], shape: tuple[int, int], dtype: Any
) -> da.Array:
    """Return maps `(image, y, x)` of a value of each particle, 0 elsewhere; lazy, one chunk an image.

    Parameters
    ----------
    found
    lookups
        Of each micrograph, the value by number; the first is that of no particle.
    shape
        Rows and columns; smaller micrographs are filled up with 0.
    """
    lifted = dask.delayed(_draw_objects, pure=False, traverse=False)
    planes = [
        da.from_delayed(lifted(one, lookup, shape, dtype), shape, dtype=dtype)
        for one, lookup in zip(found, lookups, strict=True)
    ]
    return da.stack(planes)


def _draw_objects(one: Record, lookup: np.ndarray, shape: tuple[int, int], dtype: Any) -> np.ndarray:
    plane = np.zeros(shape, dtype)
    rows, columns = one.shape
    plane[:rows, :columns] = np.asarray(lookup, dtype)[objects_of(one)]
    return plane


def _row(lattice: Lattice) -> list[float]:
    values = [np.nan] * len(LATTICE)
    if lattice.resolved:
        angles = np.rad2deg([lattice.angle[0], lattice.angle_error[0]])
        values[:4] = [lattice.spacing[0], lattice.spacing_error[0], *angles]
    if lattice.spacing.size > 1:
        values[4:] = [lattice.spacing[1], np.rad2deg(lattice.angle[1])]
    return [float(value) for value in values]


# ------------------------------------------------------------ what a job keeps
def _keep(n: int, one: Record) -> None:
    file = _file(n)
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    fields: dict[str, Any] = {
        name: np.asarray(value) for name, value in one._asdict().items() if name != "packed"
    }
    np.savez(content, packed=np.frombuffer(one.packed, np.uint8), **fields)
    draft = file.with_suffix(".draft")
    draft.write_bytes(content.getvalue())
    draft.rename(file)


def _load_kept(n: int) -> Record | None:
    file = _file(n)
    if file is None or not file.is_file():
        return None
    try:
        with np.load(file) as stored:
            found = Record(
                shape=(int(stored["shape"][0]), int(stored["shape"][1])),
                packed=stored["packed"].tobytes(),
                contrast=str(stored["contrast"]),
                measures=stored["measures"],
                lattices=stored["lattices"],
                features=stored["features"],
                problem=str(stored["problem"]),
            )
    except (OSError, KeyError, ValueError, BadZipFile):  # damaged, or of another version: looked at anew
        return None
    widths = [part.shape[1] for part in (found.measures, found.lattices, found.features)]
    return found if widths == [len(MEASURES), len(LATTICE), len(NAMES)] else None


def _file(n: int) -> Path | None:
    folder = progress.checkpoint_folder()
    return None if folder is None else folder / f"micrograph_{n:06d}.npz"
