"""Which canonical operation a call is: one row a function, for its function, method and operator forms.

In: the function that is called and its boxed arguments.  Out: a `Canonical` call, in which
``np.sum(x, axis=0)`` and ``x.sum(0)`` are the same, or ``None`` for what is not NumPy's.

A row names the operands, then after ``|`` the parameters in NumPy's order.  A parameter with a default
always stands in ``kwargs``; others only when they were given.
"""

from __future__ import annotations

import builtins
import inspect
import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from tracer.recording.box import NUMBERS, Box
from tracer.recording.scipy_calls import scipy_call

_ROWS = """
sum a | axis=None dtype out keepdims=False initial where
prod a | axis=None dtype out keepdims=False initial where
mean a | axis=None dtype out keepdims=False where
max a | axis=None out keepdims=False initial where
min a | axis=None out keepdims=False initial where
var a | axis=None dtype out ddof=0 keepdims=False where
std a | axis=None dtype out ddof=0 keepdims=False where
any a | axis=None out keepdims=False where
all a | axis=None out keepdims=False where
argmax a | axis=None out keepdims
argmin a | axis=None out keepdims
cumsum a | axis=None dtype out
cumprod a | axis=None dtype out
norm x | ord axis=None keepdims=False
dot a b | out
inner a b |
outer a b | out
vdot a b |
kron a b |
cross a b | axisa axisb axisc axis
tensordot a b | axes=2
transpose a | axes=None
expand_dims a | axis
squeeze a | axis=None
swapaxes a | axis1 axis2
moveaxis a | source destination
broadcast_to array | shape
tile A | reps
repeat a | repeats axis=None
flip m | axis=None
roll a | shift axis=None
concatenate arrays | axis=0 out dtype casting
stack arrays | axis=0 out dtype casting
vstack tup | dtype casting
hstack tup | dtype casting
column_stack tup |
dstack tup |
pad array | pad_width mode constant_values
diag v | k
diagonal a | offset axis1 axis2
trace a | offset axis1 axis2
tril m | k
triu m | k
take a indices | axis=None out mode
take_along_axis arr indices | axis
where condition x y |
clip a a_min a_max | out
zeros | shape dtype
ones | shape dtype
empty | shape dtype
full | shape fill_value dtype
zeros_like a | dtype
ones_like a | dtype
empty_like a | dtype
full_like a fill_value | dtype
sort a | axis kind
argsort a | axis kind
round a | decimals out
atleast_1d a |
atleast_2d a |
median a | axis=None
nan_to_num x |
isclose a b |
allclose a b |
array_equal a b |
count_nonzero a | axis=None
bincount x | weights minlength
fill_diagonal a val | wrap
copyto dst src | casting where
put a ind v | mode
place arr mask vals |
putmask a mask values |
put_along_axis arr indices values axis |
real val |
imag val |
"""

#: Parameters that keep references, because they say how large an axis is.
_SIZES = {"shape", "reps", "repeats", "fill_value"}
ALIASES = {
    "amax": "max", "amin": "min", "around": "round", "round_": "round", "product": "prod", "concat": "concatenate",
    "row_stack": "vstack", "permute_dims": "transpose", "true_divide": "divide", "fabs": "absolute", "abs": "absolute",
    "mod": "remainder", "asanyarray": "asarray", "bitwise_not": "invert", "conjugate": "conjugate",
}  # fmt: skip
#: What these are between truth values.
LOGICAL = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not"}
_METHODS = [
    "sum",
    "prod",
    "mean",
    "max",
    "min",
    "var",
    "std",
    "any",
    "all",
    "argmax",
    "argmin",
    "cumsum",
    "cumprod",
    "dot",
    "transpose",
    "squeeze",
    "swapaxes",
    "repeat",
    "diagonal",
    "trace",
    "take",
    "clip",
    "argsort",
    "round",
]
_IN_PLACE = {"fill_diagonal", "copyto", "put", "place", "putmask", "put_along_axis"}
_PURE_MATH = {
    "exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan", "floor", "ceil",
}  # fmt: skip
_MATH_OF_TWO = {"hypot": "hypot", "atan2": "arctan2", "fmod": "fmod", "copysign": "copysign"}
_MATH_NAMES = {
    "atan": "arctan", "asin": "arcsin", "acos": "arccos", "pow": "power", "fabs": "absolute",
    "degrees": "degrees", "radians": "radians", "trunc": "trunc",
}  # fmt: skip


