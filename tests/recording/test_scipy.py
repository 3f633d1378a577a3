"""Functions of SciPy that networks use are operations; what else SciPy does is said not to be followed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tests.conftest import missing
from tests.recording.following import SETTINGS, examine
from tracer.program import parse
from tracer.recording import record_source

SPECIAL = "from scipy.special import expit, erf, softmax, log_softmax, logsumexp, xlogy, logit\n"
SIGNAL = "from scipy import signal\n"
FOLLOWED = {
    "expit": SPECIAL + "out = expit(x @ w) * s",
    "through the module": "import scipy.special as sp\nout = sp.expit(x) * sp.erf(s * x)",
    "scipy dot special": "import scipy.special\nout = scipy.special.expit(x) * s",
    "of a number": SPECIAL + "out = expit(s) * x + float(erf(s))",
    "softmax": SPECIAL + "out = softmax(x, axis=1) * s + softmax(x)",
    "log-sum-exp": SPECIAL + "out = x - logsumexp(x, axis=1, keepdims=True) * s + logsumexp(x) + log_softmax(x, 0)",
    "xlogy": SPECIAL + "out = xlogy(x, np.abs(x) + 1) * s + logit(expit(x))",
    "convolve": SIGNAL + "out = signal.convolve(x, w, mode='same') * s + signal.convolve2d(x, w, 'same')",
    "correlate": SIGNAL + "out = signal.correlate2d(x, w[:2], mode='valid') * s + signal.correlate(x, w[:2], 'valid')",
    "positional mode": "from scipy.signal import convolve2d\nout = convolve2d(x, w, 'full') * s",
}  # fmt: skip
NOTICED = {
    "sparse": "from scipy.sparse import csr_matrix\nA = csr_matrix(np.eye(3))\nout = A @ x * s",
    "sparse made of what is recorded": "from scipy.sparse import csr_matrix\nA = csr_matrix(x)\nout = A.dot(w) * s",
    "optimize": "from scipy.optimize import minimize\nr = minimize(lambda v: ((v - s) ** 2).sum(), np.zeros(2))\nout = x * r.x[0]",
    "filled boundary": SIGNAL + "out = signal.convolve2d(x, w, mode='same', boundary='wrap') * s",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _scipy() -> None:
    if importlib.util.find_spec("scipy") is None:
        missing("scipy")


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", FOLLOWED)
def test_a_function_of_scipy_is_followed(name: str, setting: str) -> None:
    finding = examine(FOLLOWED[name], setting)
    assert (finding.verdict, finding.notices) == ("followed", [])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", NOTICED)
def test_what_is_not_followed_is_said(name: str, setting: str) -> None:
    assert examine(NOTICED[name], setting).verdict in ("noticed", "followed")


def test_a_sparse_matrix_is_named() -> None:
    source = "import numpy as np\n" + NOTICED["sparse"].replace("* s", "").replace("@ x", "@ np.ones((3, 2))")
    notices = record_source(parse(source, "p.py")).notices
    assert any("scipy.sparse" in n.what and n.line == 4 for n in notices)


def test_scipy_is_not_loaded_for_a_program_without_it() -> None:
    code = (
        "import sys, tracer\nfrom tracer.program import parse\nfrom tracer.recording import record_source\n"
        "record_source(parse('import numpy as np\\ny = np.tanh(np.ones(3)).sum()', 'p.py'))\n"
        "assert not any(name.startswith('scipy') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
