"""No argument of NumPy is left out silently: what a row does not know is refused, and what it takes is followed."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_complex import COMPLEX_CASES
from test_complex import Prepared as OfComplex
from test_table import CASES, Prepared

from tracer.gradients.adjoints import ancestors, numeric_adjoints
from tracer.gradients.graph_building import build_graph
from tracer.gradients.rules import NumericRules
from tracer.ops import OPERATIONS, AxisTable, NoFormula, define
from tracer.ops.parts import PARTS
from tracer.ops.table import FOR_COMPLEX
from tracer.program import parse
from tracer.recording import record_source
from tracer.tape.node import Kind

#: Rows that take any keyword: the one hands them on to the row of the part, the others look at each.
HANDED_ON = {"part_of", *(name for name in OPERATIONS if name.startswith("fft."))}


def test_a_row_names_the_arguments_that_it_takes() -> None:
    rows: dict[str, Callable[..., Any]] = {name: row.write for name, row in OPERATIONS.items()}
    swallowing = {
        name
        for name, write in [*rows.items(), *PARTS.items(), *FOR_COMPLEX.items()]
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(write).parameters.values())
    }
    assert swallowing <= HANDED_ON


def test_an_argument_that_no_row_knows_is_refused() -> None:
    one_of_each = {id(OPERATIONS[case.op]): (case, kind) for kind, cases in ((Prepared, CASES), (OfComplex, COMPLEX_CASES)) for case in cases}
    for case, kind in one_of_each.values():
        prepared = kind(case)
        given = {**case.arguments, "of_no_kind": 1}
        with pytest.raises(NoFormula):
            define(case.op, "out", prepared.operands, given, AxisTable(), prepared.result.shape, str(prepared.result.dtype))


SETTING = """
import numpy as np
rng = np.random.default_rng(3)
X, P = rng.normal(size=(4, 3)), rng.uniform(0.3, 2.0, size=(4, 3))
T, v, u = rng.normal(size=(2, 4, 3)), rng.normal(size=5), rng.normal(size=3)
A = rng.normal(size=(3, 3)) * 0.3 + 2 * np.eye(3)
S = A @ A.T + np.diag([0.0, 1.0, 2.0])
w = rng.uniform(0.5, 2.0, size=3)
M = np.array([[True, False, True], [True, True, False], [False, True, True], [True, False, True]])
"""
LEAVES = ("X", "P", "T", "v", "u", "A", "S", "w")

#: Functions with their operands; each is called with every argument that its signature has and `GIVEN` has values for.
CALLS = """
sum X|sum T|prod X|mean X|std X|var X|max X|min T|ptp X|median X|average X|cumsum v|cumsum X|cumprod v|percentile X, 30|quantile v, 0.4
nansum X|nanmean X|nanvar X|nanstd X|nanmax X|nanmedian X|nanprod v|nanpercentile X, 30|cumulative_sum v|diff v|diff X|ediff1d v
gradient v|trapezoid v|sort v|sort X|partition v, 2|cov X|corrcoef X|nan_to_num X|clip X, -0.5, 0.5|add X, u, out=np.zeros((4, 3))|exp X, out=np.zeros((4, 3))|dot X, A|matmul X, A
inner X, u|outer v, u|kron A, A|cross u, w|tensordot X, A, 1|trace A|einsum 'ij,jk->ik', X, A|linalg.norm X|linalg.norm v|linalg.inv A
linalg.solve A, u|linalg.pinv X|linalg.cholesky S|linalg.eigvalsh S|linalg.svd X|linalg.qr A|linalg.lstsq X, v[:4]|linalg.cond A
linalg.vector_norm X|linalg.matrix_norm X|linalg.trace T[:, :3]|linalg.diagonal T|linalg.outer v, u|linalg.tensordot X, A
transpose T|swapaxes T, 0, 1|rollaxis T, 1|reshape X, (2, 6)|ravel X|squeeze X[None]|expand_dims X, 1|broadcast_to u, (4, 3)|flip X
rot90 A|roll X, 1|repeat X, 2|pad X, 1|concatenate (X, P)|stack (X, P)|append X, P|insert X, 1, u, 0|delete X, 1, 0|diag A|diagonal A
tril A|triu A|tri 3|eye 3|vander u|take X, [0, 2]|select [X > 0], [X]|compress [True, False, True], X|trim_zeros v|array X|asarray X
copy X|full (2, 2), u[0]|full_like X, u[0]|linspace u[0], u[1]|logspace u[0], u[1]|geomspace w[0], w[1]|meshgrid v, u|unstack X
convolve v, u|correlate v, u|polyder v|polyint v|unwrap v|bincount [0, 1, 1], w|fft.fft v|fft.ifft v|fft.rfft v|fft.fft2 X|fft.irfft v
real_if_close X|apply_along_axis np.sum, 0, X|add.reduce X|multiply.reduce X|add.accumulate X
"""
GIVEN = {
    "axis": ["0", "-1", "None", "(0, 1)"], "dtype": ["float", "int"], "where": ["M"], "initial": ["0.7", "u[0]"],
    "keepdims": ["True"], "ddof": ["1"], "order": ["'F'"], "casting": ["'unsafe'"], "copy": ["True"], "k": ["1", "-1"], "n": ["2", "4"],
    "mode": ["'wrap'", "'same'", "'reflect'", "'mean'", "'maximum'", "'r'"], "norm": ["'ortho'", "'forward'"], "rcond": ["0.5", "None"],
    "method": ["'lower'", "'midpoint'"], "prepend": ["u[0]"], "to_end": ["0.5"], "endpoint": ["False"], "base": ["2.0", "w[0]"],
    "num": ["4"], "rowvar": ["False"], "bias": ["True"], "aweights": ["w"], "weights": ["P", "w"], "hermitian": ["True"], "UPLO": ["'U'"],
    "upper": ["True"], "full_matrices": ["False"], "ord": ["1", "2", "np.inf", "'fro'", "'nuc'", "3", "w[0]"], "p": ["1", "-1"],
    "axes": ["1", "(0, 1)", "(1, 0)", "(0, 2, 1)"], "axis1": ["1"], "axisa": ["0"], "offset": ["1"], "indexing": ["'ij'"],
    "constant_values": ["3", "u[0]", "(0, 1)"], "end_values": ["0.5"], "reflect_type": ["'odd'"], "edge_order": ["2"], "tol": ["1.0"],
    "x": ["v"], "dx": ["0.5", "u[0]"], "default": ["0.5", "u[0]"], "trim": ["'f'"], "m": ["2"], "min": ["-0.2"], "period": ["3.0"],
    "discont": ["4.0"], "increasing": ["True"], "minlength": ["6"], "N": ["2"], "ndmin": ["3"], "compute_uv": ["False"],
}  # fmt: skip
#: What signatures do not show.
HIDDEN = {"pad": "constant_values end_values reflect_type", "gradient": "axis edge_order", "array": "dtype copy order ndmin"}
OF_METHODS = "axis dtype keepdims initial where".split()


def texts() -> Iterator[str]:
    """Every call, alone and with each further argument, by keyword and by place."""
    for call in re.split(r"[|\n]", CALLS.strip()):
        name, _, operands = call.partition(" ")
        function: Any = np
        for part in name.split("."):
            function = getattr(function, part)
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except ValueError:
            parameters = []
        names = [p.name for p in parameters] + HIDDEN.get(name, "").split() + OF_METHODS * (isinstance(function, np.ufunc) or "." in name)
        yield f"np.{name}({operands})"
        for argument in dict.fromkeys(names):
            for value in GIVEN.get(argument, ()):
                yield f"np.{name}({operands}, {argument}={value})"
        count = len(re.findall(r",(?![^\[(]*[\])])", operands)) + 1
        if count < len(parameters) and parameters[count].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            for value in GIVEN.get(parameters[count].name, ()):
                yield f"np.{name}({operands}, {value})"


def numbers(text: str, space: dict[str, Any]) -> Any:
    """The numbers that a call gives, of several arrays those of the first; None if it fails, or gives others."""
    try:
        with np.errstate(all="ignore"):
            found = eval(text, dict(space))
    except Exception:
        return None
    found = found[0] if isinstance(found, (tuple, list)) else found
    return found if np.asarray(found).dtype.kind in "fc" else None


@pytest.mark.filterwarnings("ignore")
def test_every_argument_of_numpy_is_followed_or_refused_with_a_reason() -> None:
    space: dict[str, Any] = {}
    exec(SETTING, space)
    calls = [t for t in dict.fromkeys(texts()) if numbers(t, space) is not None]
    lines = [f"y{k} = {t}" + "[0]" * isinstance(eval(t, dict(space)), (tuple, list)) for k, t in enumerate(calls)]
    tape = record_source(parse(SETTING + "\n".join(lines) + "\n", "calls.py")).tape
    graph = build_graph(tape)
    rules, values = NumericRules(graph), [n.value for n in tape.nodes]
    bound = {binding.name: binding.node for binding in tape.bindings}
    rng = np.random.default_rng(1)
    followed = refused = 0
    for k, text in enumerate(calls):
        value = np.asarray(numbers(text, space))
        root = bound[f"y{k}"]
        assert np.array_equal(tape.nodes[root].value, value, equal_nan=True), text
        weights = rng.normal(size=value.shape) + (1j * rng.normal(size=value.shape) if value.dtype.kind == "c" else 0)
        swept = numeric_adjoints(tape, rules, values, root, ancestors(tape, root, ()), (), np.asarray(weights))
        for leaf in (name for name in LEAVES if re.search(rf"\b{name}\b", text)):
            x = space[leaf]
            direction = rng.normal(size=x.shape)
            after, before = (np.asarray(numbers(text, {**space, leaf: x + h * direction})) for h in (1e-6, -1e-6))
            slope = float(np.sum(weights * (after - before)).real) / 2e-6
            adjoint = swept.full.get(bound[leaf])
            if adjoint is None:
                told = (graph.reasons.keys() | graph.unfollowed.keys()) & set(map(graph.representative, swept.blocked))
                assert told or tape.nodes[root].kind is Kind.OPAQUE or abs(slope) < 1e-6, text
                refused += 1
            else:
                assert float(np.sum(adjoint * direction)) == pytest.approx(slope, rel=1e-4, abs=1e-5), text
                followed += 1
    assert (followed, refused) > (400, 50)
