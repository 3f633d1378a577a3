"""Operations as programs write them: recorded, derived and swept in numbers, beside differences of the replayed tape."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import analysed_source
from tests.gradients.test_adjoints import root_on
from tracer.matching.analysis import Analysis

#: Expressions of X (4, 3), v (5,), u (3,) and A (3, 3), a regular matrix; S is symmetric and positive definite.
EXPRESSIONS = """
X.std()  np.std(X, axis=0)  X.std(axis=1, keepdims=True)  np.std(X, 0, ddof=1)  X.var(axis=1, ddof=1)  np.var(X)
np.median(X)  np.median(X, axis=0)  np.median(X, 1, keepdims=True)  np.percentile(X, 30)  np.percentile(X, 75, axis=0)
np.percentile(X, 75, 1)  np.quantile(v, 0.4)  np.quantile(v, q=0.4)  np.average(X)  np.average(X, axis=0, weights=np.arange(1., 5))
np.average(v, weights=v**2)  np.average(X, 1, u**2)  np.nansum(X, axis=0)  np.nanmean(X, 1)  np.nanmax(X)  np.nanmin(X, axis=1)
np.ptp(X)  np.ptp(X, axis=0)  np.ptp(X, 1)  np.prod(X)  X.prod(axis=0)  np.prod(X, 1, keepdims=True)  np.cumprod(v)
np.cumprod(X, axis=1)  np.cumsum(v)  X.cumsum(0)  np.cumsum(X, axis=-1)  np.diff(v)  np.diff(X)  np.diff(X, axis=0)
np.linalg.norm(X)  np.linalg.norm(v)  np.linalg.norm(X, axis=1)  np.linalg.norm(X, axis=0, keepdims=True)  np.linalg.norm(u, 1)
np.linalg.norm(v, ord=1)  np.linalg.norm(X, 'fro')  np.trapezoid(v)  np.trapezoid(v, dx=0.5)
np.sort(v)  np.sort(X)  np.sort(X, axis=0)  np.sort(X, 1)  np.partition(v, 2)
np.arctan2(X, 2.0)  np.arctan2(X, u)  np.arcsinh(X)  np.arctanh(np.tanh(X))  np.arccosh(X**2 + 1.5)  np.hypot(X, u)  np.cbrt(X)
np.logaddexp(X, u)  np.logaddexp(0, X)  np.logaddexp2(X, 1)  np.log1p(X**2)  np.expm1(X)  np.sinc(X)  np.deg2rad(X)
np.rad2deg(X)  np.degrees(X)  np.radians(X)  np.copysign(X, -1.0)  np.remainder(X, 0.7)  X % 0.7  np.fmod(X, 0.7)  np.nan_to_num(X)
np.heaviside(X, 0.5) * X  np.fabs(X)  np.abs(X)  np.sign(X) * X  np.real(X)  np.clip(X, -0.5, 0.5)  X.clip(-0.5, 0.5)
np.clip(X, None, 0.3)  np.clip(X, 0.1, None)
np.maximum(X, u)  np.minimum(0.2, X)  np.fmax(X, 0)  np.where(X > 0, X, 0.1 * X)  np.where(X > 0, 1.0, X)  np.power(X, 3)
X**2  np.float_power(np.abs(X) + 0.5, 1.5)  np.reciprocal(X)  np.exp2(X)  np.square(X)
np.roll(v, 2)  np.roll(X, -1, axis=0)  np.roll(X, (1, 1), axis=(0, 1))  np.flip(X)  np.flip(X, 0)  np.flipud(X)  np.fliplr(X)
np.rot90(X)  np.rot90(X, 2)  np.tile(v, 2)  np.tile(X, (2, 1))  np.repeat(v, 3)  np.repeat(X, 2, axis=1)  X.repeat(2, axis=0)
np.split(X, 2)[1]  np.split(v, [2])[0]  np.array_split(v, 2)[0]  np.hsplit(X, 3)[1]  np.vsplit(X, 2)[0]
np.dstack((X, X**2))  np.append(v, u)  np.append(X, X, axis=0)  np.hstack((v, u))  np.vstack((X, u))  np.column_stack((u, u**2))
np.stack((X, X**2), axis=1)  np.stack([v, v], axis=-1)  np.concatenate((X, X * 2), axis=1)  np.c_[u, u**2]  np.r_[v, u]
np.concatenate([v, u])  np.moveaxis(X, 0, 1)  np.swapaxes(X, 0, 1)  np.rollaxis(X, 1)  np.squeeze(X[None])  np.expand_dims(X, 1)
np.atleast_2d(v)  np.atleast_3d(X)  np.ravel(X)  X.reshape(2, 6)  X.reshape(-1)  X.flatten()  np.transpose(X)  X.T
np.broadcast_to(u, (4, 3))  np.pad(X, 1)  np.pad(v, (1, 2))  np.pad(X, ((0, 1), (2, 0)), mode='constant')
np.lib.stride_tricks.sliding_window_view(v, 2)  np.lib.stride_tricks.sliding_window_view(X, (2, 2))
np.take(X, [0, 2, 2], axis=0)  np.take(v, np.array([1, 1]))  X.take([1], axis=1)  np.take_along_axis(X, np.argsort(X, axis=0), axis=0)
X[np.arange(4), [0, 2, 1, 1]]  X[:, [0, 0]]  X[1:, ::2]  X[..., -1]
np.diag(A)  np.diag(u)  np.diag(A, 1)  np.diagonal(A)  np.trace(A)  A.trace()  np.tril(A)  np.triu(A, 1)  np.tril(X, -1)
np.diagonal(X, offset=-1)  np.trace(X, offset=1)
np.outer(v, u)  np.inner(X, u)  np.vdot(X, X)  np.dot(X, u)  X.dot(A)  X @ A  u @ A @ u  np.matmul(A, u)  np.kron(A, A)
np.cross(u, A[0])  np.cross(X, u)  np.tensordot(X, A, axes=1)  np.tensordot(X, X, axes=([0], [0]))  np.tensordot(X, X)
np.einsum('ij,jk->ik', X, A)  np.einsum('ij,ij->i', X, X)  np.einsum('ij->j', X)  np.einsum('ij,jk->ik', X, A, optimize=True)  np.einsum('ii', A)  np.vecdot(X, u)
np.linalg.multi_dot([X, A, A])  np.linalg.matrix_power(A, 3)
np.linalg.inv(A)  np.linalg.det(A)  np.linalg.slogdet(A)[1]  np.linalg.solve(A, u)  np.linalg.solve(A, X.T)  np.linalg.pinv(X)
np.linalg.cholesky(A @ A.T + np.eye(3))  np.linalg.eigvalsh(A @ A.T)  np.linalg.eigh(A + A.T)[0]  np.linalg.svd(X)[1]
np.linalg.svd(X, compute_uv=False)  np.linalg.eig(A)[0].real  np.linalg.eigvals(A + 3j * u).imag  np.abs(np.linalg.eig(A)[1])  np.abs(np.linalg.svd(A * (1 + 2j) + np.diag(u))[2])  np.abs(np.linalg.svd(A * (1 + 2j) + np.diag(u))[0])  np.linalg.qr(X)[0]  np.linalg.qr(X)[1]  np.linalg.lstsq(X, v[:4], rcond=None)[0]
np.convolve(v, u)  np.convolve(v, u, 'same')  np.convolve(v, u, mode='valid')  np.correlate(v, u)  np.correlate(v, u, 'full')
np.polyval(u, X)  np.linspace(u[0], u[1], 5)  np.meshgrid(v, u)[0]  np.meshgrid(v, u, indexing='ij')[1]
np.fmin(X, 0.1)  np.amax(X, axis=1)  np.amin(X)  X.max(0)  X.min(axis=1, keepdims=True)  X.mean(1)  X.sum()  np.sum(X, (0, 1))
np.max(X, axis=(0, 1))  np.mean(X, axis=-1, keepdims=True)  np.add.reduce(X)  np.negative(X)  np.positive(X)  np.array([u, u * 2])
np.select([X > 0.5, X > 0], [X, X**2], 0.1 * X)  np.choose(np.array([0, 1, 1]), [u, u**2])  np.compress([True, False, True], X, axis=1)
np.extract(np.arange(12) % 3, X)  np.delete(X, 1, axis=0)  np.delete(v, [0, 2])  np.insert(v, 1, u[0])  np.insert(X, 1, u, axis=0)  np.resize(v, (2, 4))
np.block([[X, X], [X, X**2]])  np.trim_zeros(v)  np.cov(X)  np.cov(X, rowvar=False)  np.corrcoef(X)  np.corrcoef(u, u**3)[0, 1]
np.cov(u, u**2, ddof=0)  np.nanvar(X)  np.nanstd(X, axis=0)  np.nanmedian(X, axis=1)  np.nanprod(v)  np.nancumsum(v)  np.nancumprod(v)
np.nanpercentile(X, 30, axis=0)  np.nanquantile(v, 0.3)  np.diff(v, n=2)  np.diff(X, 2, axis=0)  np.ediff1d(v)  np.gradient(v)
np.gradient(v, 0.5)  np.gradient(X)[1]  np.gradient(X, axis=0)  np.gradient(v, np.cumsum(v**2 + 0.3))  np.trapezoid(v, np.cumsum(v**2 + 0.1))
np.unwrap(4 * v)  np.polyadd(v, u)  np.polysub(u, v)  np.polymul(u, v)  np.polyder(v)  np.polyint(v)  np.poly(u)
np.polyfit(np.arange(5.), v, 2)  np.polyfit(v, v**3, 1)  np.vander(u)  np.vander(u, 2, increasing=True)  np.logspace(u[0], u[1], 4)
np.geomspace(np.exp(u[0]), np.exp(u[1]), 4)  np.linalg.norm(A, 2)  np.linalg.norm(A, 'nuc')  np.linalg.norm(A, np.inf)  np.linalg.norm(v, 3)
np.linalg.norm(v, np.inf)  np.linalg.norm(X, ord=1, axis=0)  np.linalg.vector_norm(X, axis=1)  np.linalg.matrix_norm(A)  np.linalg.cond(A)
np.linalg.cond(A, 1)  np.linalg.tensorinv(A, ind=1)  np.linalg.tensorsolve(A, u)  np.linalg.svd(A)[0]  np.linalg.svd(X, full_matrices=False)[2]
np.matvec(A, u)  np.vecmat(u, A)  np.fft.fftshift(X)  np.fft.ifftshift(v)  np.fft.fft(v).real  np.abs(np.fft.rfft2(X))  np.bincount([0, 1, 1, 0, 2], v)  np.bincount([0, 2, 2], weights=u)
np.unstack(X)[1]  np.broadcast_arrays(X, u)[1]  np.dsplit(np.dstack((X, X)), 2)[0]  np.modf(X)[0]  np.frexp(X)[0]  np.divmod(X, 0.7)[1]
np.ldexp(X, 2)  np.cumulative_prod(v)  max(0.1, v[0], v[1]) * v  max(0, u[1]) * u  min(u[0], 0.3) * u  math.prod([u[0], u[1], 2.0]) * v
math.fsum([u[0], u[1]]) * v  math.log(2 + u[0] ** 2, 3) * v  np.asfortranarray(X)
np.array(X)  np.copy(X)  X.copy()  X.astype(float)  np.asarray(X)  np.full((2, 2), u[0])  np.ones_like(X) * u  np.zeros((4, 3)) + X
np.sum(X, axis=0, dtype=np.float64)  X.mean(axis=1, dtype=float)  np.add(X, u, casting='same_kind')
""".split("  ")

#: What has no derivative here, and is said to have none, and what has none of its own.
BLOCKED = [
    "np.sort(np.fft.fft(v)).real", "np.floor(X)", "np.round(X)", "np.quantile(v, [0.2, 0.4])",
    "np.linalg.svd(X)[0]", "np.interp(X, [-2., 0., 2.], u)", "np.polydiv(v, u)[0]", "np.percentile(X, 30, method='lower')",
]  # fmt: skip


def written(expression: str) -> str:
    return f"""
