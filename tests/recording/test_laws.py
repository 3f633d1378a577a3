"""The laws of a recording, on the examples and on a corpus of whole programs, each named after what it shows.

1. With ``run_on`` a program prints and leaves in its globals what it does natively, types too.
2. A tape replays bit for bit; with the leaves of another run it gives that run, and most values moved.
3. The text of a node's span is the expression it came from.
4. What cannot be followed is in the notices; these programs can all be followed.
5. Two recordings of one seeded program are identical.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
import textwrap
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.recording.following import Run, differences, natively
from tracer.program import Program, load, parse
from tracer.recording import Recording, record_source
from tracer.recording.box import same
from tracer.tape import Kind, replay
from tracer.tape.node import Node
from tracer.tape.tape import GIVEN

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    path.stem: path
    for folder in ("tests/programs/recorded", "tests/programs", "examples")
    for path in sorted((ROOT / folder).glob("*.py"))
}
LEAVE = "\nimport sys as _sys; _sys.left_behind = dict(globals())\n"
#: A run of one ends before its last line, so nothing can be left behind by it; the other needs matplotlib.
EXITS = {"arguments_files_and_exit", "ascent_with_stale_weights"}
#: No random numbers to draw afresh, or draws that decide where the program goes.
UNSEEDED = {
    "scalars_by_name_and_math",
    "numbers_with_their_own_gradients",
    "line_through_points",
    "sigmoid_ones",
}


@cache
def recording_of(name: str) -> Recording:
    return recorded(load(PROGRAMS[name]))


def recorded(program: Program, **options: object) -> Recording:
    gc.freeze()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return record_source(program, **options)  # type: ignore[arg-type]


def reseeded(name: str) -> Recording:
    """The same program with other random numbers."""
    source = PROGRAMS[name].read_text(encoding="utf-8")
    other = re.sub(
        r"(seed|default_rng|RandomState)\((\d+)\)", lambda m: f"{m[1]}({int(m[2]) + 12345})", source
    )
    assert other != source, "this program draws nothing"
    return recorded(parse(other, str(PROGRAMS[name])))


def values_differ(a: object, b: object) -> bool:
    return not same(a, b)


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n not in EXITS])
def test_running_on_prints_and_leaves_behind_what_a_native_run_does(name: str) -> None:
    program = load(PROGRAMS[name])
    native = natively_or_modernised(program)
    again = parse(program.source + LEAVE, program.path)
    recording = recorded(again, run_on=True)
    found = differences(native, Run(sys.__dict__.pop("left_behind"), recording.stdout))
    assert not [line for line in found if not line.startswith("_sys")]


def natively_or_modernised(program: Program) -> Run:
    """The native run; a Python 2 program's is its conversion with the division and the texts of Python 2."""
    if not program.python2:
        return natively(program.source + LEAVE, {}, program.path)
    imported = (
        "from tests.recording.test_laws import classic\n"
        "from tracer.recording.python2_text import PRINT as print, Text as __text__, text_of as __text_of__\n"
    )
    source = imported + ast.unparse(_Classic().visit(ast.parse(program.text)))
    native = natively(source + LEAVE, {}, program.path)
    del native.space["classic"], native.space["print"]
    return native


