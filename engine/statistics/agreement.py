"""Agreement of a label map with a truth, from one contingency table."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment

from engine import blocks
from engine.errors import InputError
from engine.schema import class_names

MOST_PAIRS: Final = 1_000_000
"""Maps with more pairs of values than this are not maps of classes."""
MOST_CODES: Final = 2**22
"""Pairs of values are counted in a table up to this size, by sorting above."""
CLUSTER: Final = re.compile(r"cluster_\d+")


def agreement(
    labels: xr.DataArray,
    truth: xr.DataArray,
    *,
    names: Mapping[int, str] | Sequence[str] | None = None,
    ignore: Sequence[int] = (),
) -> dict[str, Any]:
    """Return accuracy, ARI, NMI and per class precision, recall, F1 and IoU of labels against a truth.

    Classes are matched by name where both sides have names and share some; clusters, known by names like
    `cluster_1` or by sharing no name with the truth, by the one-to-one pairing with most pixels in common
    (Hungarian method, Kuhn 1955); by number otherwise.

    Parameters
    ----------
    labels : DataArray ([image,] y, x)
        The result; 0 counts as a miss.
    truth : DataArray ([image,] y, x)
        0 is a class like the others unless ignored. Of several images the pixels are counted together.
    names
        The truth's class names, where its own attributes do not give them: by value, or one for each of
        its values in ascending order, ignored values left out; of a truth with names of its own, also one
        for each value that these name, whether it occurs or not.
    ignore
        Values of the truth that do not count.

    Returns
    -------
    dict
        `accuracy`, `ari`, `nmi` and `classes`, a list of `name precision recall f1 iou support`; precision
        is 0 for a class that is never predicted, recall 0 for one without support.

    Raises
    ------
    InputError
        If the shapes differ, nothing is left to compare, or there are more or fewer names than values.

    References
    ----------
    ARI: Hubert & Arabie (1985); NMI with the arithmetic mean: Vinh, Epps & Bailey (2010).
    """
    if labels.shape != truth.shape:
        raise InputError(
            f"the labels have the shape {labels.shape}, the truth {truth.shape}; give maps of the same size"
        )
    found, real, table = _without(ignore, *contingency(labels, truth))
    own_names = class_names(truth)
    truth_names = _by_value(names, real, sorted(set(own_names) - set(ignore))) if names else own_names
    pairs = _pair_classes(found, real, table, label_names=class_names(labels), truth_names=truth_names)
    hits = np.array([table[pairs == t, t].sum() for t in range(len(real))])
    predicted = np.array([table[pairs == t].sum() for t in range(len(real))])
    titles = [truth_names.get(int(value), str(value)) for value in real]
    return {
        "accuracy": float(hits.sum() / table.sum()),
        "ari": adjusted_rand_index(table),
        "nmi": normalised_mutual_information(table),
        "classes": _class_scores(titles, hits, predicted, table.sum(axis=0)),
    }


def _without(
    ignore: Sequence[int], found: np.ndarray, real: np.ndarray, table: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leave out the truth's ignored values, and labels that are found nowhere else."""
    columns = ~np.isin(real, list(ignore))
    rows = table[:, columns].any(axis=1)
    if not rows.any():
        raise InputError("no pixel of the truth is left to compare; ignore fewer values")
    return found[rows], real[columns], table[np.ix_(rows, columns)]


def _by_value(
    names: Mapping[int, str] | Sequence[str], real: np.ndarray, declared: Sequence[int]
) -> dict[int, str]:
    """Return the names of the values that occur in the truth, else of those that it declares."""
    if isinstance(names, Mapping):
        return dict(names)
    if len(names) != len(real) and len(names) == len(declared) and set(real.tolist()) <= set(declared):
        return dict(zip(declared, names, strict=True))
    if len(names) != len(real):
        values = ", ".join(map(str, real[:20]))
        raise InputError(
            f"{len(names)} names ({', '.join(names)}) for {len(real)} values of the truth ({values});"
            " give one name a value that is not ignored"
        )
    return dict(zip(real.tolist(), names, strict=True))


