"""What a derived expression calls its values: the reader's names, Z for what has none, and statements that make them.

Comes in: a `Recorded` expression.  Goes out: `Names` for the printers, and for any code the statements that have to
stand before it.  Invariant: with these statements code reads the inputs and the upstream gradient, and nothing else.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from tracer.explanation.building.vocabulary import Vocabulary
from tracer.expressions.recorded import Recorded


@dataclass
class Names(Vocabulary):
    """A vocabulary in which a value without a name is Z, Z2, …, a number s, s2, …

    Attributes:
        taken: names that none of them may have.
        letters: the letters given so far, so that one value has the same in all gradients of an expression.
    """

    taken: frozenset[str] = field(default_factory=frozenset)
    letters: dict[str, str] = field(default_factory=dict)

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

    def _of_helper(self, name: str) -> str:
        """The places of the largest or smallest entries."""
        used = set(self.identifiers.values()) | self.taken | set(self.letters.values())
        what = "smallest" if ".argmin" in name else "largest"
        found, number = what, 2
        while found in used:
            found = f"{what}{number}"
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
    own = {**recorded.leaves, recorded.upstream: recorded.bound[recorded.upstream]}
    if recorded.output not in recorded.leaves.values():
        own[recorded.value] = recorded.output
    for name, node in own.items():
        names.identifiers[graph.name(node)] = name
    return names


def with_definitions(recorded: Recorded, names: Names, code: str) -> str:
    """Code with the statements before it that make what it reads, and what these read."""
    given = {*recorded.leaves, recorded.upstream, *recorded.inputs.expression.modules, "np"}
    made = {name: array for array, name in names.identifiers.items()}
    wanted: dict[str, ast.expr] = {}
    sizes: list[str] = []
    waiting = [n for n in names_read(code) if n not in given]
    while waiting:
        name = waiting.pop(0)
        if name in wanted or name in sizes:
            continue
        if name in recorded.inputs.sizes:
            sizes.append(name)
            continue
        tree = _definition(recorded, names, made.get(name))
        if tree is None:
            continue  # the code will fail, and not be shown
        wanted[name] = tree
        waiting += [n for n in names_read(ast.unparse(tree)) if n not in given and n not in wanted]
    order = sorted(wanted, key=lambda n: names.graph.node_of(made[n].partition(".")[0]) or 0)
    lines = [line for n in sizes if (line := _size(recorded, n))]
    known: dict[str, str] = {}
    for name in order:
        shorter = _Shorter(known).visit(ast.parse(ast.unparse(wanted[name]), mode="eval").body)
        lines.append(f"{name} = {ast.unparse(shorter)}")
        known[ast.dump(wanted[name])] = name
    return "\n".join([*lines, code])


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
    ("range", "len", "slice", "float", "int", "abs", "sum", "max", "min", "tuple", "list", "pow")
)


def _binds_inside(statement: ast.stmt) -> bool:
    return any(isinstance(n, (ast.For, ast.comprehension)) for n in ast.walk(statement))


def _definition(recorded: Recorded, names: Names, array: str | None) -> ast.expr | None:
    """The part of the expression that makes an array, as the user wrote it."""
    if array is None:
        return None
    node = names.graph.node_of(array)
    if node is None:
        return places(recorded, names, array)
    if node == names.graph.representative(recorded.output):
        return recorded.inputs.expression.tree.body
    site = recorded.tape.nodes[node].site
    if site is None:
        return None
    try:
        return ast.parse(f"({site.text})", mode="eval").body
    except SyntaxError:
        return None


def places(recorded: Recorded, names: Names, array: str) -> ast.expr | None:
    """Where the extremes are that ``np.max(A, axis=1)`` gives: ``np.argmax(A, axis=1)``."""
    owner, _, what = array.partition(".")
    node = names.graph.node_of(owner)
    call = _definition(recorded, names, owner) if node is not None else None
    function = what.rstrip("0123456789")
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if function not in ("argmax", "argmin"):
        return None
    found = ast.parse(ast.unparse(call), mode="eval").body
    assert isinstance(found, ast.Call)
    assert isinstance(found.func, ast.Attribute)
    found.func.attr = function
    if what == function:
        return found
    is_function = (
        isinstance(call.func.value, ast.Name) and call.func.value.id in recorded.inputs.expression.modules
    )
    operand = ast.unparse(call.args[0] if is_function else call.func.value)
    number = what.removeprefix(function)
    return ast.parse(f"np.unravel_index({ast.unparse(found)}, ({operand}).shape)[{number}]", mode="eval").body


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
