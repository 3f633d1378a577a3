"""The parts of what is no gradient: set-up, the forward pass, data, values on the way to a gradient, and what is not
known.

Comes in: a piece of source that no gradient was recognised in.  Goes out: its part, or None for one that a reader
would not ask about.  Invariant: *not known* is said only of what is used as a gradient, or called one; nothing else
needs a verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property

from tracer.diagnosis.first_order import first_order_steps
from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.gradient_parts import GradientTeller
from tracer.explanation.building.optimiser_steps import StepWriter
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.model import Part, Role
from tracer.gradients.local import forward_formula
from tracer.matching.analysis import Verified
from tracer.matching.candidates import Sort
from tracer.matching.gradient_names import is_backward, says_gradient
from tracer.tape.node import Kind, Node, Site

#: The sorts of candidates that lines are called gradients for.
TOLD_AS_GRADIENTS = (Sort.FULL, Sort.PATH, Sort.PARTIAL, Sort.TRUNCATED)
#: Of the values that one line makes, one after the other, so many are looked at.
_MOST_ALIKE = 16


class OtherTeller:
    """Tells what is no gradient.

    Arguments:
        meant: the values that a fault spoiled.
    """

    def __init__(
        self,
        reading: Reading,
        writer: FormulaWriter,
        gradients: GradientTeller,
        steps: StepWriter,
        meant: Collection[int],
    ) -> None:
        self.reading, self.writer, self.gradients, self.steps, self.meant = reading, writer, gradients, steps, meant

    def set_up(self, piece: Piece, base: Part) -> Part | None:
        """Data, parameters and what else was made before the first iteration."""
        node = self.reading.node(piece.node)
        if not piece.whole or piece.target is None or node.shape is None:
            return None
        read_as = [n for n in self.reading.analysis.tape.window_nodes() if n.origin == node.id]
        forward = {name for k in self.reading.analysis.matcher.forward for name in self.reading.node(k).names}
        leaves = {
            n for k in self.reading.analysis.tape.window_nodes() if k.kind is Kind.LEAF for n in k.names
        }
        role: Role = "other"
        if piece.target in self.reading.parameters:
            role = "parameter"
        elif node.shape and (read_as or piece.target in leaves):
            made = self._computed_from_parameters(node)
            role = "data" if not made else "forward" if piece.target in forward else "other"
        elif piece.target in forward and not read_as:
            role = "forward"
        return replace(base, role=role)

    def _computed_from_parameters(self, node: Node) -> bool:
        seen: set[int] = set()
        todo = list(self.reading.analysis.tape.operands(node.id))
        while todo:
            current = todo.pop()
            if current in seen:
                continue
            seen.add(current)
            if self.reading.parameters & set(self.reading.node(current).names):
                return True
            todo += self.reading.analysis.tape.operands(current)
        return False

    def forward(self, piece: Piece, base: Part) -> Part:
        """A forward value: its formula over named values."""
        graph = self.reading.analysis.graph
        definition = forward_formula(graph, piece.node, self.reading.named)
        if definition is None or piece.target in self.reading.node(piece.node).names[1:]:
            name = self.reading.named_as(piece.node)[0]
            alias = f"This is {name}, under another name." if piece.target and piece.target != name else None
            return replace(base, remark=alias)
        return self.writer.with_formula(base, definition) if self.reading.derives else base

    def unknown(self, piece: Piece, base: Part) -> Part | None:
        """A value that nothing explains: part of a step, not known if it is meant as a gradient, or something else."""
        if piece.node in self.steps.inside_steps:
            return replace(base, role="update", optimiser=self.steps.inside_steps[piece.node])
        if self._is_forward_mask(piece.node):
            return replace(base, role="forward") if piece.target else None
        if not self.reading.analysis.replays.moves(piece.node):  # zeros that a sum starts from
            return replace(base, role="other") if piece.target else None
        if self._is_made_data(piece.node):
            return replace(base, role="data") if piece.target else None
        ahead = self._made_into(piece.node)
        if ahead is not None:
            return self._on_the_way(piece, base, ahead)
        used = self._feeds_an_update(piece.node) and self._comes_after_the_outputs(piece.node)
        inferred = self.reading.analysis.inferred
        if inferred is not None and piece.node in inferred.behind:
            return replace(base, role="other") if piece.target else None
        steps = (self.reading.analysis.updates[u].change for u in self._approximate)
        if any(piece.node in self.reading.everything_behind(change) for change in steps):
            return replace(base, role="update")
        if used or (says_gradient([piece.target or ""]) and not self._is_known_elsewhere(piece.node)):
            return replace(base, role="gradient", verdict="unexplained")
        return replace(base, role="other") if piece.target else None

    def is_called_a_gradient(self, piece: Piece) -> bool:
        """Whether a value, perhaps a single number, is called one and goes into a step where the loss had to be inferred."""
        called = says_gradient([piece.target or ""]) and self.reading.analysis.is_fitted
        return called and self._feeds_an_update(piece.node)

    def _made_into(self, node: int) -> Verified | None:
        """The first gradient that is made of a value, if all that is made of it ends in gradients that are known."""
        analysis = self.reading.analysis
        first: Verified | None = None
        seen: set[int] = set()
        todo = list(analysis.tape.users(node))
        while todo:
            user = todo.pop(0)
            if user in seen or user in analysis.matcher.forward:
                continue
            seen.add(user)
            known = analysis.verified(user)
            if known is not None and known.match.candidate.sort in TOLD_AS_GRADIENTS:
                if known.verdict == "unexplained":
                    return None
                first = first or known
            elif user in analysis.updates or user in self.meant:
                return None
            else:
                todo += analysis.tape.users(user)
        return first

    def _on_the_way(self, piece: Piece, base: Part, ahead: Verified) -> Part | None:
        """A value that is no gradient itself; the lines after it make one of it."""
        if piece.target is None:
            return None
        identity = self.gradients.identity(base, ahead.match)
        part = replace(base, of=identity.of, of_line=identity.of_line, wrt=identity.wrt)
        return self.forward(piece, part)

    def _is_made_data(self, node: int) -> bool:
        """Whether a value that the forward pass reads was made in the iteration, from no parameter: a new random batch."""
        versions = self.reading.analysis.matcher.versions
        if not versions or not versions.isdisjoint(self.reading.everything_behind(node)):
            return False
        roots = (r.node for r in self.reading.analysis.matcher.roots if r.named)
        return any(node in self.reading.everything_behind(r) for r in roots)

    def _is_forward_mask(self, node: int) -> bool:
        """Whether a truth value or a draw is something that the forward pass multiplies by or selects with."""
        forward = self.reading.analysis.matcher.forward
        return self.reading.node(node).dtype == "bool" and any(
            user in forward for user in self.reading.analysis.tape.users(node)
        )

    def _is_known_elsewhere(self, node: int) -> bool:
        """Whether the same code makes a gradient, or an array of which one is made, in another layer or step."""
        analysis, recorded = self.reading.analysis, self.reading.node(node)
        alike = [k for k in self._by_code[recorded.site, recorded.op] if k != node]
        some = alike[:: len(alike) // _MOST_ALIKE + 1]
        return any(analysis.verified(other) is not None or self._made_into(other) is not None for other in some)

    @cached_property
    def _by_code(self) -> Mapping[tuple[Site | None, str], list[int]]:
        """The values of the windows by the code that made them."""
        found = defaultdict[tuple[Site | None, str], list[int]](list)
        for node in self.reading.analysis.tape.window_nodes():
            found[node.site, node.op].append(node.id)
        return found

    @cached_property
    def _approximate(self) -> Mapping[int, int]:
        return first_order_steps(self.reading.analysis)

    def _comes_after_the_outputs(self, node: int) -> bool:
        """Whether a value may be a gradient for all that is known of where the backward pass starts.

        What a loss or a start is computed from is none.  Where no loss is known, and no start, or where there may be other
        losses than the inferred one, only what is made of a gradient, has the shape of a parameter or is computed in a
        function for gradients may be one: else every line of the forward pass could.
        """
        analysis, recorded = self.reading.analysis, self.reading.node(node)
        if any(node in self.reading.everything_behind(r.node) for r in analysis.matcher.roots):
            return False  # samples that are drawn by what the network computes, and held constant
        if analysis.inferred is not None and analysis.inferred.starts:
            known = any(r.node not in analysis.matcher.reach for r in analysis.matcher.roots)
            return known or not analysis.inferred.starts.isdisjoint(self.reading.everything_behind(node))
        if (analysis.matcher.roots or analysis.matcher.unmoved) and not analysis.is_fitted:
            return True
        if not self._gradients.isdisjoint(self.reading.everything_behind(node)):
            return True
        shapes = {self.reading.node(u.wrt).shape for u in analysis.updates.values()}
        return recorded.shape in shapes or any(is_backward(c.function) for c in recorded.calls)

    @cached_property
    def _gradients(self) -> frozenset[int]:
        """What was recognised as a gradient of some loss."""
        matcher = self.reading.analysis.matcher
        found = (n for n in matcher.matches if n not in matcher.forward)
        return frozenset(n for n in found if matcher.matches[n][0].candidate.sort in TOLD_AS_GRADIENTS)

    def _feeds_an_update(self, node: int) -> bool:
        return any(
            node in self.reading.everything_behind(u.change) for u in self.reading.analysis.updates.values()
        )
