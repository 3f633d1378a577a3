"""What a statement changes, reads and adds to, as its text says.

In: a statement or a target.  Out: names, targets, and whether a new value is made from the former one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from tracer.program.adjusted import unadjusted


def first_argument(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return next((a.arg for a in [*function.args.posonlyargs, *function.args.args]), "")


def arguments_of(
    call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[tuple[str, ast.expr]]:
    """What a call gives to a function, each with the name of the argument; a method's ``self`` is left out."""
    order = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    order = order[1:] if order[:1] == ["self"] else order
    yield from zip(order, call.args, strict=False)
    yield from ((k.arg, k.value) for k in call.keywords if k.arg)


def is_attribute_of(target: ast.AST, name: str) -> bool:
    """``self.W`` or ``self.W[0]``, for the name ``self``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return (
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == name
    )


def names_in(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def is_filled(target: ast.AST) -> TypeGuard[ast.Subscript]:
    """Whether a target is the whole of an array: ``W[:]``, ``W[...]``."""
    if not isinstance(target, ast.Subscript):
        return False
    index = target.slice
    whole = isinstance(index, ast.Slice) and index.lower is index.upper is index.step is None
    return whole or (isinstance(index, ast.Constant) and index.value is Ellipsis)


def called_name(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def changed_by(statement: ast.AST) -> list[ast.AST]:
    """What a statement that carries something over changes."""
    if isinstance(statement, ast.AugAssign):
        return [statement.target]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        named = sets_by_name(statement) or copies_onto_itself(statement)
        by_name: list[ast.AST] = [statement.value.args[0]] if named else []
        return by_name + [k.value for k in statement.value.keywords if k.arg == "out"]
    return targets_of(statement) if isinstance(statement, ast.Assign) else []


def makes_anew(shown: str, value: ast.AST) -> bool:
    """``params = [p - step * g for p, g in zip(params, grads)]``, the same of a dict or a tuple, and by ``map``."""
    if (
        isinstance(value, ast.Call)
        and called_name(value) in ("list", "tuple", "dict")
        and len(value.args) == 1
    ):
        value = value.args[0]
    if isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Lambda):
        changed = value.args[0].body
        return isinstance(changed, ast.BinOp) and isinstance(changed.op, (ast.Add, ast.Sub)) and any(
            ast.unparse(given) == shown for given in value.args[1:]
        )
    if not isinstance(value, (ast.ListComp, ast.DictComp, ast.GeneratorExp)):
        return False
    if not any(ast.unparse(part) == shown for g in value.generators for part in summands(g.iter)):
        return False
    items = {n.id for g in value.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
    made = value.value if isinstance(value, ast.DictComp) else value.elt
    return any(
        isinstance(n, ast.BinOp)
        and isinstance(n.op, (ast.Add, ast.Sub))
        and (
            isinstance(n.left, ast.Name) and n.left.id in items or ast.unparse(n.left).startswith(f"{shown}[")
        )
        for n in ast.walk(made)
    )


def returns_changed(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function returns what it was given as ``name``, or parts of it, less something else.

    ``return W - rate * dW``, ``return {"W": p["W"] - step, …}``, ``return tree_map(lambda a, b: a - b, p, g)``.
    But ``return x - x.mean()`` is what it was given in another form.
    """
    returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    kept = {value.id for value in returned if isinstance(value, ast.Name)}
    own = {name}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            names = {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            returned += [node.value] if names & kept else []
            own |= names if _root(node.value) == name else set()
    return any(
        makes_anew(name, v) or replaces_parts(v) or _is_less(made, own) for v in returned for made in _parts_made(v)
    )


def rests_on_itself(statement: ast.AST, target: ast.AST) -> bool:
    """``w -= rate * X.T @ (X @ w - y)``: what is added is computed from what it is added to."""
    if not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return False
    shown = ast.unparse(target)
    read = sum(ast.unparse(part) == shown for part in summands(statement.value))
    return read > (1 if isinstance(statement, ast.Assign) else 0)


def replaces_parts(value: ast.AST) -> bool:
    """``layer._replace(W=layer.W - rate * dW)``, ``dataclasses.replace(layer, W=layer.W - rate * dW)``"""
    if not (isinstance(value, ast.Call) and called_name(value) in ("_replace", "replace")):
        return False
    return any(isinstance(made := unadjusted(k.value), ast.BinOp) and isinstance(made.op, ast.Sub) for k in value.keywords)


def _parts_made(value: ast.expr) -> Iterator[ast.expr]:
    """What a value is put together from: the elements of a tuple, a list or a dict, the arguments of a constructor."""
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            pass
        case ast.Call(func=ast.Name(), args=given, keywords=named):
            parts = [*given, *(k.value for k in named)]
        case _:
            parts = []
    yield value
    for part in parts:
        yield from _parts_made(part)


def _root(value: ast.expr) -> str:
    while isinstance(value, (ast.Subscript, ast.Attribute)):
        value = value.value
    return value.id if isinstance(value, ast.Name) else ""


def _is_less(value: ast.expr, own: set[str]) -> bool:
    difference = unadjusted(value)
    return (
        isinstance(difference, ast.BinOp)
        and isinstance(difference.op, ast.Sub)
        and _root(difference.left) in own
        and not names_in(difference.right) <= own
    )


def sets_by_name(statement: ast.AST) -> bool:
    """``setattr(self, name, getattr(self, name) - step)``"""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and called_name(call) == "setattr" and len(call.args) == 3):
        return False
    place = [ast.unparse(a) for a in call.args[:2]]
    value = call.args[2]
    return isinstance(value, ast.BinOp) and any(
        isinstance(n, ast.Call)
        and called_name(n) == "getattr"
        and [ast.unparse(a) for a in n.args[:2]] == place
        for n in ast.walk(value)
    )


