"""One `Part` of the explanation for each piece of the source: what it is, its formula, and how sure that is.

Comes in: a piece of source and an `Analysis`.  Goes out: a `Part`, or None for a piece that a reader would
not ask about.  Invariant: a verdict is given only to what is used as a gradient; a value that no candidate
equals is never called anything but what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from tracer.calculus import arrays_in
from tracer.calculus.printing import Letters, NoForm, loops
from tracer.calculus.terms import Definition, Expr, Index
from tracer.diagnosis import Finding
from tracer.explanation.building.derivations import DerivationWriter, array_code, prelude, spelled_out
from tracer.explanation.building.numbers import finite, sample, worked_entry
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.vocabulary import Vocabulary, plain_source
from tracer.explanation.model import Diagnosis, Entry, Evidence, Formula, Formulas, Part, Role
from tracer.formula import (
    Tree,
    entry,
    equation,
    index_form,
    letter,
    matrix_formula,
    plus,
    render,
    symbol,
    times,
    transposed,
)
from tracer.formula.tree import Parenthesised, Partial, Relation, Row, Subscript, Text
from tracer.gradients.derivation import Derived, Known, derive, fitted, rescaled
from tracer.gradients.local import NoLocalForm, derive_local, forward_formula
from tracer.gradients.stations import Cone, find_cone, only_through
from tracer.matching.analysis import Analysis, Verified
from tracer.matching.candidates import Match, Sort
from tracer.matching.optimisers import recognise
from tracer.matching.proof import Proof
from tracer.matching.replays import describe
from tracer.matching.roots import loss_name
from tracer.matching.updates import Update
from tracer.program import Program
from tracer.tape.node import Kind, Node

_GRADIENTS = (Sort.FULL, Sort.PATH, Sort.PARTIAL)
#: How many different things one expression may be said to be.
_MOST_IDENTITIES = 6


_NOTHING = Part((0, 0, 0, 0), "", None, False, "other")


@dataclass
class PartMaker:
    """Makes parts; everything that several parts share is computed once."""

    program: Program
    analysis: Analysis
    findings: list[Finding] = field(default_factory=list)
    diagnoses: dict[int, Diagnosis] = field(default_factory=dict)
    _cones: dict[tuple[int, int, frozenset[int]], Cone] = field(default_factory=dict)

    @cached_property
    def named(self) -> frozenset[int]:
        """Nodes that the reader has a name for."""
        graph, tape = self.analysis.graph, self.analysis.tape
        found = {graph.representative(n.id) for n in tape.nodes if n.names}
        found |= {n.id for n in tape.window_nodes() if n.kind is Kind.LEAF or n.id in self.analysis.updates}
        return frozenset(found)

    @cached_property
    def readable(self) -> set[str]:
        """The names, in formulas, of what the reader has a name for."""
        return {self.analysis.graph.name(n) for n in self.named}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of what updates change."""
        tape = self.analysis.tape
        return frozenset(x for u in self.analysis.updates.values() for x in tape.nodes[u.before].names)

    @cached_property
    def meant(self) -> dict[int, tuple[Finding, Match]]:
        """What the nodes that a fault spoiled were meant to be."""
        return {node: (finding, match) for finding in self.findings for node, match in finding.meant.items()}

    @cached_property
    def inside_steps(self) -> dict[int, str]:
        """The nodes of optimisers' steps between the gradient and the change, with the optimiser."""
        found: dict[int, str] = {}
        for update in self.analysis.updates.values():
            step = recognise(self.analysis.matcher, update)
            if step.gradient is not None:
                found.update(dict.fromkeys(step.inside, step.optimiser))
        return found

    def node(self, node: int) -> Node:
        return self.analysis.tape.nodes[node]

    def parts(self, piece: Piece) -> list[Part]:
        """The parts of one piece: one for each thing that it was, when it ran several times."""
        by_identity: dict[Any, list[int]] = {}
        for node in piece.nodes:
            by_identity.setdefault(self._identity_key(node), []).append(node)
        groups = list(by_identity.values())[-_MOST_IDENTITIES:]
        made = (self.part(replace(piece, nodes=tuple(nodes))) for nodes in groups)
        return [part for part in made if part is not None]

    def _identity_key(self, node: int) -> Any:
        """What tells the occurrences of one expression apart."""
        match = self.analysis.matcher.best(node)
        if match is None or self.node(node).window < 0:
            return None
        candidate = match.candidate
        if candidate.sort is Sort.LOCAL or candidate.sort is Sort.FULL:
            return (
                candidate.sort,
                tuple(self.node(candidate.wrt).names[:1]) or candidate.wrt,
                match.scale.text,
            )
        return None

    def part(self, piece: Piece) -> Part | None:
        """The part of one piece, or None if there is nothing to say about it."""
        node = self.node(piece.node)
        base = self._base(piece)
        if node.window < 0:
            return self._of_set_up(piece, base)
        if node.kind is Kind.LEAF and node.op and piece.whole:
            return replace(base, role="parameter" if piece.target in self.parameters else "data")
        if node.id in self.analysis.updates:
            return self._update(piece, base)
        if node.id in self.meant:
            return self._spoiled(piece, base)
        verified = self.analysis.verified(node.id)
        in_forward = node.id in self.analysis.matcher.forward
        if verified is not None and verified.match.candidate.sort in _GRADIENTS and not in_forward:
            return self._gradient(piece, base, verified)
        if verified is not None and verified.match.candidate.sort is Sort.LOCAL and not in_forward:
            return self._local(piece, base, verified)
        if not piece.whole:
            return None
        roots = {r.node for r in self.analysis.matcher.roots if r.named} or {
            r.node for r in self.analysis.matcher.roots
        }
        if node.id in roots:
            return self._forward(piece, replace(base, role="loss"))
        if in_forward or verified is not None:
            return self._forward(piece, replace(base, role="forward"))
        if node.kind is Kind.LEAF or not node.shape:
            return replace(base, role="other") if piece.target else None
        return self._unknown(piece, base)

    def _base(self, piece: Piece) -> Part:
        node = self.node(piece.node)
        graph = self.analysis.graph
        span = piece.span
        axes = tuple(graph.axis_text(a) for a in graph.axes(node.id)) if node.shape is not None else None
        return Part(
            span=(span.line, span.column, span.end_line, span.end_column),
            source=piece.source,
            target=piece.target,
            whole=piece.whole,
            role="other",
            occurrences=len(piece.nodes),
            shape=node.shape,
            axes=axes,
            sample=sample(node.value) if node.value is not None and node.shape is not None else None,
        )

    def _of_set_up(self, piece: Piece, base: Part) -> Part | None:
        """Data, parameters and what else was made before the first iteration."""
        node = self.node(piece.node)
        if not piece.whole or piece.target is None or node.shape is None:
            return None
        read_as = [n for n in self.analysis.tape.window_nodes() if n.origin == node.id]
        forward = {name for k in self.analysis.matcher.forward for name in self.node(k).names}
        leaves = {n for k in self.analysis.tape.window_nodes() if k.kind is Kind.LEAF for n in k.names}
        role: Role = "other"
        if piece.target in self.parameters:
            role = "parameter"
        elif node.shape and (read_as or piece.target in leaves):
            made = self._computed_from_parameters(node)
            role = "data" if not made else "forward" if piece.target in forward else "other"
        elif piece.target in forward and not read_as:
            role = "forward"
        return replace(base, role=role)

    def _computed_from_parameters(self, node: Node) -> bool:
        seen: set[int] = set()
        todo = list(self.analysis.tape.operands(node.id))
        while todo:
            current = todo.pop()
            if current in seen:
                continue
            seen.add(current)
            if self.parameters & set(self.node(current).names):
                return True
            todo += self.analysis.tape.operands(current)
        return False

    # -- gradients ---------------------------------------------------------------------------------

    def _named_as(self, node: int) -> tuple[str, tuple[str, ...]]:
        """The name of what a gradient is taken by, and its further names."""
        recorded = self.node(node)
        if recorded.names:
            return recorded.names[0], tuple(
                dict.fromkeys(n for n in recorded.names[1:] if n != recorded.names[0])
            )
        return plain_source(recorded.site.text) if recorded.site else f"node {node}", ()

    def root_name(self, root: int) -> str:
        """What the program calls a root."""
        return loss_name(self.analysis.tape, self.node(root)) or self._named_as(root)[0]

    def root_line(self, root: int) -> int:
        """The line on which a root gets the name it goes by."""
        name = self.root_name(root)
        for binding in self.analysis.tape.bindings:
            if binding.node == root and binding.name == name:
                return binding.site.span.line
        site = self.node(root).site
        return site.span.line if site else 0

    def _identity(self, base: Part, match: Match) -> Part:
        candidate = match.candidate
        wrt, names = self._named_as(candidate.wrt)
        if candidate.transposed:  # ∂loss/∂(Wᵀ) is the transpose of ∂loss/∂W
            wrt, names = f"{wrt}.T" if wrt.isidentifier() else f"({wrt}).T", ()
        contribution = None
        if candidate.sort is Sort.PATH and candidate.via is not None:
            contribution = f"through {self._named_as(candidate.via)[0]}"
        elif candidate.sort is Sort.PARTIAL:
            contribution = "the sum of the first contributions"
        return replace(
            base,
            role="gradient",
            of=self.root_name(candidate.root),
            of_line=self.root_line(candidate.root),
            wrt=wrt,
            names=names,
            scale=match.scale.text,
            contribution=contribution,
        )

    def _gradient(self, piece: Piece, base: Part, verified: Verified) -> Part:
        match = verified.match
        part = replace(
            self._identity(base, match), verdict=verified.verdict, evidence=self._evidence(verified)
        )
        if verified.verdict == "checked" and verified.proof.why_not:
            part = replace(part, remark=f"Not proved: {verified.proof.why_not}.")
        if verified.verdict == "unexplained":
            return replace(part, remark="It looks like this gradient, but a finite difference disagrees.")
        if match.candidate.sort is Sort.PARTIAL:
            return part
        derived = self._derive(match)
        return part if derived is None else self._with_derivation(part, match, derived, verified)

    def _evidence(self, verified: Verified) -> Evidence:
        proof = verified.proof
        forms = None
        if proof.proved:
            names = self._vocabulary(verified.match)
            forms = tuple(self._index_formula(side, proof.free, names) for side in (proof.left, proof.right))
        lemmas = tuple(
            a for a in proof.assumptions if not (a[:1] in "vs" and a[1:].replace(".", "").isalnum())
        )
        assumed = self.analysis.replays.assumptions
        relied = (
            ()
            if proof.proved
            else tuple(
                describe(self.node(n), kept)
                for n, kept in assumed.items()
                if n in self._everything_behind(verified.match.node)
            )
        )
        return Evidence(
            normal_forms=forms if forms and all(forms) else None,  # type: ignore[arg-type]
            points=len(self.analysis.replays.values),
            max_error=finite(verified.match.error),
            finite_difference=None if verified.difference is None else finite(verified.difference.error),
            assumptions=lemmas + relied,
        )

    def _index_formula(self, expr: Expr, free: tuple[Index | int, ...], names: Vocabulary) -> Formula | None:
        if len(expr) > 12:
            return None
        try:
            letters = Letters.of(free, expr)
            return Formula(*render(index_form(expr, free, letters, names.symbols(), names)))
        except (NoForm, KeyError, ValueError):
            return None

    def _everything_behind(self, node: int) -> frozenset[int]:
        return self.analysis.matcher.all_ancestors(node)

    def _known(self, match: Match) -> dict[str, Known]:
        """The adjoints that a derivation may start from: those in variables, or else those within expressions too."""
        named = self._held_adjoints(match, True)
        if self._reaches_known(match, named):
            return named
        every = self._held_adjoints(match, False)
        return every if self._reaches_known(match, every) else named

    def _reaches_known(self, match: Match, known: dict[str, Known]) -> bool:
        """Whether every path from the variable to the root passes through a known adjoint."""
        cone = self._cone(match, known.keys())

        def covered(array: str) -> bool:
            consumers = cone.consumers.get(array, ())
            return bool(consumers) and all(c in known or (c != cone.root and covered(c)) for c in consumers)

        return covered(cone.wrt)

    def _cone(self, match: Match, known: Iterable[str]) -> Cone:
        """The forward pass between the variable and the root, at the width of named values."""
        graph, candidate = self.analysis.graph, match.candidate
        stations = {graph.representative(n) for a in known if (n := graph.node_of(a)) is not None}
        key = (candidate.root, candidate.wrt, frozenset(stations - self.named))
        if key not in self._cones:
            named = frozenset(self.named | stations)
            self._cones[key] = find_cone(
                graph, candidate.root, candidate.wrt, self.analysis.updates.keys(), named
            )
        return self._cones[key]

    def _held_adjoints(self, match: Match, only_named: bool) -> dict[str, Known]:
        """The adjoints of the same root that the program has computed when it computes the node."""
        graph, root = self.analysis.graph, match.candidate.root
        behind = self._everything_behind(match.node)
        forward = self.analysis.matcher.adjoints[root][0].full
        known: dict[str, tuple[tuple[Any, ...], Known]] = {}
        wanted = graph.representative(match.candidate.wrt)
        for node in sorted(behind, reverse=True):
            if node == match.node or (only_named and not self.node(node).names):
                continue
            first = True
            for other in self.analysis.matcher.matches.get(node, ()):
                candidate = other.candidate
                if candidate.sort is not Sort.FULL or candidate.root != root or other.scale.rank > 3:
                    continue
                by = graph.representative(candidate.wrt)
                further, first = not first, False
                if by == wanted or candidate.wrt not in forward or (further and not self.node(by).names):
                    continue
                array = graph.name(candidate.wrt)
                scale = graph.scale_expr(other.scale.scale.coefficient, other.scale.scale.symbols)
                order = (other.scale.rank, candidate.transposed, not self.node(node).names, -node)
                if array not in known or order < known[array][0]:
                    known[array] = (order, Known(graph.name(node), scale, candidate.transposed))
        return {array: found for array, (_, found) in known.items()}

    def _partial(self, match: Match) -> tuple[str, Known] | None:
        """The gradient of an inner root by the same variable that the line adds something to."""
        graph, root = self.analysis.graph, match.candidate.root
        inside = self.analysis.matcher.adjoints[root][0].full
        behind = self._everything_behind(match.node) - {match.node}
        for node in sorted(behind, key=lambda n: (not self.node(n).names, -n)):
            for other in self.analysis.matcher.matches.get(node, ()):
                candidate = other.candidate
                same = (
                    candidate.sort is Sort.FULL
                    and candidate.wrt == match.candidate.wrt
                    and not candidate.transposed
                )
                if same and candidate.root != root and candidate.root in inside and other.scale.rank == 0:
                    scale = graph.scale_expr(other.scale.scale.coefficient, ())
                    return graph.name(candidate.root), Known(graph.name(node), scale)
        return None

    def _derive(self, match: Match) -> Derived | None:
        analysis, graph = self.analysis, self.analysis.graph
        candidate = match.candidate
        known = self._known(match)
        partial = self._partial(match)
        scale = graph.scale_expr(match.scale.scale.coefficient, match.scale.scale.symbols)
        held = None if self.node(match.node).names else self._held(match)
        try:
            if held is not None:
                derived = rescaled(graph, graph.name(candidate.wrt), held, scale)
                return fitted(graph, derived, graph.name(match.node), candidate.transposed)
            cone = self._cone(match, [*known, *(partial[:1] if partial is not None else ())])
            through = ""
            if candidate.sort is Sort.PATH:
                cone, through = only_through(graph, cone, candidate.via if candidate.via is not None else -1)
                partial = None
            readable = self.readable | {k.array for k in known.values()}
            derived = derive(graph, cone, known, scale, readable, partial, analysis.prover.lemmas, through)
            return fitted(graph, derived, graph.name(match.node), candidate.transposed)
        except (KeyError, ValueError):
            return None

    def _held(self, match: Match) -> Known | None:
        """A variable that holds the same gradient already, when the node is a multiple of it or its transpose."""
        graph = self.analysis.graph
        for node in sorted(self._everything_behind(match.node) - {match.node}, reverse=True):
            for other in self.analysis.matcher.matches.get(node, ()):
                candidate = other.candidate
                same = candidate.sort is Sort.FULL and candidate.root == match.candidate.root
                if (
                    same
                    and candidate.wrt == match.candidate.wrt
                    and self.node(node).names
                    and other.scale.rank <= 3
                ):
                    scale = graph.scale_expr(other.scale.scale.coefficient, other.scale.scale.symbols)
                    return Known(graph.name(node), scale, candidate.transposed)
        return None

    def _vocabulary(self, match: Match) -> Vocabulary:
        graph, root = self.analysis.graph, match.candidate.root
        if match.candidate.sort in (Sort.LOCAL, Sort.VALUE):
            return Vocabulary(graph, self._named_as(root)[0])
        names = Vocabulary(graph, self.root_name(root))
        names.root_array = graph.name(root)
        if not self.node(match.node).names and self._held(match) is not None:
            return names
        for array, known in self._known(match).items():
            node = graph.node_of(known.array)
            forward = node in self.analysis.matcher.forward  # y − out is the error before it is a gradient
            if graph.scale_expr(Fraction(1), ()) == known.factor and not known.transposed and not forward:
                names.partials[known.array] = (graph.name(root), array)
        partial = self._partial(match)
        if partial is not None:
            names.partials[partial[1].array] = (partial[0], graph.name(match.candidate.wrt))
        return names

    def _with_derivation(self, part: Part, match: Match, derived: Derived, verified: Verified) -> Part:
        names = self._vocabulary(match)
        for adjoint in derived.computed.values():
            if self.analysis.graph.node_of(adjoint.array) is None:
                names.partials[adjoint.array] = (
                    self.analysis.graph.name(match.candidate.root),
                    adjoint.array[1:],
                )
        factor = None if match.scale.text == "1" else self._factor(match)
        derivative = Partial(
            symbol(names.root_name), names.symbol(self.analysis.graph.name(match.candidate.wrt))
        )
        left: Tree = derivative if factor is None else times([factor, derivative])
        if match.candidate.transposed:
            left = transposed(left)
        if match.candidate.sort is Sort.PATH and part.contribution is not None:
            left = Subscript(Parenthesised(left), (Text(part.contribution),))
        part = self._written(part, derived, names, left, factor, match.scale.text)
        difference = verified.difference
        index, numeric = (None, None) if difference is None else (difference.index, difference.numeric)
        value = np.asarray(self.node(match.node).value, dtype=float)
        entry_ = None
        if index is not None:
            entry_ = self._entry(derived.result, derived.free, index, names, float(value[index]), numeric)
        if entry_ is None and index is not None:
            entry_ = Entry(index, float(value[index]), ((float(value[index]),),), numeric)
        return replace(part, entry=entry_)

    def _factor(self, match: Match) -> Tree:
        scale = self.analysis.graph.scale_expr(match.scale.scale.coefficient, match.scale.scale.symbols)
        names = Vocabulary(self.analysis.graph)
        return index_form(scale, (), Letters.of(()), names.symbols(), names)

    def _entry(
        self,
        result: Expr,
        free: tuple[Index | int, ...],
        index: tuple[int, ...],
        names: Vocabulary,
        value: float,
        numeric: float | None,
    ) -> Entry | None:
        recorded = [n.value for n in self.analysis.tape.nodes]
        return worked_entry(self.analysis.graph, recorded, result, free, index, names, value, numeric)

    def _written(
        self,
        part: Part,
        derived: Derived,
        names: Vocabulary,
        left: Tree,
        factor: Tree | None,
        factor_text: str,
    ) -> Part:
        """The part with formula, loops, code and derivation; unchanged if the derivation does not hold up."""
        graph = self.analysis.graph
        positive, one_hot = self._positive, self._one_hot
        try:
            writer = DerivationWriter(
                graph, derived, names, positive, one_hot, self.named, factor, factor_text
            )
            written = writer.write()
        except (NoForm, KeyError, ValueError, NotImplementedError):
            return part
        if not written.passed:
            return part
        formula = self._formulas(
            derived.result,
            derived.free,
            names,
            left,
            writer.letters,
            part.target or "result",
            derived.held,
            writer.prelude(derived.result, writer.temporaries),
        )
        return replace(part, formula=formula, numpy=written.numpy, derivation=written.derivation)

    def _formulas(
        self,
        expr: Expr,
        free: tuple[Index | int, ...],
        names: Vocabulary,
        left: Tree,
        letters: Letters,
        target: str,
        held: Mapping[str, Definition] | None = None,
        before: str = "",
    ) -> Formulas:
        indices: list[Tree] = [letter(letters[i]) if isinstance(i, Index) else letter("1") for i in free]
        entry_form = equation(
            _entry_of(left, indices), index_form(expr, free, letters, names.symbols(), names)
        )
        index = Formula(*render(self._with_where(entry_form, expr, names, held or {}, whole=False)))
        try:
            right = matrix_formula(expr, free, names, names.symbols(), letters)
            matrix = Formula(
                *render(self._with_where(equation(left, right), expr, names, held or {}, whole=True))
            )
        except NoForm:
            matrix = index
        name = target if target.isidentifier() else "result"
        if name in names.identifiers.values():
            name = f"new_{name}"
        try:
            plain = before + loops(expr, free, names, name, letters)
        except NoForm:
            plain = None
        return Formulas(matrix, index, plain)

    def _with_where(
        self, tree: Tree, expr: Expr, names: Vocabulary, held: Mapping[str, Definition], whole: bool
    ) -> Tree:
        """The formula, and what the letters stand for that the program has no name for."""
        graph = self.analysis.graph
        told: list[Tree] = []
        seen: set[str] = set()

        def unsaid(formula: Expr) -> list[str]:
            by = [
                names.partials[a][1]
                for a in sorted(arrays_in(formula))
                if a in names.partials and a not in held
            ]
            return [a for a in sorted(arrays_in(formula)) if a in held or names.is_temporary(a)] + [
                a for a in by if names.is_temporary(a)
            ]

        waiting = [a for a in unsaid(expr) if a not in names.partials or a in held]
        while waiting and len(told) < 4:
            array = waiting.pop(0)
            node = graph.node_of(array)
            if array in seen or (node is None and array not in held):
                continue
            seen.add(array)
            definition = held[array] if array in held else forward_formula(graph, node or 0, self.named)
            if definition is None:
                told.append(Relation(names.symbol(array), "=", Text(names.source(array))))
                continue
            free = definition.free
            letters = Letters.of(
                free, definition.expr, avoid={names.array(a) for a in arrays_in(definition.expr)}
            )
            try:
                if whole:
                    right = matrix_formula(definition.expr, free, names, names.symbols(), letters)
                    told.append(equation(names.symbol(array), right))
                else:
                    at = [letter(letters[i]) for i in free if isinstance(i, Index)]
                    right = index_form(definition.expr, free, letters, names.symbols(), names)
                    told.append(equation(entry(names.symbol(array), at), right))
            except NoForm:
                continue
            waiting += unsaid(definition.expr)
        if not told:
            return tree
        parts: list[Tree] = [tree, Text(" where ")]
        for number, one in enumerate(told):
            parts += [Text(", ")] if number else []
            parts.append(one)
        return Row(tuple(parts))

    @cached_property
    def _positive(self) -> frozenset[str]:
        graph = self.analysis.graph
        found = set()
        for node in self.analysis.tape.window_nodes():
            real = node.dtype.startswith("float") and node.shape and np.size(node.value)
            if real and node.kind is not Kind.LEAF and float(np.min(node.value)) > 0:
                found.add(graph.name(node.id))
        return frozenset(found)

    @cached_property
    def _one_hot(self) -> frozenset[str]:
        rows = {n for n, kept in self.analysis.replays.assumptions.items() if kept.startswith("rows")}
        return frozenset(self.analysis.graph.name(n) for n in rows)

    def _local(self, piece: Piece, base: Part, verified: Verified) -> Part:
        candidate = verified.match.candidate
        wrt, names = self._named_as(candidate.wrt)
        part = replace(
            base,
            role="local derivative",
            of=self._named_as(candidate.root)[0],
            of_line=self.node(candidate.root).site.span.line if self.node(candidate.root).site else None,  # type: ignore[union-attr]
            wrt=wrt,
            names=names,
            scale=verified.match.scale.text,
            verdict=verified.verdict,
            evidence=self._evidence(verified),
        )
        if verified.match.scale.text != "1" or candidate.transposed:
            return part
        try:
            derived = derive_local(self.analysis.graph, candidate.root, candidate.wrt, self.readable)
        except (NoLocalForm, KeyError, ValueError):
            return part
        graph = self.analysis.graph
        vocabulary = Vocabulary(graph, self._named_as(candidate.root)[0])
        left = Partial(
            vocabulary.symbol(graph.name(candidate.root)), vocabulary.symbol(graph.name(candidate.wrt))
        )
        part = self._written(part, derived, vocabulary, left, None, "1")
        value = np.asarray(self.node(piece.node).value, dtype=float)
        if value.size and np.all(np.isfinite(value)):
            flat = int(np.argmax(np.abs(value)))
            index = tuple(int(i) for i in np.unravel_index(flat, value.shape))
            worked = self._entry(derived.result, derived.free, index, vocabulary, float(value[index]), None)
            part = replace(part, entry=worked)
        return part

    # -- forward, updates, the rest ------------------------------------------------------------------

    def formula_of(self, node: int) -> Formula | None:
        """The index form of a forward value, as an equation."""
        definition = forward_formula(self.analysis.graph, node, self.named)
        if definition is None:
            return None
        part = self._with_formula(replace(_NOTHING, target=self.root_name(node)), definition)
        return None if part.formula is None else part.formula.index

    def _forward(self, piece: Piece, base: Part) -> Part:
        """A forward value: its formula over named values."""
        graph = self.analysis.graph
        definition = forward_formula(graph, piece.node, self.named)
        if definition is None or piece.target in self.node(piece.node).names[1:]:
            name = self._named_as(piece.node)[0]
            alias = f"This is {name}, under another name." if piece.target and piece.target != name else None
            return replace(base, remark=alias)
        return self._with_formula(base, definition)

    def _with_formula(self, base: Part, definition: Definition) -> Part:
        names = Vocabulary(self.analysis.graph)
        names.at_hand = [definition.array]
        try:
            names.at_hand = [*sorted(arrays_in(definition.expr)), definition.array]
            letters = Letters.of(
                definition.free, definition.expr, avoid={names.array(a) for a in names.at_hand}
            )
            left = names.symbol(definition.array) if base.target is None else symbol(base.target)
            temporaries = self._temporaries(definition.expr)
            names.at_hand = [
                *sorted({a for d in temporaries.values() for a in arrays_in(d.expr)}),
                *names.at_hand,
            ]
            before = prelude(definition.expr, temporaries, names)
            formulas = self._formulas(
                definition.expr, definition.free, names, left, letters, base.target or "result", None, before
            )
            told = spelled_out(definition.expr, names, temporaries)
            code = array_code(definition.expr, definition.free, told)
        except (NoForm, KeyError, ValueError):
            return base
        return replace(base, formula=formulas, numpy=code.removeprefix("result = "))

    def _temporaries(self, expr: Expr, depth: int = 4) -> dict[str, Definition]:
        """What the arrays of an expression are that the program has no name for."""
        graph = self.analysis.graph
        found: dict[str, Definition] = {}
        for array in sorted(arrays_in(expr)) if depth else ():
            node = graph.node_of(array)
            inner = None if node is None or node in self.named else forward_formula(graph, node, self.named)
            if inner is not None:
                found[array] = inner
                found.update(self._temporaries(inner.expr, depth - 1))
        return found

    def _update(self, piece: Piece, base: Part) -> Part:
        """An update: the optimiser's formula, with the gradient's symbol in it."""
        update = self.analysis.updates[piece.node]
        wrt, names = self._named_as(update.before)
        part = replace(base, role="update", wrt=wrt, names=names, optimiser=self.inside_steps.get(piece.node))
        fitting = [
            m
            for m in self.analysis.matcher.matches.get(update.change, ())
            if m.candidate.sort is Sort.FULL
            and m.candidate.wrt == update.before
            and not m.candidate.transposed
        ]
        meant = self.meant.get(update.change)
        match = fitting[0] if fitting else meant[1] if meant else None
        if match is not None:
            return self._plain_step(part, update, match)
        step = recognise(self.analysis.matcher, update)
        if step.gradient is None:
            return part
        root = step.gradient.candidate.root
        return replace(
            part,
            of=self.root_name(root),
            of_line=self.root_line(root),
            optimiser=step.optimiser,
            formula=self._step_formula(update, step.gradient),
        )

    def _plain_step(self, part: Part, update: Update, match: Match) -> Part:
        """A step along a named multiple of the gradient."""
        graph, root = self.analysis.graph, match.candidate.root
        vocabulary = Vocabulary(graph, self.root_name(root))
        before = vocabulary.symbol(graph.name(update.before))
        scale = match.scale.scale
        sign = update.sign * (1 if scale.coefficient > 0 else -1)
        rate = graph.scale_expr(abs(scale.coefficient), scale.symbols)
        derivative = Partial(symbol(vocabulary.root_name), before)
        rate_tree = index_form(rate, (), Letters.of(()), vocabulary.symbols(), vocabulary)
        step: Tree = (
            derivative if rate == graph.scale_expr(Fraction(1), ()) else times([rate_tree, derivative])
        )
        formula = Formula(*render(Relation(before, "←", plus([(1, before), (sign, step)]))))
        return replace(
            part,
            of=self.root_name(root),
            of_line=self.root_line(root),
            scale=match.scale.text if update.sign > 0 else _negated(match.scale.text),
            optimiser=recognise(self.analysis.matcher, update, sign > 0).optimiser,
            formula=Formulas(formula, None, None),
        )

    def _step_formula(self, update: Update, gradient: Match) -> Formulas | None:
        """The step of an optimiser, with the gradient as a derivative and its state by name."""
        graph = self.analysis.graph
        change = forward_formula(graph, update.change, self.named)
        if change is None:
            return None
        root = gradient.candidate.root
        names = Vocabulary(graph, self.root_name(root))
        names.root_array = graph.name(root)
        if gradient.scale.rank == 0:
            names.partials[graph.name(gradient.node)] = (graph.name(root), graph.name(gradient.candidate.wrt))
        names.at_hand = sorted(arrays_in(change.expr))
        before = names.symbol(graph.name(update.before))
        try:
            letters = Letters.of(change.free, change.expr)
            tree = matrix_formula(change.expr, change.free, names, names.symbols(), letters)
        except (NoForm, KeyError, ValueError):
            return None
        equation_ = Relation(before, "←", plus([(1, before), (update.sign, tree)]))
        shown = self._with_where(equation_, change.expr, names, {}, whole=True)
        return Formulas(Formula(*render(shown)), None, None)

    def _spoiled(self, piece: Piece, base: Part) -> Part | None:
        """A gradient that a fault spoiled: wrong where the fault enters, right given the rest further on."""
        finding, match = self.meant[piece.node]
        updating = any(self.analysis.updates[u].change == piece.node for u in finding.spoiled)
        if not piece.whole and not updating:
            return None
        operands = {n: self.analysis.tape.operands(n) for n in finding.meant}
        first = set(finding.first_spoiled(operands))
        part = self._identity(base, match)
        entering = self._enters_here(piece, first, finding)
        value = np.asarray(self.node(piece.node).value, dtype=float)
        evidence = Evidence(
            None, len(self.analysis.replays.values), _relative_error(self.analysis, match, value), None
        )
        if entering:
            diagnosis = self.diagnoses.get(finding.cause)
            right = self._right(part, match)
            if diagnosis is not None and right.formula is not None:
                diagnosis = replace(diagnosis, should_be=right.formula.matrix)
            return replace(
                part,
                verdict="wrong",
                evidence=evidence,
                diagnosis=diagnosis,
                numpy=right.numpy,
                derivation=right.derivation,
            )
        lines = sorted({s.span.line for n in finding.readers if (s := self.node(n).site) is not None})
        here = [line for line in lines if line in self._lines_behind(piece.node)]
        evidence = replace(evidence, max_error=finite(match.error))
        return replace(part, verdict="checked", given=tuple(here or lines), evidence=evidence)

    def _right(self, part: Part, match: Match) -> Part:
        """The part as it should be, with the formula and derivation of the right gradient."""
        derived = self._derive(match)
        if derived is None:
            return part
        return self._with_derivation(part, match, derived, Verified(match, Proof(False), None))

    def _lines_behind(self, node: int) -> set[int]:
        sites = (self.node(n).site for n in self._everything_behind(node))
        return {s.span.line for s in sites if s is not None}

    def _enters_here(self, piece: Piece, first: set[int], finding: Finding) -> bool:
        """Whether the fault enters in this piece's own statement, or in a call that is handed the wrong version."""
        node = self.node(piece.node)
        spoiled_update = any(self.analysis.updates[u].change == piece.node for u in finding.spoiled)
        if spoiled_update or piece.node in first:
            return True
        statement = self.program.statement_at(piece.span.line, piece.span.column)
        for reader in finding.readers:
            site = self.node(reader).site
            if site is None or reader not in self._everything_behind(node.id):
                continue
            if self.program.statement_at(site.span.line, site.span.column) == statement:
                return True
            for call in self.node(reader).calls:
                if self.program.statement_at(call.site.span.line, call.site.span.column) == statement:
                    return True
        return False

    def _unknown(self, piece: Piece, base: Part) -> Part | None:
        """A value that nothing explains: part of a step, not known if it is meant as a gradient, or something else."""
        if piece.node in self.inside_steps:
            return replace(base, role="update", optimiser=self.inside_steps[piece.node])
        if self._feeds_an_update(piece.node) or _named_like_a_gradient(piece.target):
            return replace(base, role="gradient", verdict="unexplained")
        return replace(base, role="other") if piece.target else None

    def _feeds_an_update(self, node: int) -> bool:
        return any(node in self._everything_behind(u.change) for u in self.analysis.updates.values())


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else f"-{text}"


