"""Which optimiser an update is a step of, told by its structure.

Comes in: an update.  Goes out: the name of the optimiser and the gradient within its step.  The step is
walked from the change back through operations entry by entry on arrays of the parameter's shape, and through
the system of equations that Newton's method solves: what it finds are the gradient, and state that was carried
from an earlier iteration.  One state without a root is momentum, a sum of squares under a root is AdaGrad, a
decaying one RMSProp, both kinds together Adam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tracer.gradients.adjoints import ELEMENTWISE, is_continuous
from tracer.matching.candidates import Match, Sort
from tracer.matching.entries import Entry
from tracer.matching.matcher import Matcher
from tracer.matching.updates import Update, is_everything, without_ones
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

_ROOTS = frozenset(("sqrt", "norm"))
_SCATTERED = ("add_at", "subtract.at")
_PRODUCTS = ("dot", "matmul")


class Step(Struct, frozen=True):
    """What an update's step was found to be.

    Attributes:
        optimiser: the optimiser's name.
        gradient: the match of the gradient within the step, if one was found.
        inside: the nodes between the gradient and the change.
        decays: whether the parameter itself is part of the step.
    """

    optimiser: str
    gradient: Match | None
    inside: frozenset[int] = frozenset()
    decays: bool = False


def recognise(matcher: Matcher, update: Update, ascending: bool = False) -> Step:
    """The optimiser of one update.

    Arguments:
        ascending: whether the step goes up the root.
    """
    walk = _Walk(matcher, update)
    walk.run()
    way = "ascent" if ascending else "descent"
    plain = f"sign {way}" if walk.takes_the_sign else f"gradient {way}"
    if walk.solves and walk.gradient is not None:
        name = "newton"
    elif not walk.states:
        name = f"{plain} with weight decay" if walk.decays else plain
    elif not walk.rooted:
        name = "momentum"
    elif len(walk.states) > 1:
        name = "adam"
    elif walk.accumulates:
        name = "adagrad"
    else:
        name = "rmsprop"
    gradient = None if walk.is_weighted else walk.gradient
    return Step(name, gradient, frozenset(walk.seen), walk.decays)


def made_of_gradients(matcher: Matcher, meant: Mapping[int, Match]) -> dict[int, int]:
    """What is made of the whole gradient by a parameter, of itself, of state and of settings alone → the update.

    Rprop compares the signs of two gradients that way, and clipping measures the norm of them all: neither is a
    gradient, nor meant as one.

    Arguments:
        meant: values that are wrong, and what they were meant to be.
    """
    tape = matcher.graph.tape
    by = {u.wrt: u.node for u in matcher.updates.values()}
    made: dict[int, int] = {}
    state: set[int] = set()
    for node in tape.window_nodes():
        if node.id in matcher.forward or node.kind in (Kind.LEAF, Kind.LITERAL):
            continue
        match = meant.get(node.id) or matcher.best(node.id)
        if match is not None:
            of = match.candidate
            if of.sort is Sort.FULL and of.wrt in by and not of.transposed:
                made[node.id] = by[of.wrt]
            continue
        moving = [k for k in tape.operands(node.id) if matcher.replays.moves(k)]
        alike = [k for k in moving if k in by and tape.nodes[k].shape == node.shape]
        updates = [made[k] for k in moving if k in made] or [by[k] for k in alike]
        own = {matcher.updates[u].wrt for u in updates}
        before = {k for k in moving if k in state or _is_left_behind(matcher, k, node.window)}
        if updates and all(k in made or k in own or k in before for k in moving) and len(before) < len(moving):
            made[node.id] = updates[-1]
        elif len(before) == len(moving):
            state.add(node.id)
    for left in sorted(state, reverse=True):
        made.update((left, made[user]) for user in tape.users(left) if user in made)
    return made


def _is_left_behind(matcher: Matcher, node: int, window: int) -> bool:
    """Whether a value comes from an earlier iteration, and no loss is computed from it."""
    recorded = matcher.graph.tape.nodes[node]
    return node not in matcher.forward and (recorded.kind is Kind.LEAF or recorded.window < window)


def selects_all(index: object) -> bool:
    """Whether an index is ``...`` or ``:``, so that what is assigned there replaces the whole array."""
    items = index if isinstance(index, tuple) else (index,)
    return bool(items) and all(map(is_everything, items))


def solved_for(tape: Tape, node: int) -> int | None:
    """The right side of the equations that a Newton step solves, ``solve(H, g)`` or ``inv(H) @ g``: the gradient."""
    operands = tape.operands(node)
    solves = tape.nodes[node].op == "linalg.solve"
    inverse = tape.nodes[node].op in _PRODUCTS and tape.nodes[operands[0]].op in ("linalg.inv", "linalg.pinv")
    same = (solves or inverse) and tape.nodes[operands[1]].shape == tape.nodes[node].shape
    return operands[1] if same else None


class _Walk:
    """Walks one step backwards, entry by entry."""

    def __init__(self, matcher: Matcher, update: Update) -> None:
        self.matcher, self.update = matcher, update
        self.tape = matcher.graph.tape
        self.states = set[str]() if update.beside is None else {f"v{update.beside}"}
        self.rooted = self.accumulates = self.solves = False
        self.signs: list[int] = []
        self.decays = update.decays
        self.gradient: Match | None = None
        self.seen: set[int] = set()
        self.outputs: set[int] = set()
        self.shape = without_ones(self.tape.nodes[update.wrt].shape)

    @property
    def takes_the_sign(self) -> bool:
        """Whether only the gradient's sign counts; that of the parameter belongs to a penalty."""
        of_gradient = (self.matcher.all_ancestors(n) for n in self.signs)
        return self.gradient is not None and any(self.gradient.node in behind for behind in of_gradient)

    @property
    def is_weighted(self) -> bool:
        """Whether the gradient is multiplied by what rests on outputs of this iteration alone: no optimiser does that."""
        if self.gradient is None:
            return False
        found, behind = self.gradient.node, self.matcher.all_ancestors
        for node in self.seen:
            factors = self.tape.operands(node) if self.tape.nodes[node].op in ("multiply", "divide") else ()
            holding = [k == found or found in behind(k) for k in factors]
            others = (k for k, holds in zip(factors, holding, strict=True) if not holds)
            if any(holding) and any(not self.outputs.isdisjoint(behind(k) | {k}) for k in others):
                return True
        return False

    def run(self) -> None:
        """Go back from the change, as far as the step is made entry by entry."""
        todo = [self.update.change]
        while todo:
            node = todo.pop()
            if node not in self.seen:
                self.seen.add(node)
                todo += self._before(node)

    def _before(self, node: int) -> Sequence[int]:
        """What a value within the step was made from, where that belongs to the step, too."""
        recorded, graph = self.tape.nodes[node], self.matcher.graph
        if graph.representative(node) == graph.representative(self.update.wrt):
            self.decays = True
            return ()
        found = self._gradient_at(node)
        if found is not None and (self.gradient is None or found.scale.rank < self.gradient.scale.rank):
            self.gradient = found
        if found is not None and found.scale.rank <= 1:  # but for its sign, the gradient itself
            return ()
        if without_ones(recorded.shape) != self.shape or not is_continuous(recorded):
            return ()
        entry = self.matcher.reading.read(node)
        if entry is None:
            return self._made_from(node)
        of_forward = not self.matcher.forward.isdisjoint(self.matcher.reading.versions(entry))
        return () if of_forward else self._before_entry(node, entry)

    def _before_entry(self, node: int, entry: Entry) -> Sequence[int]:
        """The same of an entry of state: the number that this iteration wrote there, or what an earlier one left."""
        before = self.matcher.reading.number_written(entry)
        if before is None or self.tape.nodes[before].window < self.tape.nodes[node].window:
            self.states.update(self.tape.nodes[entry.whole].names[:1])
            return ()
        return (before,) if entry.whole not in self.matcher.updates else self._made_from(entry.whole)

    def _made_from(self, node: int) -> Sequence[int]:
        """What an array of the step was made from; state and roots are counted on the way."""
        recorded, updates = self.tape.nodes[node], self.matcher.updates
        carried = recorded.kind is Kind.LEAF or recorded.window < self.tape.nodes[self.update.node].window
        if carried and not self._is_carried(recorded.names):
            return ()
        if carried and node not in self.matcher.forward:
            self._read_state(node)
            return ()
        if node in self.matcher.forward and node not in updates and not carried:
            self.outputs |= {node} & self.matcher.live
            return ()  # what a forward value was computed from, the parameter too, is no part of the step
        if recorded.op in _ROOTS or (recorded.op == "power" and recorded.args[-1] == 0.5):
            self.rooted = True
        if recorded.op == "sign":
            self.signs.append(node)
        if node in updates:
            summed = self._gradient_at(updates[node].change)
            if summed is None or summed.scale.rank > 1:  # else gradients are added up until the next step
                self.states.update(recorded.names[:1])
            self.accumulates |= self._is_plain_sum(updates[node])
            return (updates[node].change,)
        if recorded.op in ELEMENTWISE or recorded.op in _ROOTS or recorded.op == "sign":
            return self.tape.operands(node)
        if recorded.op == "setitem" and selects_all(recorded.args[1]):
            return self.tape.operands(node)[1:]
        if recorded.op in _SCATTERED:
            return self.tape.operands(node)[:1]  # what is added to some entries is a part of the gradient
        if recorded.op == "getitem":
            self._read_state(self.tape.operands(node)[0])
        elif (right := self._right_side(node)) is not None:
            self.solves = True
            return (right,)
        return ()

    def _read_state(self, node: int) -> None:
        """Count what an earlier iteration left; the step may add to it after it has read it."""
        names, window = self.tape.nodes[node].names, self.tape.nodes[self.update.node].window
        if _is_left_behind(self.matcher, node, window) and self._is_carried(names):
            self.states.update(names[:1])
            self.accumulates |= any(self._is_plain_sum(u) for u in self.matcher.updates.values() if u.before == node)

    def _right_side(self, node: int) -> int | None:
        """What a step multiplies by the inverse of a matrix; also by an estimate of it that is kept, as in BFGS."""
        operands = self.tape.operands(node)
        if self.tape.nodes[node].op in _PRODUCTS and operands[0] not in self.matcher.forward:
            matrix, right = (self.tape.nodes[k].shape for k in operands)
            if right is not None and len(right) == 1 and matrix == right * 2:
                return operands[1]
        return solved_for(self.tape, node)

    def _is_carried(self, names: list[str]) -> bool:
        """Whether a variable is given a new value in the loop: a learning rate is not."""
        return not self.matcher.variables.given_in_loop.isdisjoint(names[:1])

    def _is_plain_sum(self, state: Update) -> bool:
        """Whether a state only ever grows by squares, without decay."""
        return self.tape.nodes[state.change].op in ("square", "power", "multiply") and state.sign > 0

    def _gradient_at(self, node: int) -> Match | None:
        if self._is_an_output(node):
            return None
        for match in self.matcher.matches.get(node, ()):
            candidate = match.candidate
            meant = candidate.sort in (Sort.FULL, Sort.TRUNCATED)
            if meant and candidate.wrt == self.update.wrt and not candidate.transposed:
                return match
        return None

    def _is_an_output(self, node: int) -> bool:
        """Whether a value is a single number of the forward pass: where the target is 0, ``out`` is ``out - target``."""
        recorded = self.tape.nodes[node]
        computed = node in self.matcher.forward and node in self.matcher.live and recorded.kind is not Kind.LEAF
        return computed and without_ones(recorded.shape) == () and node != self.update.change
