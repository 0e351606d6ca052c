"""Tests of `engine.cluster.vectors`."""

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features
from numba import njit

from engine.cluster.vectors import widest_vectors


@pytest.mark.skipif(not get_host_cpu_features().get("avx512f"), reason="this CPU has no vectors of 512 bits")
def test_kernels_use_vectors_of_512_bits_where_there_are() -> None:
    @njit  # type: ignore[untyped-decorator]
    def squares(values: np.ndarray) -> None:
        widest_vectors()
        for i in range(values.size):
            values[i] *= values[i]

    squares(np.ones(256, np.float32))
    assert "zmm" in next(iter(squares.inspect_asm().values()))