def _named_like_a_gradient(name: str | None) -> bool:
    """Whether a name says that its value is a gradient: ``dW``, ``grad_b``, ``delta2``, ``derivative_w1``."""
    last = re.sub(r"[\[\]'\"]", " ", name or "").split()
    word = last[-1].rpartition(".")[2] if last else ""
    return bool(
        re.match(r"(d_?[A-Za-z]\w*|grad\w*|delta\w*|derivative\w*|\w+_grad)$", word)
    ) and not re.match(
        r"(data|dim\w*|dtype|dist\w*|depth|decay\w*|dropout\w*|done|d|dt|dataset\w*|digits?|default\w*|div\w*|do|dot\w*|draw\w*)$",
        word,
    )


def _relative_error(analysis: Analysis, match: Match, value: Any) -> float | None:
    """How far a spoiled value is from the derivative it was meant to be, on the replays."""
    errors = []
    for sweep, values in zip(
        analysis.matcher.adjoints[match.candidate.root], analysis.replays.values, strict=True
    ):
        wanted = np.asarray(sweep.full[match.candidate.wrt], dtype=float)
        found = np.asarray(values[match.node], dtype=float)
        if wanted.size != found.size:
            return None
        wanted = wanted.reshape(found.shape)
        scale = float(np.sum(wanted * found) / max(float(np.sum(wanted * wanted)), 1e-300))
        errors.append(
            float(np.max(np.abs(found - scale * wanted)) / max(float(np.max(np.abs(found))), 1e-300))
        )
    return finite(max(errors)) if errors else None


def _entry_of(left: Tree, indices: list[Tree]) -> Tree:
    """The left side at an entry: indices go to the symbol, or to the variable of the derivative."""
    from tracer.formula.tree import Times, Transpose

    if isinstance(left, Transpose):
        return _entry_of(left.body, indices[::-1])
    if isinstance(left, Times):
        return times([*left.factors[:-1], _entry_of(left.factors[-1], indices)])
    if isinstance(left, Partial) and isinstance(left.of, type(left.wrt)) and left.of_indices:
        return left
    return entry(left, indices)


__all__ = ["PartMaker"]