def copies_onto_itself(statement: ast.AST) -> bool:
    """``np.copyto(W, W - step)``"""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and called_name(call) == "copyto" and len(call.args) == 2):
        return False
    value = unadjusted(call.args[1])
    return isinstance(value, ast.BinOp) and any(ast.unparse(p) == ast.unparse(call.args[0]) for p in summands(value))


def is_multiple(target: ast.Name, value: ast.AST) -> bool:
    """Whether a variable keeps what it was but for a factor: ``W = 0.99 * W``"""
    return (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Mult)
        and any(isinstance(side, ast.Name) and side.id == target.id for side in (value.left, value.right))
    )


def targets_of(statement: ast.Assign) -> list[ast.AST]:
    return [
        t
        for target in statement.targets
        for t in (target.elts if isinstance(target, ast.Tuple) else [target])
    ]


def adds_to_itself(node: ast.Assign) -> bool:
    """``W = W - rate * dW``, ``params["W"] = params["W"] - …``"""
    return any(
        isinstance(value, ast.BinOp)
        and isinstance(value.op, (ast.Add, ast.Sub))
        and any(ast.unparse(part) == ast.unparse(target) for part in summands(value))
        or isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Sub)
        and isinstance(target, ast.Subscript)
        for target, value in pairs_of(node)
    )


def takes_off(statement: ast.AST) -> bool:
    """``w -= step``, ``w = w - step``"""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Sub) and not is_count(statement.value)
    return isinstance(statement, ast.Assign) and any(
        isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Sub)
        and not is_count(value.right)
        and ast.unparse(value.left) == ast.unparse(target)
        for target, value in pairs_of(statement)
    )


def adds_a_product(statement: ast.AST) -> bool:
    """``s += w[j] * x[j]``: in a loop, a product of vectors written out."""
    return (
        isinstance(statement, ast.AugAssign)
        and isinstance(statement.op, ast.Add)
        and isinstance(statement.value, ast.BinOp)
        and isinstance(statement.value.op, ast.Mult)
    )


def sums_products(call: ast.Call) -> bool:
    """``sum(a * b for a, b in zip(w, x))``: a product of vectors."""
    made = call.args[0] if called_name(call) in ("sum", "fsum") and call.args else None
    if not isinstance(made, ast.GeneratorExp | ast.ListComp):
        return False
    return isinstance(made.elt, ast.BinOp) and isinstance(made.elt.op, ast.Mult)


def base_name(target: ast.AST) -> str:
    """The name by which a target is read again: ``W`` of ``W[0]``, ``.W`` of ``self.W``, ``.__dict__`` of ``vars()[…]``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    if isinstance(target, ast.Attribute):
        return "." + target.attr
    if isinstance(target, ast.Call) and called_name(target) in ("globals", "locals", "vars"):
        return ".__dict__"
    return target.id if isinstance(target, ast.Name) else ""


def names_read(statement: ast.stmt) -> set[str]:
    """Names and attributes that a statement itself reads in its work; printing and appending are no work."""
    found: set[str] = set()
    written = targets_of(statement) if isinstance(statement, ast.Assign) else changed_by(statement)
    written = written if isinstance(statement, (ast.Assign, ast.AugAssign)) else []
    todo: list[ast.AST] = [
        n for n in ast.iter_child_nodes(statement) if not isinstance(n, ast.stmt) and n not in written
    ]
    for target in written:  # what is added up in `dW[:, j] += …` is not read by that, but j is
        while isinstance(target, (ast.Subscript, ast.Attribute)):
            todo += [target.slice] if isinstance(target, ast.Subscript) else []
            target = target.value
    while todo:
        node = todo.pop()
        if isinstance(node, ast.stmt) or (
            isinstance(node, ast.Call) and called_name(node) in ("print", "format")
        ):
            continue
        if isinstance(node, ast.Call) and called_name(node) == "append":
            todo += [a for a in node.args if not isinstance(a, ast.Name)]
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add("." + node.attr)
        todo += ast.iter_child_nodes(node)
    return found


def is_count(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, int)


def summands(value: ast.AST) -> Iterator[ast.AST]:
    return (n for n in ast.walk(value) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript)))


def pairs_of(node: ast.Assign) -> Iterator[tuple[ast.AST, ast.AST]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from ((t, unadjusted(v)) for t, v in zip(target.elts, node.value.elts, strict=False))
        else:
            yield target, unadjusted(node.value)
