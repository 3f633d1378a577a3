"""Lists of numbers that NumPy takes for arrays are arrays on the tape."""

from __future__ import annotations

import pytest

from tests.recording.test_windows import record


@pytest.mark.parametrize(
    "call",
    ["np.place(x, x < 2, [0.5, 0.25])", "np.put(x, [0, 2], [0.5, 0.25])", "np.putmask(x, x < 2, [0.5])"],
)
def test_new_entries_from_a_list_are_an_array_on_the_tape(call: str) -> None:
    tape = record(f"import numpy as np\nx = np.arange(4.0)\n{call}\nprint(x)\n").tape
    [written] = [n for n in tape.window_nodes() if n.op in ("place", "put", "putmask")]
    assert tape.nodes[written.args[2].node].op == "array"


def test_a_list_of_written_numbers_in_a_product_is_an_array_on_the_tape() -> None:
    tape = record("import numpy as np\nx = np.ones((2, 3))\ny = x.dot([1, 2, 3.0])\n").tape
    [product] = [n for n in tape.window_nodes() if n.op == "dot"]
    assert tape.nodes[product.args[1].node].op == "array"
