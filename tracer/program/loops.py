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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.program.carried import Carried
from tracer.program.changes import adds_a_product, called_name
from tracer.program.loss_words import OTHER_LANGUAGES
from tracer.program.numerical_checks import checks_numerically
from tracer.tape.node import Span

if TYPE_CHECKING:
    from tracer.program.program import Program

_PRODUCTS = {"dot", "matmul", "einsum", "outer", "tensordot", "inner", "vdot", "multi_dot"}
_WORK = {"exp", "log", "tanh", "sum", "maximum", "mean", "square", "multiply", "power", "sqrt"}
_LOSS = re.compile(rf"loss|cost|error|mse|{OTHER_LANGUAGES}", re.I)
_GRADIENT = re.compile(r"(\w+\.)*(d_?[a-zA-Z]\d?|d[A-Z]\w*|grad\w*|\w+_grad(ient)?|delta\w*)", re.I)
_BACKWARD = re.compile(r"back_?(ward|prop)", re.I)
_LOOP = (ast.For, ast.While)


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
                # A loop over time steps leaves the update to the loop around it; a loop over batches has it, also where
                # the other one runs the network again, which keeps statistics.
                leaves = set(finder.updated(outer, inner)) - set(finder.updated(inner))
                dropped.add(id(inner if leaves else outer))
    kept = [_loop(owners[id(node)], node) for node in candidates if id(node) not in dropped]
    order = {each.path: at for at, each in enumerate(programs)}
    return tuple(sorted(kept, key=lambda loop: (order[loop.path], loop.span)))


def seldom_updates(loop: Loop, program: Program, siblings: Sequence[Program] = ()) -> list[ast.If]:
    """The ``if`` statements below which a loop updates its parameters, if it does so nowhere else: every few episodes."""
    return _Finder([each.tree for each in (program, *siblings)]).seldom(loop.node)


def names_a_gradient(name: str) -> bool:
    """Whether a variable's name says that it is a gradient: ``dW``, ``self.grad``, ``delta2``."""
    return _GRADIENT.fullmatch(name) is not None


def _speaks(name: str) -> bool:
    return names_a_gradient(name) or _LOSS.search(name) is not None


def _loop(program: Program, node: ast.For | ast.While) -> Loop:
    span = program.span(node)
    return Loop(span.line, span.end_line, span, node, program.path)


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


def _given_names(node: ast.Assign | ast.AugAssign) -> set[str]:
    """The variables that a statement gives a value; ``da, dc = …`` gives one to two."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    single = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {t.id for t in single if isinstance(t, ast.Name)}


class _Finder(Carried):
    """Looks for loops that train."""

    def trains(self, loop: ast.For | ast.While) -> bool:
        """Whether one iteration works on arrays and carries updates to the next."""
        found = _Found()
        self._look(loop.body, found, set())
        if isinstance(loop, ast.For) and self.walks_its_updates(loop):
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
        return any(called_name(c) in self.functions and _BACKWARD.search(called_name(c)) for c in calls)

    def _look(self, body: Sequence[ast.AST], found: _Found, seen: set[str]) -> None:
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign | ast.AugAssign):
                    found.spoken += sum(_speaks(name) for name in _given_names(node))
                if isinstance(node, ast.For | ast.While):
                    found.work += sum(adds_a_product(inner) for inner in node.body)
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                    found.products += 1
                elif isinstance(node, ast.Call):
                    name = called_name(node)
                    if name in self.functions:
                        if name not in seen:
                            seen.add(name)
                            for function in self.functions[name]:
                                self._look(function.body, found, seen)
                    elif name in _PRODUCTS:
                        found.products += 1
                    elif name in _WORK:
                        found.work += 1
