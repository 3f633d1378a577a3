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
from typing import TYPE_CHECKING, Any

from tracer.program.carried import Carried
from tracer.program.changes import adds_a_product, called_name, changed_by, names_in, sums_products, takes_off
from tracer.program.loss_words import OTHER_LANGUAGES
from tracer.program.numerical_checks import checks_numerically
from tracer.program.unwritten import Walk, of_calls, suspended, tested, unwritten, with_its_test
from tracer.tape.node import Span

if TYPE_CHECKING:
    from tracer.program.program import Program

_PRODUCTS = {"dot", "matmul", "einsum", "outer", "tensordot", "inner", "vdot", "multi_dot"}
_WORK = {"exp", "log", "tanh", "sum", "maximum", "mean", "square", "multiply", "power", "sqrt"}
_LOSS = re.compile(rf"loss|cost|error|mse|{OTHER_LANGUAGES}", re.I)
_GRADIENT = re.compile(r"(\w+\.)*(d_?[a-zA-Z]\d?|d_\w+|d[A-Z]\w*|grad\w*|\w+_grad(ient)?|delta\w*)", re.I)
_BACKWARD = re.compile(r"back_?(ward|prop)", re.I)
_LOOP = (ast.For, ast.While)


@dataclass(frozen=True)
class Loop:
    """A loop: ``line`` to ``end_line`` in the file as written, and its ``span`` there; ``path`` names the file.

    Attributes:
        node: what stands in the program: a statement, a comprehension, a call that calls a function, a recursive function.
        statement: a loop that does the same; the node itself where that is one.
    """

    line: int
    end_line: int
    span: Span
    node: ast.AST
    statement: ast.For | ast.While
    path: str = ""


@dataclass(frozen=True)
class Stretch:
    """A piece of a program, by its place; of a loop it is the body."""

    path: str
    span: Span

    def holds(self, path: str, span: Span) -> bool:
        """Whether another piece stands in it."""
        return path == self.path and self.span.contains(span)


@dataclass
class _Found:
    """What one iteration of a loop does: matrix products, other array work, and names of losses and gradients.

    Products that are written out in loops are other work; ``written_out`` says how many.
    """

    products: int = 0
    written_out: int = 0
    work: int = 0
    spoken: int = 0


def all_loops(program: Program) -> tuple[Loop, ...]:
    """Every ``for`` and ``while`` statement, in the order of the file."""
    loops = [_loop(program, Walk(node, node)) for node in ast.walk(program.tree) if isinstance(node, _LOOP)]
    return tuple(sorted(loops, key=lambda loop: loop.span))


def loops_at(program: Program, line: int) -> list[Loop]:
    """The loops that begin in a line, statements first; the others are those that no statement writes.

    Last comes a function of which each call may be an iteration, whoever calls it.
    """
    written = [loop for loop in all_loops(program) if loop.line == line]
    others = [_loop(program, walk) for walk in unwritten(program.tree)]
    functions = [n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef) and not suspended(n)]
    called = [_loop(program, Walk(node, of_calls(node), node)) for node in functions]
    by_place = sorted((loop for loop in others if loop.line == line), key=lambda loop: loop.span)
    return written + by_place + [loop for loop in called if loop.line == line]


