"""Programs written another way that compute the same: rewrites of the source by its syntax tree.

Each rewrite takes a tree and the chance of every single place to be rewritten; a rewritten program computes the same numbers.
"""

from __future__ import annotations

import ast
import copy
import random
import re
from collections.abc import Callable, Iterator

#: A rewrite changes a tree in place; the function says of each place whether it is rewritten.
Rewrite = Callable[[ast.Module, Callable[[], bool]], None]
#: What names begin with that a rewrite makes up, and what it adds to names that it changes.
MADE_UP, ADDED = "part_", "zz"
_LOSS = re.compile(r"loss|cost|err|obj|nll|^[jle]$", re.I)
#: Calls whose order matters: what they give depends on how often they were asked before.
_DRAWS = re.compile(r"rand|rng|normal|uniform|choice|permut|shuffle|integers|binomial|pop|next")
_REDUCTIONS = ("sum", "mean", "max")


def rewritten(source: str, rewrites: tuple[Rewrite, ...], seed: int, share: float = 0.5) -> str:
    """The program after rewrites of some of its places, drawn at random."""
    draw = random.Random(seed)
    tree = ast.parse(source)
    plain = (names, assignments, temporaries, order) if "import numpy as np" not in source else rewrites
    for rewrite in (r for r in rewrites if r in plain):
        rewrite(tree, lambda: draw.random() < share)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Expressions(ast.NodeTransformer):
    """Replaces expressions, inner ones first."""

    def __init__(self, made: Callable[[ast.expr], ast.expr | None], chosen: Callable[[], bool]) -> None:
        self.made, self.chosen = made, chosen

    def visit(self, node: ast.AST) -> ast.AST:
        node = super().generic_visit(node)
        new = self.made(node) if isinstance(node, ast.expr) else None
        return node if new is None or not self.chosen() else new


def _numpy(name: str, *args: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    function = ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())
    return ast.Call(function, list(args), keywords or [])


