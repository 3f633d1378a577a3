"""Operations without a derivative here, each with the reason that the reader is shown."""

from __future__ import annotations

from tracer.ops.table import undifferentiable

#: Operations whose derivative is 0 wherever they have one.
STEP_FUNCTIONS = frozenset(
    "floor ceil trunc rint round fix floor_divide round_to_int round_half_away cmp searchsorted digitize empty_like "
    "held".split()
)
undifferentiable(
    "a step function: it is constant between jumps, so its derivative is 0 wherever it has one",
    *sorted(STEP_FUNCTIONS - {"empty_like", "held"}),
)
undifferentiable("it is held constant: an inferred loss passes no gradient through it", "held")
undifferentiable(
    "it takes the shape of the array only; its entries are whatever stood in memory", "empty_like", "empty"
)
undifferentiable(
    "it gives positions or counts, which do not change smoothly with the entries",
    "argmax", "argmin", "argsort", "argpartition", "nanargmax", "nanargmin", "nonzero", "flatnonzero", "argwhere",
    "count_nonzero", "histogram", "lexsort", "linalg.matrix_rank", "histogram2d", "histogramdd",
    "unique_counts", "unique_inverse", "unique_all", "indices", "ix_", "diag_indices", "diag_indices_from", "mask_indices",
    "tril_indices", "tril_indices_from", "triu_indices", "triu_indices_from", "ravel_multi_index", "unravel_index",
    "shape", "ndim",
)  # fmt: skip
undifferentiable(
    "it gives a set of values: which entries stand in it, and where, jumps; take them by their positions instead",
    "unique", "unique_values", "union1d", "intersect1d", "setdiff1d", "setxor1d",
)  # fmt: skip
undifferentiable(
    "it gives truth values, which do not change smoothly with the entries",
    "any", "all", "isnan", "isinf", "isfinite", "isclose", "allclose", "array_equal", "array_equiv", "signbit",
    "isneginf", "isposinf", "isreal", "iscomplex", "logical_xor", "isin", "isnat",
)  # fmt: skip
undifferentiable(
    "it is an operation between whole numbers, which do not change smoothly",
    "gcd", "lcm", "bitwise_xor", "bitwise_count", "left_shift", "right_shift", "packbits", "unpackbits",
)  # fmt: skip
undifferentiable(
    "it says how numbers are stored in the machine, and jumps from one to the next", "nextafter", "spacing"
)  # fmt: skip
undifferentiable(
    "it counts in steps, and how many there are jumps with its ends; np.linspace has a derivative",
    "arange",
    "range",
)
undifferentiable(
    "it calls functions for groups of entries, which are not followed",
    "piecewise",
    "apply_over_axes",
    "fromfunction",
)
undifferentiable(
    "it is made of the number of points, and its shape parameter is not followed",
    "bartlett", "blackman", "hamming", "hanning", "kaiser", "fft.fftfreq", "fft.rfftfreq",
)  # fmt: skip
undifferentiable(
    "its derivative is a Bessel function that NumPy does not have; scipy.special.i0 and i1 are a pair", "i0"
)
undifferentiable(
    "which edges are chosen jumps with the entries", "histogram_bin_edges",
)  # fmt: skip
undifferentiable(
    "its results are complex numbers in general, and how many there are may jump", "roots", "sort_complex"
)
undifferentiable("the degrees of quotient and remainder may jump with the coefficients", "polydiv")
