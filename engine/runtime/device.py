"""Abilities of this machine's processors, and Keras on them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def processor_flags() -> frozenset[str]:
    """Return the names of the instructions that the processor has, as Linux lists them; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


def computes_bfloat16() -> bool:
    """Return whether the processor computes with bfloat16 by itself, in vectors or matrices."""
    return bool(processor_flags() & {"avx512_bf16", "amx_bf16"})


def has_amx() -> bool:
    """Return whether the processor multiplies matrices of bfloat16 in units made for it."""
    return "amx_bf16" in processor_flags()


@lru_cache(maxsize=1)
def wake_keras() -> None:
    """Import Keras with its backend, without the dozen lines that TensorFlow writes past Python on stderr."""
    with mute_stderr():
        import keras

        keras.ops.convert_to_numpy(keras.ops.zeros(1))


@contextmanager
def mute_stderr() -> Iterator[None]:
    """Send what libraries write straight to the stream of errors nowhere; exceptions come through."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