def _is_numpy(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "np"


def products(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``np.matmul(a, b)`` for ``a @ b``, ``a @ b`` for ``a.dot(b)`` and ``np.dot(a, b)``."""

    def made(node: ast.expr) -> ast.expr | None:
        match node:
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return _numpy("matmul", left, right)
            case ast.Call(func=ast.Attribute(value=owner, attr="dot"), args=[first, second]) if _is_numpy(
                owner
            ):
                return ast.BinOp(first, ast.MatMult(), second)
            case ast.Call(func=ast.Attribute(value=owner, attr="dot"), args=[other]):
                return ast.BinOp(owner, ast.MatMult(), other)
        return None

    _Expressions(made, chosen).visit(tree)


def sums(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``np.sum(x)`` for ``x.sum()``, and the other way round where x is no list."""

    def made(node: ast.expr) -> ast.expr | None:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[first, *rest]) if (
                name in _REDUCTIONS and _is_numpy(owner)
            ):
                plain = isinstance(first, (ast.BinOp, ast.Name)) and not (
                    isinstance(first, ast.BinOp) and isinstance(first.left, ast.Constant)
                )
                return (
                    ast.Call(ast.Attribute(first, name, ast.Load()), rest, node.keywords) if plain else None
                )
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _REDUCTIONS:
                return _numpy(name, owner, *node.args, keywords=node.keywords)
        return None

    _Expressions(made, chosen).visit(tree)


def squares(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``np.square(x)`` for ``x ** 2``, ``x ** 2`` for ``x * x``."""

    def made(node: ast.expr) -> ast.expr | None:
        match node:
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
                return _numpy("square", left)
            case ast.BinOp(left=left, op=ast.Mult(), right=right) if ast.dump(left) == ast.dump(right):
                return ast.BinOp(left, ast.Pow(), ast.Constant(2))
        return None

    _Expressions(made, chosen).visit(tree)


def keywords(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``x.sum(0)`` for ``x.sum(axis=0)``, and the other way round."""

    def made(node: ast.expr) -> ast.expr | None:
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _REDUCTIONS
        ):
            return None
        before = 1 if _is_numpy(node.func.value) else 0
        if len(node.args) == before + 1:
            axis = ast.keyword("axis", node.args[-1])
            return ast.Call(node.func, node.args[:-1], [axis, *node.keywords])
        if len(node.args) == before and node.keywords and node.keywords[0].arg == "axis":
            return ast.Call(node.func, [*node.args, node.keywords[0].value], node.keywords[1:])
        return None

    _Expressions(made, chosen).visit(tree)


def multiplications(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``np.multiply(a, b)`` for ``a * b`` where one of them is a computed array."""

    def made(node: ast.expr) -> ast.expr | None:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
            return None
        sides = (node.left, node.right)
        computed = any(isinstance(s, ast.BinOp) and isinstance(s.op, (ast.MatMult, ast.Sub)) for s in sides)
        return _numpy("multiply", *sides) if computed else None

    _Expressions(made, chosen).visit(tree)


def copies(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``c = (a @ b).copy()`` for ``c = a @ b``."""
    for node in ast.walk(tree):
        product = node.value if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) else None
        if isinstance(node, ast.Assign) and product and isinstance(product.op, ast.MatMult) and chosen():
            node.value = ast.Call(ast.Attribute(product, "copy", ast.Load()), [], [])


def names(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """Other names for the variables: the weights and their gradients alike, as they belong together."""
    nodes = list(ast.walk(tree))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    given = {a.arg for n in nodes if isinstance(n, ast.arguments) for a in (*n.args, *n.kwonlyargs)}
    by_keyword = {k.arg for n in nodes if isinstance(n, ast.Call) for k in n.keywords}
    changed = {n for n in bound | given if not _LOSS.search(n) and n != "_"} - by_keyword - {"self"}
    if not chosen():
        return
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in changed:
            node.id += ADDED
        elif isinstance(node, ast.arg) and node.arg in changed:
            node.arg += ADDED
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [n + ADDED if n in changed else n for n in node.names]


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for part in ("body", "orelse", "finalbody"):
            block = getattr(node, part, None)
            if isinstance(block, list):
                yield block


def assignments(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """``a -= b`` for ``a = a - b`` and the other way round, of variables that have one name only."""
    shared = {
        n.id
        for f in ast.walk(tree)
        if isinstance(f, (ast.For, ast.comprehension))
        for n in ast.walk(f.target)
        if isinstance(n, ast.Name)
    }
    shared |= {a.arg for f in ast.walk(tree) if isinstance(f, ast.arguments) for a in f.args}
    for assigned in ast.walk(tree):  # b = a, b = (a, c), b = a.T, f(a): who knows what else is called so
        if isinstance(assigned, ast.Assign) and not isinstance(assigned.value, (ast.BinOp, ast.Call)):
            shared |= {
                n.id
                for part in (assigned.value, *assigned.targets)
                for n in ast.walk(part)
                if isinstance(n, ast.Name)
            }
    for block in _blocks(tree):
        for place, node in enumerate(block):
            match node:
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value) if (
                    name not in shared and chosen()
                ):
                    left = ast.Name(name, ast.Load())
                    block[place] = ast.Assign([ast.Name(name, ast.Store())], ast.BinOp(left, op, value))
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.BinOp(left=ast.Name(id=same), op=ast.Sub() as op, right=right),
                ) if name == same and name not in shared and chosen():
                    block[place] = ast.AugAssign(ast.Name(name, ast.Store()), op, right)


def temporaries(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """Operands that are computed get a statement of their own."""
    count = 0
    for block in _blocks(tree):
        for node in list(block):
            if not isinstance(node, (ast.Assign, ast.AugAssign)) or not isinstance(node.value, ast.BinOp):
                continue
            for side in ("left", "right"):
                operand = getattr(node.value, side)
                if (
                    isinstance(operand, ast.BinOp)
                    and isinstance(operand.op, (ast.MatMult, ast.Sub))
                    and chosen()
                ):
                    count += 1
                    name = f"{MADE_UP}{count}"
                    at = next(k for k, s in enumerate(block) if s is node)
                    block.insert(at, ast.Assign([ast.Name(name, ast.Store())], operand))
                    setattr(node.value, side, ast.Name(name, ast.Load()))


def order(tree: ast.Module, chosen: Callable[[], bool]) -> None:
    """Neighbours that have nothing to do with each other change places."""
    for block in _blocks(tree):
        place = 0
        while place + 1 < len(block):
            if _commute(block[place], block[place + 1]) and chosen():
                block[place], block[place + 1] = block[place + 1], block[place]
                place += 1
            place += 1


def _commute(one: ast.stmt, other: ast.stmt) -> bool:
    both = (one, other)
    if not all(isinstance(s, (ast.Assign, ast.AugAssign)) for s in both):
        return False
    calls = [ast.unparse(n.func) for s in both for n in ast.walk(s) if isinstance(n, ast.Call)]
    if any(_DRAWS.search(call) or "." not in call for call in calls):
        return False
    in_place = [isinstance(s, ast.AugAssign) or isinstance(s.targets[0], ast.Subscript) for s in both]  # type: ignore[attr-defined]
    if any(in_place) and not all(in_place):
        return False  # the other may read a view of what changes
    uses = [{n.id for n in ast.walk(s) if isinstance(n, ast.Name)} for s in both]
    writes = [_written(s) for s in both]
    return not writes[0] & uses[1] and not writes[1] & uses[0]


def _written(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]  # type: ignore[attr-defined]
    whole = [copy.copy(t) for t in targets]
    return {n.id for t in whole for n in ast.walk(t) if isinstance(n, ast.Name)}


REWRITES: tuple[Rewrite, ...] = (
    products, sums, squares, keywords, multiplications, copies, names, assignments, temporaries, order,
)  # fmt: skip
