"""Operations without a derivative here, each with the reason that the reader is shown."""

from __future__ import annotations

from tracer.ops.table import undifferentiable

#: Operations whose derivative is 0 wherever they have one.
STEP_FUNCTIONS = frozenset(
    "floor ceil trunc rint round fix floor_divide round_to_int searchsorted digitize empty_like".split()
)
undifferentiable(
    "a step function: it is constant between jumps, so its derivative is 0 wherever it has one",
    *sorted(STEP_FUNCTIONS - {"empty_like"}),
)
undifferentiable("it takes the shape of the array only; its entries are whatever stood in memory", "empty_like", "empty")
undifferentiable(
    "it gives positions or counts, which do not change smoothly with the entries",
    "argmax", "argmin", "argsort", "argpartition", "nanargmax", "nanargmin", "nonzero", "flatnonzero", "argwhere",
    "count_nonzero", "bincount", "histogram", "unique", "lexsort", "linalg.matrix_rank",
)  # fmt: skip
undifferentiable(
    "it gives truth values, which do not change smoothly with the entries",
    "any", "all", "isnan", "isinf", "isfinite", "isclose", "allclose", "array_equal", "array_equiv", "signbit",
    "isneginf", "isposinf", "isreal", "iscomplex", "logical_xor", "isin",
)  # fmt: skip
undifferentiable(
    "its values are complex numbers, and only derivatives by real numbers are derived",
    "fft.fft", "fft.ifft", "fft.fft2", "fft.ifft2", "fft.fftn", "fft.ifftn", "fft.rfft", "fft.irfft", "fft.rfft2",
    "fft.irfft2", "fft.rfftn", "fft.irfftn", "fft.hfft", "fft.ihfft", "linalg.eig", "linalg.eigvals", "angle",
)  # fmt: skip
