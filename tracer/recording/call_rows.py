"""The rows of NumPy's functions: one for a function's plain form and its method.

In: a canonical name and the boxed arguments of a call.  Out: the `Canonical` call.

A row names the operands, then after ``|`` the parameters in NumPy's order.  A parameter with a default
always stands in ``kwargs``; others only when they were given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.recording.box import Box

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
_IN_PLACE = {"fill_diagonal", "copyto", "put", "place", "putmask", "put_along_axis"}


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


TABLE = _parse(_ROWS)


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
        rows_of: how often the operand is the only row of a new axis.
    """

    op: str
    operands: list[Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    random: bool = False
    target: Box | None = None
    out: Box | None = None
    rows_of: int = 0


def from_row(name: str, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    row = TABLE[name]
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
                parameters["dtype"] = type_name(box.value)
        elif key in _SIZES or key in ("where", "initial", "weights") or _carries(box):
            parameters[key] = box
        else:
            parameters[key] = plain(box.value)
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


def plain(value: Any) -> Any:
    if isinstance(value, np.integer):
        return int(value)
    return tuple(plain(v) for v in value) if isinstance(value, (list, tuple)) else value


def parameters_given(kwargs: dict[str, Box]) -> dict[str, Any]:
    return {k: type_name(b.value) if k == "dtype" else b for k, b in kwargs.items() if b.value is not None}


def type_name(value: Any) -> str:
    return str(np.dtype(value).name)
