"""Expressions of complex numbers and Fourier transforms: the code is compared with differences in real and imaginary parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tracer
from tracer.expressions.errors import CannotDerive

#: The expression, the shapes, and the arrays that are complex.
CASES: list[tuple[str, str, str]] = [
    ("np.fft.fft(x)", "x=N", ""),
    ("np.fft.fft(x, axis=0)", "x=N,M", ""),
    ("np.fft.fft(x, 7)", "x=N", ""),
    ("np.fft.fft2(X)", "X=B,N,M", ""),
    ("np.fft.fftn(X, axes=(0, 2))", "X=B,N,M", ""),
    ("np.fft.ifft2(Z, norm='ortho')", "Z=N,M", "Z"),
    ("np.fft.ifft(Z, norm='forward', axis=0)", "Z=N,M", "Z"),
    ("np.fft.rfft(x)", "x=6", ""),
    ("np.fft.irfft(Z)", "Z=4", "Z"),
    ("np.fft.hfft(Z)", "Z=4", "Z"),
    ("np.abs(np.fft.fft(x))", "x=N", ""),
    ("np.log(np.abs(np.fft.rfft(x))**2 + 1)", "x=6", ""),
    ("np.fft.ifft(np.fft.fft(u) * np.fft.fft(v)).real", "u=N v=N", ""),
    ("np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(h), n=8)", "x=B,8 h=8", ""),
    ("np.sum(np.abs(np.fft.fft(x) - S)**2)", "x=N S=N", "S"),
    ("np.abs(A @ z)**2", "A=m,n z=n", "A z"),
    ("np.mean((np.abs(A @ z)**2 - b)**2)", "A=m,n z=n b=m", "A z"),
    ("X @ W + b", "X=N,D W=D,h b=h", "X W b"),
    ("X @ W", "X=N,D W=D,h", "W"),
    ("np.conj(A).T @ z", "A=m,n z=m", "A z"),
    ("np.real(np.vdot(a, b))", "a=n b=n", "a b"),
    ("np.sum((Z - T) * np.conj(Z - T)).real", "Z=N,K T=N,K", "Z"),
    ("np.exp(1j * t)", "t=n", ""),
    ("(x + 1j * y) ** 2", "x=n y=n", ""),
    ("z / np.abs(z)", "z=n", "z"),
    ("np.angle(z)", "z=n", "z"),
    ("np.linalg.norm(Z, axis=1)", "Z=N,K", "Z"),
    ("np.sqrt(z) * np.log(w)", "z=n w=n", "z w"),
    ("z[1:] * np.conj(z[:-1])", "z=n", "z"),
    ("np.where(m > 0, z, w)", "m=n z=n w=n", "z w"),
    ("z.imag * z.real", "z=n", "z"),
    ("x.astype(complex) / (2 - 1j)", "x=n", ""),
    ("np.tanh(z) - np.sin(z) / z", "z=n", "z"),
    ("np.var(Z, axis=0)", "Z=N,K", "Z"),
    ("np.einsum('ij,kj->ik', Z, np.conj(Z))", "Z=N,K", "Z"),
]


def drawn(shapes: str, of_complex: str, seed: int) -> dict[str, Any]:
    """Numbers away from the negative real ones."""
    rng = np.random.default_rng(seed)
    sizes: dict[str, int] = {}
    point: dict[str, Any] = {}
    for item in shapes.split():
        name, _, axes = item.partition("=")
        shape = tuple(int(a) if a.isdigit() else sizes.setdefault(a, 3 + seed + len(sizes)) for a in axes.split(",") if a)
        point[name] = rng.uniform(0.5, 1.5, shape) + (1j * rng.uniform(-1, 1, shape) if name in of_complex.split() else 0)
    return point


def slope(expression: str, point: dict[str, Any], wrt: str, upstream: Any) -> Any:
    """∂/∂Re − i ∂/∂Im of Re Σ G · expression."""
    start, step = point[wrt], 1e-6
    result = np.zeros_like(start)

    def value(moved: Any) -> Any:
        return np.asarray(eval(expression, {"np": np, **point, wrt: moved}))

    for place in np.ndindex(*start.shape):
        for direction in (1, 1j) if np.iscomplexobj(start) else (1,):
            up, down = start.copy(), start.copy()
            up[place] += step * direction
            down[place] -= step * direction
            result[place] += np.conj(direction) * np.sum(upstream * (value(up) - value(down))).real / (2 * step)
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_the_code_is_the_difference_in_real_and_imaginary_parts(case: tuple[str, str, str]) -> None:
    expression, shapes, of_complex = case
    gradients = tracer.derive(expression, shapes=shapes.split(), complex_arrays=of_complex.split())
    assert [g.wrt for g in gradients] == [item.partition("=")[0] for item in shapes.split()]
    for gradient in gradients:
        assert gradient.verdict in ("proved", "checked")
        assert gradient.code is not None
        for seed in (1, 2):
            point = drawn(shapes, of_complex, seed)
            value = np.asarray(eval(expression, {"np": np, **point}))
            rng = np.random.default_rng(9)
            upstream = rng.normal(size=value.shape) + (1j * rng.normal(size=value.shape) if np.iscomplexobj(value) else 0)
            space: dict[str, Any] = {"np": np, **point, "G": upstream}
            exec(gradient.code, space)
            found = space[gradient.result]
            assert np.shape(found) == np.shape(point[gradient.wrt])
            assert np.iscomplexobj(found) <= np.iscomplexobj(point[gradient.wrt])
            np.testing.assert_allclose(found, slope(expression, point, gradient.wrt, upstream), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if c[2]], ids=lambda c: c[0])
def test_nothing_by_complex_numbers_is_called_proved(case: tuple[str, str, str]) -> None:
    expression, shapes, of_complex = case
    for gradient in tracer.derive(expression, shapes=shapes.split(), complex_arrays=of_complex.split()):
        if gradient.wrt in of_complex.split():
            assert gradient.verdict == "checked"
            assert "complex" in (gradient.remark or "")


def test_a_transform_is_written_as_one() -> None:
    assert tracer.derive("np.fft.fft(x)", shapes=["x=N"])["x"].code == "dx = np.real(np.fft.fft(G))"
    inverse = tracer.derive("np.fft.ifft2(Z)", shapes=["Z=N,M"], complex_arrays="Z")["Z"]
    assert inverse.code == "dZ = np.fft.ifft2(G)"
    assert "e^(−2 · π · i · n · k / N)" in tracer.derive("np.fft.fft(x)", shapes=["x=N"])["x"].index.text


def test_the_imaginary_unit_is_no_index() -> None:
    gradient = tracer.derive("np.exp(1j * X)", shapes=["X=N,M"])["X"]
    assert "[i" not in gradient.index.text
    assert " i" in gradient.index.text


def test_what_has_no_formula_for_complex_numbers_says_so() -> None:
    with pytest.raises(CannotDerive, match="one of real numbers, and these are complex"):
        tracer.derive("np.sort(z)", shapes=["z=n"], complex_arrays="z")


def test_a_complex_array_that_does_not_occur_is_an_error() -> None:
    with pytest.raises(CannotDerive, match="q does not stand in the expression"):
        tracer.derive("np.fft.fft(x)", shapes=["x=n"], complex_arrays=["q"])


@pytest.mark.parametrize("expression", ["np.real(z * c)", "np.real(z) * c"])
def test_a_gradient_by_complex_numbers_is_not_called_proved_though_it_is_real(expression: str) -> None:
    [of_complex] = tracer.derive(expression, wrt=["z"], shapes=["z=n", "c=n"], complex_arrays=["z"])
    [of_real] = tracer.derive(expression, wrt=["z"], shapes=["z=n", "c=n"])
    assert (of_complex.verdict, of_real.verdict) == ("checked", "proved")
