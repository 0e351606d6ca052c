"""Calibration: whether a classifier's probabilities are frequencies, and when to abstain."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError

Floats = NDArray[np.float64]

COLDEST: Final = 0.01
HOTTEST: Final = 100.0
"""Temperatures between which the best one is sought."""


class RiskCoverage(NamedTuple):
    """Error rate of the answers that are kept, from the most confident one to all."""

    threshold: Floats
    """Confidence from which on answers are kept, falling."""
    coverage: Floats
    """Share of the examples that are kept."""
    risk: Floats
    """Share of those kept that are wrong."""
    area: float
    """Mean risk over the examples, each kept with all that are at least as confident (AURC)."""


def temperature(logits: ArrayLike, truth: ArrayLike) -> float:
    """Return the temperature by which logits are divided so that held-out examples are most likely.

    Above 1 for a classifier that is too sure of itself.

    Parameters
    ----------
    logits : float, dims (example, class)
        Logits or logarithms of probabilities; of probabilities of 0, give a very small one's.
    truth : int, dims (example)
        True class numbers from 0; negative ones are left out.

    Raises
    ------
    InputError
        If the shapes do not fit, a logit is not finite, or no example is left.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML (2017),
    section 4.2.

    Examples
    --------
    Sure with odds of 9 : 1, right in 3 of 4: log(9) / log(3)

    >>> round(temperature(np.log([[0.9, 0.1]] * 4), [0, 0, 0, 1]), 3)
    2.0
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    scores, real = _examples(logits, truth)
    right = scores[np.arange(real.size), real]

    def surprise(log_temperature: float) -> float:
        cooled = np.exp(-log_temperature)
        return float(np.mean(logsumexp(scores * cooled, axis=1) - right * cooled))

    best = minimize_scalar(
        surprise, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded", options={"xatol": 1e-8}
    )
    return float(np.exp(best.x))


def at_temperature(logits: ArrayLike, temperature: float) -> Floats:
    """Return the probabilities by logits that are divided by a temperature: their softmax.

    Parameters
    ----------
    logits : float, dims (example, class)
    temperature
        As `temperature` finds it.

    Examples
    --------
    >>> at_temperature(np.log([[0.9, 0.1]]), 2.0).round(3)
    array([[0.75, 0.25]])
    """
    from scipy.special import softmax

    return np.asarray(softmax(np.asarray(logits, np.float64) / temperature, axis=-1))


def calibration_error(probabilities: ArrayLike, truth: ArrayLike, *, n_bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy, over bins of equal width of the confidence.

    The confidence is the largest probability; a bin holds its upper end.

    Parameters
    ----------
    probabilities : float, dims (example, class)
    truth : int, dims (example)
        True class numbers from 0; negative ones are left out.
    n_bins
        Number of bins from 0 to 1.

    Raises
    ------
    InputError
        If the shapes do not fit, a probability is not between 0 and 1, no example is left, or there is no
        bin.

    References
    ----------
    M. P. Naeini, G. Cooper, M. Hauskrecht, AAAI (2015) 2901; Guo et al. (2017), equation 3.

    Examples
    --------
    >>> round(calibration_error([[0.9, 0.1]] * 4, [0, 0, 0, 1]), 3)
    0.15
    """
    shares, real = _examples(probabilities, truth)
    if shares.min() < 0 or shares.max() > 1 + 1e-6:
        raise InputError(
            f"the probabilities go from {shares.min():.3g} to {shares.max():.3g}; give numbers from 0 to 1"
        )
    if n_bins < 1:
        raise InputError(f"{n_bins} bins cannot hold the examples; give at least 1")
    confidence = shares.max(axis=1)
    gap = (shares.argmax(axis=1) == real) - confidence
    rows = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    return float(np.abs(np.bincount(rows, weights=gap, minlength=n_bins)).sum() / real.size)


def risk_coverage(confidence: ArrayLike, right: ArrayLike) -> RiskCoverage:
    """Error rate of the answers with at least each confidence that occurs.

    Parameters
    ----------
    confidence : float, dims (example)
    right : bool, dims (example)
        Whether the classifier was right on each held-out example.

    Returns
    -------
    RiskCoverage
        Along the distinct confidences, the largest first; examples of one confidence are kept together.

    Raises
    ------
    InputError
        If the shapes do not fit, a confidence is not finite, or there is no example.

    References
    ----------
    R. El-Yaniv, Y. Wiener, J. Mach. Learn. Res. 11 (2010) 1605; area: Y. Geifman, G. Uziel, R. El-Yaniv,
    ICLR (2019).

    Examples
    --------
    >>> risk_coverage([0.9, 0.8, 0.7, 0.6], [True, True, False, True]).risk.round(3)
    array([0.   , 0.   , 0.333, 0.25 ])
    """
    sure, correct = _answers(confidence, right)
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) < 0, True))
    n_wrong = np.cumsum(~correct[order])[last]
    risk = n_wrong / (last + 1)
    n_added = np.diff(last, prepend=-1)
    return RiskCoverage(sure[order][last], (last + 1) / sure.size, risk, float(risk @ n_added / sure.size))


def abstain_below(confidence: ArrayLike, right: ArrayLike, *, error: float) -> float:
    """Confidence below which to give no answer, so that at most a share `error` of those given is wrong.

    The lowest threshold that keeps the error rate of the held-out examples; infinite, to abstain from every
    answer, where none does. The rate is that of the examples, without a margin for their small number.

    Parameters
    ----------
    confidence : float, dims (example)
    right : bool, dims (example)
        Whether the classifier was right on each held-out example.
    error
        Largest share of wrong answers.

    Raises
    ------
    InputError
        As `risk_coverage` does, or if the error is not between 0 and 1.

    References
    ----------
    C. K. Chow, IEEE Trans. Inf. Theory 16 (1970) 41; Y. Geifman, R. El-Yaniv, NeurIPS (2017) 4878.

    Examples
    --------
    >>> abstain_below([0.9, 0.8, 0.7, 0.6], [True, True, False, True], error=0.25)
    0.6
    """
    if not 0 <= error <= 1:
        raise InputError(f"the error rate is {error}; give a share between 0 and 1, such as 0.05")
    curve = risk_coverage(confidence, right)
    kept = curve.threshold[curve.risk <= error]
    return float(kept.min(initial=np.inf))


def _examples(scores: ArrayLike, truth: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """Scores and class of the examples whose class is known."""
    table, real = np.asarray(scores, np.float64), np.asarray(truth)
    if table.ndim != 2 or real.shape != table.shape[:1]:
        raise InputError(
            f"the scores have the shape {table.shape}, the true classes {real.shape}; give arrays with dims"
            " (example, class) and (example)"
        )
    table, real = table[real >= 0], real[real >= 0].astype(np.int64)
    if not real.size:
        raise InputError("there is no held-out example of a known class; give at least one")
    if real.max() >= table.shape[1]:
        raise InputError(
            f"the true classes go up to {real.max()}, the scores are of {table.shape[1]} classes from 0;"
            " give a score for every class"
        )
    if not np.isfinite(table).all():
        raise InputError("some scores are not finite; give finite numbers")
    return table, real


def _answers(confidence: ArrayLike, right: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    sure, correct = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if sure.ndim != 1 or correct.shape != sure.shape or not sure.size:
        raise InputError(
            f"the confidences have the shape {sure.shape}, the answers {correct.shape}; give one of each for"
            " every example, and at least one"
        )
    if not np.isfinite(sure).all():
        raise InputError("some confidences are not finite; give finite numbers")
    return sure, correct
