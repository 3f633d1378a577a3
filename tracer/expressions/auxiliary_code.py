"""Code for the arrays that a formula mentions and the expression does not compute.

``np.max(A, axis=1)`` is described with the places of the largest entries, ``np.linalg.det(A)`` with an inverse.
Comes in: the array and the call that it belongs to, as it is written.  Goes out: NumPy code, or None if there is
none.  Invariant: what comes out is run and compared before it is shown, like all code.
"""

from __future__ import annotations

import ast

from tracer.calculus.complex_values import MARK
from tracer.expressions.linear_algebra_code import linear_algebra_code
from tracer.expressions.sequence_code import sequence_code


def auxiliary_code(what: str, owner: ast.expr, modules: frozenset[str], part: int = 0) -> ast.expr | None:
    """Code for the array called ``what`` of the value that ``owner`` computes.

    Arguments:
        modules: names that stand for modules, so that ``np.max(A)`` is told from ``A.max()``.
        part: which of the arrays that it gives is meant, if it gives several.
    """
    what = what.removesuffix(MARK)
    kind = what.rstrip("0123456789")
    number = what.removeprefix(kind)
    if what == "inverse":
        return _parsed(f"np.linalg.inv({ast.unparse(owner)})")
    if kind == "where":
        return _parsed(f"np.nonzero({ast.unparse(owner)})[{number}]")
    if kind == "picked":
        return _written_places(owner, int(number), modules)
    if isinstance(owner, ast.Subscript):
        owner = owner.value  # one of several arrays
    if not isinstance(owner, ast.Call) or not isinstance(owner.func, ast.Attribute):
        return None
    inside = owner.func.value
    is_function = ast.unparse(inside).partition(".")[0] in modules and isinstance(inside, ast.Name | ast.Attribute)
    operands = owner.args if is_function else [inside, *owner.args]
    if not operands:
        return None
    operand = ast.unparse(operands[0])
    given = {k.arg: ast.unparse(k.value) for k in owner.keywords if k.arg}
    texts = [ast.unparse(o) for o in operands]
    function = owner.func.attr
    found = linear_algebra_code(what, function, texts, given, part) or sequence_code(what, function, texts, given)
    if found is not None:
        return _parsed(found)
    if owner.func.attr in ("quantile", "percentile", "median"):
        return _ranked(kind, number, owner.func.attr, operand, operands, given)
    if len(operands) > 1:
        given.setdefault("axis", ast.unparse(operands[1]))
    along = f", axis={given['axis']}" if "axis" in given else ""
    match kind, owner.func.attr:
        case ("argmax" | "argmin", "max" | "amax" | "min" | "amin" | "ptp"):
            keep = ", keepdims=True" if given.get("keepdims") == "True" else ""
            if given.get("axis", "").startswith("("):
                return _along_several(kind, number, operand, given["axis"], bool(keep))
            found = f"np.{kind}({operand}{along}{keep})"
            return _parsed(f"np.unravel_index({found}, ({operand}).shape)[{number}]" if number else found)
        case "present", _ if function.startswith("nan"):
            return _parsed(f"1.0 * ~np.isnan({operand})")
        case "count", "nanmean" if "keepdims" not in given:
            return _parsed(f"np.sum(~np.isnan({operand}){along})")
        case "order", "sort":
            return _parsed(f"np.argsort({operand}{along}, kind='stable')")
        case "others", "prod" if not along:
            products = f"[np.prod(np.delete({operand}, i)) for i in range(np.size({operand}))]"
            return _parsed(f"np.array({products}).reshape(np.shape({operand}))")
        case "others", "prod" if given["axis"].lstrip("-").isdigit():
            axis = given["axis"]
            each = f"np.prod(np.delete({operand}, k, axis={axis}), axis={axis})"
            return _parsed(f"np.stack([{each} for k in range(np.shape({operand})[{axis}])], axis={axis})")
        case "slopes", "cumprod" if not along:
            one = f"np.prod(np.delete({operand}[:k + 1], i)) if i <= k else 0.0"
            n = f"np.size({operand})"
            return _parsed(f"np.array([[{one} for i in range({n})] for k in range({n})])")
        case "count", "cov":
            observed = 0 if given.get("rowvar") == "False" else -1
            return _parsed(f"np.shape({operand})[{observed}] - {given.get('ddof', '1')}")
        case "place", "pad":
            return _places_around(number, operand, operands, given)
        case "count", "var" | "std" if given.get("axis", "0").lstrip("-").isdigit():
            entries = f"np.shape({operand})[{given['axis']}]" if along else f"np.size({operand})"
            return _parsed(f"{entries} - {given.get('ddof', '0')}")
        case "total", "average" if "weights" in given:
            return _parsed(f"np.average({operand}{along}, weights={given['weights']}, returned=True)[1]")
    return None