import math
import numpy as np
rng = np.random.default_rng(3)
X, v, u = rng.normal(size=(4, 3)), rng.normal(size=5), rng.normal(size=3)
A = rng.normal(size=(3, 3)) * 0.3 + 2 * np.eye(3)
for it in range(3):
    y = {expression}
    R = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    loss = np.sum(R * y)
    X = X - 0.01 * X
    v = v - 0.01 * v
    u = u - 0.01 * u
    A = A - 0.01 * A
"""


def leaves(found: Analysis, root: int) -> dict[int, np.ndarray]:
    """The adjoints of the arrays that the expression is made of."""
    full = found.matcher.adjoints[root][1].full
    start = {u.before for u in found.updates.values()} | set(found.updates)
    return {n: a for n, a in full.items() if n in start and found.tape.nodes[n].shape}


def expressions() -> list[str]:
    return [e.strip() for line in EXPRESSIONS for e in line.split("\n") if e.strip()]


@pytest.mark.parametrize("expression", expressions())
def test_the_gradient_of_an_expression_is_that_of_differences(expression: str) -> None:
    found = analysed_source(written(expression))
    root = max(r.node for r in found.matcher.roots if r.named)
    assert not found.matcher.adjoints[root][1].blocked
    checked = leaves(found, root)
    assert checked
    for wrt, adjoint in checked.items():
        for index in np.ndindex(*adjoint.shape):
            numeric = [
                (root_on(found, 1, root, wrt, index, h) - root_on(found, 1, root, wrt, index, -h)) / (2 * h)
                for h in (1e-5, 1e-6)
            ]
            assert min(abs(n - adjoint[index]) for n in numeric) < 1e-5 * max(1.0, abs(adjoint[index]))


@pytest.mark.parametrize("expression", BLOCKED)
def test_what_is_not_derived_is_blocked_with_a_reason(expression: str) -> None:
    found = analysed_source(written(expression))
    root = max(r.node for r in found.matcher.roots if r.named)
    assert not leaves(found, root) or found.matcher.adjoints[root][1].blocked
    assert found.graph.reasons
