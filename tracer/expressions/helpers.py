"""Code for the arrays that a formula mentions and the expression does not compute.

``np.max(A, axis=1)`` is described with the places of the largest entries, ``np.linalg.det(A)`` with an inverse.
Comes in: the array and the call that it belongs to, as it is written.  Goes out: NumPy code, or None if there is
none.  Invariant: what comes out is run and compared before it is shown, like all code.
"""

from __future__ import annotations

import ast


def helper_code(what: str, owner: ast.expr, modules: frozenset[str]) -> ast.expr | None:
    """Code for the array called ``what`` of the value that ``owner`` computes.

    Arguments:
        modules: names that stand for modules, so that ``np.max(A)`` is told from ``A.max()``.
    """
    kind = what.rstrip("0123456789")
    number = what.removeprefix(kind)
    if what == "inverse":
        return _parsed(f"np.linalg.inv({ast.unparse(owner)})")
    if kind == "where":
        return _parsed(f"np.nonzero({ast.unparse(owner)})[{number}]")
    if not isinstance(owner, ast.Call) or not isinstance(owner.func, ast.Attribute):
        return None
    inside = owner.func.value
    is_function = isinstance(inside, ast.Name) and inside.id in modules
    operands = owner.args if is_function else [inside, *owner.args]
    if not operands:
        return None
    operand = ast.unparse(operands[0])
    given = {k.arg: ast.unparse(k.value) for k in owner.keywords if k.arg}
    if len(operands) > 1:
        given.setdefault("axis", ast.unparse(operands[1]))
    along = f", axis={given['axis']}" if "axis" in given else ""
    match kind, owner.func.attr:
        case ("argmax" | "argmin", "max" | "amax" | "min" | "amin" | "ptp"):
            keep = ", keepdims=True" if given.get("keepdims") == "True" else ""
            found = f"np.{kind}({operand}{along}{keep})"
            return _parsed(f"np.unravel_index({found}, ({operand}).shape)[{number}]" if number else found)
        case "order", "sort":
            return _parsed(f"np.argsort({operand}{along}, kind='stable')")
        case "others", "prod" if not along:
            products = f"[np.prod(np.delete({operand}, i)) for i in range(np.size({operand}))]"
            return _parsed(f"np.array({products}).reshape(np.shape({operand}))")
        case "count", "var" | "std" if given.get("axis", "0").lstrip("-").isdigit():
            entries = f"np.shape({operand})[{given['axis']}]" if along else f"np.size({operand})"
            return _parsed(f"{entries} - {given.get('ddof', '0')}")
        case "total", "average" if "weights" in given:
            return _parsed(f"np.sum({given['weights']})")
    return None


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body
