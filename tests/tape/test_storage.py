"""A stored tape is the same tape."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.program import parse
from tracer.recording import record_source
from tracer.recording.box import same
from tracer.tape import Binding, Call, Kind, Node, Notice, Ref, Site, Slice, Span, Tape, Window, storage


def through(tape: Tape, extra: dict[str, Any] | None = None) -> tuple[Tape, dict[str, Any]]:
    file = io.BytesIO()
    storage.write(tape, file, extra)
    file.seek(0)
    return storage.read(file)


def with_value(value: Any) -> Tape:
    return Tape([Node(0, Kind.LEAF, "", (), {}, value, np.shape(value), "x", window=0)])


VALUES = [
    np.array([1.0, np.nan, -np.inf, -0.0]), np.array([[True, False]]), np.arange(3, dtype=np.uint8), np.float32(0.1),
    np.float64(np.nan), np.int64(-5), np.bool_(True), True, 7, 2**70, 0.1, float("nan"), float("inf"), -0.0, 1 + 2j, None,
    np.zeros((0, 3)), np.array(3.0), "text", np.asfortranarray(np.arange(6.0).reshape(2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_bit_for_bit_with_its_type(value: Any) -> None:
    found = through(with_value(value))[0][0].value
    assert type(found) is type(value)
    assert same(found, value)
    if isinstance(value, np.ndarray):
        assert found.tobytes() == value.tobytes()
        assert found.flags.f_contiguous == value.flags.f_contiguous


ARGUMENTS = [
    (Ref(3), 1, None, Ellipsis), (Slice(None, Ref(1), 2),), ((Ref(1), (2, 3)), [4, Ref(5)]), ({"axis": (0, 1)},), (-1.5, "ij,jk->ik"),
]  # fmt: skip


@pytest.mark.parametrize("args", ARGUMENTS, ids=repr)
def test_arguments_come_back(args: Any) -> None:
    tape = Tape(
        [Node(0, Kind.OPERATION, "op", args, {"shape": (Ref(0), 2), "dtype": "uint8"}, None, None, "")]
    )
    found = through(tape)[0][0]
    assert (found.args, found.kwargs) == (args, {"shape": (Ref(0), 2), "dtype": "uint8"})


@given(st.lists(st.floats(width=64) | st.integers() | st.booleans() | st.text(), max_size=4))
def test_any_plain_constants_come_back(items: list[Any]) -> None:
    found = through(Tape([Node(0, Kind.OPERATION, "op", tuple(items), {}, None, None, "")]))[0][0].args
    assert all(type(a) is type(b) and (a == b or a != a) for a, b in zip(found, items, strict=True))


def test_sites_names_bindings_windows_and_notices_come_back() -> None:
    site = Site(Span(1, 2, 3, 4), "x = '한'", "p.py")
    node = Node(
        0, Kind.VIEW, "transpose", (), {}, 1.0, (), "float", site, (Call("f", site),), ["a", "b"], 0, None
    )
    tape = Tape([node], [Binding("a", 0, 1, site, "f")], [Window(5, 1, 0, 1)], [Notice(1, 2, "what")])
    found, extra = through(tape, {"stdout": "é\n"})
    assert extra == {"stdout": "é\n"}
    assert (found.bindings, found.windows, found.notices) == (tape.bindings, tape.windows, tape.notices)
    assert (found[0].site, found[0].calls, found[0].names, found[0].kind) == (
        site,
        node.calls,
        ["a", "b"],
        Kind.VIEW,
    )


def test_a_recorded_program_comes_back() -> None:
    tape = record_source(
        parse("import numpy as np\nx = np.ones((2, 3))\nx[0, 1:] -= 2\ny = x.T.dot(x)[..., None]\n")
    ).tape
    found = through(tape)[0]
    for a, b in zip(tape.nodes, found.nodes, strict=True):
        assert (a.op, a.args, a.kwargs, a.names, a.site) == (b.op, b.args, b.kwargs, b.names, b.site)
        assert same(a.value, b.value)


def test_nothing_is_pickled() -> None:
    file = io.BytesIO()
    storage.write(with_value(np.ones(2)), file)
    assert all(name.endswith(".npy") for name in zipfile.ZipFile(file).namelist())
    with pytest.raises(storage.StorageError, match="type object"):
        storage.write(with_value(object()), io.BytesIO())


def test_another_file_is_refused() -> None:
    with pytest.raises(storage.StorageError, match="not a stored tape"):
        storage.read(io.BytesIO(b"something else"))


def test_small_arrays_share_a_file_and_come_back_as_their_own() -> None:
    small = [np.arange(4.0) + k for k in range(300)]
    tape = Tape([Node(k, Kind.LEAF, "", (), {}, v, v.shape, "float64", window=0) for k, v in enumerate(small)])
    large = Tape([*tape.nodes, Node(300, Kind.LEAF, "", (), {}, np.ones(1000), (1000,), "float64", window=0)])
    for stored, files in ((tape, 2), (large, 3)):
        file = io.BytesIO()
        storage.write(stored, file)
        assert len(zipfile.ZipFile(file).namelist()) == files
        file.seek(0)
        found = storage.read(file)[0]
        assert all(same(a.value, b.value) for a, b in zip(stored.nodes, found.nodes, strict=True))
    found[0].value[0] = 7.0
    assert [found[1].value[0], found[2].value[0]] == [1.0, 2.0]
