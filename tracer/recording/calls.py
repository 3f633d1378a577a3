"""Which canonical operation a call is: one for its function, method and operator forms.

In: the function that is called and its boxed arguments.  Out: a `Canonical` call, in which
``np.sum(x, axis=0)`` and ``x.sum(0)`` are the same, or ``None`` for what is not NumPy's.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from tracer.recording.array_calls import of_method
from tracer.recording.box import Box
from tracer.recording.call_rows import Canonical
from tracer.recording.numpy_calls import of_numpy, of_random
from tracer.recording.python_calls import OF_PYTHON2, of_number, of_reduction, of_type
from tracer.recording.scipy_calls import scipy_call
from tracer.recording.ufunc_calls import of_ufunc, of_ufunc_method

_CONTAINERS = (list, dict, set, tuple, str)


def canonical(
    function: Any, owner: Box | None, args: list[Box], kwargs: dict[str, Box], result: Any
) -> Canonical | None:
    """The canonical form of a call that gave ``result``; ``None`` if the function is not known to be pure.

    Arguments:
        owner: the array whose method is called, for a method.
    """
    numpys = isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is function
    if numpys:
        return of_ufunc(function, args, kwargs)
    bound = getattr(function, "__self__", None)
    if isinstance(bound, np.ufunc):
        return of_ufunc_method(bound, function.__name__, args, kwargs)
    if owner is not None:
        return of_method(function.__name__, owner, args, kwargs, result)
    if type(bound) in _CONTAINERS:
        return None
    of_scipy = scipy_call(function, args, kwargs)
    if of_scipy is not None:
        return Canonical(*of_scipy)
    drawn = of_random(function, bound, args, kwargs)
    if drawn is not None:
        return drawn
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__name__", "")
    if module == "math" or function in (abs, pow, round, divmod, *OF_PYTHON2):
        return of_number(function, name, args)
    if isinstance(function, type):
        return of_type(function, args, kwargs)
    if function in (builtins.sum, builtins.max, builtins.min):
        return of_reduction(name, args, kwargs, result)
    if function is len and args and isinstance(args[0].value, np.ndarray):
        return Canonical("axis_size", [args[0]], {"axis": 0})
    if module.split(".")[0] == "numpy" or (bound is None and getattr(np, name, None) is function):
        return of_numpy(function, module, name, args, kwargs, result)
    return None
