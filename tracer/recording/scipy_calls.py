"""Which operation a call of SciPy is; SciPy itself is never imported here, only met where the program imported it.

In: a function and its boxed arguments.  Out: its name below ``scipy``, such as ``special.expit``, and its arguments in
canonical order; ``None`` for what is not known to be pure.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tracer.recording.box import Box

#: Operands, and after ``|`` the parameters, of functions that are not carried out entry by entry.
_ROWS = {
    "special.softmax": ("x", "axis"),
    "special.log_softmax": ("x", "axis"),
    "special.logsumexp": ("a", "axis b keepdims"),
    "signal.convolve": ("in1 in2", "mode method"),
    "signal.correlate": ("in1 in2", "mode method"),
    "signal.convolve2d": ("in1 in2", "mode boundary fillvalue"),
    "signal.correlate2d": ("in1 in2", "mode boundary fillvalue"),
}
_DEFAULTS = {"mode": "full", "boundary": "fill", "fillvalue": 0, "method": "auto", "b": None}


def scipy_name(function: Any) -> str | None:
    """``special.expit`` for ``scipy.special.expit``, and so on; nothing for what is not SciPy's."""
    name = getattr(function, "__name__", "")
    for below in ("special", "signal"):
        module = sys.modules.get(f"scipy.{below}")
        if module is not None and getattr(module, name, None) is function:
            return f"{below}.{name}"
    return None


def scipy_call(
    function: Any, args: list[Box], kwargs: dict[str, Box]
) -> tuple[str, list[Box], dict[str, Any]] | None:
    """The name of the operation, its operands and its parameters; ``None`` if it is not followed."""
    name = scipy_name(function)
    if name is None:
        return None
    if isinstance(function, np.ufunc):
        return (name, list(args), {}) if not kwargs and function.nout == 1 else None
    if name not in _ROWS:
        return None
    operands, parameters = (names.split() for names in _ROWS[name])
    given = {**dict(zip([*operands, *parameters], args, strict=False)), **kwargs}
    if not given.keys() <= {*operands, *parameters}:
        return None
    # What is left at its default is the same operation; how the sum is computed is not part of it.
    found = {
        k: b.value for k, b in given.items()
        if k in parameters and k != "method" and b.value != _DEFAULTS.get(k, b)
    }  # fmt: skip
    return name, [given[operand] for operand in operands], found