def training_loops(program: Program, siblings: Sequence[Program] = ()) -> tuple[Loop, ...]:
    """The training loops, in the order of the file, then those of its ``siblings``; empty if there is none."""
    programs = [program, *siblings]
    finder = _Finder([each.tree for each in programs])
    possible = [
        (each, walk)
        for each in programs
        for walk in finder.walks(each.tree)
        if not checks_numerically(walk.statement) and not finder.walks_down(walk)
    ]
    training = [walk.statement for _, walk in possible if finder.trains(walk.statement)]
    candidates = [
        (each, walk)
        for each, walk in possible
        if walk.statement in training or any(finder.takes_the_steps_of(outer, walk.statement) for outer in training)
    ]
    dropped: set[int] = set()
    for _, outer in candidates:
        below = finder.functions_called(outer.statement)
        for _, inner in candidates:
            if inner.node is outer.node:
                continue
            around = (outer.node, outer.statement, *below)
            if any(_contains(each, inner.node) for each in around):
                # A loop over time steps leaves the update to the loop around it; a loop over batches has it, also where
                # the other one runs the network again, which keeps statistics.
                leaves = set(finder.updated(outer.statement, inner.statement)) - set(finder.updated(inner.statement))
                dropped.add(id(inner.node if leaves else outer.node))
    kept = [_loop(each, walk) for each, walk in candidates if id(walk.node) not in dropped]
    order = {each.path: at for at, each in enumerate(programs)}
    return tuple(sorted(kept, key=lambda loop: (order[loop.path], loop.span)))


def untold_loops(program: Program, explained: Sequence[Loop], siblings: Sequence[Program] = ()) -> list[Loop]:
    """Other loops of a program that may train, though they have too little of it: they lessen what their products read.

    Those around and inside of the ``explained`` ones are left out, and those in functions that nobody calls.
    """
    finder = _Finder([each.tree for each in (program, *siblings)])
    nodes = [node for each in (program, *siblings) for node in ast.walk(each.tree)]
    called = {called_name(n) for n in nodes if isinstance(n, ast.Call)}
    near = [(loop.node, loop.statement, *finder.functions_called(loop.statement)) for loop in explained]
    found = []
    for walk in finder.walks(program.tree):
        owner = finder.owner.get(id(walk.node))
        name = getattr(owner, "name", "")
        if name and name not in called or checks_numerically(walk.statement) or finder.walks_down(walk):
            continue
        own = (walk.node, walk.statement, *finder.functions_called(walk.statement))
        inside = any(_contains(part, walk.node) for parts in near for part in parts)
        around = any(_contains(part, loop.node) for loop in explained for part in own)
        if not (inside or around) and finder.may_train(walk.statement):
            found.append(_loop(program, walk))
    return sorted(found, key=lambda loop: loop.span)


def unwritten_around(program: Program, path: str, span: Span, siblings: Sequence[Program] = ()) -> list[Loop]:
    """The loops that no statement writes inside of which a place stands, or inside of functions that they call.

    The shortest piece of code comes first: the innermost loop.
    """
    finder = _Finder([each.tree for each in (program, *siblings)])
    owners = [(each, {id(n) for n in ast.walk(each.tree)}) for each in (program, *siblings)]
    found = []
    for each in (program, *siblings):
        for walk in finder.walks(each.tree):
            if isinstance(walk.node, _LOOP):
                continue
            inside = [(each, walk.node)]
            for function in finder.functions_called(walk.statement):
                inside += [(of, function) for of, own in owners if id(function) in own]
            if any(of.path == path and of.span(n).contains(span) for of, n in inside):
                found.append(_loop(each, walk))
    return sorted(found, key=lambda loop: loop.end_line - loop.line)


def functions_around(program: Program, path: str, span: Span, siblings: Sequence[Program] = ()) -> list[Loop]:
    """The functions in which a place stands, the innermost first: each call of one may be an iteration.

    Generators and coroutines are left out: they are under way while other code runs.
    """
    found = []
    for each in (program, *siblings):
        functions = [n for n in ast.walk(each.tree) if isinstance(n, ast.FunctionDef)] if each.path == path else []
        around = [n for n in functions if each.span(n).contains(span) and not suspended(n)]
        found += [_loop(each, Walk(node, of_calls(node), node)) for node in around]
    return sorted(found, key=lambda loop: loop.end_line - loop.line)


def seldom_updates(loop: Loop, program: Program, siblings: Sequence[Program] = ()) -> list[ast.If]:
    """The ``if`` statements below which a loop updates its parameters, if it does so nowhere else: every few episodes."""
    return _Finder([each.tree for each in (program, *siblings)]).seldom(loop.statement)


