"""Uses of linear algebra on complex matrices.

Eigenvectors and singular vectors are fixed up to a factor of size 1.  What NumPy's algorithm makes of that factor is no
part of their definition, so it is taken out here: vectors are turned so that they have a real product with those of the
matrix that is differentiated at, which is to first order what a change at right angles to them means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from table_cases import Array, Case

_rng = np.random.default_rng(17)
la = np.linalg


def matrix(*shape: int) -> Array:
    return _rng.normal(size=shape) + 1j * _rng.normal(size=shape)


def regular(n: int, *stack: int) -> Array:
    """Square matrices with eigenvalues and singular values well apart."""
    return 0.4 * matrix(*stack, n, n) + np.diag(np.arange(n) * (1.3 - 0.7j) + 1.5)


def hermitian(n: int, *stack: int) -> Array:
    """Positive definite, with eigenvalues well apart; what stands above the diagonal is not read."""
    a = 0.5 * matrix(*stack, n, n)
    return a @ np.swapaxes(a.conj(), -1, -2) + np.diag(np.arange(n) * 1.5 + 0.5) + np.triu(matrix(n, n), 1)


def turned(v: Array, like: Array, axis: int) -> Array:
    """The factors of size 1 that give vectors a real product with others."""
    product = np.sum(like.conj() * v, axis=axis, keepdims=True)
    return np.abs(product) / product


def eigenvectors(f: Callable[[Array], Any], at: Array) -> Callable[..., Array]:
    like = f(at)[1]
    return lambda _, __, a, *more: f(a)[1] * turned(f(a)[1], like, -2)


def singular(part: int, at: Array) -> Callable[..., Array]:
    """The factor is taken from v: u has the same one."""
    like = la.svd(at, full_matrices=False)[2]

    def find(_: Any, __: Any, a: Array) -> Array:
        u, _s, v = la.svd(a, full_matrices=False)
        factor = turned(v.conj(), like.conj(), -1)  # one a row of V̄ᵀ
        return u * np.swapaxes(factor, -1, -2) if part == 0 else v * factor.conj()

    return find


def _part(part: int, name: str, operand: Array, call: Callable[..., Any], **arguments: Any) -> Case:
    return Case("part_of", (part, name, operand), call, arguments)


def _decompositions() -> list[Case]:
    cases = [Case("linalg.cholesky", (hermitian(n, *s),), la.cholesky) for n, *s in ((1,), (3,), (2, 2))]
    cases += [Case("linalg.eigvalsh", (hermitian(n, *s),), la.eigvalsh) for n, *s in ((1,), (3,), (2, 2))]
    cases += [Case("linalg.eigvals", (regular(n, *s),), la.eigvals) for n, *s in ((1,), (3,), (2, 2))]
    cases.append(Case("linalg.eigvals", (np.array([[0.3, -1.2], [0.9, 0.4]]),), la.eigvals, note="real with complex eigenvalues"))
    cases += [Case("linalg.svdvals", (matrix(*s),), la.svdvals) for s in ((3, 2), (2, 3), (3, 3), (2, 3, 2), (1, 3))]
    cases.append(Case("linalg.svd", (matrix(3, 2),), lambda a: la.svd(a, compute_uv=False), {"compute_uv": False}))
    for a in (hermitian(1), hermitian(3), hermitian(2, 2)):
        cases.append(_part(0, "linalg.eigh", a, lambda k, _, a: la.eigh(a)[k]))
        cases.append(_part(1, "linalg.eigh", a, eigenvectors(la.eigh, a)))
    upper = np.swapaxes(hermitian(3), -1, -2)
    cases.append(_part(1, "linalg.eigh", upper, eigenvectors(lambda a: la.eigh(a, "U"), upper), UPLO="U"))
    for a in (regular(1), regular(3), regular(2, 2)):
        cases.append(_part(0, "linalg.eig", a, lambda k, _, a: la.eig(a)[k]))
        cases.append(_part(1, "linalg.eig", a, eigenvectors(la.eig, a)))
    for a in (matrix(3, 2), matrix(2, 3), matrix(3, 3), matrix(2, 3, 2), matrix(1, 3)):
        cases.append(_part(1, "linalg.svd", a, lambda k, _, a: la.svd(a, full_matrices=False)[k], full_matrices=False))
        cases += [_part(k, "linalg.svd", a, singular(k, a), full_matrices=False) for k in (0, 2)]
    for a in (matrix(4, 2), matrix(3, 3), matrix(2, 3, 2), matrix(3, 1)):
        cases += [_part(k, "linalg.qr", a, lambda k, _, a: la.qr(a)[k]) for k in (0, 1)]
    return cases


def _systems() -> list[Case]:
    cases = [Case(f"linalg.{name}", (regular(n, *s),), getattr(la, name)) for name in ("inv", "det") for n, *s in ((1,), (3,), (2, 2))]
    cases += [Case("linalg.solve", (regular(3), matrix(*s)), la.solve) for s in ((3,), (3, 2), (3, 1))]
    cases.append(Case("linalg.solve", (regular(3), _rng.normal(size=3)), la.solve, note="a real right side"))
    cases += [Case("linalg.pinv", (matrix(*s),), la.pinv) for s in ((3, 2), (2, 3), (3, 3), (2, 3, 2))]
    cases += [_part(k, "linalg.slogdet", regular(n, *s), lambda k, _, a: la.slogdet(a)[k]) for k in (0, 1) for n, *s in ((3,), (2, 2))]
    a, b = matrix(4, 2), matrix(4, 3)
    cases.append(Case("part_of", (0, "linalg.lstsq", a, b), lambda k, _, a, b: la.lstsq(a, b, rcond=None)[k], {"rcond": None}))
    cases.append(Case("linalg.multi_dot", ((matrix(2, 3), matrix(3, 4), matrix(4, 2)),), la.multi_dot))
    cases.append(Case("linalg.matrix_power", (matrix(3, 3), 3), lambda a, n: la.matrix_power(a, int(n))))
    return cases


COMPLEX_LINEAR_CASES = [*_decompositions(), *_systems()]
