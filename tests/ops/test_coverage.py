"""No function of arrays that NumPy has is without an answer: a row, or the reason why there is none."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from tracer.ops import OPERATIONS, UNDIFFERENTIABLE
from tracer.ops.parts import PARTS
from tracer.recording.ufunc_calls import ALIASES

#: What speaks of types, memory, text, files, dates or settings, or makes an array of no numbers of the program.
NOT_OF_NUMBERS = frozenset(
    """array2string array_repr array_str base_repr binary_repr broadcast_shapes busday_count busday_offset can_cast common_type
    datetime_as_string datetime_data einsum_path format_float_positional format_float_scientific from_dlpack frombuffer fromfile
    fromregex fromstring frompyfunc genfromtxt get_include get_printoptions getbufsize geterr geterrcall info is_busday
    iscomplexobj isdtype isfortran isrealobj isscalar issubdtype iterable load loadtxt may_share_memory min_scalar_type
    mintypecode nested_iters printoptions promote_types result_type save savetxt savez savez_compressed set_printoptions
    setbufsize seterr seterrcall shares_memory show_config show_runtime test typename""".split()
)

#: What is recorded as another operation, or as several.
RECORDED_AS = {
    "fliplr": "flip", "flipud": "flip", "hsplit": "split", "vsplit": "split", "apply_along_axis": "stack", "fromiter": "array",
    "asmatrix": "array", "bmat": "array", "as_strided": "take_flat", "bitwise_invert": "invert",
}  # fmt: skip

#: Where a function is found, and how its name begins there.
PLACES = [(np, ""), (np.linalg, "linalg."), (np.fft, "fft."), (np.lib.stride_tricks, "")]


def functions(module: ModuleType, prefix: str) -> Iterator[str]:
    """The canonical names of the functions of a module."""
    for attribute in dir(module):
        found = getattr(module, attribute)
        public = not attribute.startswith("_") and callable(found) and not isinstance(found, type)
        if public and attribute not in NOT_OF_NUMBERS:
            name = getattr(found, "__name__", attribute)
            name = ALIASES.get(name, name)
            yield RECORDED_AS.get(name, prefix + name)


def unanswered(module: ModuleType, prefix: str) -> set[str]:
    answered = OPERATIONS.keys() | UNDIFFERENTIABLE.keys() | PARTS.keys()
    return {
        name
        for name in functions(module, prefix)
        if name not in answered and name.removeprefix("linalg.") not in answered
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("module", "prefix"), PLACES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_every_public_function_of_numbers_has_a_row_or_a_reason(module: ModuleType, prefix: str) -> None:
    assert unanswered(module, prefix) == set()


@pytest.mark.filterwarnings("ignore")
def test_a_function_that_is_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(OPERATIONS, "gradient")
    monkeypatch.delitem(PARTS, "gradient")
    assert unanswered(np, "") == {"gradient"}


#: Methods of arrays that speak of memory, types or text.
METHODS_NOT_OF_NUMBERS = frozenset(
    "byteswap dump dumps getfield setfield setflags to_device tobytes tofile".split()
)
METHODS_RECORDED_AS = {
    "partition": "partitioned",
    "resize": "resized",
    "sort": "sort_in_place",
    "tolist": "item",
}


def test_every_method_of_an_array_has_a_row_or_a_reason() -> None:
    answered = OPERATIONS.keys() | UNDIFFERENTIABLE.keys()
    methods = {
        METHODS_RECORDED_AS.get(m, m)
        for m in dir(np.ndarray)
        if not m.startswith("_")
        and inspect.isroutine(getattr(np.ndarray, m))
        and m not in METHODS_NOT_OF_NUMBERS
    }
    assert methods - answered == set()
