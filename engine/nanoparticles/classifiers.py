"""Classifiers of particles by features, calibrated and scored by micrograph.

References
----------
L. Breiman, Random forests, Machine Learning 45 (2001) 5-32; J. H. Friedman, Greedy function approximation,
Annals of Statistics 29 (2001) 1189-1232.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from zipfile import ZIP_DEFLATED

import numpy as np

from engine.errors import InputError
from engine.learning.correction import LEAST

FOREST: Final = "forest"
BOOSTING: Final = "boosting"
TRUSTED: Final = [
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
]
"""Parts of scikit-learn's trees that skops does not trust by itself: arrays of numbers, no code."""
N_FOLDS: Final = 5


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        200, min_samples_leaf=2, max_features=0.3, class_weight="balanced_subsample", random_state=seed
    )


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.08, max_leaf_nodes=12, l2_regularization=1.0, random_state=seed
    )


CLASSIFIERS: Final[Mapping[str, Callable[[int], Any]]] = {BOOSTING: _boosting, FOREST: _forest}
"""Classifiers by name: seed -> what has `fit` and `predict_proba`."""


def predict_held_out(
    kind: str, features: np.ndarray, classes: np.ndarray, parents: np.ndarray, *, n_classes: int, seed: int
) -> np.ndarray:
    """Return probabilities `(object, class)` of every object by classifiers not trained on its micrograph.

    Parameters
    ----------
    kind
        One of `CLASSIFIERS`.
    features : ndarray (object, feature)
    classes, parents : ndarray (object,)
        Class number and micrograph of each object; of two micrographs or more.
    """
    from engine.learning.splits import folds

    n_parents = np.unique(parents).size
    part = folds(parents, min(N_FOLDS, n_parents), seed=seed, classes=classes)
    found = np.zeros((len(classes), n_classes))
    for fold in np.unique(part):
        rest, now = part != fold, part == fold
        fitted = CLASSIFIERS[kind](seed).fit(features[rest], classes[rest])
        found[now] = probabilities(fitted, features[now], n_classes=n_classes)
    return found


def probabilities(
    classifier: Any, features: np.ndarray, *, n_classes: int, temperature: float = 1.0
) -> np.ndarray:
    """Return probabilities `(object, class)` at a temperature; of a class that was not learned, 0.

    Parameters
    ----------
    classifier
        The fitted classifier.
    features : ndarray (object, feature)
        Features of the objects.
    n_classes : int
        Number of classes.
    temperature : float
        Divides the logits.
    """
    found = np.zeros((len(features), n_classes))
    if len(features):
        found[:, classifier.classes_] = classifier.predict_proba(features)
    return at_temperature(found, temperature)


def at_temperature(chances: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities `(object, class)` whose logarithms are divided by a temperature.

    Parameters
    ----------
    chances : ndarray (object, class)
        Probabilities.
    temperature : float
        Divides the logits.
    """
    powers = np.maximum(chances, LEAST) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def pack_classifier(classifier: Any) -> np.ndarray:
    """Return a classifier as bytes that hold no code (skops), `(byte,)` uint8."""
    from skops import io

    return np.frombuffer(io.dumps(classifier, compression=ZIP_DEFLATED, compresslevel=9), np.uint8)


def unpack_classifier(stored: np.ndarray) -> Any:
    """Classifier of `pack_classifier`; anything but scikit-learn's own parts is refused.

    Raises
    ------
    InputError
        If the bytes hold something else.
    """
    from skops import io

    content = np.asarray(stored, np.uint8).tobytes()
    strange = [name for name in io.get_untrusted_types(data=content) if name not in TRUSTED]
    if strange:
        raise InputError(f"the model's classifier holds {strange[0]}, which is no classifier; fit it again")
    return io.loads(content, trusted=TRUSTED)
