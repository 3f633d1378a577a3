"""The entry that is worked out in numbers, against the program itself run with one entry moved a little.

The program's own lines are executed as text: its set-up, some whole iterations, then the forward pass twice.
Nothing of the tool takes part in that.
"""

from __future__ import annotations

import math
import re
import textwrap
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.building.explained import NAMES, PROGRAMS, explanation, parts
from tracer.explanation.model import Part

Space = dict[str, Any]


@dataclass(frozen=True)
class Sections:
    """Which lines of a program are its set-up, its forward pass, and a whole iteration that came before."""

    set_up: tuple[int, int]
    forward: tuple[int, int]
    iteration: tuple[int, int]
    iterations: int
    least: int


SECTIONS = {
    "spiral_python2": Sections((1, 21), (23, 30), (23, 47), 1, 12),
    "sigmoid_ones": Sections((1, 33), (51, 56), (35, 57), 1, 8),
    "ascent_with_stale_weights": Sections((1, 54), (56, 58), (56, 65), 3, 2),
    "square_sizes": Sections((1, 12), (14, 18), (14, 24), 1, 5),
    "relu_mean_squares": Sections((1, 18), (21, 25), (21, 38), 1, 10),
    "line_through_points": Sections((1, 11), (13, 16), (13, 20), 1, 3),
}


SHOWN = re.compile(r"^(\s*)(print|plt\.|import matplotlib).*")


def text_of(name: str, first: int, last: int) -> str:
    """Some lines of a program without prints and plots, as if they stood at the left margin."""
    lines = PROGRAMS[name].read_text().splitlines()[first - 1 : last]
    return textwrap.dedent("\n".join(SHOWN.sub(r"\1pass", line) for line in lines))


def run(name: str, first: int, last: int, space: Space) -> None:
    source = text_of(name, first, last)
    if name == "ascent_with_stale_weights":
        head, _, body = source.partition("def main():\n")
        source = head + textwrap.dedent(body) if body else source.replace("if epoch % 3 == 0:", "if True:")
    exec(compile(source, f"{name}.py", "exec"), space)


def prepared(name: str) -> Space:
    """The variables at the start of the explained iteration."""
    space: Space = {"xrange": range, "range": range, "np": np, "__name__": "program", "history": [], "i": 0, "epoch": 0}
    sections = SECTIONS[name]
    run(name, *sections.set_up, space)
    for _ in range(sections.iterations):
        run(name, *sections.iteration, space)
    return space


def copied(space: Space) -> Space:
    found = dict(space)
    for key, value in space.items():
        if isinstance(value, np.ndarray):
            found[key] = value.copy()
        elif hasattr(value, "w") and hasattr(value, "b"):
            found[key] = SimpleNamespace(w=value.w.copy(), b=value.b.copy())
    return found


def line_that_binds(name: str, variable: str) -> int | None:
    """The line of the forward pass that gives a variable its value; None if it comes from before."""
    first, last = SECTIONS[name].forward
    for number in range(first, last + 1):
        targets = text_of(name, number, number).partition(" = ")[0].replace(" ", "").split(",")
        if variable in targets:
            return number
    return None


def moved(space: Space, variable: str, index: tuple[int, ...], by: float) -> None:
    owner, _, attribute = variable.rpartition(".")
    value = getattr(space[owner], attribute) if owner else space[variable]
    if np.ndim(value):
        value[(0,) * (np.ndim(value) - len(index)) + index[max(0, len(index) - np.ndim(value)) :]] += by
    else:
        space[variable] = value + by


def loss_with(name: str, part: Part, index: tuple[int, ...], by: float, start: Space) -> float:
    space = copied(start)
    first, last = SECTIONS[name].forward
    assert part.wrt is not None
    bound = line_that_binds(name, part.wrt)
    if bound is not None:
        run(name, first, bound, space)
    moved(space, part.wrt, index, by)
    run(name, first if bound is None else bound + 1, last, space)
    return float(space[part.of or ""])


def can_be_moved(name: str, part: Part, start: Space) -> bool:
    """Whether the variable is one of the program's lines, and not only a temporary or a variable of a function."""
    names = (part.wrt or "").split(".")
    return all(n.isidentifier() for n in names) and names[0] in start and part.contribution is None


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_entries_are_the_central_differences_of_the_program_itself(name: str) -> None:
    start = prepared(name)
    compared = 0
    for line, part in parts(explanation(name)):
        if part.role != "gradient" or part.entry is None or part.verdict != "proved":
            continue
        if not can_be_moved(name, part, start):
            continue
        scale = float(eval(part.scale, dict(start)))
        step = 1e-6
        ends = [loss_with(name, part, part.entry.index, by, start) for by in (step, -step)]
        numeric = scale * (ends[0] - ends[1]) / (2 * step)
        assert part.entry.value == pytest.approx(numeric, rel=2e-5, abs=1e-8), (line, part.source, part.wrt)
        compared += 1
    assert compared >= SECTIONS[name].least, compared


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_the_sum_of_its_products(name: str) -> None:
    entries = [(line, p.entry) for line, p in parts(explanation(name)) if p.entry is not None]
    assert entries
    for line, entry in entries:
        total = math.fsum(math.prod(term) for term in entry.terms)
        assert total == pytest.approx(entry.value, rel=1e-6, abs=1e-12), line
        assert all(len(term) == len(entry.labels) for term in entry.terms) or not entry.labels, line


@pytest.mark.parametrize("name", NAMES)
def test_the_finite_difference_told_with_an_entry_is_close_to_it(name: str) -> None:
    told = 0
    for line, part in parts(explanation(name)):
        if part.entry is None or part.entry.finite_difference is None or part.verdict == "wrong":
            continue
        assert part.entry.finite_difference == pytest.approx(part.entry.value, rel=1e-4, abs=1e-9), (line, part.source)
        told += 1
    assert told


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_worked_out_is_not_zero_and_shows_more_than_itself(name: str) -> None:
    entries = [p.entry for _, p in parts(explanation(name)) if p.entry is not None and p.role == "gradient"]
    assert all(e.value != 0 for e in entries)
    assert any(len(e.terms) > 1 or len(e.terms[0]) > 1 for e in entries)
