"""Which calls change no array but through recorded code: the program's own functions, and Python's containers.

In: a function or object that is about to be called or written to.  Out: whether it is certain.  Invariant: in doubt
the answer is no, and arrays are copied and compared that need not be.
"""

from __future__ import annotations

import builtins
import collections
import types
from typing import Any

import numpy as np

from tracer.recording.code_making import RECORDER
from tracer.recording.python2_text import WRITING, Text

_FUNCTIONS = frozenset(
    id(function)
    for function in (
        *(getattr(builtins, name) for name in (
            "print", "len", "isinstance", "issubclass", "zip", "enumerate", "range", "iter", "next", "reversed", "list",
            "tuple", "dict", "set", "frozenset", "sorted", "any", "all", "str", "repr", "int", "float", "bool", "complex",
            "type", "id", "hash", "callable", "hasattr", "getattr", "format", "chr", "ord", "min", "max", "sum", "abs",
            "round", "divmod", "pow", "slice", "super", "property", "staticmethod", "classmethod", "input", "open",
            "object", "bytes",
        )),
        collections.deque, collections.defaultdict, collections.OrderedDict, collections.Counter,
        np.allclose, np.array_equal, np.isscalar, np.ndim, np.shape,
        *WRITING,
    )
)  # fmt: skip
_HOLDERS = (
    dict, list, tuple, set, frozenset, str, bytes, int, float, complex, collections.deque, collections.defaultdict,
    collections.OrderedDict, collections.Counter, np.dtype, Text,
)  # fmt: skip
_MODULES = ("time", "math")


def is_harmless(function: Any) -> bool:
    """Whether a built-in function, or a method of a container, leaves every array as it is."""
    if id(function) in _FUNCTIONS:
        return True
    bound = getattr(function, "__self__", None)
    if isinstance(bound, types.ModuleType):
        return bound.__name__ in _MODULES
    return type(bound) in _HOLDERS or isinstance(bound, np.generic)


def is_recorded(codes: tuple[types.CodeType, ...]) -> bool:
    """Whether functions with this code were rewritten to record themselves."""
    return bool(codes) and all(RECORDER in code.co_names for code in codes)


def does_more(owner: Any, method: str) -> bool:
    """Whether a special method of an object may do what is not recorded."""
    found = getattr(type(owner), method, None)
    return not (isinstance(found, types.FunctionType) and is_recorded((found.__code__,)))
