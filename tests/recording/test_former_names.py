"""Names that NumPy and Python no longer have stand for what they were, and say so; nothing is left behind."""

from __future__ import annotations

import numpy as np
import pytest

from tests.recording.test_windows import record
from tracer.recording import ProgramFailed

pytestmark = [
    pytest.mark.skipif(hasattr(np, "mat"), reason="this NumPy still has them"),
    pytest.mark.filterwarnings("ignore:the matrix subclass"),
]

OLD = """\
import numpy as np
from numpy import *
X = mat([[1, 2], [3, 4]])
w = ones((2, 1), dtype=np.float)
print((X * w).tolist(), np.product([2, 3]), np.asscalar(np.ones(1)), np.infty)
"""


def test_an_old_program_runs_and_each_name_is_said_once_where_it_is_first_read() -> None:
    recording = record(OLD)
    assert recording.stdout == "[[3.0], [7.0]] 6 1.0 inf\n"
    said = sorted((n.line, n.what.split("np.")[1].split(";")[0]) for n in recording.notices)
    assert said == [(3, "mat"), (4, "float"), (5, "asscalar"), (5, "infty"), (5, "product")]


def test_nothing_is_left_behind_in_numpy() -> None:
    record(OLD)
    assert not any(hasattr(np, name) or name in np.__all__ for name in ("mat", "float", "product", "infty"))


def test_a_program_that_asks_whether_a_name_is_there_gets_the_true_answer() -> None:
    source = "import numpy as np\nprint(hasattr(np, 'mat'))\nif hasattr(np, 'mat'):\n    np.mat([1])\n"
    assert record(source).stdout == "False\n"


@pytest.mark.parametrize("source", ["np.flout(3)", "class np:\n    pass\nnp.float"])
def test_other_missing_names_are_still_errors(source: str) -> None:
    with pytest.raises(ProgramFailed, match="has no attribute"):
        record(f"import numpy as np\n{source}\n")


def test_names_that_python_no_longer_has_stand_for_what_they_were() -> None:
    import collections
    import time

    source = (
        "import time as t, inspect\nfrom collections import Iterable, OrderedDict\nfrom fractions import gcd\n"
        "start = t.clock()\nprint(isinstance([], Iterable), gcd(4, 6), t.clock() >= start, inspect.getargspec(lambda x: x).args)\n"
    )
    recording = record(source)
    assert recording.stdout == "True 2 True ['x']\n"
    said = sorted((n.line, n.what.split(";")[0]) for n in recording.notices)
    assert said == [
        (2, "Python no longer has collections.Iterable"),
        (3, "Python no longer has fractions.gcd"),
        (4, "Python no longer has time.clock"),
        (5, "Python no longer has inspect.getargspec"),
    ]
    assert not hasattr(time, "clock")
    assert not hasattr(collections, "Iterable")
