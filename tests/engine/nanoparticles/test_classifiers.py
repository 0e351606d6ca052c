"""Tests of `engine.nanoparticles.classifiers`."""

import json

import numpy as np
import pytest

from engine.analysis import find_shipped_model, load_model
from engine.errors import InputError
from engine.nanoparticles.classifiers import pack_classifier, unpack_classifier


def test_a_stored_classifier_is_no_pickle_and_foreign_content_is_refused():
    shipped = load_model(find_shipped_model("particles"))
    assert bytes(shipped.arrays["classifier"][:2]) == b"PK"
    assert json.dumps(shipped.metadata)
    assert unpack_classifier(shipped.arrays["classifier"]).n_features_in_ == len(shipped.metadata["features"])
    with pytest.raises(InputError, match="is no classifier; fit it again"):
        unpack_classifier(pack_classifier(np.frompyfunc(len, 1, 1)))
