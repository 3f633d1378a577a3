"""π is π: no replay may draw another number for it."""

from __future__ import annotations

import math

import pytest

from tests.building.explained import judged_source
from tracer.program import parse
from tracer.recording import record_source
from tracer.tape import Kind

GAUSSIAN = """\
import numpy as np
{imports}
np.random.seed(0)
x, t = np.random.randn(20), np.random.rand(20)
mu, s = 0.3, 1.7
for step in range(4):
    p = np.exp(-(x - mu) ** 2 / (2 * s ** 2)) / np.sqrt(2 * {pi} * s ** 2)
    loss = 0.5 * np.sum((p - t) ** 2)
    d = p - t
    # the constant in front, in other words than the forward pass has it
    dmu = np.sum(d * np.exp(-(x - mu) ** 2 / (2 * s * s)) * (x - mu) / (s ** 3 * math.sqrt(2) * {root}))
    mu -= 0.1 * dmu
"""


@pytest.mark.parametrize(
    ("imports", "pi"),
    [("import math", "np.pi"), ("import math", "math.pi"), ("import math\nfrom math import pi", "pi"),
     ("import math\nPI = np.pi", "PI")],
)  # fmt: skip
def test_a_constant_written_in_another_way_is_no_error(imports: str, pi: str) -> None:
    found = judged_source(GAUSSIAN.format(imports=imports, pi=pi, root="1.7724538509055159"))
    [part] = [p for line in found.lines for p in line.parts if p.target == "dmu"]
    assert part.verdict in ("proved", "checked")


def test_a_wrong_constant_is_still_an_error() -> None:
    found = judged_source(GAUSSIAN.format(imports="import math", pi="np.pi", root="1.5"))
    [part] = [p for line in found.lines for p in line.parts if p.target == "dmu"]
    assert part.verdict not in ("proved", "checked")


def test_pi_is_an_operation_without_operands_wherever_it_is_read() -> None:
    source = "import numpy as np\nfrom math import e, pi\nr = 2.5\na = pi * r + np.pi + e\n"
    nodes = [n for n in record_source(parse(source, "p.py")).tape.nodes if n.value in (math.pi, math.e)]
    assert {(n.kind, n.op) for n in nodes} == {(Kind.OPERATION, "pi"), (Kind.OPERATION, "e")}
