"""Closed forms over several operations are proved, whatever the variables are called and in whichever order they stand."""

from __future__ import annotations

import ast
import random
import sys
import textwrap
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from closed_networks import NETWORKS
from closed_programs import PROGRAMS as FIRST_PROGRAMS
from closed_programs import Closed

from tests.building.explained import analysed_source
from tracer.matching.candidates import GRADIENTS

PROGRAMS = {**FIRST_PROGRAMS, **NETWORKS}

#: What stays: the losses, by which roots are found, and what is not the program's.
KEPT = {"np", "len", "range", "loss", "cost", "J", "it", "float"}


def source(program: Closed, body: str | None = None) -> str:
    lines = textwrap.dedent(program.body if body is None else body).strip()
    return f"import numpy as np\nnp.random.seed(1)\n{program.setup}\nfor it in range(3):\n{textwrap.indent(lines, '    ')}\n"


def proved(text: str) -> set[str]:
    """The names that in the end hold a gradient that is proved, and with which finite differences agree."""
    found = analysed_source(text)
    last: dict[str, int] = {}
    held: set[int] = set()
    for node in found.tape.window_nodes():  # in order: what is proved is given for what comes after it
        match = found.matcher.best(node.id)
        told = match is not None and match.candidate.sort in GRADIENTS and not match.candidate.transposed
        if match is not None and told and found.verify(match).verdict == "proved":
            held.add(node.id)
        if node.window in found.tape.last_windows():
            last.update(dict.fromkeys(node.names, node.id))
    return {name for name, node in last.items() if node in held}


def renamed(text: str, seed: int) -> tuple[str, dict[str, str]]:
    """The program with other names for all of its variables."""
    tree = ast.parse(text)
    names = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - KEPT)
    letters = [f"{a}{b}" for a in "fgkmprtvw" for b in "abefhi"]
    random.Random(seed).shuffle(letters)
    names_of = dict(zip(names, letters, strict=False))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names_of.get(node.id, node.id)
    return ast.unparse(tree), names_of


def reordered(text: str, seed: int) -> str:
    """The program with the statements of its loop in another order in which each value is the same."""
    tree = ast.parse(text)
    loop = next(s for s in tree.body if isinstance(s, ast.For))
    waiting, done = list(loop.body), list[ast.stmt]()
    choose = random.Random(seed)
    while waiting:
        free = [s for n, s in enumerate(waiting) if not any(_depend(s, earlier) for earlier in waiting[:n])]
        done.append(choose.choice(free))
        waiting.remove(done[-1])
    loop.body = done
    return ast.unparse(tree)


def _depend(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether one statement writes what the other reads or writes."""

    def touched(s: ast.stmt) -> tuple[set[str], set[str]]:
        names = [n for n in ast.walk(s) if isinstance(n, ast.Name)]
        written = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        for node in ast.walk(s):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                written.add(node.value.id)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.args[0], ast.Name):
                written.add(node.value.args[0].id)  # np.add.at(dE, …)
        return {n.id for n in names}, written - {"np", "n", "t"}

    (r1, w1), (r2, w2) = touched(one), touched(other)
    return bool(w1 & r2 or w2 & r1)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_gradients_are_proved(name: str) -> None:
    program = PROGRAMS[name]
    assert proved(source(program)) >= set(program.gradients)


@pytest.mark.parametrize("name", PROGRAMS)
def test_other_names_in_another_order_change_nothing(name: str) -> None:
    program = PROGRAMS[name]
    moved = reordered(source(program), seed=3)
    text, names = renamed(moved, seed=5)
    assert proved(text) >= {names[g] for g in program.gradients}


@pytest.mark.parametrize("name", [n for n in PROGRAMS if PROGRAMS[n].spoiled != "nothing"])
def test_an_altered_line_is_not_proved(name: str) -> None:
    program = PROGRAMS[name]
    old, new = program.altered
    assert program.body.count(old) == 1
    assert program.spoiled not in proved(source(program, program.body.replace(old, new)))


def test_the_programs_are_really_reordered() -> None:
    moved = [source(p) for p in PROGRAMS.values()]
    assert sum(ast.unparse(ast.parse(text)) != reordered(text, seed=3) for text in moved) > len(moved) // 2
