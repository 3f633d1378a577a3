"""What a derived expression calls its values: the reader's names, Z for what has none, and statements that make them.

Comes in: a `Recorded` expression.  Goes out: `Names` for the printers, and for any code the statements that have to
stand before it.  Invariant: with these statements code reads the inputs and the upstream gradient, and nothing else.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from tracer.calculus.complex_values import MARK
from tracer.calculus.linearised import VALUE
from tracer.calculus.printing import NoForm
from tracer.calculus.terms import Axis
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.expressions.auxiliary_code import auxiliary_code
from tracer.expressions.reading import MODULES
from tracer.expressions.recorded import Recorded
from tracer.tape.node import Ref


@dataclass
class Names(Vocabulary):
    """A vocabulary in which a value without a name is Z, Z2, …, a number s, s2, …

    Attributes:
        taken: names that none of them may have.
        letters: the letters given so far, so that one value has the same in all gradients of an expression.
        named_sizes: the sizes of named axes, each with the code that reads it from an array.
    """

    taken: frozenset[str] = field(default_factory=frozenset)
    letters: dict[str, str] = field(default_factory=dict)
    named_sizes: dict[int, str] = field(default_factory=dict)

    def _new_identifier(self, name: str) -> str:
        node = self.graph.node_of(name)
        source = self.source(name)
        if node is None and name not in self.partials:
            return self._of_helper(name)
        if node is None or name in self.partials or source.isidentifier():
            return super()._new_identifier(name)
        if name in self.letters:
            self.temporaries[name] = self.letters[name]
            return self.letters[name]
        letter = "Z" if self.graph.tape.nodes[node].shape else "s"
        used = set(self.identifiers.values()) | self.taken | set(self.letters.values())
        found, number = letter, 2
        while found in used:
            found = f"{letter}{number}"
            number += 1
        self.temporaries[name] = self.letters[name] = found
        return found

    def array(self, name: str) -> str:
        """The identifier of an array; its value held fixed is the array itself."""
        return super().array(name.removesuffix(VALUE))

    def size(self, axis: Axis) -> str:
        """The size of an axis: read from an array, else guessed from the number that it is.

        Every named axis has a size of its own, so the guess is that ``X[::-1]`` is as long as X, and that what
        ``np.repeat(x, 3)`` repeats is 3; code is compared again at other sizes, so that a wrong guess is found out.
        """
        try:
            return super().size(axis)
        except NoForm:
            size = self.graph.table.size(axis)
            return self.named_sizes.get(size, str(size))

    def _of_helper(self, name: str) -> str:
        """What an operation is described with: the places of the largest entries, an inverse…"""
        used = set(self.identifiers.values()) | self.taken | set(self.letters.values())
        what = name.partition(".")[2].rstrip("0123456789").removesuffix(MARK)
        base = {"argmax": "largest", "argmin": "smallest", "where": "places"}.get(
            what, what if what.isidentifier() else "helper"
        )
        found, number = base, 2
        while found in used:
            found = f"{base}{number}"
            number += 1
        self.temporaries[name] = self.letters.setdefault(name, found)
        return self.letters[name]


def names_for(recorded: Recorded, result: str) -> Names:
    """A new vocabulary; the arrays, axes and results of the expression keep their own names."""
    graph = recorded.graph
    taken = {*recorded.inputs.shapes, *recorded.inputs.sizes, recorded.value, recorded.upstream, result}
    taken |= set(recorded.inputs.expression.modules)
    names = Names(graph, recorded.loss, taken=frozenset(taken), letters=recorded.letters)
    names.root_array = graph.name(recorded.root)
    sizes = recorded.inputs.sizes
    for array in recorded.leaves:
        for k, axis in enumerate(recorded.inputs.shapes[array]):
            if isinstance(axis, str):
                names.named_sizes.setdefault(sizes[axis], f"{array}.shape[{k}]")
    own = {**recorded.leaves, recorded.upstream: recorded.bound[recorded.upstream]}
    if recorded.output not in recorded.leaves.values():
        own[recorded.value] = recorded.output
    for name, node in own.items():
        names.identifiers[graph.name(node)] = name
    return names


def with_definitions(recorded: Recorded, names: Names, code: str) -> str:
    """Code with the statements before it that make what it reads, and what these read.

    Raises:
        NoForm: there is none for something that it reads.
    """
    given = {*recorded.leaves, recorded.upstream, "np"}
    made = {name: array for array, name in names.identifiers.items()}
    wanted: dict[str, ast.expr] = {}
    sizes: list[str] = []
    modules: list[str] = []
    waiting = [n for n in names_read(code) if n not in given]
    while waiting:
        name = waiting.pop(0)
        if name in wanted or name in sizes:
            continue
        if name in recorded.inputs.expression.modules:
            modules += [f"import {module}" for module in MODULES[name]]
            given.add(name)
            continue
        if name in recorded.inputs.sizes:
            sizes.append(name)
            continue
        tree = definition_of(recorded, names, made.get(name))
        if tree is None:
            raise NoForm(
                f"there is no code for {names.source(made[name])}" if name in made else f"{name} is unknown"
            )
        wanted[name] = tree
        waiting += [n for n in names_read(ast.unparse(tree)) if n not in given and n not in wanted]
    order = sorted(wanted, key=lambda n: names.graph.node_of(made[n].partition(".")[0]) or 0)
    lines = [line for n in sizes if (line := _size(recorded, n))]
    known: dict[str, str] = {}
    for name in order:
        shorter = _Shorter(known).visit(ast.parse(ast.unparse(wanted[name]), mode="eval").body)
        lines.append(f"{name} = {ast.unparse(shorter)}")
        known[ast.dump(wanted[name])] = name
    return "\n".join([*modules, *lines, code])


def names_read(code: str) -> tuple[str, ...]:
    """The names that code reads before it binds them, in order."""
    read: dict[str, None] = {}
    bound: set[str] = set()
    for statement in ast.parse(code).body:
        names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
        inner = {n.id for n in names if isinstance(n.ctx, ast.Store)} if _binds_inside(statement) else set()
        for name in names:
            if isinstance(name.ctx, ast.Load) and name.id not in bound | inner:
                read.setdefault(name.id)
        bound |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return tuple(n for n in read if n not in _BUILT_IN)


_BUILT_IN = frozenset(
    ("range", "len", "slice", "float", "complex", "int", "abs", "sum", "max", "min", "tuple", "list", "pow")
)


def _binds_inside(statement: ast.stmt) -> bool:
    return any(isinstance(n, (ast.For, ast.comprehension)) for n in ast.walk(statement))


def definition_of(recorded: Recorded, names: Names, array: str | None) -> ast.expr | None:
    """The part of the expression that makes an array, as the user wrote it; None if there is none."""
    if array is None:
        return None
    node = names.graph.node_of(array)
    if node is None:
        return _places(recorded, names, array)
    if node == names.graph.representative(recorded.output):
        return recorded.inputs.expression.tree.body
    site = recorded.tape.nodes[node].site
    if site is None:
        return None
    try:
        tree = ast.parse(f"({site.text})", mode="eval").body
    except SyntaxError:
        return None
    if recorded.tape.nodes[node].op == "part_of" and isinstance(tree, ast.Call):
        return ast.Subscript(tree, ast.Constant(_part(recorded, node)), ast.Load())
    return tree


def _places(recorded: Recorded, names: Names, array: str) -> ast.expr | None:
    """Code for an array that the expression does not compute; None if there is none."""
    owner, _, what = array.partition(".")
    node = names.graph.node_of(owner)
    if node is None or not what:
        return None
    weights = names.weights(array)
    if weights is not None:
        return ast.parse(weights, mode="eval").body
    leaf = next((name for name, number in recorded.leaves.items() if number == node), None)
    code = ast.Name(leaf, ast.Load()) if leaf else definition_of(recorded, names, owner)
    if code is None:
        return None
    return auxiliary_code(what, code, frozenset(recorded.inputs.expression.modules), _part(recorded, node))


def _part(recorded: Recorded, node: int) -> int:
    """Which of several arrays a value is; 0 if it is the only one."""
    made = recorded.tape.nodes[node]
    part = made.args[0] if made.op == "part_of" else 0
    return int(recorded.tape.nodes[part.node].value if isinstance(part, Ref) else part)


def _size(recorded: Recorded, name: str) -> str:
    for array, axes in recorded.inputs.shapes.items():
        if name in axes and array in recorded.leaves:
            return f"{name} = {array}.shape[{axes.index(name)}]"
    return ""


class _Shorter(ast.NodeTransformer):
    """Parts that have a name already are written by it."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def visit(self, node: ast.AST) -> ast.AST:
        found = self.known.get(ast.dump(node)) if isinstance(node, ast.expr) else None
        if found is not None:
            return ast.Name(found, ast.Load())
        visited: ast.AST = self.generic_visit(node)
        return visited
