"""Expressions of course notes, and of textbooks, with the shapes of their arrays."""

from __future__ import annotations

from functools import cache

import tracer
from tracer.api import Gradients

#: The expression, and the shapes as on the command line.
CASES: list[tuple[str, str]] = [
    # Layers.
    ("X @ W + b", "X=N,D W=D,h b=1,h"),
    ("X @ W + b", "X=N,D W=D,h b=h"),
    ("X.dot(W)", "X=N,D W=D,h"),
    ("np.dot(W, x) + b", "W=h,D x=D b=h"),
    ("np.maximum(0, X @ W + b)", "X=N,D W=D,h b=1,h"),
    ("np.tanh(X @ W + b)", "X=N,D W=D,h b=1,h"),
    ("1 / (1 + np.exp(-(X @ W + b)))", "X=N,D W=D,h b=h"),
    ("np.where(Z > 0, Z, 0.01 * Z)", "Z=N,h"),
    ("np.where(Z > 0, Z, np.exp(Z) - 1)", "Z=N,h"),
    ("np.log(1 + np.exp(Z))", "Z=N,h"),
    ("Z / (1 + np.exp(-Z))", "Z=N,h"),
    ("0.5 * Z * (1 + np.tanh(0.8 * (Z + 0.04 * Z**3)))", "Z=N,h"),
    ("np.maximum(0, X @ W1 + b1) @ W2 + b2", "X=N,D W1=D,h b1=1,h W2=h,K b2=1,K"),
    ("np.tanh(Wx @ x + Wh @ h + b)", "Wx=H,D x=D,1 Wh=H,H h=H,1 b=H,1"),
    # Losses.
    ("np.mean((X @ w - y)**2)", "X=N,D w=D y=N"),
    ("np.sum((X @ W - T)**2) / (2 * N)", "X=N,D W=D,K T=N,K"),
    ("0.5 * reg * np.sum(W * W)", "W=D,h reg="),
    ("np.sum(np.abs(W))", "W=D,h"),
    ("-np.mean(np.log(P[np.arange(N), y]))", "P=N,K y=N"),
    ("-np.sum(T * np.log(P)) / N", "T=N,K P=N,K"),
    ("-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))", "t=N p=N"),
    ("np.mean(np.maximum(0, 1 - y * (X @ w)))", "X=N,D w=D y=N"),
    ("np.sum(np.maximum(0, S - S[np.arange(N), y][:, None] + 1)) / N", "S=N,K y=N"),
    # Normalisation.
    ("np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)", "Z=N,K"),
    ("np.exp(z) / np.sum(np.exp(z))", "z=K"),
    ("Z - np.log(np.sum(np.exp(Z), axis=1, keepdims=True))", "Z=N,K"),
    ("np.log(np.sum(np.exp(z)))", "z=K"),
    ("X - X.mean(axis=0)", "X=N,D"),
    ("(X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-5)", "X=N,D"),
    ("(X - X.mean(axis=1, keepdims=True)) / np.sqrt(X.var(axis=1, keepdims=True))", "X=N,D"),
    ("X / np.sqrt(np.sum(X**2, axis=1, keepdims=True))", "X=N,D"),
    ("x / np.sqrt(x @ x)", "x=D"),
    ("gamma * X / np.sqrt(np.mean(X**2, axis=1, keepdims=True) + eps) + beta", "X=N,D gamma=D beta=D eps="),
    # Products.
    ("A @ B @ C", "A=m,k B=k,l C=l,n"),
    ("x @ A @ x", "x=D A=D,D"),
    ("x.T @ A @ y", "x=m,1 A=m,n y=n,1"),
    ("np.outer(u, v)", "u=m v=n"),
    ("np.trace(A @ B)", "A=m,n B=n,m"),
    ("np.einsum('ij,jk->ik', A, B)", "A=m,n B=n,k"),
    ("np.einsum('bi,bj->bij', U, V)", "U=B,m V=B,n"),
    ("np.sum(U * V, axis=1) / np.sqrt(np.sum(U**2, axis=1) * np.sum(V**2, axis=1))", "U=N,D V=N,D"),
    ("Q @ K.T / np.sqrt(d)", "Q=n,d K=m,d"),
    ("u @ v", "u=D v=D"),
    ("np.tensordot(A, B, axes=1)", "A=m,n,k B=k,l"),
    # Broadcasting and reductions.
    ("A + B", "A=N,1 B=1,D"),
    ("A * B", "A=N,D B=D"),
    ("A / B", "A=N,D B=N,1"),
    ("-A", "A=N,D"),
    ("- A * B - 1", "A=N,D B=N,D"),
    ("np.sum(A, axis=0)", "A=N,D"),
    ("np.mean(A, axis=(0, 2), keepdims=True)", "A=N,D,h"),
    ("np.max(A, axis=1)", "A=N,D"),
    ("A.var()", "A=N,D"),
    ("np.cumsum(x)", "x=N"),
    ("(A[:, None, :] - B[None, :, :])**2", "A=N,D B=M,D"),
    ("((A[:, None, :] - B[None])**2).sum(axis=2)", "A=N,D B=M,D"),
    # Shapes and selections.
    ("A.T", "A=N,D"),
    ("A.reshape(-1)", "A=N,D"),
    ("E[idx]", "E=V,d idx=N"),
    ("x[1:] - x[:-1]", "x=N"),
    ("np.mean(np.maximum(0, X - s)[::-1])", "X=N,D s="),
    ("X[1:-1] - 2 * X[:-2] + X[2:]", "X=N,D"),
    ("np.concatenate([A, B], axis=1)", "A=N,D B=N,M"),
    ("A[0]", "A=N,D"),
    ("X.reshape(N, 6) @ W", "X=N,2,3 W=6,h"),
    ("np.transpose(A, (0, 2, 1))", "A=N,D,h"),
    # Functions with a domain.
    ("np.log(X)", "X=N,D"),
    ("np.sqrt(x)", "x=N"),
    ("np.arcsin(x)", "x=N"),
    ("np.log(1 - x)", "x=N"),
    ("x**a", "x=N a="),
    ("np.log(x - 1)", "x=N"),
    ("np.exp(-x**2 / (2 * sigma**2))", "x=N sigma="),
    ("np.clip(x, -0.5, 0.5)", "x=N"),
    ("np.minimum(a, b)", "a=N b=N"),
    ("np.sin(x) * np.cos(y)", "x=N y=N"),
    # What is described with more than its operands.
    ("np.linalg.norm(X, axis=1)", "X=N,D"),
    ("x / np.linalg.norm(x)", "x=D"),
    ("np.linalg.inv(A)", "A=D,D"),
    ("np.linalg.det(A)", "A=D,D"),
    ("np.linalg.solve(A, b)", "A=D,D b=D"),
    ("x @ np.linalg.inv(A) @ x", "x=D A=D,D"),
    ("np.max(A, axis=1, keepdims=True) - A.min()", "A=N,D"),
    ("np.sort(X, axis=0)", "X=N,D"),
    ("np.prod(x)", "x=N"),
    ("X.std(axis=0)", "X=N,D"),
    ("np.var(x, ddof=1)", "x=N"),
    ("np.average(x, weights=w)", "x=N w=N"),
    ("a[m > 0]", "a=N m=N"),
    ("np.repeat(x, 3)", "x=N"),
    ("np.convolve(x, k)", "x=N k=M"),
    ("math.exp(x) * math.pi", "x="),
    ("x", "x=N,D"),
    ("2 * x", "x="),
    ("np.sign(x) * w", "x=N w=N"),
    ("(x > 0) * w", "x=N w=N"),
    # What is told by arrays that the expression does not compute, and steps that are constant in between.
    ("np.c_[np.ones(N), X] @ W", "X=N,1 W=2,h"),
    ("np.r_[a, b, 0.0] ** 2", "a=N b=M"),
    ("np.broadcast_to(x, (4, N)) * 3", "x=N"),
    ("np.pad(X, ((1, 2), (0, 0)), mode='edge') ** 2", "X=N,D"),
    ("np.pad(x, 2, mode='wrap')", "x=N"),
    ("np.prod(X, axis=1)", "X=N,D"),
    ("np.cumprod(x)", "x=N"),
    ("np.median(X, axis=0)", "X=N,D"),
    ("np.percentile(X, 30, axis=1)", "X=N,D"),
    ("np.quantile(x, 0.3)", "x=N"),
    ("np.cov(X, rowvar=False)", "X=N,D"),
    ("np.average(X, axis=0, weights=w)", "X=N,D w=N"),
    ("np.diff(x, n=2)", "x=N"),
    ("np.floor(x) * x", "x=N"),
    ("np.round(x)", "x=N"),
    ("x // 2 + x % 2", "x=N"),
]


@cache
def derived(expression: str, shapes: str) -> Gradients:
    """The gradients of a case; several tests ask for the same."""
    return tracer.derive(expression, None, shapes.split())


def names(case: tuple[str, str]) -> str:
    return case[0]
