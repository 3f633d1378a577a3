"""One `Part` of the explanation for each piece of the source: what it is, its formula, and how sure that is.

Comes in: a piece of source and an `Analysis`.  Goes out: a `Part`, or None for a piece that a reader would
not ask about.  Invariant: a verdict is given only to what is used as a gradient; a value that no candidate
equals is never called anything but what it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from tracer.diagnosis import Finding
from tracer.explanation.building.fault_parts import FaultTeller
from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.held import HeldAdjoints
from tracer.explanation.building.numbers import finite, sample
from tracer.explanation.building.optimiser_steps import StepWriter
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Entry, Evidence, Part, Role
from tracer.explanation.words.losses import counted_steps, not_the_way_down, truncated
from tracer.formula import (
    Tree,
    scalar_symbol,
    times,
    transposed,
)
from tracer.formula.tree import Conjugate, Parenthesised, Partial, Subscript, Text
from tracer.gradients.derived import Derived
from tracer.gradients.local import NoLocalForm, derive_local, forward_formula
from tracer.matching.analysis import Verified
from tracer.matching.candidates import Match, Sort
from tracer.matching.clock import Task
from tracer.matching.gradient_names import says_gradient
from tracer.matching.judging import is_right, judged_updates
from tracer.matching.proof import Proof
from tracer.matching.replays import describe
from tracer.matching.updates import Update
from tracer.tape.node import Kind, Node

_GRADIENTS = (Sort.FULL, Sort.PATH, Sort.PARTIAL, Sort.TRUNCATED)
#: How many different things one expression may be said to be.
_MOST_IDENTITIES = 6
_UNKNOWN = "unknown"
_CUT = "cut in time"
#: An array of a formula in what a proof relies on.
_ARRAY = re.compile("`([^`]+)`")


@dataclass
class PartMaker:
    """Makes parts; everything that several parts share is computed once."""

    reading: Reading
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.held = HeldAdjoints(self.reading)
        self.writer = FormulaWriter(self.reading)
        self.steps = StepWriter(self.reading, self.writer, self.findings)
        self.faults = FaultTeller(self, self.findings)

    def parts(self, piece: Piece) -> list[Part]:
        """The parts of one piece: one for each thing that it was, when it ran several times."""
        by_identity: dict[Any, list[int]] = {}
        for node in piece.nodes:
            by_identity.setdefault(self._identity_key(node), []).append(node)
        unknown_steps = [n for n in piece.nodes if n in self._unknown_steps and n not in self.faults.meant]
        if unknown_steps and "meant" not in by_identity:
            by_identity = {_UNKNOWN: unknown_steps}  # a line that is right for some entries is not right
        _with_zeros(by_identity, self.reading.analysis.matcher.zeros)
        if _CUT in by_identity:  # what it is before the last step is added is not asked for
            by_identity = {_CUT: by_identity[_CUT]}
        unknown = by_identity.get(_UNKNOWN, [])
        by_identity |= {_UNKNOWN: read} if (read := [n for n in unknown if not self._unread([n])]) else {}
        if len(by_identity) > 1 and self._unread(by_identity.get(_UNKNOWN, ())):
            by_identity.pop(_UNKNOWN, None)  # what the last step of a loop leaves behind is no gradient
        if len(by_identity) > 1 and self.faults.reach(by_identity.get(_UNKNOWN, ())):
            by_identity.pop(_UNKNOWN, None)  # a function that the fault's call runs wrongly, and other calls rightly
        groups = list(by_identity.values())[-_MOST_IDENTITIES:]
        made = [self.part(replace(piece, nodes=tuple(nodes))) for nodes in groups]
        wrong = [part for part in made if part is not None and part.verdict == "wrong"]
        told = next((part for part in reversed(wrong) if part.of), wrong[-1] if wrong else None)
        return [part for part in made if part is not None and (part is told or part not in wrong)]

    def _unread(self, nodes: Sequence[int]) -> bool:
        """Whether nothing was computed from any of these values."""
        return not any(self.reading.analysis.tape.users(node) for node in nodes)

    def _identity_key(self, node: int) -> Any:
        """What tells the occurrences of one expression apart."""
        match = self.reading.analysis.matcher.best(node)
        if self.reading.node(node).window < 0:
            return None
        update = self.reading.analysis.updates.get(node)
        if update is not None and update.written is not None:
            return "update", self.reading.named_as(update.wrt)[0]
        if node in self.faults.meant:
            return "meant"  # not what the same line computes at another layer, where it may go nowhere
        if match is None:
            return None if node in self.reading.analysis.matcher.forward else _UNKNOWN
        candidate = match.candidate
        if candidate.sort is Sort.TRUNCATED:
            return _CUT
        if candidate.sort is Sort.LOCAL or candidate.sort is Sort.FULL:
            entry = candidate.wrt in self.reading.analysis.matcher.entries
            called = self.reading.named_as(candidate.wrt)[:1] if entry else self.reading.node(candidate.wrt).names[:1]
            return (
                candidate.sort,
                tuple(called) or candidate.wrt,
                match.scale.text,
            )
        return None

    def part(self, piece: Piece) -> Part | None:
        """The part of one piece, or None if there is nothing to say about it."""
        node = self.reading.node(piece.node)
        base = self.base(piece)
        if node.window < 0:
            return self._of_set_up(piece, base)
        if node.kind is Kind.LEAF and node.op and piece.whole:
            return replace(base, role="parameter" if piece.target in self.reading.parameters else "data")
        fault = self.faults.told_at(piece)
        if fault is not None:
            return self.faults.entering(piece, base, fault)
        if node.id in self.reading.analysis.updates:
            meant = self.faults.meant.get(self.reading.analysis.updates[node.id].change)
            return self.steps.update(piece, base, meant[1] if meant else None)
        if node.id in self.faults.meant:
            return self.faults.spoiled(piece, base)
        in_forward = node.id in self.reading.analysis.matcher.forward
        verified = None if in_forward else self.reading.analysis.verified(node.id)
        if verified is not None and verified.match.candidate.sort in _GRADIENTS:
            return self._gradient(piece, base, verified)
        if verified is not None and verified.match.candidate.sort is Sort.LOCAL:
            return self._local(piece, base, verified)
        if node.id in self._unknown_steps:
            wrt, names = self.reading.named_as(self._unknown_steps[node.id].wrt)
            return replace(base, role="gradient", verdict="unexplained", wrt=wrt, names=names)
        if not piece.whole:
            return None
        roots = {r.node for r in self.reading.analysis.matcher.roots if r.named} or {
            r.node for r in self.reading.analysis.matcher.roots
        }
        if node.id in roots:
            return self._forward(piece, replace(base, role="loss"))
        if in_forward or verified is not None:
            return self._forward(piece, replace(base, role="forward"))
        if node.kind is Kind.LEAF or not node.shape:
            return replace(base, role="other") if piece.target else None
        return self._unknown(piece, base)

    @cached_property
    def _unknown_steps(self) -> dict[int, Update]:
        """The steps by single entries that are no step along a gradient: that others of the same line are says nothing."""
        matcher = self.reading.analysis.matcher
        entries = [u for u in judged_updates(matcher) if u.written is not None]
        return {u.change: u for u in entries if not is_right(matcher, u) and u.change not in self.steps.inside_steps}

    def base(self, piece: Piece) -> Part:
        node = self.reading.node(piece.node)
        graph = self.reading.analysis.graph
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

    def identity(self, base: Part, match: Match) -> Part:
        candidate = match.candidate
        wrt, names = self.reading.named_as(candidate.wrt)
        contribution = None
        turned = self._turned(candidate.wrt) if candidate.transposed else None
        if turned is not None:  # (∂loss/∂(Wᵀ))ᵀ is what reaches W through Wᵀ
            contribution = f"through {wrt}"
            wrt, names = self.reading.named_as(turned)
        elif candidate.transposed:  # ∂loss/∂(Wᵀ) is the transpose of ∂loss/∂W
            wrt, names = f"{wrt}.T" if wrt.isidentifier() else f"({wrt}).T", ()
        if candidate.sort is Sort.PATH and candidate.via is not None:
            contribution = f"through {self.reading.named_as(candidate.via)[0]}"
        elif candidate.sort is Sort.PARTIAL:
            contribution = "the sum of the first contributions"
        elif candidate.sort is Sort.TRUNCATED:
            contribution = f"over at most {counted_steps(candidate.steps or 0)} back in time"
        return replace(
            base,
            role="gradient",
            of=self.reading.root_name(candidate.root),
            of_line=self.reading.root_line(candidate.root),
            wrt=wrt,
            names=names,
            scale=match.scale.text,
            contribution=contribution,
            conjugate=candidate.conjugate,
        )

    def _turned(self, wrt: int) -> int | None:
        """The matrix with a name that a value is the transpose of."""
        node = self.reading.node(wrt)
        if node.op != "transpose" or len(node.shape or ()) != 2 or node.names:
            return None
        (matrix, *_) = self.reading.analysis.tape.operands(wrt)
        return matrix if self.reading.node(matrix).names else None

    def _gradient(self, piece: Piece, base: Part, verified: Verified) -> Part:
        match = verified.match
        part = replace(
            self.identity(base, match), verdict=verified.verdict, evidence=self._evidence(verified)
        )
        if verified.verdict == "checked" and verified.proof.why_not:
            part = replace(part, remark=f"Not proved: {verified.proof.why_not}.")
        if self._is_stepped_along(match):
            part = replace(part, remark=f"{not_the_way_down(part.target or part.source)} {part.remark or ''}".strip())
        if verified.verdict == "unexplained":
            return replace(part, remark="It looks like this gradient, but a finite difference disagrees.")
        if match.candidate.sort is Sort.TRUNCATED:
            return replace(part, remark=truncated(match.candidate.steps or 0))
        if match.candidate.sort is Sort.PARTIAL:
            return part
        clock = self.reading.analysis.clock
        if not clock.left(Task.DERIVATION):
            clock.leave_out(Task.DERIVATION, (piece.span.line,))
            return replace(part, remark=part.remark or "There was no time left for its derivation.")
        start = time.thread_time()
        derived = self.held.derive(match)
        part = part if derived is None else self._with_derivation(part, match, derived, verified)
        clock.spend(Task.DERIVATION, start)
        return part

    def _is_stepped_along(self, match: Match) -> bool:
        """Whether a parameter of complex numbers is changed along its gradient itself, and not along the conjugate."""
        matcher, candidate = self.reading.analysis.matcher, match.candidate
        if candidate.conjugate or not np.iscomplexobj(self.reading.node(match.node).value):
            return False
        steps = [best for u in matcher.updates.values() if u.wrt == candidate.wrt and (best := matcher.best(u.change))]
        return any(s.candidate.wrt == candidate.wrt and not s.candidate.conjugate for s in steps)

    def _called(self, array: str) -> str:
        """What the reader calls an array of a formula: its name, else the expression that it is."""
        node = self.reading.analysis.graph.node_of(array.partition(".")[0])
        if node is None:
            return array
        recorded = self.reading.node(node)
        return recorded.names[0] if recorded.names else recorded.site.text if recorded.site else array

    def _evidence(self, verified: Verified) -> Evidence:
        proof = verified.proof
        forms = None
        if proof.proved:
            names = self.held.vocabulary(verified.match)
            forms = tuple(
                self.writer.index_formula(side, proof.free, names) for side in (proof.left, proof.right)
            )
        lemmas = tuple(
            _ARRAY.sub(lambda found: self._called(found[1]), a)
            for a in proof.assumptions
            if not (a[:1] in "vs" and a[1:].replace(".", "").isalnum())
        )
        assumed = self.reading.analysis.replays.assumptions
        relied = (
            ()
            if proof.proved
            else tuple(
                describe(self.reading.node(n), kept)
                for n, kept in assumed.items()
                if n in self.reading.everything_behind(verified.match.node)
                or n in self.reading.everything_behind(verified.match.candidate.root)
            )
        )
        return Evidence(
            normal_forms=forms if forms and all(forms) else None,  # type: ignore[arg-type]
            points=len(self.reading.analysis.replays.values),
            max_error=finite(verified.match.error),
            finite_difference=None if verified.difference is None else finite(verified.difference.error),
            assumptions=lemmas + relied,
        )

    def _with_derivation(self, part: Part, match: Match, derived: Derived, verified: Verified) -> Part:
        names = self.held.vocabulary(match)
        for adjoint in derived.computed.values():
            if self.reading.analysis.graph.node_of(adjoint.array) is None:
                names.partials[adjoint.array] = (
                    self.reading.analysis.graph.name(match.candidate.root),
                    adjoint.array[1:],
                )
        factor = None if match.scale.text == "1" else self.held.factor(match)
        derivative = Partial(
            scalar_symbol(names.root_name),
            names.symbol(self.reading.analysis.graph.name(match.candidate.wrt)),
        )
        left: Tree = derivative if factor is None else times([factor, derivative])
        if match.candidate.transposed:
            left = transposed(left)
        if match.candidate.conjugate:
            left = Conjugate(left)
        if match.candidate.sort is Sort.PATH and part.contribution is not None:
            left = Subscript(Parenthesised(left), (Text(part.contribution),))
        part = self.writer.written(part, derived, names, left, factor, match.scale.text)
        difference = verified.difference
        index, numeric = (None, None) if difference is None else (difference.index, difference.numeric)
        value = np.asarray(self.reading.node(match.node).value)
        entry_ = None
        if value.dtype.kind == "c" or isinstance(numeric, complex):
            return part  # one entry in numbers is told of real numbers only
        if index is not None:
            entry_ = self.writer.worked(
                derived.result, derived.free, index, names, float(value[index]), numeric
            )
        if entry_ is None and index is not None:
            entry_ = Entry(index, float(value[index]), ((float(value[index]),),), numeric)
        return replace(part, entry=entry_)

    def _local(self, piece: Piece, base: Part, verified: Verified) -> Part:
        candidate = verified.match.candidate
        wrt, names = self.reading.named_as(candidate.wrt)
        site = self.reading.node(candidate.root).site
        part = replace(
            base,
            role="local derivative",
            of=self.reading.named_as(candidate.root)[0],
            of_line=None if site is None else site.span.line,
            wrt=wrt,
            names=names,
            scale=verified.match.scale.text,
            verdict=verified.verdict,
            evidence=self._evidence(verified),
        )
        if verified.match.scale.text != "1" or candidate.transposed:
            return part
        try:
            derived = derive_local(
                self.reading.analysis.graph, candidate.root, candidate.wrt, self.reading.readable
            )
        except (NoLocalForm, KeyError, ValueError):
            return part
        graph = self.reading.analysis.graph
        vocabulary = Vocabulary(graph, self.reading.named_as(candidate.root)[0])
        left = Partial(
            vocabulary.symbol(graph.name(candidate.root)), vocabulary.symbol(graph.name(candidate.wrt))
        )
        part = self.writer.written(part, derived, vocabulary, left, None, "1")
        value = np.asarray(self.reading.node(piece.node).value, dtype=float)
        if value.size and value.ndim == len(derived.free) and np.all(np.isfinite(value)):
            flat = int(np.argmax(np.abs(value)))
            index = tuple(int(i) for i in np.unravel_index(flat, value.shape))
            worked = self.writer.worked(
                derived.result, derived.free, index, vocabulary, float(value[index]), None
            )
            part = replace(part, entry=worked)
        return part

    def _forward(self, piece: Piece, base: Part) -> Part:
        """A forward value: its formula over named values."""
        graph = self.reading.analysis.graph
        definition = forward_formula(graph, piece.node, self.reading.named)
        if definition is None or piece.target in self.reading.node(piece.node).names[1:]:
            name = self.reading.named_as(piece.node)[0]
            alias = f"This is {name}, under another name." if piece.target and piece.target != name else None
            return replace(base, remark=alias)
        return self.writer.with_formula(base, definition)

    def derived(self, match: Match) -> Part:
        """The formula, derivation and code of a match, whether or not the program computes it."""
        return self.right(Part((0, 0, 0, 0), "", None, False, "gradient"), match)

    def local(self, of: int, wrt: int) -> Part:
        """The same of a local derivative, entry by entry."""
        graph = self.reading.analysis.graph
        part = Part((0, 0, 0, 0), "", None, False, "local derivative")
        try:
            derived = derive_local(graph, of, wrt, self.reading.readable)
        except (NoLocalForm, KeyError, ValueError):
            return part
        vocabulary = Vocabulary(graph, self.reading.named_as(of)[0])
        left = Partial(vocabulary.symbol(graph.name(of)), vocabulary.symbol(graph.name(wrt)))
        return self.writer.written(part, derived, vocabulary, left, None, "1")

    def right(self, part: Part, match: Match) -> Part:
        """The part as it should be, with the formula and derivation of the right gradient."""
        derived = self.held.derive(match)
        if derived is None:
            return part
        return self._with_derivation(part, match, derived, Verified(match, Proof(False), None))

    def _unknown(self, piece: Piece, base: Part) -> Part | None:
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
        used = self._feeds_an_update(piece.node)
        if used or (says_gradient([piece.target or ""]) and not self._is_known_elsewhere(piece.node)):
            return replace(base, role="gradient", verdict="unexplained")
        return replace(base, role="other") if piece.target else None

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
            if known is not None and known.match.candidate.sort in _GRADIENTS:
                if known.verdict == "unexplained":
                    return None
                first = first or known
            elif user in analysis.updates or user in self.faults.meant:
                return None
            else:
                todo += analysis.tape.users(user)
        return first

    def _on_the_way(self, piece: Piece, base: Part, ahead: Verified) -> Part | None:
        """A value that is no gradient itself; the lines after it make one of it."""
        if piece.target is None:
            return None
        identity = self.identity(base, ahead.match)
        part = replace(base, of=identity.of, of_line=identity.of_line, wrt=identity.wrt)
        return self._forward(piece, part)

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
        same = (n for n in analysis.tape.window_nodes() if n.site == recorded.site and n.op == recorded.op)
        alike = (n.id for n in same if n.id != node)
        return any(analysis.verified(other) is not None or self._made_into(other) is not None for other in alike)

    def _feeds_an_update(self, node: int) -> bool:
        return any(
            node in self.reading.everything_behind(u.change) for u in self.reading.analysis.updates.values()
        )


def _with_zeros(by_identity: dict[Any, list[int]], zeros: set[int]) -> None:
    """Let occurrences that are 0 be what the same expression is elsewhere: the same gradient, and any factor of it."""
    for key, nodes in list(by_identity.items()):
        if isinstance(key, tuple) and len(key) == 3 and zeros.issuperset(nodes):
            other = next((k for k in by_identity if k != key and isinstance(k, tuple) and k[:2] == key[:2]), None)
            if other is not None:
                by_identity[other] = [*by_identity.pop(key), *by_identity[other]]
