"""Which loops of a program are training loops: found by structure, and by names where there are only numbers.

A training loop changes the same arrays again in every iteration (`W += …`, `W = W - …`,
``params[k] -= …``, also inside the functions and methods that it calls) and does the work of a
forward and backward pass below it (products of matrices, or exponentials and sums).  A loop over time
steps inside a called function is not one; of nested loops over epochs and batches the innermost that
holds both the work and the update is the one.  A line fitted to points with two numbers has little of that
work; there the names of a loss and of gradients count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from tracer.program.adjusted import unadjusted
from tracer.program.numerical_checks import checks_numerically
from tracer.program.parts import is_part, names_of_parts, updated_one_by_one
from tracer.tape.node import Span

if TYPE_CHECKING:
    from tracer.program.program import Program

_PRODUCTS = {"dot", "matmul", "einsum", "outer", "tensordot", "inner", "vdot", "multi_dot"}
_WORK = {"exp", "log", "tanh", "sum", "maximum", "mean", "square", "multiply", "power", "sqrt"}
#: Names of losses and of gradients.
_SPEAKS = re.compile(
    r"\w*(loss|cost|error|mse)\w*|d_?[a-zA-Z]\d?|d[A-Z]\w*|grad\w*|\w+_grad(ient)?|delta\w*", re.I
)
_BACKWARD = re.compile(r"back_?(ward|prop)", re.I)
_LOOP = (ast.For, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Loop:
    """A loop: ``line`` to ``end_line`` in the file as written, and its ``span`` there; ``path`` names the file."""

    line: int
    end_line: int
    span: Span
    node: ast.For | ast.While
    path: str = ""


@dataclass
class _Found:
    """What one iteration of a loop does: matrix products, other array work, and names of losses and gradients."""

    products: int = 0
    work: int = 0
    spoken: int = 0


def all_loops(program: Program) -> tuple[Loop, ...]:
    """Every ``for`` and ``while`` statement, in the order of the file."""
    loops = [_loop(program, node) for node in ast.walk(program.tree) if isinstance(node, _LOOP)]
    return tuple(sorted(loops, key=lambda loop: loop.span))


def training_loops(program: Program, siblings: Sequence[Program] = ()) -> tuple[Loop, ...]:
    """The training loops, in the order of the file, then those of its ``siblings``; empty if there is none."""
    programs = [program, *siblings]
    finder = _Finder([each.tree for each in programs])
    owners = {id(node): each for each in programs for node in ast.walk(each.tree) if isinstance(node, _LOOP)}
    candidates = [
        node
        for each in programs
        for node in ast.walk(each.tree)
        if isinstance(node, _LOOP) and not checks_numerically(node) and finder.trains(node)
    ]
    dropped: set[int] = set()
    for outer in candidates:
        below = finder.functions_called(outer)
        for inner in candidates:
            if inner is outer:
                continue
            if _contains(outer, inner) or any(_contains(f, inner) for f in below):
                # A loop over time steps leaves the update to the loop around it; a loop over batches has it.
                dropped.add(id(inner if finder.updates(outer, inner) else outer))
    kept = [_loop(owners[id(node)], node) for node in candidates if id(node) not in dropped]
    order = {each.path: at for at, each in enumerate(programs)}
    return tuple(sorted(kept, key=lambda loop: (order[loop.path], loop.span)))


def seldom_updates(loop: Loop, program: Program, siblings: Sequence[Program] = ()) -> list[ast.If]:
    """The ``if`` statements below which a loop updates its parameters, if it does so nowhere else: every few episodes."""
    return _Finder([each.tree for each in (program, *siblings)]).seldom(loop.node)


def _loop(program: Program, node: ast.For | ast.While) -> Loop:
    span = program.span(node)
    return Loop(span.line, span.end_line, span, node, program.path)


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


class _Finder:
    """Looks through a loop's body and the user functions that it calls."""

    def __init__(self, trees: Sequence[ast.Module]) -> None:
        self.functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        nodes = [node for tree in trees for node in ast.walk(tree)]
        for node in nodes:
            if isinstance(node, _FUNCTIONS):
                self.functions.setdefault(node.name, []).append(node)
        self.direct: dict[int, set[int]] = {}
        self.owner: dict[int, ast.AST] = {}
        self.borrowed: dict[int, set[str]] = {}
        self.local: dict[int, frozenset[str]] = {}
        for node in nodes:
            if isinstance(node, _FUNCTIONS):
                for below in ast.walk(node):
                    self.owner[id(below)] = node

    def trains(self, loop: ast.For | ast.While) -> bool:
        """Whether one iteration works on arrays and carries updates to the next."""
        found = _Found()
        self._look(loop.body, found, set())
        if isinstance(loop, ast.For) and self._walks_its_updates(loop):
            return False
        return self.updates(loop) > 0 and (
            found.products >= 2
            or (found.products >= 1 and (found.work >= 1 or self.updates(loop) >= 2))
            or found.work >= 4
            or (found.work >= 1 and found.spoken >= 2)
            or found.spoken >= 3
            or (found.spoken >= 1 and self._goes_backward(loop))
        )

    def _goes_backward(self, loop: ast.For | ast.While) -> bool:
        """Whether the loop itself calls a function of the program named after the backward pass: ``loss.backward()``."""
        calls = (n for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Call))
        return any(_called(c) in self.functions and _BACKWARD.search(_called(c)) for c in calls)

    def functions_called(self, loop: ast.AST, apart: ast.AST | None = None) -> list[ast.AST]:
        """Every user function that may run below ``loop``, by name, ``apart`` and what only it calls left out."""
        hidden = {id(n) for n in ast.walk(apart)} if apart is not None else set()
        seen: dict[int, ast.AST] = {}
        todo: list[ast.AST] = [loop]
        while todo:
            for node in ast.walk(todo.pop()):
                if isinstance(node, ast.Call) and id(node) not in hidden:
                    for function in self.functions.get(_called(node), ()):
                        if id(function) not in seen:
                            seen[id(function)] = function
                            todo.append(function)
        return list(seen.values())

    def _look(self, body: Sequence[ast.AST], found: _Found, seen: set[str]) -> None:
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign | ast.AugAssign):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    found.spoken += any(isinstance(t, ast.Name) and _SPEAKS.fullmatch(t.id) for t in targets)
                if isinstance(node, ast.For | ast.While):
                    found.work += sum(_adds_a_product(inner) for inner in node.body)
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                    found.products += 1
                elif isinstance(node, ast.Call):
                    name = _called(node)
                    if name in self.functions:
                        if name not in seen:
                            seen.add(name)
                            for function in self.functions[name]:
                                self._look(function.body, found, seen)
                    elif name in _PRODUCTS:
                        found.products += 1
                    elif name in _WORK:
                        found.work += 1

    def _carried(self, node: ast.AST, direct: bool) -> int:
        """Whether a statement gives a place a value made from its former one, so that it outlives the iteration.

        Inside a called function only what belongs to someone else counts: attributes and entries, or
        an argument changed in place.
        """
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            if _is_count(node.value):
                return 0
            return int(direct or not isinstance(node.target, ast.Name) or self._is_of_others(node.target))
        if isinstance(node, ast.Assign):
            count = int(self._through_a_call(node))
            for target, value in _pairs(node):
                shown = ast.unparse(target)
                if _makes_anew(shown, value):
                    count += int(direct or not isinstance(target, ast.Name) or self._is_of_others(target))
                arithmetic = isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub))
                if updated_one_by_one(target, value):
                    count += int(direct or not isinstance(target, ast.Name) or self._is_of_others(target))
                filled = ast.unparse(target.value) if _is_filled(target) else shown
                if arithmetic and any(ast.unparse(part) in (shown, filled) for part in _reads(value)):
                    assert isinstance(value, ast.BinOp)
                    if not _is_count(value.right):
                        count += int(direct or not isinstance(target, ast.Name) or self._is_of_others(target))
            return count
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and _called(node.value) in ("add", "subtract")
        ):
            call = node.value  # np.subtract(W, step, out=W)
            out = next((ast.unparse(k.value) for k in call.keywords if k.arg == "out"), None)
            return int(out is not None and any(ast.unparse(a) == out for a in call.args))
        return int(_sets_by_name(node) or _copies_onto_itself(node))

    def _is_of_others(self, name: ast.AST) -> bool:
        """Whether a name inside a function is of what others hold too: an argument, or what was read from somewhere."""
        owner = self.owner.get(id(name))
        if not isinstance(owner, _FUNCTIONS) or not isinstance(name, ast.Name):
            return False
        if id(owner) not in self.borrowed:
            arguments = {a.arg for a in [*owner.args.args, *owner.args.kwonlyargs, *owner.args.posonlyargs]}
            declared = {
                n for g in ast.walk(owner) if isinstance(g, (ast.Global, ast.Nonlocal)) for n in g.names
            }
            self.borrowed[id(owner)] = arguments | declared | names_of_parts(owner)
        return name.id in self.borrowed[id(owner)]

    def _through_a_call(self, node: ast.Assign) -> bool:
        """``params = update(params, grads)``, where that function adds to or subtracts from something."""
        call = node.value
        if not isinstance(call, ast.Call) or _called(call) not in self.functions:
            return False
        given = {ast.unparse(a) for a in [*call.args, *(k.value for k in call.keywords)]}
        targets = [
            t for target in node.targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
        if not any(ast.unparse(t) in given for t in targets):
            return False
        inside = [(n, f) for f in self.functions[_called(call)] for n in ast.walk(f)]
        return any(
            (
                isinstance(n, ast.AugAssign)
                and not _is_attribute_of(n.target, _first_argument(f))
                and self._reaches_out(n.target)
            )
            or (
                isinstance(n, ast.Assign)
                and _adds_to_itself(n)
                and not all(_is_attribute_of(t, _first_argument(f)) for t in _targets(n))
            )
            for n, f in inside
        )

    def _reaches_out(self, target: ast.AST) -> bool:
        """Whether a change in place is one of what the caller handed over, not of a copy that the function made."""
        while isinstance(target, ast.Subscript):
            target = target.value
        return not isinstance(target, ast.Name) or self._is_of_others(target)

    def updates(self, loop: ast.For | ast.While, apart: ast.AST | None = None) -> int:
        """How many places the loop changes that its own work reads again, not counting what ``apart`` does."""
        statements, aliases = self._statements(loop, apart), set[str]()
        reads: dict[str, list[ast.AST]] = {}
        fresh: set[tuple[int, str]] = set()  # a name is one of a function
        for statement in statements:
            if isinstance(statement, ast.For):
                aliases |= {n.id for n in ast.walk(statement.target) if isinstance(n, ast.Name)}
            for name in _names_read(statement):
                reads.setdefault(name, []).append(statement)
            if isinstance(statement, ast.Assign) and not self._carried(statement, True):
                fresh |= {
                    (self._scope(t), t.id)
                    for target, value in _pairs(statement)
                    for t in [target]
                    if isinstance(t, ast.Name) and not is_part(value) and not _is_multiple(t, value)
                }
        count = 0
        for statement in statements:
            if not self._carried(statement, id(statement) in self._direct(loop)):
                continue
            count += int(_sets_by_name(statement))
            for target in _changed(statement):
                base = _base_name(target)
                elsewhere = base == ".__dict__" or any(
                    other is not statement and self._means(other, base, self._scope(statement))
                    for other in reads.get(base, ())
                )
                new = isinstance(target, ast.Name) and (self._scope(target), base) in fresh
                count += int(not new and (base in aliases or elsewhere or self._is_of_others(target)))
        return count

    def seldom(self, loop: ast.For | ast.While) -> list[ast.If]:
        """The ``if`` statements below which what the loop reads is updated, where nothing of it is updated without."""
        found = []
        for node in ast.walk(loop):
            if not isinstance(node, ast.If):
                continue
            outside = self._statements(loop, node)
            without, reads = self._lasting(loop, outside), self._read_by(outside)
            below = self._lasting(loop, self._statements(node, None)) - without
            if any(self._is_read(base, outside, reads) for base in below) and not any(
                self._is_read(base, outside, reads) for base in without
            ):
                found.append(node)
        return found

    def _lasting(self, loop: ast.For | ast.While, statements: Sequence[Any]) -> set[str]:
        """What statements change for the iterations after it, but for what starts anew in each."""
        direct = self._direct(loop)
        anew = {
            t.id
            for s in statements
            if isinstance(s, ast.Assign) and not self._carried(s, True)
            for t in _targets(s)
            if isinstance(t, ast.Name) and id(s) in direct
        }
        changed = (t for s in statements if self._carried(s, id(s) in direct) for t in _changed(s))
        return {_base_name(t) for t in changed} - anew

    def _read_by(self, statements: Sequence[Any]) -> dict[str, list[Any]]:
        reads: dict[str, list[Any]] = {}
        for statement in statements:
            for name in _names_read(statement):
                reads.setdefault(name, []).append(statement)
        return reads

    def _is_read(self, base: str, statements: Sequence[Any], reads: dict[str, list[Any]]) -> bool:
        """Whether a variable is read by other statements than those that change it, and that loop over it to do so."""
        own = {id(s) for s in statements if any(_base_name(t) == base for t in _changed(s))}
        return any(
            id(s) not in own and not (isinstance(s, ast.For) and all(id(b) in own for b in s.body))
            for s in reads.get(base, ())
        )

    def _means(self, reader: ast.AST, name: str, scope: int) -> bool:
        """Whether a statement that reads a name reads the variable of a scope, not one of its own function."""
        own = self._scope(reader)
        return own == scope or name.startswith(".") or name not in self._locals(own)

    def _locals(self, scope: int) -> frozenset[str]:
        """The names that a function itself gives a value to; none for the module."""
        function = next((f for same in self.functions.values() for f in same if id(f) == scope), None)
        if function is None:
            return frozenset()
        if scope not in self.local:
            stored = {
                n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            outside = {
                n for g in ast.walk(function) if isinstance(g, (ast.Global, ast.Nonlocal)) for n in g.names
            }
            self.local[scope] = frozenset(stored - outside)
        return self.local[scope]

    def _scope(self, node: ast.AST) -> int:
        """The function that a name belongs to; 0 for the module."""
        return id(self.owner[id(node)]) if id(node) in self.owner else 0

    def _statements(self, loop: ast.AST, apart: ast.AST | None) -> list[Any]:
        """The statements below a loop and in the functions that it calls, but not those below ``apart``."""
        hidden = {id(n) for n in ast.walk(apart)} if apart is not None else set()
        found = []
        for part in [loop, *self.functions_called(loop, apart)]:
            found += [
                n for n in ast.walk(part) if isinstance(n, ast.stmt) and n is not loop and id(n) not in hidden
            ]
        return found

    def _direct(self, loop: ast.AST) -> set[int]:
        if id(loop) not in self.direct:
            self.direct[id(loop)] = {id(n) for n in ast.walk(loop)}
        return self.direct[id(loop)]

    def _walks_its_updates(self, loop: ast.For) -> bool:
        """Whether the loop runs over the parameters or layers: every update is at the loop's own variable.

        It may be an entry or attribute that the variable tells, read first, or an argument of a function that updates it.
        """
        names = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        inside = [n for s in loop.body for n in ast.walk(s)]
        for node in inside:
            if isinstance(node, ast.Assign):
                for target, value in _pairs(node):
                    if isinstance(target, ast.Name) and is_part(value) and _names_in(value) & names:
                        names.add(target.id)
        updated = [target for n in inside if self._carried(n, True) for target in _changed(n)]
        updated += [given for n in inside if isinstance(n, ast.Call) for given in self._updated_by(n)]
        if not updated or not all(_names_in(target) & names for target in updated):
            return False
        return bool(set.intersection(*map(_names_in, updated)) & names) or any(
            _base_name(target) in names for target in updated
        )  # rows at places of their own, as those of a user and of an item, are of one sample

    def _updated_by(self, call: ast.Call) -> Iterator[ast.AST]:
        """What a call gives to a function of the program that updates that argument, or an attribute of it."""
        for function in self.functions.get(_called(call), ()):
            if isinstance(call.func, ast.Attribute) and any(
                _is_attribute_of(t, _first_argument(function))
                for n in ast.walk(function)
                if self._carried(n, False)
                for t in _changed(n)
            ):
                yield call.func.value  # a layer whose method updates its own weights
            changed = {
                t.id
                for n in ast.walk(function)
                if isinstance(n, ast.AugAssign) and self._carried(n, False)
                for t in _changed(n)
                if isinstance(t, ast.Name)
            }
            order = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
            order = order[1:] if order[:1] == ["self"] else order
            yield from (given for name, given in zip(order, call.args, strict=False) if name in changed)
            yield from (k.value for k in call.keywords if k.arg in changed)


def _first_argument(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return next((a.arg for a in [*function.args.posonlyargs, *function.args.args]), "")


def _is_attribute_of(target: ast.AST, name: str) -> bool:
    """``self.W`` or ``self.W[0]``, for the name ``self``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return (
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == name
    )


def _names_in(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _is_filled(target: ast.AST) -> TypeGuard[ast.Subscript]:
    """Whether a target is the whole of an array: ``W[:]``, ``W[...]``."""
    if not isinstance(target, ast.Subscript):
        return False
    index = target.slice
    whole = isinstance(index, ast.Slice) and index.lower is index.upper is index.step is None
    return whole or (isinstance(index, ast.Constant) and index.value is Ellipsis)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _changed(statement: ast.AST) -> list[ast.AST]:
    """What a statement that carries something over changes."""
    if isinstance(statement, ast.AugAssign):
        return [statement.target]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        named = _sets_by_name(statement) or _copies_onto_itself(statement)
        by_name: list[ast.AST] = [statement.value.args[0]] if named else []
        return by_name + [k.value for k in statement.value.keywords if k.arg == "out"]
    return _targets(statement) if isinstance(statement, ast.Assign) else []


def _makes_anew(shown: str, value: ast.AST) -> bool:
    """``params = [p - step * g for p, g in zip(params, grads)]``, and the same of a dict or a tuple."""
    if isinstance(value, ast.Call) and _called(value) in ("list", "tuple", "dict") and len(value.args) == 1:
        value = value.args[0]
    if not isinstance(value, (ast.ListComp, ast.DictComp, ast.GeneratorExp)):
        return False
    if not any(ast.unparse(part) == shown for g in value.generators for part in _reads(g.iter)):
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


def _sets_by_name(statement: ast.AST) -> bool:
    """``setattr(self, name, getattr(self, name) - step)``"""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and _called(call) == "setattr" and len(call.args) == 3):
        return False
    place = [ast.unparse(a) for a in call.args[:2]]
    value = call.args[2]
    return isinstance(value, ast.BinOp) and any(
        isinstance(n, ast.Call) and _called(n) == "getattr" and [ast.unparse(a) for a in n.args[:2]] == place
        for n in ast.walk(value)
    )


def _copies_onto_itself(statement: ast.AST) -> bool:
    """``np.copyto(W, W - step)``"""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and _called(call) == "copyto" and len(call.args) == 2):
        return False
    value = unadjusted(call.args[1])
    return isinstance(value, ast.BinOp) and any(ast.unparse(p) == ast.unparse(call.args[0]) for p in _reads(value))


def _is_multiple(target: ast.Name, value: ast.AST) -> bool:
    """Whether a variable keeps what it was but for a factor: ``W = 0.99 * W``"""
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult) and any(
        isinstance(side, ast.Name) and side.id == target.id for side in (value.left, value.right)
    )


def _targets(statement: ast.Assign) -> list[ast.AST]:
    return [
        t
        for target in statement.targets
        for t in (target.elts if isinstance(target, ast.Tuple) else [target])
    ]


def _adds_to_itself(node: ast.Assign) -> bool:
    """``W = W - rate * dW``, ``params["W"] = params["W"] - …``"""
    return any(
        isinstance(value, ast.BinOp)
        and isinstance(value.op, (ast.Add, ast.Sub))
        and any(ast.unparse(part) == ast.unparse(target) for part in _reads(value))
        or isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Sub)
        and isinstance(target, ast.Subscript)
        for target, value in _pairs(node)
    )


def _adds_a_product(statement: ast.AST) -> bool:
    """``s += w[j] * x[j]``: in a loop, a product of vectors written out."""
    return (
        isinstance(statement, ast.AugAssign)
        and isinstance(statement.op, ast.Add)
        and isinstance(statement.value, ast.BinOp)
        and isinstance(statement.value.op, ast.Mult)
    )


def _base_name(target: ast.AST) -> str:
    """The name by which a target is read again: ``W`` of ``W[0]``, ``.W`` of ``self.W``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    if isinstance(target, ast.Attribute):
        return "." + target.attr
    return target.id if isinstance(target, ast.Name) else ""


def _names_read(statement: ast.stmt) -> set[str]:
    """Names and attributes that a statement itself reads in its work; printing and appending are no work."""
    found: set[str] = set()
    written = _targets(statement) if isinstance(statement, ast.Assign) else _changed(statement)
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
            isinstance(node, ast.Call) and _called(node) in ("print", "format")
        ):
            continue
        if isinstance(node, ast.Call) and _called(node) == "append":
            todo += [a for a in node.args if not isinstance(a, ast.Name)]
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add("." + node.attr)
        todo += ast.iter_child_nodes(node)
    return found


def _is_count(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, int)


def _reads(value: ast.AST) -> Iterator[ast.AST]:
    return (n for n in ast.walk(value) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript)))


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.AST, ast.AST]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from ((t, unadjusted(v)) for t, v in zip(target.elts, node.value.elts, strict=False))
        else:
            yield target, unadjusted(node.value)
