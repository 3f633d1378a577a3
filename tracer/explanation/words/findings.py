"""The sentences of a diagnosis, as a good teaching assistant would say them."""

from __future__ import annotations

from collections.abc import Sequence

from tracer.explanation.words.reasons import listed


def _lines(numbers: Sequence[int]) -> str:
    unique = list(dict.fromkeys(numbers))
    return (
        f"line {unique[0]}"
        if len(unique) == 1
        else f"lines {listed(map(str, unique))}"
        if unique
        else "another line"
    )


def stale_operand(
    parameter: str,
    line: int | None,
    spoiled: Sequence[str],
    spoiled_lines: Sequence[int],
    readers: Sequence[int],
    root: str,
) -> str:
    """What a stale operand is, which line made it stale, and what to do."""
    made = f"line {line}" if line is not None else "an earlier line"
    several = len(set(spoiled)) > 1
    names = listed(dict.fromkeys(spoiled)) or "later parameters"
    return (
        f"{parameter} is updated in {made}, but the gradient{'s' if several else ''} of {names} "
        f"({_lines(spoiled_lines)}) still need the {parameter} that {root} was computed with: {_lines(readers)} "
        f"read{'s' if len(set(readers)) == 1 else ''} the new one. Compute all gradients first, then update; or move the "
        f"update of {parameter} behind {'them' if several else 'it'}."
    )
