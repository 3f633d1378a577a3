"""Whole numbers as sizes of axes: where a slice begins, and how long it is, for all sizes.

With ``H`` the size of an axis, ``a[:, H:2 * H]`` begins at H and is H long: its axis is the axis of size H.  In comes
what is known of a number, out goes a `Length`, Σ count · |axis| + constant.  Invariant: a `Length` says what
the number is in every run of the program; a number without a known source is the constant that it is in this one.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tracer.calculus.terms import Axis


class Length(Struct, frozen=True):
    """``Σ count · |axis| + constant``; no count is zero."""

    counts: tuple[tuple[Axis, int], ...] = ()
    constant: int = 0

    def plus(self, other: Length, times: int = 1) -> Length:
        """This length and a multiple of another."""
        counts = dict(self.counts)
        for axis, count in other.counts:
            counts[axis] = counts.get(axis, 0) + times * count
        return length_of(counts, self.constant + times * other.constant)

    def times(self, factor: int) -> Length:
        """A multiple of this length."""
        return Length().plus(self, factor)

    def part(self, number: int) -> Length | None:
        """The length divided by a number, if that goes for all sizes."""
        if self.constant % number or any(count % number for _, count in self.counts):
            return None
        return Length(tuple((a, count // number) for a, count in self.counts), self.constant // number)

    @property
    def axis(self) -> Axis | None:
        """The one axis whose size this is."""
        if not self.constant and len(self.counts) == 1 and self.counts[0][1] == 1:
            return self.counts[0][0]
        return None

    @property
    def sizes(self) -> tuple[Axis, ...] | None:
        """The axes whose sizes are added, each as often as it is; ``None`` if one is taken away."""
        if any(count < 0 for _, count in self.counts):
            return None
        return tuple(axis for axis, count in self.counts for _ in range(count))


class Bound(Struct, frozen=True):
    """A bound of a slice: its value in the recorded run, and what it is for all sizes."""

    value: int
    length: Length


def length_of(counts: Mapping[Axis, int], constant: int = 0) -> Length:
    """A length from its counts."""
    return Length(tuple(sorted(((a, c) for a, c in counts.items() if c), key=lambda p: p[0].name)), constant)
