"""Values that are parts of others: read from an attribute or entry, or made from each of several in turn.

Comes in: pieces of syntax.  Goes out: whether changing the one in place changes the other, and whether a list or
dictionary gets the next version of each of its entries.
"""

from __future__ import annotations

import ast

_LAYOUT = ("reshape", "ravel", "view", "transpose", "swapaxes", "squeeze")
_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.DictComp)
_CONTAINERS = {"list", "tuple", "dict"}


def is_part(value: ast.AST) -> bool:
    """Whether a value is read from something else, which holds it too: ``net.W``, ``p["W"]``, ``getattr(net, name)``."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "getattr"
    return isinstance(value, ast.Attribute | ast.Subscript)


def part_read(value: ast.AST) -> str | None:
    """The place of a container that a value is read from, as it is written, also if it is copied; None if it is no part."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Subscript() as place, attr="copy")):
            return ast.unparse(place)
        case ast.Call(func=ast.Attribute(attr="copy" | "array") | ast.Name(id="float"), args=[ast.Subscript() as place]):
            return ast.unparse(place)
        case ast.Subscript():
            return ast.unparse(value)
    return None


def names_of_parts(function: ast.AST) -> set[str]:
    """The names in a function that stand for parts of something else: read from it, or given by a loop over it."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and is_part(node.value):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.For) and not _counts(node.iter):
            found |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    return found


def _counts(walked: ast.AST) -> bool:
    return isinstance(walked, ast.Call) and isinstance(walked.func, ast.Name) and walked.func.id == "range"


def updated_one_by_one(target: ast.AST, value: ast.AST) -> bool:
    """Whether each entry gets its next version: ``ws = [w - rate * g for w, g in zip(ws, gs)]``.

    So too with a dictionary, ``p = {k: p[k] - rate * g[k] for k in p}``, or a generator in ``list(…)``.
    """
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _CONTAINERS:
        value = value.args[0] if len(value.args) == 1 else value
    if not isinstance(value, _COMPREHENSIONS):
        return False
    made = value.value if isinstance(value, ast.DictComp) else value.elt
    if isinstance(made, ast.Tuple):  # dict((k, p[k] - rate * g[k]) for k in p)
        made = made.elts[-1]
    if not isinstance(made, ast.BinOp) or not isinstance(made.op, ast.Add | ast.Sub):
        return False
    kept = [made.left] if isinstance(made.op, ast.Sub) else [made.left, made.right]
    whole = ast.unparse(target)
    walked = {name for g in value.generators for name in _names_along(g.target, g.iter, whole)}
    return any(
        isinstance(side, ast.Name)
        and side.id in walked
        or isinstance(side, ast.Subscript)
        and ast.unparse(side.value) == whole
        for side in kept
    )


def _names_along(target: ast.AST, walked: ast.AST, whole: str) -> set[str]:
    """The names that stand for the entries of one container when ``target`` runs along ``walked``."""
    called = walked.func.id if isinstance(walked, ast.Call) and isinstance(walked.func, ast.Name) else ""
    if called in ("zip", "enumerate") and isinstance(walked, ast.Call) and isinstance(target, ast.Tuple):
        several = walked.args if called == "zip" else [ast.Constant(0), *walked.args]
        pairs = zip(target.elts, several, strict=False)
        return {name for one, along in pairs for name in _names_along(one, along, whole)}
    if whole not in _sources(walked):
        return set()
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _sources(walked: ast.AST) -> set[str]:
    """What a loop walks along, through ``zip``, ``enumerate`` and ``.items()``."""
    found = {ast.unparse(walked)}
    if isinstance(walked, ast.Call):
        for part in [*walked.args, *([walked.func.value] if isinstance(walked.func, ast.Attribute) else [])]:
            found |= _sources(part)
    return found


def viewed(value: ast.AST) -> str:
    """The variable that an expression is a view of, turned or laid out anew; ``""`` if it is none."""
    whole = value
    while True:
        if isinstance(value, ast.Subscript) or (isinstance(value, ast.Attribute) and value.attr == "T"):
            value = value.value
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _LAYOUT:
            value = value.func.value
        else:
            return value.id if isinstance(value, ast.Name) and value is not whole else ""