def contingency(labels: xr.DataArray, truth: xr.DataArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the values of the labels, those of the truth, and the number of pixels of each pair; one pass.

    Pixels where the truth is NaN do not count.

    Parameters
    ----------
    labels : DataArray (y, x)
        Labels, 0 = none.
    truth : DataArray (y, x)
        Class numbers.
    """
    counted = blocks.reduce_tiles(_tile_pairs, _merge_tables, blocks.as_tiles(labels), blocks.as_tiles(truth))
    (pairs,) = blocks.compute(counted, doing="comparing with the truth")
    found, rows = np.unique(pairs[:, 0], return_inverse=True)
    real, columns = np.unique(pairs[:, 1], return_inverse=True)
    table = np.zeros((found.size, real.size), np.int64)
    table[rows, columns] = pairs[:, 2]
    return found, real, table


def _tile_pairs(labels: Any, truth: Any) -> np.ndarray:
    """Return rows `(label, truth, pixels)`, one for each pair that occurs in the tile."""
    first, second = _integers(labels, "labels"), _integers(truth, "truth")
    if np.asarray(truth).dtype.kind == "f":
        valid = np.isfinite(truth).ravel()
        first, second = first[valid], second[valid]
    if not first.size:
        return np.empty((0, 3), np.int64)
    low_first, low_second = first.min(), second.min()
    width = int(second.max() - low_second) + 1
    codes = (first - low_first) * width + (second - low_second)
    if codes.max() < MOST_CODES:
        counts = np.bincount(codes)
        pairs = np.flatnonzero(counts)
        counts = counts[pairs]
    else:
        pairs, counts = np.unique(codes, return_counts=True)
    _check_few(pairs.size)
    return np.stack([pairs // width + low_first, pairs % width + low_second, counts], axis=1)


def _integers(tile: Any, what: str) -> np.ndarray:
    values = np.asarray(tile).ravel()
    if values.dtype.kind == "f":
        finite = np.where(np.isfinite(values), values, 0)
        if (finite != np.floor(finite)).any():
            raise InputError(f"the {what} hold values between whole numbers; give a map of class numbers")
        values = finite
    return values.astype(np.int64)


def _check_few(n_pairs: int) -> None:
    if n_pairs > MOST_PAIRS:
        raise InputError(f"the maps have more than {MOST_PAIRS} pairs of values; give maps of class numbers")


def _merge_tables(parts: list[np.ndarray]) -> np.ndarray:
    rows = np.concatenate(parts)
    pairs, index = np.unique(rows[:, :2], axis=0, return_inverse=True)
    _check_few(len(pairs))
    counts = np.zeros(len(pairs), np.int64)
    np.add.at(counts, index.ravel(), rows[:, 2])
    return np.column_stack([pairs, counts])


def _pair_classes(
    found: np.ndarray,
    real: np.ndarray,
    table: np.ndarray,
    *,
    label_names: Mapping[int, str],
    truth_names: Mapping[int, str],
) -> np.ndarray:
    """Return the index of the truth's value for each label, -1 for none; never one for the label 0."""
    called = [_key(label_names.get(int(value), "")) for value in found]
    wanted = [_key(truth_names.get(int(value), "")) for value in real]
    shared = {name for name in called if name} & set(wanted)
    clusters = np.array([bool(CLUSTER.fullmatch(name)) for name in called])
    if not shared and not clusters.any() and not (label_names and truth_names):
        numbers = {int(value): t for t, value in enumerate(real)}
        return np.array([numbers.get(int(value), -1) if value else -1 for value in found])
    pairs = np.array([wanted.index(name) if name in shared else -1 for name in called])
    pairs[found == 0] = -1
    free = (pairs < 0) & (found != 0) & (clusters if shared else True)
    left = np.setdiff1d(np.arange(len(real)), pairs)
    rows, columns = linear_sum_assignment(table[np.ix_(free, left)], maximize=True)
    pairs[np.flatnonzero(free)[rows]] = left[columns]
    return pairs


def _key(name: str) -> str:
    """Return the name as it is compared: blanks are `_` in stored label maps."""
    return "_".join(str(name).split()).casefold()


def adjusted_rand_index(table: np.ndarray) -> float:
    """Return the agreement of two partitions from their contingency table (Hubert & Arabie 1985)."""
    table = table.astype(float)
    together = _pairs_of(table).sum()
    rows, columns = _pairs_of(table.sum(axis=1)).sum(), _pairs_of(table.sum(axis=0)).sum()
    expected = rows * columns / max(1.0, float(_pairs_of(table.sum())))
    best = (rows + columns) / 2
    return 1.0 if best == expected else float((together - expected) / (best - expected))


def _pairs_of(count: Any) -> Any:
    return count * (count - 1) / 2


def normalised_mutual_information(table: np.ndarray) -> float:
    """Return mutual information over the mean of both entropies (Vinh, Epps & Bailey 2010)."""
    joint = table / table.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    information = _entropy(rows) + _entropy(columns) - _entropy(joint)
    mean = (_entropy(rows) + _entropy(columns)) / 2
    return 1.0 if mean == 0 else max(0.0, float(information / mean))


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _class_scores(
    titles: Sequence[str], hits: np.ndarray, predicted: np.ndarray, support: np.ndarray
) -> list[dict[str, Any]]:
    return [
        {
            "name": title,
            "precision": float(hit / max(1, guess)),
            "recall": float(hit / max(1, real)),
            "f1": float(2 * hit / max(1, guess + real)),
            "iou": float(hit / max(1, guess + real - hit)),
            "support": int(real),
        }
        for title, hit, guess, real in zip(titles, hits, predicted, support, strict=True)
    ]
