"""The tape keeps a fresh result itself, and copies it before anything can write to it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.recording.following import examine
from tracer.program import parse
from tracer.recording import Recording, record_source
from tracer.recording.lending import Lending
from tracer.tape import Kind, Node

HEAD = "import sys, numpy as np\nx = np.ones((3, 4))\n"


def held(body: str) -> tuple[Recording, dict[str, object]]:
    """A recording, and what the program still holds when its last line runs."""
    recording = record_source(parse(f"{HEAD}{body}\nsys.left_behind = dict(globals())\n", "p.py"))
    left: dict[str, object] = __import__("sys").__dict__.pop("left_behind")
    return recording, left


def values(recording: Recording, name: str) -> list[np.ndarray]:
    return [n.value for n in recording.tape.nodes if name in n.names]


def test_a_result_that_only_the_tape_holds_at_the_end_was_never_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = []
    monkeypatch.setattr(
        "tracer.recording.lending.snapshot", lambda value: copied.append(value) or value.copy()
    )
    record_source(
        parse(HEAD + "for k in range(5):\n    a = np.tanh(x * 2) + k\na = None\n", "p.py"), iteration=1
    )
    assert len(copied) <= 1  # The `a` of the last window, which the program still has when the window closes.


def test_what_the_program_still_holds_is_the_programs_alone() -> None:
    recording, left = held("a = x * 2\nb = a + 1")
    for name in ("a", "b"):
        [value] = values(recording, name)
        assert value is not left[name]
        assert np.array_equal(value, left[name])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "write",
    ["a += 1", "a[0] = 5", "a[:, 1] *= 3", "a.T[0] = 2", "np.add(a, 1, out=a)", "a.sort()", "a.shape = (12,)", "v[0] = 9",
     "m[0, 0] = 7", "a.ctypes.data_as(P)[0] = 4", "exec('a[0] = 3')", "np.copyto(v, 8)", "np.random.shuffle(a)"],
)  # fmt: skip
def test_a_write_leaves_the_former_value_on_the_tape(write: str) -> None:
    setup = (
        "import ctypes\nP = ctypes.POINTER(ctypes.c_double)\na = x * 2\nv = a[1:]\nm = a.data\nb = a + 1\n"
    )
    recording, _ = held(setup + write)
    made = next(n for n in recording.tape.nodes if n.op == "multiply")
    assert np.array_equal(made.value, np.full((3, 4), 2.0))


def test_a_buffer_that_is_kept_by_code_that_is_not_recorded_is_not_lent_again() -> None:
    finding = examine("a = x * s; m = memoryview(a); a += 1; c = a * 2; m[0, 0] = 5.; out = a + c")
    assert finding.verdict == "noticed"


def test_giving_up_copies_what_others_hold_and_keeps_the_rest() -> None:
    lending = Lending()
    kept = np.ones(3)
    nodes = []
    for value in (kept, np.zeros(3)):
        node = Node(0, Kind.OPERATION, "", (), {}, value, (3,), "float64")
        borrowers = lending.borrowers(value, Kind.OPERATION)
        assert borrowers is not None
        borrowers.append(node)
        nodes.append(node)
    alone = nodes[1].value.ctypes.data
    del value, borrowers
    lending.give_up()
    assert nodes[0].value is not kept
    assert nodes[1].value.ctypes.data == alone


@pytest.mark.parametrize(
    "value",
    [np.ones((3, 3)).view(np.matrix), np.frombuffer(bytearray(24)), np.ones(4)[1:], np.float64(2.0), 3.0],
    ids=["matrix", "buffer", "view", "scalar", "float"],
)
def test_only_arrays_with_memory_of_their_own_are_lent(value: object) -> None:
    assert Lending().borrowers(value, Kind.OPERATION) is None


def test_nothing_is_lent_while_code_that_is_not_recorded_runs() -> None:
    lending = Lending()
    lending.foreign = 1
    assert lending.borrowers(np.ones(3), Kind.OPERATION) is None
    lending.foreign = 0
    assert lending.borrowers(np.ones(3), Kind.OPERATION) is not None
    assert lending.borrowers(np.ones(3), Kind.LEAF) is None
