"""How the program itself would write a value, a slope or a gradient: expressions in its own variables.

Comes in: nodes of the tape.  Goes out: source text, the likeliest first; nothing here says that it is right.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property

from tracer.explanation.building.reading import Reading
from tracer.explanation.model import Part
from tracer.matching.candidates import Candidate, Match, Sort
from tracer.matching.scale import name_scale, plain_number
from tracer.tape.node import Kind, Span

#: In how many ways a factor is said at most.
_MOST_FACTORS = 4
_NUMBERED = re.compile(r"\[-?\d+\]$")

#: A truth value that is made a number, which a product with it does not need.
_MASK = re.compile(r"^1\.0 \* \(([^()]*)\)$")


class CodeWords:
    """Words for code.

    Arguments:
        derived: the part of a match with its derivation and code filled in.
        local: the same of a local derivative.
    """

    def __init__(
        self, reading: Reading, derived: Callable[[Match], Part], local: Callable[[int, int], Part]
    ) -> None:
        self.reading, self._derived, self._local = reading, derived, local

    @cached_property
    def _bound_at(self) -> dict[str, str]:
        """For each numbered name, ``hs[3]``, how the statement that bound it was written: ``hs[t]``."""
        bindings = self.reading.analysis.tape.bindings
        return {b.name: _target(b.site.text) for b in bindings if _NUMBERED.search(b.name)}

    def readings(self, node: int) -> list[str]:
        """The texts by which a program may read a node."""
        recorded = self.reading.node(node)
        found = [self._bound_at.get(name, name) for name in reversed(recorded.names)]
        if recorded.site is not None and recorded.kind in (Kind.VIEW, Kind.LEAF):
            found.append(recorded.site.text)
        for user in self.reading.analysis.tape.users(node):
            found += self._as_read_by(user, node)
        return list(dict.fromkeys(text for text in found if text and "\n" not in text))[:6]

    def places(self, node: int) -> list[Span]:
        """Where in the source a node was computed."""
        site = self.reading.node(node).site
        return [] if site is None else [site.span]

    def calls(self, node: int) -> list[Span]:
        """Where a node was computed, and where the functions were called that computed it, from the inside out."""
        return [*self.places(node), *(c.site.span for c in reversed(self.reading.node(node).calls))]

    def _as_read_by(self, user: int, node: int) -> list[str]:
        site = self.reading.node(user).site
        operands = self.reading.analysis.tape.operands(user)
        if site is None or operands.count(node) != 1:
            return []
        try:
            tree = ast.parse(site.text.strip(), mode="eval").body
        except SyntaxError:
            return []
        parts: list[ast.expr] = []
        if isinstance(tree, ast.BinOp):
            parts = [tree.left, tree.right]
        elif isinstance(tree, ast.Attribute):
            parts = [tree.value]
        elif isinstance(tree, ast.Call):
            parts = list(tree.args)
            if isinstance(tree.func, ast.Attribute) and len(parts) < len(operands):
                parts = [tree.func.value, *parts]
        if len(parts) != len(operands):
            return []
        text = ast.get_source_segment(site.text.strip(), parts[operands.index(node)])
        return [text] if text and re.fullmatch(r"[\w.\[\]'\" +\-*]+", text) else []

    def slopes(self, of: int, wrt: int) -> list[str]:
        """The local derivative ∂of/∂wrt; a mask first by the sign of what was cut off."""
        code = [_MASK.sub(r"\1", text) for text in self._code(self._local(of, wrt))]
        masks = [f"{name} > 0" for node in (of, wrt) for name in self.readings(node)[:1]]
        return [*masks, *code] if not code or "> 0" in code[0] else code

    def gradients(self, node: int, root: int, wrt: int, factors: tuple[float, ...]) -> list[str]:
        """The gradient ∂root/∂wrt times a factor, from what is known when a node is computed."""
        matcher = self.reading.analysis.matcher
        scale = name_scale(factors, matcher.scalars(node, root)) or plain_number(factors)
        if scale is None:
            return []
        return self._code(self._derived(Match(node, Candidate(Sort.FULL, root, wrt, False), scale, 0.0)))

    def terms(self, value: int, factor: str, root: int | None, via: int | None, at: Span) -> list[str]:
        """A multiple of a value, or of the gradient of ``root`` by it, along one path if ``via`` is given.

        Arguments:
            at: where it is to be added: what is known there may be used.
        """
        if root is None:
            texts = [*self._names_of_the_same(value, at), *self.readings(value)]
        else:
            sort = Sort.FULL if via is None else Sort.PATH
            one = plain_number((1.0,) * len(self.reading.analysis.replays.values))
            assert one is not None
            here = self._node_at(at)
            match = Match(value if here is None else here, Candidate(sort, root, value, False, via), one, 0.0)
            texts = self._code(self._derived(match))
        sign = "-" if factor.startswith("-") else ""
        plain = factor.removeprefix("-")
        if plain == "1":
            return [f"{sign}{t}" for t in texts[:2]]
        divisor = plain.removeprefix("1 / ") if plain.startswith("1 / ") else ""
        counts = [f"{count} * " for count in self._counts(divisor, at, most=None)] if divisor else []
        whole = [t.removeprefix(c) for t in texts[:2] for c in counts if t.startswith(c)]  # n * x, divided by n
        return [f"{sign}{t}" for t in (*whole, *(f"{f} * {t}" for t in texts[:2] for f in self.factors(plain, at)))]

    def _names_of_the_same(self, value: int, at: Span) -> list[str]:
        """The variables that hold what a nameless value is, ``d = out - y`` beside ``(out - y) ** 2``, where a place is."""
        graph, here = self.reading.analysis.graph, self._node_at(at)
        if self.reading.node(value).names or here is None:
            return []
        same = (n for n in graph.tape.window_nodes() if n.names and value < n.id < here)
        return [n.names[-1] for n in same if graph.representative(n.id) == graph.representative(value)][:1]

    def factors(self, text: str, span: Span) -> list[str]:
        """A factor as the place can say it: counts that have no variable by the shapes of the arrays that it knows."""
        ways = [text]
        for name in dict.fromkeys(re.findall(r"[^\W\d]\w*", text)):
            codes = self._counts(name, span)
            if codes:
                known = [name] if self._is_bound(name) else []
                ways = [re.sub(rf"\b{name}\b", code, way) for way in ways for code in (*known, *codes)]
        return ways[:_MOST_FACTORS]

    def _is_bound(self, name: str) -> bool:
        return any(b.name == name for b in self.reading.analysis.tape.bindings)

    def _counts(self, name: str, span: Span, most: int | None = 3) -> list[str]:
        """What gives the size of an axis: an array that the place reads, one of its function's, or the number."""
        graph = self.reading.analysis.graph
        first = self._node_at(span)
        if first is None:
            return []
        here = graph.tape.nodes[first]
        held = {
            b.name: b.node
            for b in graph.tape.bindings
            if b.time <= here.id and b.scope.rpartition(".")[2] == here.scope and "[" not in b.name
        }
        read = set(re.findall(r"[\w.]+", self.reading.program.text_of(span)))
        found: dict[str, None] = {}
        sizes: dict[str, None] = {}
        for array in sorted(held, key=lambda a: (a not in read, -held[a])):
            for position, axis in enumerate(graph.axes(held[array])):
                if axis is not None and graph.axis_text(axis) == name:
                    found[f"len({array})" if position == 0 else f"{array}.shape[{position}]"] = None
                    sizes[str(graph.table.size(axis))] = None
        found |= dict.fromkeys(self._lists_of(name))
        return [*list(found)[:most], *sizes]

    def _lists_of(self, name: str) -> Iterator[str]:
        """The sizes of plain lists that rows are picked by: ``len(words)``, of ``E[words]``."""
        graph = self.reading.analysis.graph
        for node in graph.tape.window_nodes():
            picks = node.op == "getitem" and node.site is not None and bool(node.shape)
            listed = re.search(r"\[([\w.]+)\]$", node.site.text) if picks and node.site is not None else None
            first = graph.axes(node.id)[0] if listed is not None else None
            if listed is not None and first is not None and graph.axis_text(first) == name:
                yield f"len({listed[1]})"

    def _node_at(self, span: Span) -> int | None:
        """The node that a place first computed in the explained iteration."""
        tape = self.reading.analysis.tape
        shown = tape.last_windows()
        found = (n for n in tape.window_nodes() if n.site is not None and n.site.span == span)
        return next((n.id for n in found if n.window in shown), None)

    def _code(self, part: Part) -> list[str]:
        """The code of a part, in the names of the program."""
        if part.numpy is None or part.derivation is None or "\n" in part.numpy:
            return []
        code = part.numpy
        for identifier, given in part.derivation.inputs.items():
            source = self._bound_at.get(given.source, given.source)
            if not re.search(rf"(?<![\w.]){re.escape(identifier)}(?!\w)", code):
                continue
            if source.startswith("∂"):
                return []
            text = source if re.fullmatch(r"[\w.]+(\[[^\]]*\])*", source) else f"({source})"
            code = re.sub(rf"(?<![\w.]){re.escape(identifier)}(?!\w)", text.replace("\\", r"\\"), code)
        return [code]


def _target(text: str) -> str:
    """What a statement binds, if the text is one; else the text."""
    try:
        statement = ast.parse(text.strip()).body[0]
    except (SyntaxError, IndexError):
        return text
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return ast.get_source_segment(text.strip(), statement.targets[0]) or text
    return text
