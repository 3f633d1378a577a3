"""Checked programs of every kind, for the documents."""

from __future__ import annotations

from tracer.checking.model import Checked, Failure, Judged
from tracer.explanation.model import Edit, Note

RIGHT = Judged(33, 4, 33, 20, "dW2", "∂loss/∂W2", "proved")
FINE = Judged(34, 4, 34, 20, "db2", "∂loss/∂b2", "checked", remark="Not proved: it is too large.")
WRONG = Judged(
    41, 8, 42, 3, "dW1", "Meant as ∂loss/∂W1, and is not", "wrong", "missing mask", "The mask of relu is missing.",
    "dW1 = X.T @ (dh * (h > 0))", (Edit(41, 42, "dW1 = X.T @ (dh * (h > 0))"),),
)  # fmt: skip
SAME = Judged(
    43,
    8,
    43,
    11,
    "db1",
    "Meant as ∂loss/∂b1, and is not",
    "wrong",
    "missing mask",
    "The mask of relu is missing.",
)
DELETED = Judged(
    50,
    0,
    50,
    5,
    "dV",
    "Meant as ∂loss/∂V, and is not",
    "wrong",
    None,
    "It is added twice.",
    None,
    (Edit(50, 50, ""),),
)
UNKNOWN = Judged(44, 8, 44, 11, "dQ", "Not recognised", "unexplained")

PROGRAMS = (
    Checked("a b/right.py", "k1", 1.5, (RIGHT, FINE), (Note(3, 0, "plt was replaced."),)),
    Checked("wrong.py", "k2", 2.0, (RIGHT, WRONG, SAME, DELETED)),
    Checked("/home/层/unknown.py", "k3", 0.5, (UNKNOWN,)),
    Checked("nothing.py", "k4", 0.5),
    Checked(
        "broken.py",
        "k5",
        0.1,
        failure=Failure("program", "The program failed: KeyError: 'x\x1b'", 7, 2, "Mend it."),
    ),
    Checked("slow.py", "k6", 60.0, failure=Failure("time", "It took too long.")),
)
