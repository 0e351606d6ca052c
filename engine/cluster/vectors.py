"""Permission for compiled kernels to use the widest vectors of a CPU, and prefetching."""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK: Final = 256
"""Pixels that kernels take at a time."""
LINE: Final = 16
"""Values of float32 in a cache line."""


@intrinsic  # type: ignore[untyped-decorator]
def widest_vectors(_typing_context: Any) -> Any:
    """Let the function that calls this use vectors of 512 bits, where the CPU has them.

    LLVM keeps to 256 bits otherwise, for the sake of programs that use few vectors. Numba has a switch for
    the whole process only, and llvmlite no name for the attribute, which LLVM gives every function.
    """

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        attributes = builder.function.attributes
        if isinstance(attributes, set):
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_typing_context: Any, values: Any, _index: Any) -> Any:
    """Ask for the cache line of `values[index]` (one dim, adjacent), which may lie past the end."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, number(0), number(2), number(1)])  # to read, into L2, data
        return context.get_dummy_value()

    return types.void(values, types.intp), generate


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def buffer(n_rows: int) -> np.ndarray:
    """Float32 (row, pixel of a block), not initialised, from the start of a cache line.

    A vector is as long as a line: without that each load would touch two.
    """
    values = np.empty(n_rows * BLOCK + LINE, np.float32)
    skip = (-values.ctypes.data // values.itemsize) % LINE
    return values[skip : skip + n_rows * BLOCK].reshape(n_rows, BLOCK)


def identity(n_features: int) -> np.ndarray:
    """Offsets 0 and scales 1: features that are the values, dims (2, feature), float32."""
    return np.stack([np.zeros(n_features, np.float32), np.ones(n_features, np.float32)])


def rows_of(features: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the memory of (feature, pixel) values from first to last, and the distance between features.

    Compiled code knows of such an array that neighbours are adjacent, of a strided view it does not. Only
    what no such view can be made of is copied.
    """
    n_features, n_pixels = features.shape
    if not features.size:
        return np.empty(0, np.float32), 0
    stride, rest = divmod(features.strides[0], 4)
    adjacent = features.strides[1] == 4 or n_pixels == 1
    if features.dtype != np.float32 or rest or stride < 0 or not adjacent:
        features, stride = np.ascontiguousarray(features, np.float32), n_pixels
    length = (n_features - 1) * stride + n_pixels
    return np.lib.stride_tricks.as_strided(features, (length,), (4,), writeable=False), stride