def steps_inside(loop: Loop, program: Program, siblings: Sequence[Program] = ()) -> tuple[Stretch, ...]:
    """The statements of a loop, and of the functions that it calls, which make a gradient or an update."""
    finder = _Finder([each.tree for each in (program, *siblings)])
    direct = finder.direct(loop.statement)
    found = [
        n
        for n in finder.statements(loop.statement, None)
        if isinstance(n, ast.Assign | ast.AugAssign)
        and (finder.carried(n, id(n) in direct) or any(names_a_gradient(name) for name in _given_names(n)))
    ]
    return _stretches(found, (program, *siblings))


def loops_inside(loop: Loop, program: Program, siblings: Sequence[Program] = ()) -> tuple[Stretch, ...]:
    """The loops inside of a loop and in the functions that it calls."""
    finder = _Finder([each.tree for each in (program, *siblings)])
    found = [n for n in finder.statements(loop.statement, None) if isinstance(n, _LOOP) and not checks_numerically(n)]
    return _stretches(found, (program, *siblings))


def _stretches(statements: Sequence[Any], programs: Sequence[Program]) -> tuple[Stretch, ...]:
    own = [(each, {id(n) for n in ast.walk(each.tree)}) for each in programs]
    found = []
    for statement in statements:
        for program, nodes in own:
            if id(statement) in nodes:
                body = statement.body if isinstance(statement, _LOOP) else [statement]
                first, last = program.span(body[0]), program.span(body[-1])
                found.append(Stretch(program.path, Span(first.line, first.column, last.end_line, last.end_column)))
    return tuple(dict.fromkeys(found))


def names_a_gradient(name: str) -> bool:
    """Whether a variable's name says that it is a gradient: ``dW``, ``self.grad``, ``delta2``."""
    return _GRADIENT.fullmatch(name) is not None


def _speaks(name: str) -> bool:
    return names_a_gradient(name) or _LOSS.search(name) is not None


def _loop(program: Program, walk: Walk) -> Loop:
    span = program.span(walk.node)
    return Loop(span.line, span.end_line, span, walk.node, walk.statement, program.path)


def _ends_in_its_first_iteration(loop: ast.For | ast.While) -> bool:
    """Whether nothing is carried on: the body of a loop ends with a ``return`` or ``break``, and nothing goes round it."""
    leaves = isinstance(loop.body[-1], ast.Return | ast.Break | ast.Raise)
    return leaves and not any(isinstance(n, ast.Continue) for s in loop.body for n in ast.walk(s))


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


