"""The well-known factorisation of a matrix of ratings, one number of the factors after the other, in many hands."""

from __future__ import annotations

from tracer.api import Explanation
from tracer.explanation.model import Part

FACTORISATION = """\
import numpy

def factorise(R, P, Q, K, steps=6, alpha=0.002, beta=0.02):
    Q = Q.T
    for step in range(steps):
        for i in range(len(R)):
            for j in range(len(R[i])):
                if R[i][j] > 0:
                    eij = R[i][j] - numpy.dot(P[i,:], Q[:,j])
                    for k in range(K):
{step}
        e = 0
        for i in range(len(R)):
            for j in range(len(R[i])):
                if R[i][j] > 0:
                    e = e + pow(R[i][j] - numpy.dot(P[i,:], Q[:,j]), 2)
                    for k in range(K):
                        e = e + (beta/2) * (pow(P[i][k], 2) + pow(Q[k][j], 2))
        if e < 0.001:
            break
    return P, Q.T

rng = numpy.random.default_rng(3)
R = numpy.array([[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 4], [0, 1, 5, 4]])
P, Q = rng.random((5, 2)), rng.random((4, 2))
nP, nQ = factorise(R, P, Q, 2)
"""

#: Every number of both factors moves down the gradient, from what it was before.
RIGHT = {
    "read before": """\
pik, qkj = P[i][k], Q[k][j]
P[i][k] = pik + alpha * (2 * eij * qkj - beta * pik)
Q[k][j] = qkj + alpha * (2 * eij * pik - beta * qkj)""",
    "one kept": """\
old = P[i][k]
P[i][k] = P[i][k] + alpha * (2 * eij * Q[k][j] - beta * P[i][k])
Q[k][j] = Q[k][j] + alpha * (2 * eij * old - beta * Q[k][j])""",
    "in place": """\
pik = P[i, k]
P[i, k] += alpha * (2 * eij * Q[k, j] - beta * P[i, k])
Q[k, j] += alpha * (2 * eij * pik - beta * Q[k, j])""",
    "gradients with names": """\
gp = beta * P[i][k] - 2 * eij * Q[k][j]
gq = beta * Q[k][j] - 2 * eij * P[i][k]
P[i][k] -= alpha * gp
Q[k][j] -= alpha * gq""",
}
#: The second line reads what the first one has changed.
STALE = {
    "as published": """\
P[i][k] = P[i][k] + alpha * (2 * eij * Q[k][j] - beta * P[i][k])
Q[k][j] = Q[k][j] + alpha * (2 * eij * P[i][k] - beta * Q[k][j])""",
    "in place": """\
P[i, k] += alpha * (2 * eij * Q[k, j] - beta * P[i, k])
Q[k, j] += alpha * (2 * eij * P[i, k] - beta * Q[k, j])""",
}


def factorisation(step: str) -> str:
    return FACTORISATION.format(step="\n".join(f"{' ' * 24}{line}" for line in step.split("\n")))


def judged(found: Explanation) -> list[tuple[int, Part]]:
    """What the explanation judges, with its lines."""
    return [(line.line, part) for line in found.lines for part in line.parts if part.verdict is not None]
