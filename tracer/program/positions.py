"""Positions in a modernised text, and the positions in the file as written that they came from.

A `PositionMap` is made of tokens that stand in both texts.  A token that only the modernised text has
(the brackets of ``print(...)``) takes the place of the tokens that it replaced.
Invariant: a span that begins and ends at tokens of the modernised text maps to whole tokens.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

Position = tuple[int, int]


@dataclass(frozen=True)
class PositionMap:
    """For each token of the modernised text where it starts and ends, in both texts; sorted."""

    starts: list[Position] = field(default_factory=list)
    old_starts: list[Position] = field(default_factory=list)
    ends: list[Position] = field(default_factory=list)
    old_ends: list[Position] = field(default_factory=list)

    def start(self, position: Position) -> Position:
        """Where the token that holds ``position`` starts in the file as written."""
        at = max(bisect_right(self.starts, position) - 1, 0)
        old = self.old_starts[at]
        inside = position[1] - self.starts[at][1] if self.starts[at][0] == position[0] else 0
        length = self.old_ends[at][1] - old[1] if self.old_ends[at][0] == old[0] else 0
        return (old[0], old[1] + min(inside, length))

    def end(self, position: Position) -> Position:
        """Where the token that ``position`` is the end of ends in the file as written."""
        at = min(bisect_left(self.ends, position), len(self.ends) - 1)
        return self.old_ends[at]

    def followed_by(self, other: PositionMap, lines: int, old_lines: int) -> PositionMap:
        """The map of two texts, one below the other.

        Arguments:
            lines: how many lines stand above the second text.
            old_lines: the same in the files as written.
        """

        def below(places: list[Position], by: int) -> list[Position]:
            return [(line + by, column) for line, column in places]

        return PositionMap(
            self.starts + below(other.starts, lines),
            self.old_starts + below(other.old_starts, old_lines),
            self.ends + below(other.ends, lines),
            self.old_ends + below(other.old_ends, old_lines),
        )
