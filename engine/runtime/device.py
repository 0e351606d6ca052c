"""What the processors of this machine can do."""

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def processor_flags() -> frozenset[str]:
    """Names of the instructions that the processor has, as Linux lists them; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


def computes_bfloat16() -> bool:
    """Whether the processor computes with bfloat16 by itself, in vectors or matrices."""
    return bool(processor_flags() & {"avx512_bf16", "amx_bf16"})


def has_amx() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in units made for it."""
    return "amx_bf16" in processor_flags()