def _given_names(node: ast.Assign | ast.AugAssign) -> set[str]:
    """The variables that a statement gives a value; ``da, dc = …`` gives one to two."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    single = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {t.id for t in single if isinstance(t, ast.Name)}


class _Finder(Carried):
    """Looks for loops that train."""

    def walks(self, tree: ast.AST) -> Iterator[Walk]:
        """The loops of a program, also those that no statement writes, if they can train: they call its functions."""
        for node in ast.walk(tree):
            if isinstance(node, ast.While) and tested(node) and not self.trains(node):
                walk = Walk(node, with_its_test(node))
                self._belongs(walk)
                yield walk
            elif isinstance(node, _LOOP) and not _ends_in_its_first_iteration(node):
                yield Walk(node, node)
        for walk in unwritten(tree):
            inside = [n for s in walk.statement.body for n in ast.walk(s)]
            if any(isinstance(n, ast.NamedExpr) or self._is_own(n) for n in inside) or walk.function is not None:
                self._belongs(walk)
                yield walk

    def walks_down(self, walk: Walk) -> bool:
        """Whether a recursive function goes from one place to the next: all it changes is where its parameters tell.

        Those of layers and time steps do, ``grads[k] += …`` and then ``k - 1``.
        """
        if walk.function is None:
            return False
        told = {
            t.id
            for s in walk.statement.body
            if isinstance(s, ast.Assign)
            for t in s.targets
            if isinstance(t, ast.Name) and not self.direct(walk.function) >= {id(t)}
        }
        carried = (n for s in walk.statement.body for n in ast.walk(s) if self.carried(n, True))
        changed = [t for n in carried for t in changed_by(n) if not isinstance(t, ast.Name) or t.id in told]
        return bool(changed) and all(not isinstance(t, ast.Name) and names_in(t) & told for t in changed)

    def _is_own(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and called_name(node) in self.functions

    def _belongs(self, walk: Walk) -> None:
        """What was made for the statement belongs to the function that the code stands in."""
        function = walk.function or self.owner.get(id(walk.node))
        if function is not None:
            for node in ast.walk(walk.statement):
                self.owner.setdefault(id(node), function)

    def trains(self, loop: ast.For | ast.While) -> bool:
        """Whether one iteration works on arrays and carries updates to the next."""
        found = _Found()
        self._look(loop.body, found, set())
        if isinstance(loop, ast.For) and self.walks_its_updates(loop):
            return False
        return self.updates(loop) > 0 and (
            found.products >= 2
            or (found.products >= 1 and (found.work >= 1 or self.updates(loop) >= 2 or found.spoken >= 2))
            or found.work >= 4
            or (found.work >= 1 and found.spoken >= 2)
            or found.spoken >= 3
            or (found.spoken >= 1 and (found.written_out >= 2 or self._goes_backward(loop)))
            or (found.spoken >= 1 and found.products >= 1 and any(map(takes_off, self.statements(loop, None))))
        )

    def may_train(self, loop: ast.For | ast.While) -> bool:
        """Whether a loop computes products of arrays, or names a loss, and takes something off what it reads again."""
        found = _Found()
        self._look(loop.body, found, set())
        if isinstance(loop, ast.For) and self.walks_its_updates(loop) or not found.products + found.spoken:
            return False
        return self.updates(loop) > 0 and any(map(takes_off, self.statements(loop, None)))

    def takes_the_steps_of(self, outer: ast.For | ast.While, inner: ast.For | ast.While) -> bool:
        """Whether an inner loop works on data and leaves no update and no product to the training loop around it.

        It may have too little work to be recognised by itself: that of a single sample.
        """
        if not _contains(outer, inner) or (isinstance(inner, ast.For) and self.walks_its_updates(inner)):
            return False
        whole, found = _Found(), _Found()
        self._look(outer.body, whole, set())
        self._look(inner.body, found, set())
        all_of_it = found.products == whole.products and found.work > 0
        return all_of_it and self.updates(inner) > 0 and not self.updated(outer, inner)

    def _goes_backward(self, loop: ast.For | ast.While) -> bool:
        """Whether the loop itself calls a function of the program named after the backward pass: ``loss.backward()``."""
        calls = (n for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Call))
        return any(called_name(c) in self.functions and _BACKWARD.search(called_name(c)) for c in calls)

    def _look(self, body: Sequence[ast.AST], found: _Found, seen: set[str]) -> None:
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign | ast.AugAssign):
                    found.spoken += sum(_speaks(name) for name in _given_names(node))
                if isinstance(node, ast.For | ast.While):
                    written_out = sum(adds_a_product(inner) for inner in node.body)
                    found.work, found.written_out = found.work + written_out, found.written_out + written_out
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                    found.products += 1
                elif isinstance(node, ast.Call):
                    name = called_name(node)
                    if name in self.functions:
                        if name not in seen:
                            seen.add(name)
                            for function in self.functions[name]:
                                self._look(function.body, found, seen)
                    elif name in _PRODUCTS or sums_products(node):
                        found.products += 1
                    elif name in _WORK:
                        found.work += 1
