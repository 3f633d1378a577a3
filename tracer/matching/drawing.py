"""What the leaves of a tape are drawn like, so that the program would still be itself.

Comes in: a tape and its updates.  Goes out: a random value for every leaf and every new version of a parameter.  What
the program relies on is kept: integers, the pattern of signs, one-hot rows (as rows that sum to one, which is then an
assumption), labels of ±1, optimiser state that is never negative.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.gradients.adjoints import is_continuous, is_real
from tracer.gradients.numbering import changing_places
from tracer.matching.random_values import (
    are_indicators,
    like_a_draw,
    like_a_parameter,
    like_a_setting,
    like_complex_numbers,
    like_data,
    other_indicators,
    stand_at,
)
from tracer.matching.updates import Update, direct
from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape

#: A positive number up to this one is there to keep a division or a logarithm from 0.
_NEGLIGIBLE = 1e-6
#: It is made so much smaller, that it does not count beside a probability that is nearly 0 either.
_SMALLER = 1e-40
_COMPARISONS = frozenset(
    "equal not_equal less less_equal greater greater_equal argmax astype int".split()
)
_LAYOUT = ("transpose", "reshape", "swapaxes", "moveaxis", "ravel")
_ARITHMETIC = ("add", "subtract", "multiply")


class Drawing:
    """Draws the leaves of a tape.

    Arguments:
        indicators: whether arrays of zeros and ones stay such; else they may be anything between.
    """

    def __init__(self, tape: Tape, updates: Mapping[int, Update], indicators: bool) -> None:
        self._tape, self._updates, self._indicators = tape, updates, indicators
        self._parameters = {update.before for update in updates.values()}
        self._never_negative = _never_negative_state(tape, updates)
        self._compared = {source for node in tape.nodes if node.op in _COMPARISONS for _, source in direct(node)}
        self._terms = _terms_of_products(tape, self._parameters | updates.keys())
        self._written = _numbers_written(updates, self._terms)
        self._steps = {update.change for update in updates.values()}
        self._bound = {binding.node for binding in tape.bindings}
        self._changing = changing_places(tape)
        self._labels = [n for n in tape.window_nodes() if n.kind is Kind.LEAF and n.dtype.startswith("int")]

    def draw(self, rng: np.random.Generator) -> tuple[dict[int, Any], dict[int, str]]:
        """The new value of every leaf and of every new version of a parameter, and what was kept of their pattern."""
        given: dict[int, Any] = {}
        kept: dict[int, str] = {}
        by_origin: dict[int, Any] = {}  # one variable, read in two windows, is one variable
        for node in self._tape.nodes:
            if node.window < 0:
                continue
            if _is_indicator(self._tape, node, node.id in self._bound):
                given[node.id] = float(rng.uniform(0.05, 0.95))
                continue
            if not is_continuous(node):
                continue
            origin = node.id if node.origin is None else node.origin
            if not is_real(node):
                if node.kind in (Kind.RANDOM, Kind.LEAF) or node.id in self._updates:
                    if origin not in by_origin:
                        by_origin[origin] = self._complex(node, rng, kept)
                    given[node.id] = by_origin[origin]
                continue
            if _is_negligible(self._tape, node):
                given[node.id] = float(node.value) * _SMALLER
                kept[node.id] = "size is negligible"
            elif node.origin in by_origin and node.origin not in self._changing:
                given[node.id] = by_origin[origin]
            elif (drawn := self._real(node, rng, kept)) is not None:
                given[node.id] = drawn if isinstance(drawn, float) else np.asarray(drawn, dtype=np.float64)
                by_origin[origin] = given[node.id]
        return given, kept

    def with_whole_numbers(self, given: Mapping[int, Any]) -> dict[int, Any]:
        """The same with the whole numbers that the program computed: what is drawn by a table of chances stays drawn."""
        whole = {
            n.id: n.value
            for n in self._tape.window_nodes()
            if n.kind is Kind.OPERATION and n.value is not None and np.asarray(n.value).dtype.kind in "iu"
        }
        return {**whole, **given}

    def _complex(self, node: Node, rng: np.random.Generator, kept: dict[int, str]) -> Any:
        free = node.id in self._updates or node.id in self._parameters
        drawn, pattern = like_complex_numbers(np.asarray(node.value), free, self._terms.get(node.id, 0), rng)
        if pattern:
            kept[node.id] = pattern
        return drawn

    def _real(self, node: Node, rng: np.random.Generator, kept: dict[int, str]) -> Any:
        """The new value of a real node; None if it is computed from others."""
        if node.kind is Kind.RANDOM:
            return like_a_draw(np.asarray(node.value), rng)
        if node.id in self._written:  # one entry, of the size that all the entries are drawn with
            return float(self._parameter((1,), self._written[node.id].node, rng)[0])
        shape = node.shape or ()
        if node.id in self._updates:  # of one that is written entry by entry the others are what they were
            return self._parameter(shape, node.id, rng) if self._updates[node.id].written is None else None
        if node.kind is not Kind.LEAF:
            return None
        if node.id in self._parameters:
            return self._parameter(shape, node.id, rng)
        if shape == ():
            is_rate = node.value == 0 and self._steps.issuperset(self._tape.users(node.id) or (-1,))
            # A rate of 0 hides which way a step goes.
            return like_a_setting(0.1 if is_rate else float(node.value), rng)
        array = np.asarray(node.value, dtype=float)
        told = self._told(array) if self._indicators and are_indicators(array) else None
        if told is not None:  # The loss may read the label, and the gradient the indicator.
            kept[node.id] = told
            return array
        drawn, pattern = (
            other_indicators(array, rng)
            if self._indicators and are_indicators(array)
            else like_data(array, node.id in self._compared, self._terms.get(node.id, 0), rng)
        )
        if pattern:
            kept[node.id] = pattern
        return drawn

    def _told(self, array: NDArray[np.float64]) -> str | None:
        """What was kept of an array of zeros and ones if the labels are there as whole numbers, too."""
        for label in self._labels:
            which = stand_at(array, np.asarray(label.value))
            if which is not None:
                return f"{which} are one-hot, at {label.names[0] if label.names else 'the labels'}"
        return None

    def _parameter(self, shape: tuple[int, ...], version: int, rng: np.random.Generator) -> Any:
        return like_a_parameter(shape, self._terms.get(version, 0), version in self._never_negative, rng)


def _numbers_written(updates: Mapping[int, Update], terms: dict[int, int]) -> dict[int, Update]:
    """The numbers that are written to single entries of parameters, with their updates.

    What a version is multiplied with, in products of so many terms, the next one will be, too.
    """
    found: dict[int, Update] = {}
    for node, update in sorted(updates.items()):
        if update.written is not None:
            found[update.written] = update
            if update.before in terms:
                terms.setdefault(node, terms[update.before])
    return found


def _is_indicator(tape: Tape, node: Node, bound: bool) -> bool:
    """Whether a 0, 1 or -1 is one of the data: an item of a container or of a loop, and only ever reckoned with."""
    if node.kind is not Kind.LEAF or node.dtype != "int" or node.shape != () or abs(node.value) > 1:
        return False
    users = [tape.nodes[user] for user in tape.users(node.id)]
    an_item = bound or any("[" in name for name in node.names)
    return an_item and bool(users) and all(u.op in _ARITHMETIC and is_real(u) for u in users)


def _is_negligible(tape: Tape, node: Node) -> bool:
    """Whether a number is only added to others, and small: what keeps a logarithm from 0 is meant not to count.

    Most gradients leave it out, so they are compared where it is smaller still.
    """
    number = (
        node.kind in (Kind.LEAF, Kind.LITERAL) and node.shape == () and 0 < abs(node.value) <= _NEGLIGIBLE
    )
    return number and all(tape.nodes[user].op in ("add", "maximum", "clip") for user in tape.users(node.id))


def _never_negative_state(tape: Tape, updates: Mapping[int, Update]) -> frozenset[int]:
    """Versions of a carried array of which none ever had a negative entry, such as AdaGrad's memory."""
    first: dict[int, int] = {}
    negative: set[int] = set()
    for update in updates.values():
        root = first.setdefault(update.before, update.before)
        first[update.node] = root
        for version in (update.before, update.node):
            value = tape.nodes[version].value
            if not is_real(tape.nodes[version]) or np.min(value, initial=0.0) < 0 or _moves_down(tape, update):
                negative.add(root)
    return frozenset(node for node, root in first.items() if root not in negative)


def _moves_down(tape: Tape, update: Update) -> bool:
    return bool(np.min(update.sign * np.asarray(tape.nodes[update.change].value), initial=0.0) < 0)


def _terms_of_products(tape: Tape, parameters: Collection[int]) -> dict[int, int]:
    """One factor of each matrix product → how many terms an entry of the product has: ``shape[0]`` of ``W`` in ``X @ W``.

    It is the left one where that is a parameter, else the right one; also where it is turned or laid out anew before:
    ``X @ W.T``, ``columns @ filters.reshape(n, -1).T``.
    """
    found: dict[int, int] = {}
    for node in tape.nodes:
        if node.op not in ("dot", "matmul") or len(direct(node)) != 2:
            continue
        sides = [source for _, source in direct(node)]
        left, right = (_laid_out(tape, side) for side in sides)
        factor, side, axis = (left, sides[0], -1) if left in parameters else (right, sides[1], -2)
        shape = tape.nodes[side].shape or ()
        if len(shape) > 1:
            found.setdefault(factor, shape[axis])
    return found


def _laid_out(tape: Tape, node: int) -> int:
    """The array that another one is in another layout."""
    while tape.nodes[node].op in _LAYOUT:
        node = tape.operands(node)[0]
    return node