def _written_places(owner: ast.expr, position: int, modules: frozenset[str]) -> ast.expr | None:
    """Code for the places along an axis that are written in an index, or are what ``np.take`` takes."""
    if isinstance(owner, ast.Call):
        function = isinstance(owner.func, ast.Attribute) and ast.unparse(owner.func.value) in modules
        return _parsed(f"np.array({ast.unparse(owner.args[1 if function else 0])})")
    if not isinstance(owner, ast.Subscript):
        return None
    items = owner.slice.elts if isinstance(owner.slice, ast.Tuple) else [owner.slice]
    items = [i for i in items if not (isinstance(i, ast.Constant) and i.value is None)]
    ellipsis = any(isinstance(i, ast.Constant) and i.value is ... for i in items)
    if ellipsis or position >= len(items):
        return None
    text = ast.unparse(items[position])
    size = f"np.shape({ast.unparse(owner.value)})[{position}]"
    if "True" in text or "False" in text:
        return _parsed(f"np.flatnonzero({text})")
    return _parsed(f"np.array({text}) % {size}" if "-" in text else f"np.array({text})")


def _along_several(kind: str, number: str, operand: str, axes: str, keep: bool) -> ast.expr | None:
    """Code for the places of the largest entries along several axes at once: one number for each axis."""
    given = sorted(ast.literal_eval(axes))
    if given[0] < 0 <= given[-1]:
        return None
    axes, count = str(tuple(given)), len(given)
    moved = f"np.moveaxis({operand}, {axes}, {tuple(range(-count, 0))})"
    flat = f"np.reshape({moved}, (*np.shape({moved})[:-{count}], -1))"
    place = f"np.unravel_index(np.{kind}({flat}, axis=-1), np.shape({moved})[-{count}:])[{number or 0}]"
    return _parsed(f"np.expand_dims({place}, {axes})" if keep else place)


def _ranked(
    kind: str, number: str, function: str, operand: str, operands: list[ast.expr], given: dict[str, str]
) -> ast.expr | None:
    """Code for the places of the entries in the middle, or around a quantile, and for how far it lies from the first."""
    rest = [ast.unparse(o) for o in operands[1:]]
    names = ("axis",) if function == "median" else ("q", "axis")
    given = {**dict(zip(names, rest, strict=False)), **given}
    axis = given.get("axis", "None")
    n = f"np.size({operand})" if axis == "None" else f"np.shape({operand})[{axis}]"
    part = f"({given.get('q')}) * ({n} - 1)" + (" / 100" if function == "percentile" else "")
    if kind == "share":
        return _parsed(f"{part} % 1")
    if kind not in ("low", "high") or (number and axis != "None"):
        return None
    rank = {"low": f"int({part})", "high": f"min(int({part}) + 1, {n} - 1)"}[kind]
    if function == "median":
        rank = f"({n} - 1) // 2" if kind == "low" else f"{n} // 2"
    order = f"np.argsort({operand}, axis={axis}, kind='stable')"
    place = f"{order}[{rank}]" if axis == "None" else f"np.take({order}, {rank}, axis={axis})"
    if given.get("keepdims") == "True" and axis != "None":
        place = f"np.expand_dims({place}, {axis})"
    return _parsed(f"np.unravel_index({place}, np.shape({operand}))[{number}]" if number else place)


def _places_around(number: str, operand: str, operands: list[ast.expr], given: dict[str, str]) -> ast.expr | None:
    """Code for the places of the entries that are put around an array along one axis."""
    rest = [ast.unparse(o) for o in operands[1:]]
    given = {**dict(zip(("pad_width", "mode"), rest, strict=False)), **given}
    places = f"np.arange(np.shape({operand})[{number}])"
    width = f"np.broadcast_to({given['pad_width']}, (np.ndim({operand}), 2))[{number}]"
    return _parsed(f"np.pad({places}, {width}, mode={given['mode']})")


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body