class _Classic(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.Call(ast.Name("classic", ast.Load()), [node.left, node.right], [])


def classic(a: object, b: object) -> object:
    whole = all(np.asarray(v).dtype.kind in "biu" for v in (a, b))
    return a // b if whole else a / b  # type: ignore[operator]


def test_a_changed_global_is_noticed_by_this_law() -> None:
    native, other = (natively(f"x = {v}\nprint(1)" + LEAVE, {}) for v in ("1.0", "1"))
    assert differences(native, other) == ["x is 1, not 1.0"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_tape_replays_bit_for_bit(name: str) -> None:
    tape = recording_of(name).tape
    values = replay(tape)
    assert [n for n in tape.window_nodes() if not same(n.value, values[n.id])] == []
    assert sum(n.kind in (Kind.OPERATION, Kind.MUTATION, Kind.VIEW) for n in tape.window_nodes()) > 5


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n not in UNSEEDED])
def test_a_tape_with_the_leaves_of_another_run_gives_that_run(name: str) -> None:
    mine, other = recording_of(name).tape, reseeded(name).tape
    shape = [(n.kind, n.op, n.shape) for n in mine.nodes]
    if shape != [(n.kind, n.op, n.shape) for n in other.nodes]:
        pytest.skip("other numbers take another way through this program")
    given = {
        n.id: o.value
        for n, o in zip(mine.nodes, other.nodes, strict=True)
        if n.kind in GIVEN and n.window >= 0
    }
    values = replay(mine, given)
    computed = [n for n in mine.window_nodes() if n.kind not in GIVEN]
    wrong = [n for n in computed if not alike(values[n.id], other.nodes[n.id].value)]
    assert [(n.op, n.site.text if n.site else "") for n in wrong] == []
    real = [n for n in computed if n.dtype.startswith("float")]
    moved = [n for n in real if values_differ(n.value, values[n.id])]
    assert len(moved) > 0.5 * len(real), "the other leaves moved little: this shows nothing"


def alike(a: object, b: object) -> bool:
    return np.shape(a) == np.shape(b) and bool(
        np.allclose(np.asarray(a), np.asarray(b), rtol=1e-7, atol=1e-9, equal_nan=True)
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_of_a_span_is_the_expression_it_came_from(name: str) -> None:
    recording = recording_of(name)
    program = recording.program
    for site in {n.site for n in recording.tape.nodes if n.site is not None}:
        assert site.text == program.text_of(site.span)
        if not program.python2:
            assert is_python(site.text), site


def is_python(text: str) -> bool:
    for whole in (
        f"({text.strip()}\n)",
        textwrap.dedent(text),
        f"for {text} in ():\n pass",
        f"x[{text}]",
        f"with f() as {text}: pass",
    ):
        try:
            ast.parse(whole)
        except SyntaxError:
            continue
        return True
    return text.rstrip().endswith(":") or text.lstrip().startswith(
        ("def ", "for ", "while ", "return", "lambda")
    )


@pytest.mark.parametrize("text", ["W + ", "np.dot(x", "/ 2", "d = X @"])
def test_a_piece_of_an_expression_is_no_expression(text: str) -> None:
    assert not is_python(text)


@pytest.mark.parametrize("name", PROGRAMS)
def test_everything_in_the_corpus_is_followed(name: str) -> None:
    recording = recording_of(name)
    said = [
        n.what
        for n in recording.notices
        if not n.what.startswith(
            ("Python 2", "Iteration ", "A gradient is checked numerically", "No loop was recognised")
        )
    ]
    assert [what for what in said if "not installed" not in what] == []
    assert recording.tape.windows


@pytest.mark.parametrize("name", PROGRAMS)
def test_two_recordings_are_identical(name: str) -> None:
    first, second = recording_of(name).tape, recorded(load(PROGRAMS[name])).tape
    assert first.bindings == second.bindings
    assert first.windows == second.windows
    assert [shown(n) for n in first.nodes] == [shown(n) for n in second.nodes]
    assert all(same_values(a, b) for a, b in zip(first.nodes, second.nodes, strict=True))


def shown(node: Node) -> tuple[object, ...]:
    return (
        node.kind,
        node.op,
        str(node.args),
        str(node.kwargs),
        node.site,
        node.names,
        node.shape,
        node.dtype,
        node.origin,
    )


def same_values(a: Node, b: Node) -> bool:
    return (a.value is None and b.value is None) or same(a.value, b.value)


def test_the_corpus_is_large_enough_and_is_recorded_in_its_loops() -> None:
    assert len(list((ROOT / "tests/programs/recorded").glob("*.py"))) >= 40
    loops = [name for name in PROGRAMS if recording_of(name).tape.windows[0].loop_line]
    assert len(loops) > 0.85 * len(PROGRAMS)
