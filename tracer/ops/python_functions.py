"""What Python's own functions compute of numbers: sum, max and min, math.prod, math.log with a base.

Of equal numbers the last one counts in a maximum or minimum of two, as for `np.maximum`; of more the first one:
``<out>.chosen`` says which it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tracer.ops.axes import Operand, broadcast
from tracer.ops.elementwise import log, maximum, minimum
from tracer.ops.reductions import largest, max_, min_, smallest
from tracer.ops.stated import array_like, looked
from tracer.ops.table import Row, looked_up, operation
from tracer.ops.writing import Form, NoFormula, form, mask, rational, sum_over, total

#: A product is multiplied out, up to so many numbers.
_MOST_FACTORS = 16


def _number(item: Any) -> Form:
    if not isinstance(item, Operand):
        return form(rational(item))
    if item.ndim:
        raise NoFormula("sum_of", "an array where a number is expected")
    return item[()]


@operation("sum_of", "fsum_of")
def sum_of(summands: Any, start: Any = 0, *, out: Operand) -> Row:
    """out[i] = a[i] + b[i] + c[i] + …; of one array, which Python walks row by row, out[i] = Σ_k a[k, i]"""
    if isinstance(summands, Operand) and summands.ndim and start == 0:
        index = summands.indices()
        return index[1:], sum_over(index[:1], summands[index])
    items = (*_listed(summands), *([] if start == 0 else [start]))
    index = broadcast(*(s.axes for s in items if isinstance(s, Operand)), table=out.table)
    return index, total(s[index] if isinstance(s, Operand) else form(rational(s)) for s in items)


def _listed(items: Any) -> tuple[Any, ...]:
    if not isinstance(items, (tuple, list)):
        raise NoFormula("sum_of", "an array that Python goes through")
    return tuple(items)


@operation("prod_of")
def prod_of(factors: Any) -> Row:
    """out = a · b · c · …"""
    items = _listed(factors)
    if len(items) > _MOST_FACTORS:
        raise NoFormula("prod_of", f"{len(items)} factors")
    product = form(1)
    for item in items:
        product = product * _number(item)
    return (), product


@operation("max_of")
def max_of(items: Any, *, out: Operand) -> Row:
    """out = a [a > b] + b (1 − [a > b]); of more than two numbers Σ_k [chosen = k] x_k"""
    if isinstance(items, Operand):
        return max_(array_like(items, "max", 1), out=out)
    return (), maximum(*map(_number, items)) if len(items) == 2 else _chosen(items, out)


@operation("min_of")
def min_of(items: Any, *, out: Operand) -> Row:
    """out = a [b > a] + b (1 − [b > a]); of more than two numbers Σ_k [chosen = k] x_k"""
    if isinstance(items, Operand):
        return min_(array_like(items, "min", 1), out=out)
    return (), minimum(*map(_number, items)) if len(items) == 2 else _chosen(items, out)


def _chosen(items: Sequence[Any], out: Operand) -> Form:
    return total(mask("==", looked(out, "chosen"), form(k)) * _number(x) for k, x in enumerate(items))


def _choice(
    extreme: Any, of_array: Any, output: str, operands: Sequence[Any], _: Mapping[str, Any]
) -> dict[str, Any]:
    """Which number it is."""
    (items,) = operands
    if isinstance(items, Operand):
        found: dict[str, Any] = of_array(output, operands, {})
        return found
    values = [float(x.value if isinstance(x, Operand) else x) for x in items]
    return {f"{output}.chosen": np.asarray(extreme(values))}


looked_up("max_of")(partial(_choice, np.argmax, largest))
looked_up("min_of")(partial(_choice, np.argmin, smallest))


@operation("log_base")
def log_base(x: Any, base: Any) -> Row:
    """out = log x / log b"""
    return (), log(_number(x)) / log(_number(base))