@dataclass(frozen=True)
class _Row:
    operands: tuple[str, ...]
    parameters: tuple[str, ...]
    defaults: dict[str, Any]


def _parse(rows: str) -> dict[str, _Row]:
    table = {}
    for line in rows.strip().splitlines():
        left, right = line.split("|")
        name, *operands = left.split()
        parameters, defaults = [], {}
        for item in right.split():
            parameter, _, default = item.partition("=")
            parameters.append(parameter)
            if default:
                defaults[parameter] = (
                    int(default) if default.isdigit() else {"None": None, "False": False}[default]
                )
        table[name] = _Row(tuple(operands), tuple(parameters), defaults)
    return table


_TABLE = _parse(_ROWS)


@dataclass
class Canonical:
    """A call in canonical form.

    Attributes:
        op: canonical name.
        operands: boxes, or tuples of boxes, in canonical order.
        parameters: keyword arguments; boxes whose references are kept, or plain values.
        random: a draw from a random number generator.
        target: the box of the array that is changed in place, if one is.
        out: the box of ``out=``, if it was given.
    """

    op: str
    operands: list[Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    random: bool = False
    target: Box | None = None
    out: Box | None = None


def canonical(
    function: Any, owner: Box | None, args: list[Box], kwargs: dict[str, Box], result: Any
) -> Canonical | None:
    """The canonical form of a call that gave ``result``; ``None`` if the function is not known to be pure.

    Arguments:
        owner: the array whose method is called, for a method.
    """
    of_numpy = isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is function
    if isinstance(function, np.ufunc) and of_numpy:
        return _ufunc(function, args, kwargs)
    bound = getattr(function, "__self__", None)
    if isinstance(bound, np.ufunc):
        return _ufunc_method(bound, function.__name__, args, kwargs)
    if owner is not None:
        return _method(function.__name__, owner, args, kwargs, result)
    of_scipy = scipy_call(function, args, kwargs)
    if of_scipy is not None:
        return Canonical(*of_scipy)
    drawn = _random(function, bound, args, kwargs)
    if drawn is not None:
        return drawn
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__name__", "")
    if module == "math" or function in (abs, pow, round, divmod):
        return _number_function(function, name, args)
    if isinstance(function, type):
        return _type(function, args, kwargs)
    if function in (builtins.sum, builtins.max, builtins.min):
        return _builtin_reduction(name, args, kwargs, result)
    if function is len and args and isinstance(args[0].value, np.ndarray):
        return Canonical("axis_size", [args[0]], {"axis": 0})
    if module.split(".")[0] == "numpy" or (bound is None and getattr(np, name, None) is function):
        return _numpy(function, module, name, args, kwargs, result)
    return None


def _numpy(
    function: Any, module: str, name: str, args: list[Box], kwargs: dict[str, Box], result: Any
) -> Canonical | None:
    name = ALIASES.get(name, name)
    if name in ("array", "asarray", "ascontiguousarray", "asfarray", "matrix", "copy"):
        return _array(name, args, kwargs)
    if name in ("reshape", "ravel"):
        shape = args[1] if len(args) > 1 and name == "reshape" else kwargs.get("shape")
        order = args[1 if name == "ravel" else 2 :]
        return _reshape(args[0], result, {"order": order[0]} if order else kwargs, shape)
    if name in ("eye", "identity", "arange", "linspace", "tri"):
        return Canonical(name, list(args), _given(kwargs))
    if name == "einsum":
        return Canonical(
            "einsum",
            list(args),
            _given({k: v for k, v in kwargs.items() if k != "out"}),
            out=kwargs.get("out"),
        )
    if name in ("fliplr", "flipud"):
        return Canonical("flip", list(args), {"axis": int(name == "fliplr")})
    if name == "size" and len(args) == 1 and not kwargs:
        return Canonical("size", [args[0]])
    if name == "size" and len(args) == 2:
        return Canonical("axis_size", [args[0]], {"axis": args[1].value})
    if name == "ndim":
        return Canonical("ndim", [args[0]])
    if any(callable(b.value) and not isinstance(b.value, type) for b in (*args, *kwargs.values())):
        return None
    if name == "nan_to_num" and "copy" in kwargs and not kwargs["copy"].value:
        return None
    if name in (
        "frombuffer",
        "fromstring",
        "fromfile",
        "size",
        "shape",
        "ndim",
        "save",
        "savetxt",
        "load",
        "loadtxt",
        "genfromtxt",
    ):
        return None
    if name in _TABLE and (name == "norm") == ("linalg" in module):
        if name == "where" and len(args) == 1:
            return Canonical("where", list(args))
        return _from_row(name, args, kwargs)
    path = _path(function, name)
    if path is None:
        return None
    operands, parameters = list(args), dict(kwargs)
    at = _position_of_out(function)
    out = operands.pop(at) if at is not None and at == len(operands) - 1 else parameters.pop("out", None)
    if "overwrite_input" in parameters or (at is not None and at < len(operands)):
        return None
    return Canonical(path, operands, parameters, out=None if out is None or out.value is None else out)


@cache
def _position_of_out(function: Any) -> int | None:
    """The place of a function's parameter ``out``, if it can be given by place."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    return next(
        (k for k, p in enumerate(parameters) if p.name == "out" and p.kind is not p.KEYWORD_ONLY), None
    )


def _path(function: Any, name: str) -> str | None:
    """The name below ``numpy`` by which a function can be found again."""
    if getattr(np, name, None) is function:
        return name
    for below in ("linalg", "fft", "lib.stride_tricks"):
        found: Any = np
        for part in below.split("."):
            found = getattr(found, part)
        if getattr(found, name, None) is function:
            return f"{below}.{name}"
    return None


def _from_row(name: str, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    row = _TABLE[name]
    names = row.operands + row.parameters
    if len(args) > len(names):
        return None
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    renamed = {"x1": "a", "x2": "b", "arr": "a", "min": "a_min", "max": "a_max", "m": "a"}
    given = {k if k in names else renamed.get(k, k): v for k, v in given.items()}
    if name == "clip":
        given = {"a_min": Box(None), "a_max": Box(None), **given}
    if any(operand not in given for operand in row.operands):
        return None
    out = given.pop("out", None)
    out = None if out is None or out.value is None else out
    parameters: dict[str, Any] = dict(row.defaults)
    for key, box in given.items():
        if key in row.operands:
            continue
        if key == "dtype":
            if box.value is not None:
                parameters["dtype"] = _dtype(box.value)
        elif key in _SIZES or key in ("where", "initial", "weights") or _carries(box):
            parameters[key] = box
        else:
            parameters[key] = _plain(box.value)
    operands: list[Any] = [given[operand] for operand in row.operands]
    if name in ("zeros", "ones", "empty", "full"):
        size = parameters.pop("shape", None)
        operands = [_tuple_of(size)]
        if name == "full":
            operands.append(parameters.pop("fill_value"))
        parameters.pop("order", None)
    if name in ("tile", "repeat"):
        operands.append(parameters.pop("reps" if name == "tile" else "repeats"))
    if name == "broadcast_to":
        operands.append(_tuple_of(parameters.pop("shape")))
    target = operands[0] if name in _IN_PLACE else None
    return Canonical(name, operands, parameters, target=target, out=out)


def _tuple_of(size: Any) -> Any:
    """A shape argument as a tuple: ``zeros(n)`` is ``zeros((n,))``."""
    return size if isinstance(size, Box) and isinstance(size.value, (tuple, list)) else (size,)


def _carries(box: Box) -> bool:
    """Whether a parameter is itself a number that the program computed."""
    return box.node is not None and isinstance(box.value, (float, np.floating, np.ndarray))


def _plain(value: Any) -> Any:
    if isinstance(value, np.integer):
        return int(value)
    return tuple(_plain(v) for v in value) if isinstance(value, (list, tuple)) else value


def _given(kwargs: dict[str, Box]) -> dict[str, Any]:
    return {k: _dtype(b.value) if k == "dtype" else b for k, b in kwargs.items() if b.value is not None}


def _dtype(value: Any) -> str:
    return str(np.dtype(value).name)


def _ufunc(function: np.ufunc, args: list[Box], kwargs: dict[str, Box]) -> Canonical:
    name = ALIASES.get(function.__name__, function.__name__)
    operands, outs = list(args[: function.nin]), list(args[function.nin :])
    out = outs[0] if outs else kwargs.get("out")
    if out is not None and isinstance(out.value, tuple):
        out = Box(out.value[0])
    parameters: dict[str, Any] = {}
    for key, box in kwargs.items():
        if key == "dtype":
            parameters["dtype"] = _dtype(box.value)
        elif key == "where" and box.value is not True:
            parameters["where"] = box
        elif key in ("axis", "axes", "keepdims"):
            parameters[key] = _plain(box.value)
    if name in ("bitwise_and", "bitwise_or", "invert"):
        name = logical(name, [b.value for b in operands])
    if out is not None and out.value is None:
        out = None
    return Canonical(name, list(operands), parameters, out=out)


def logical(name: str, values: list[Any]) -> str:
    """``&``, ``|`` and ``~`` between truth values are the logical operations."""
    if name not in LOGICAL:
        return name
    truths = all(np.asarray(v).dtype == np.bool_ for v in values)
    return LOGICAL[name] if truths else name


def _ufunc_method(
    function: np.ufunc, method: str, args: list[Box], kwargs: dict[str, Box]
) -> Canonical | None:
    name = ALIASES.get(function.__name__, function.__name__)
    if method == "__call__":
        return _ufunc(function, args, kwargs)
    if method == "at":
        return Canonical("add_at" if name == "add" else f"{name}.at", list(args), target=args[0])
    reduced = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}.get(name)
    if method == "reduce" and reduced:
        if len(args) == 1 and "axis" not in kwargs:
            kwargs = {**kwargs, "axis": Box(0)}
        return _from_row(reduced, args, kwargs)
    if method == "at" or method not in ("outer", "accumulate", "reduce", "reduceat"):
        return None
    return Canonical(f"{name}.{method}", list(args), dict(kwargs))


def _method(name: str, owner: Box, args: list[Box], kwargs: dict[str, Box], result: Any) -> Canonical | None:
    if name in ("copy", "__copy__", "__deepcopy__"):
        return Canonical("copy", [owner])
    if name == "astype":
        return Canonical("astype", [owner], {"dtype": _dtype((args[0] if args else kwargs["dtype"]).value)})
    if name in ("reshape", "ravel", "flatten"):
        shape = Box(None, items=None)
        if name == "reshape":
            shape = args[0] if len(args) == 1 else Box(tuple(b.value for b in args), items=list(args))
            if not args:
                shape = kwargs["shape"]
        elif args:
            kwargs = {"order": args[0]}
        return _reshape(owner, result, kwargs, shape)
    if name == "view":
        dtypes = [b.value for b in (*args, *kwargs.values()) if not _is_array_type(b.value)]
        return None if any(np.dtype(d) != owner.value.dtype for d in dtypes) else Canonical("view", [owner])
    if name == "transpose" and args:
        axes = (
            args[0].value
            if len(args) == 1 and not isinstance(args[0].value, int)
            else tuple(b.value for b in args)
        )
        return Canonical(
            "transpose", [owner], {"axes": None if axes is None else tuple(int(k) for k in axes)}
        )
    if name == "item":
        return Canonical("item", [owner, *args])
    if name == "fill":
        return Canonical("fill", [owner, *args], target=owner)
    if name == "sort":
        given = {**dict(zip(("axis", "kind"), args, strict=False)), **kwargs}
        return Canonical("sort_in_place", [owner], {k: b.value for k, b in given.items()}, target=owner)
    if name == "partition":
        return Canonical("partitioned", [owner, *args], dict(kwargs), target=owner)
    if name == "resize":
        return Canonical("resized", [owner], {"shape": _sizes(args)}, target=owner)
    if name == "put":
        return Canonical("put", [owner, *args], dict(kwargs), target=owner)
    if name in _METHODS:
        return _from_row(name, [owner, *args], kwargs)
    if name in ("nonzero", "searchsorted", "ptp", "conj", "conjugate"):
        return Canonical(name, [owner, *args], dict(kwargs))
    return None


def _sizes(args: list[Box]) -> tuple[int, ...]:
    given = args[0].value if len(args) == 1 else tuple(b.value for b in args)
    return tuple(int(n) for n in given) if isinstance(given, (tuple, list)) else (int(given),)


def _is_array_type(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, np.ndarray)


def _reshape(x: Box, result: Any, kwargs: dict[str, Box], shape: Box | None = None) -> Canonical:
    """``-1`` becomes the real number; sizes that have a node keep their reference."""
    sizes: tuple[Any, ...] = tuple(np.shape(result))
    items = shape.items if shape is not None and shape.items is not None else None
    if items is not None and len(items) == len(sizes):
        sizes = tuple(item if item.value == size else size for item, size in zip(items, sizes, strict=True))
    elif shape is not None and shape.node is not None and shape.value == sizes[:1] == sizes:
        sizes = (shape,)
    order = kwargs.get("order")
    extra = {"order": order.value} if order is not None and order.value not in ("C", None) else {}
    return Canonical("reshape", [x], {"shape": sizes, **extra})


def _array(name: str, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    if not args:
        return None
    x = args[0]
    dtype = args[1] if len(args) > 1 else kwargs.get("dtype")
    if isinstance(x.value, (np.ndarray, np.generic)):
        if isinstance(x.value, np.ndarray) and dtype is not None and dtype.value is not None:
            return Canonical("astype", [x], {"dtype": _dtype(dtype.value)})
        if isinstance(x.value, np.ndarray):
            return Canonical("copy", [x])
    extra = {"dtype": _dtype(dtype.value)} if dtype is not None and dtype.value is not None else {}
    return Canonical("array", [x], extra)


def _random(function: Any, bound: Any, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    name = getattr(function, "__name__", "")
    generators = (np.random.RandomState, np.random.Generator, random.Random)
    if name in ("seed", "get_state", "set_state", "getstate", "setstate"):
        return None
    if isinstance(bound, generators) or (getattr(np.random, name, None) is function):
        target = args[0] if name == "shuffle" and args and isinstance(args[0].value, np.ndarray) else None
        parameters = {
            k: b if k == "size" else _plain(b.value) for k, b in kwargs.items() if k not in ("dtype", "out")
        }
        out = kwargs.get("out")
        out = None if out is None or out.value is None else out
        return Canonical(f"random.{name}", list(args), parameters, random=True, target=target, out=out)
    return None


def _number_function(function: Any, name: str, args: list[Box]) -> Canonical | None:
    if function is abs:
        return Canonical("absolute", [args[0]])
    if function is pow and len(args) == 2:
        return Canonical("power", list(args))
    if function is round:
        if len(args) == 1 and not isinstance(args[0].value, np.ndarray):
            return Canonical("round_to_int", [args[0]])
        return Canonical("round", [args[0]], {"decimals": args[1].value if len(args) > 1 else 0})
    if function is divmod:
        return Canonical("divmod", list(args))
    if getattr(function, "__module__", "") == "math":
        if name in ("fsum", "prod") and len(args) == 1:
            return Canonical(f"{name}_of", list(args))
        if name == "log" and len(args) == 2:
            return Canonical("log_base", list(args))
        if name in _MATH_OF_TWO and len(args) == 2:
            return Canonical(_MATH_OF_TWO[name], list(args))
        found = _MATH_NAMES.get(name, name if name in _PURE_MATH else None)
        if found is not None and (found != "log" or len(args) == 1):
            return Canonical(found, list(args))
    return None


def _type(function: type, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    if (
        len(args) == 1
        and not kwargs
        and function in (float, int, bool)
        and isinstance(args[0].value, NUMBERS)
    ):
        return Canonical(function.__name__, [args[0]])
    if function is range:
        return Canonical("range", list(args))
    if function is complex and not kwargs and all(isinstance(b.value, (int, float, complex)) for b in args):
        return Canonical("complex", list(args))
    if function is np.matrix and args and not isinstance(args[0].value, str):
        return _array("matrix", args, kwargs)
    if issubclass(function, np.generic) and len(args) == 1 and not isinstance(args[0].value, (str, bytes)):
        return Canonical("astype", [args[0]], {"dtype": _dtype(function)})
    return None


def _builtin_reduction(name: str, args: list[Box], kwargs: dict[str, Box], result: Any) -> Canonical | None:
    if kwargs:
        return None
    if name != "sum" and len(args) > 1:
        return Canonical(f"{name}_of", [tuple(args)])
    if name == "sum" and len(args) == 2:
        return Canonical("sum_of", list(args))
    return Canonical(f"{name}_of", [args[0]])
