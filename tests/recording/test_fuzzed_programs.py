"""A writer of programs that looks for something the recorder loses without a word.

Hypothesis puts statements together that read, write, alias and hide numbers in many ways; each program must be
followed, or a notice must say what was not.  The controls break the recorder on purpose: the writer must find it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from tests.recording.following import SETTINGS, examine
from tracer.recording.arguments import Arguments
from tracer.recording.assignments import Assignments
from tracer.recording.box import Box
from tracer.recording.lending import Lending
from tracer.recording.memory import Memory
from tracer.tape.node import Node

#: Statements; {a}, {b} are arrays of one shape, {s} a number, {i} a row, {n} a new name, {k} a name that exists.
STATEMENTS = [
    "{n} = {a} * {s} + {b}", "{n} = {a} - {b}", "{n} = np.tanh({a})", "{n} = {a}", "{n} = {a}.copy()", "{n} = {a}[:]",
    "{n} = {a}[::-1]", "{n} = {a}.T.T", "{n} = {a}.reshape(4, 3).reshape(3, 4)", "{n} = np.array({a})",
    "{n} = np.where({a} > {b}, {a}, {b} * {s})", "{n} = {a} / (1 + {b} ** 2)", "{n} = np.maximum({a}, {s})",
    "{n} = {a} @ {b}.T @ {a}", "{n} = ({a} @ w) @ (w.T * {s})", "{n} = np.stack([r * {s} for r in {a}])",
    "{n} = {a} - {a}.mean(axis=0)", "{n} = np.concatenate([{a}[:1], {b}[1:]])", "{n} = np.exp(-{a} * {a}) * {s}",
    "{n} = sum([{a}, {b}])", "{n} = scaled({a}, k={s})", "{n} = box.swap({a}, {b})", "{n} = apply(lambda v: v * {s}, {a})",
    "{n} = next(parts({a}, {b})) + {a}", "{n} = np.array({a}.tolist())", "{n} = {a}.flat[{i}] * {b}",
    "{k} += {b}", "{k} -= {s} * {b}", "{k} *= {s}", "{k}[{i}] = {b}[0]", "{k}[{i}] += {s}", "{k}[:, {i}] *= {s}", "{k}[...] = {b} + {s}",
    "{k}[{b} > 0] = {s}", "{k}[{k} < {s}] *= 0.5", "{k}[{i}], {k}[0] = {k}[0], {k}[{i}]", "{k}.T[{i}] = {s}",
    "np.add({a}, {b}, out={k})", "np.multiply({k}, {s}, {k})", "np.add.at({k}, [0, 0, 1], {b})", "np.copyto({k}, {b})",
    "{k}.ravel()[{i}] = {s}", "{k}.fill({s})", "{k}[np.arange(3), [0, 1, 1]] -= {s}", "change({k}, {s})",
    "for row in {k}: row += {s}", "for row, other in zip({k}, {b}): row -= other * {s}", "{k}.flat[{i}] = {s}",
    "d['p'] = {a}", "d['p'] += {s}", "{n} = d['p'] * 1", "{n} = d.get('p', {a})", "l.append({a})", "l[0] = {b}", "{n} = l[-1]", "l[-1] -= {s}",
    "box.v = {a}", "box.v *= {s}", "{n} = box.v + box.total", "box.total += {s}", "{n} = box({a})", "setattr(box, 'v', {a})", "{n} = getattr(box, 'v')",
    "{t} = float({a}.sum())", "{t} = {s} * 2 + {a}[0, {i}]", "{t} = math.tanh({s})", "{t} = max({s}, {a}.max())", "{t} = {a}.mean().item()",
    "{t} = numbers[0] + {s}", "numbers[{i}] = {s}", "numbers = [v * 1.5 for v in numbers]", "{t} = sum(numbers)", "{t} = abs({s}) ** 0.5",
    "{t}, q = {s}, {a}[0]", "{t} = {s} if {s} > 0.5 else {a}[{i}, 0]",
    "{n} = copy.deepcopy({a})", "{n} = reduce(np.add, [{a}, {b}])", "{n} = list(map(np.tanh, [{a}]))[0]", "{n} = {a} if {s} > 0 else {b}",
]  # fmt: skip
BEFORE = """
class Box:
    def __init__(self):
        self.v, self.total = x * 1, s * 1.0
    def __call__(self, v):
        self.total = self.total * 1.1
        return v * self.total
    def swap(self, p, q):
        p, q = q, p
        return p + q * self.total
def scaled(v, k=2.0): return v * k
def apply(f, v): return f(v)
def parts(*vs):
    for v in vs: yield v * 0.5
def change(v, k):
    v[0] += k
box = Box(); d = {'p': x * 2}; l = [x * 3]; numbers = [s, 0.5, s * 2]
a0 = x + 0.1; a1 = x * s; t0 = s * 0.9
""".strip()


@st.composite
def programs(draw: Callable[..., str]) -> str:
    """A program that ends with everything it made put into ``out``."""
    arrays, scalars, lines = ["x + 0", "a0", "a1"], ["s", "t0"], []
    for at in range(draw(st.integers(2, 9))):
        form = draw(st.sampled_from(STATEMENTS))
        names = {
            "a": draw(st.sampled_from(arrays)), "b": draw(st.sampled_from(arrays)), "s": draw(st.sampled_from(scalars)),
            "k": draw(st.sampled_from(arrays[1:])), "i": draw(st.integers(0, 2)), "n": f"a{at + 2}", "t": f"t{at + 1}",
        }  # fmt: skip
        lines.append(
            form.format(**{k: f"({v})" if k in "ab" and "+" in str(v) else v for k, v in names.items()})
        )
        if "{n}" in form:
            arrays.append(names["n"])
        if "{t}" in form:
            scalars.append(names["t"])
    end = f"out = {' + '.join(arrays[1:])} + ({' + '.join(scalars)} + box.total + sum(numbers)) * (d['p'] + l[-1] + box.v)"
    return "\n".join([BEFORE, *lines, end])


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(programs(), st.sampled_from(SETTINGS))
def test_no_program_that_is_written_loses_anything_silently(program: str, setting: str) -> None:
    finding = examine(program, setting)
    assert finding.verdict.startswith(("followed", "noticed"))


def test_what_the_writer_writes_can_be_followed_without_a_notice() -> None:
    for form in STATEMENTS:
        line = form.format(a="a0", b="a1", s="t0", k="a0", i=1, n="a2", t="t1")
        end = "out = a0 + a1 + (s + t0 + box.total + sum(numbers)) * (d['p'] + l[-1] + box.v)"
        end += " + a2" * ("{n}" in form) + " + t1" * ("{t}" in form)
        finding = examine("\n".join([BEFORE, line, end]))
        assert (finding.verdict, finding.notices) == ("followed", []), line


def _numbers_as_constants(self: Arguments, box: Box, literals: bool) -> object:
    return box.value if isinstance(box.value, float) else _REFERENCE(self, box, literals)


def _aliases_as_copies(self: Assignments, index: int, box: object) -> object:
    value = _BIND(self, index, box)
    return value.copy() if isinstance(value, np.ndarray) else value


def _writes_unseen(self: Memory, array: np.ndarray, node: Node, place: object) -> None:
    record = self.known(array)
    if record is not None:
        record.node = node


def _lent_for_ever(self: Lending, array: np.ndarray) -> None:
    pass


_REFERENCE, _BIND = Arguments._reference_box, Assignments.bind


@pytest.mark.parametrize(
    ("holder", "method", "broken", "verdict"),
    [
        (Arguments, "_reference_box", _numbers_as_constants, "silent loss"),
        (Assignments, "bind", _aliases_as_copies, "altered"),
        (Memory, "written", _writes_unseen, "noticed"),
        (Lending, "before_write", _lent_for_ever, "not reproduced"),
    ],
)
def test_the_writer_finds_a_recorder_that_was_broken_on_purpose(
    holder: type, method: str, broken: Callable[..., object], verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, method, broken)
    try:
        find(
            programs(),
            lambda program: examine(program).verdict.startswith(verdict),
            settings=settings(max_examples=1000, database=None, phases=[Phase.generate]),
        )
    except NoSuchExample:
        pytest.fail("the writer found nothing wrong with a broken recorder")
