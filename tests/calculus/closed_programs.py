"""Programs whose gradients have closed forms over several operations, each with one line that would be wrong.

A program is its set-up, the body of its loop, the names that hold gradients, and an altered line with the name
that is then no gradient any more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Closed:
    setup: str
    body: str
    gradients: tuple[str, ...]
    altered: tuple[str, str]
    spoiled: str


_X = "X = np.random.randn(6, 5); W = np.random.randn(5, 3); t = np.array([0, 1, 2, 0, 1, 2]); n = X.shape[0]"
_LOGISTIC = "X = np.random.randn(8, 4); w = np.random.randn(4); y = (np.random.rand(8) > 0.5).astype(float); m = X.shape[0]"
_ROWS = "X = np.random.randn(6, 5); g = np.random.randn(5); T = np.random.randn(6, 5); eps = 1e-5; N = X.shape[0]"
_REGRESSION = "X = np.random.randn(8, 4); w = np.random.randn(4); y = np.random.randn(8); n = len(y); lam = 0.1"
_PAIRS = (
    "X = np.random.randn(7, 4); P = np.exp(-np.sum((X[:, None] - X[None]) ** 2, axis=2)); P = P / P.sum();"
    " Y = np.random.randn(7, 2); n = len(Y)"
)

PROGRAMS: dict[str, Closed] = {
    "softmax and cross-entropy of one-hot rows, shifted": Closed(
        "X = np.random.randn(6, 5); W = np.random.randn(5, 3); Y = np.eye(3)[np.array([0, 1, 2, 0, 1, 2])]; n = X.shape[0]",
        """
        s = X @ W
        e = np.exp(s - np.max(s, axis=1, keepdims=True))
        p = e / np.sum(e, axis=1, keepdims=True)
        loss = -np.sum(Y * np.log(p)) / n
        ds = (p - Y) / n
        dW = X.T @ ds
        W = W - 0.1 * dW
        """,
        ("ds", "dW"),
        ("ds = (p - Y) / n", "ds = (p + Y) / n"),
        "ds",
    ),
    "softmax and cross-entropy of labels": Closed(
        _X,
        """
        a = X.dot(W)
        q = np.exp(a) / np.exp(a).sum(axis=1)[:, None]
        loss = np.mean(-np.log(q[np.arange(n), t]))
        ga = q.copy()
        ga[np.arange(n), t] -= 1
        dq = ga / n
        dW = X.T.dot(dq)
        W = W - 0.1 * dW
        """,
        ("dq", "dW"),
        ("ga[np.arange(n), t] -= 1", "ga[np.arange(n), t] -= 2"),
        "dW",
    ),
    "cross-entropy by the logarithm of a sum of exponentials": Closed(
        _X,
        """
        a = X.dot(W)
        top = a.max(axis=1, keepdims=True)
        lse = top + np.log(np.exp(a - top).sum(axis=1, keepdims=True))
        logp = a - lse
        loss = -logp[np.arange(n), t].mean()
        da = np.exp(logp)
        da[np.arange(n), t] -= 1
        da /= n
        dW = X.T.dot(da)
        W = W - 0.1 * dW
        """,
        ("dW",),
        ("da = np.exp(logp)", "da = np.exp(a)"),
        "dW",
    ),
    "log-sum-exp, with sums of two shapes": Closed(
        _X,
        """
        s = X @ W
        loss = np.mean(np.log(np.exp(s).sum(1)) - s[np.arange(n), t])
        p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
        ds = (p - np.eye(3)[t]) / n
        dW = X.T @ ds
        W = W - 0.1 * dW
        """,
        ("ds", "dW"),
        ("ds = (p - np.eye(3)[t]) / n", "ds = (p - np.eye(3)[t]) / 3"),
        "nothing",
    ),
    "softmax alone": Closed(
        "Z = np.random.randn(6, 5); T = np.random.randn(6, 5)",
        """
        e = np.exp(Z)
        p = e / e.sum(axis=1, keepdims=True)
        loss = np.sum((p - T) ** 2)
        dp = 2 * (p - T)
        dZ = p * (dp - np.sum(dp * p, axis=1, keepdims=True))
        Z = Z - 0.1 * dZ
        """,
        ("dp", "dZ"),
        ("axis=1, keepdims=True))\n        Z =", "axis=0, keepdims=True))\n        Z ="),
        "dZ",
    ),
    "sigmoid and binary cross-entropy": Closed(
        _LOGISTIC,
        """
        z = X @ w
        a = 1 / (1 + np.exp(-z))
        cost = -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))
        dz = (a - y) / m
        dw = X.T @ dz
        w = w - 0.1 * dw
        """,
        ("dz", "dw"),
        ("dz = (a - y) / m", "dz = (y - a) * a / m"),
        "dz",
    ),
    "binary cross-entropy of scores, softplus": Closed(
        _LOGISTIC,
        """
        z = X @ w
        cost = np.mean(np.log(1 + np.exp(z)) - y * z)
        dz = (1 / (1 + np.exp(-z)) - y) / m
        dw = X.T @ dz
        w = w - 0.1 * dw
        """,
        ("dz", "dw"),
        ("dz = (1 / (1 + np.exp(-z)) - y) / m", "dz = (1 / (1 + np.exp(z)) - y) / m"),
        "dz",
    ),
    "binary cross-entropy of scores, logaddexp": Closed(
        _LOGISTIC,
        """
        z = X @ w
        cost = np.mean(np.logaddexp(0, z) - y * z)
        dz = (1 / (1 + np.exp(-z)) - y) / m
        dw = X.T @ dz
        w = w - 0.1 * dw
        """,
        ("dz", "dw"),
        ("dz = (1 / (1 + np.exp(-z)) - y) / m", "dz = (1 / (1 + np.exp(-z)) + y) / m"),
        "dz",
    ),
    "binary cross-entropy of scores, without overflow": Closed(
        _LOGISTIC,
        """
        z = X @ w
        cost = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))
        dz = (1 / (1 + np.exp(-z)) - y) / m
        dw = X.T @ dz
        w = w - 0.1 * dw
        """,
        ("dz", "dw"),
        ("dz = (1 / (1 + np.exp(-z)) - y) / m", "dz = (1 / (1 + np.exp(-np.abs(z))) - y) / m"),
        "dz",
    ),
    "sigmoid in two branches": Closed(
        _LOGISTIC,
        """
        z = X @ w
        p = np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))
        cost = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        dz = (p - y) / m
        dw = X.T @ dz
        w = w - 0.1 * dw
        """,
        ("dz", "dw"),
        ("dz = (p - y) / m", "dz = (p - y) * p / m"),
        "dz",
    ),
    "softsign": Closed(
        "X = np.random.randn(8, 4); W = np.random.randn(4, 3); T = np.random.randn(8, 3)",
        """
        z = X @ W
        a = z / (1 + np.abs(z))
        loss = np.sum((a - T) ** 2)
        dz = 2 * (a - T) / (1 + np.abs(z)) ** 2
        dW = X.T @ dz
        W = W - 0.01 * dW
        """,
        ("dz", "dW"),
        ("/ (1 + np.abs(z)) ** 2", "/ (1 + z) ** 2"),
        "dz",
    ),
    "Huber": Closed(
        "X = np.random.randn(8, 4); w = np.random.randn(4); y = np.random.randn(8); delta = 1.0",
        """
        r = X @ w - y
        a = np.abs(r)
        loss = np.sum(np.where(a <= delta, 0.5 * r ** 2, delta * (a - 0.5 * delta)))
        dr = np.where(a <= delta, r, delta * np.sign(r))
        dw = X.T @ dr
        w = w - 0.1 * dw
        """,
        ("dr", "dw"),
        ("delta * np.sign(r))", "np.abs(r))"),
        "dr",
    ),
    "Student's t": Closed(
        "X = np.random.randn(8, 4); w = np.random.randn(4); y = np.random.randn(8); nu = 3.0",
        """
        r = X @ w - y
        loss = (nu + 1) / 2 * np.sum(np.log(1 + r ** 2 / nu))
        dr = (nu + 1) * r / (nu + r ** 2)
        dw = X.T @ dr
        w = w - 0.1 * dw
        """,
        ("dr", "dw"),
        ("dr = (nu + 1) * r", "dr = nu * r"),
        "dr",
    ),
    "ridge regression": Closed(
        _REGRESSION,
        """
        r = X @ w - y
        J = np.dot(r, r) / (2 * n) + lam * np.sum(w ** 2)
        dw = X.T @ r / n + 2 * lam * w
        w = w - 0.1 * dw
        """,
        ("dw",),
        ("2 * lam * w", "2 * w"),
        "dw",
    ),
    "lasso": Closed(
        _REGRESSION,
        """
        r = X @ w - y
        J = np.mean(np.abs(r)) + lam * np.linalg.norm(w, 1)
        dw = X.T @ np.sign(r) / n + lam * np.sign(w)
        w = w - 0.1 * dw
        """,
        ("dw",),
        ("lam * np.sign(w)", "lam * w"),
        "dw",
    ),
    "euclidean norms": Closed(
        _REGRESSION,
        """
        r = X @ w - y
        J = np.linalg.norm(r) + 0.5 * np.linalg.norm(w) ** 2
        dw = X.T @ (r / np.linalg.norm(r)) + w
        w = w - 0.1 * dw
        """,
        ("dw",),
        ("(r / np.linalg.norm(r))", "(r / np.linalg.norm(w))"),
        "dw",
    ),
    "cosine similarity": Closed(
        "a = np.random.randn(5); b = np.random.randn(5)",
        """
        na = np.linalg.norm(a)
        nb = np.linalg.norm(b)
        loss = a @ b / (na * nb)
        da = b / (na * nb) - loss * a / na ** 2
        db = a / (na * nb) - loss * b / nb ** 2
        a = a - 0.1 * da
        b = b - 0.1 * db
        """,
        ("da", "db"),
        ("loss * a / na ** 2", "loss * a / nb ** 2"),
        "da",
    ),
    "hinge": Closed(
        "X = np.random.randn(8, 4); w = np.random.randn(4); y = np.sign(np.random.randn(8)); n = len(y)",
        """
        margin = y * (X @ w)
        loss = np.mean(np.maximum(0, 1 - margin))
        dm = -(margin < 1).astype(float) / n
        dw = X.T @ (dm * y)
        w = w - 0.1 * dw
        """,
        ("dm", "dw"),
        ("(margin < 1)", "(margin < 0)"),
        "dm",
    ),
    "multi-class hinge": Closed(
        "X = np.random.randn(8, 4); W = np.random.randn(4, 3); y = np.array([0, 1, 2, 0, 1, 2, 0, 1]); n = len(y)",
        """
        S = X @ W
        correct = S[np.arange(n), y][:, None]
        M = np.maximum(0, S - correct + 1)
        M[np.arange(n), y] = 0
        J = np.sum(M) / n
        D = (M > 0).astype(float)
        D[np.arange(n), y] = -np.sum(D, axis=1)
        dW = X.T @ D / n
        W = W - 0.1 * dW
        """,
        ("dW",),
        ("D[np.arange(n), y] = -np.sum(D, axis=1)", "D[np.arange(n), y] = -1"),
        "dW",
    ),
    "layer norm": Closed(
        _ROWS,
        """
        mu = X.mean(axis=1, keepdims=True)
        var = X.var(axis=1, keepdims=True)
        xh = (X - mu) / np.sqrt(var + eps)
        J = np.sum(g * xh * T)
        dxh = T * g
        dX = (dxh - dxh.mean(axis=1, keepdims=True) - xh * (dxh * xh).mean(axis=1, keepdims=True)) / np.sqrt(var + eps)
        dg = np.sum(T * xh, axis=0)
        X = X - 0.1 * dX
        g = g - 0.1 * dg
        """,
        ("dxh", "dX", "dg"),
        ("(dxh * xh).mean", "dxh.mean"),
        "dX",
    ),
    "batch norm": Closed(
        _ROWS,
        """
        mu = np.mean(X, axis=0)
        xc = X - mu
        var = np.mean(xc ** 2, axis=0)
        std = np.sqrt(var + eps)
        xn = xc / std
        J = np.sum(g * xn * T)
        dg = np.sum(T * xn, axis=0)
        dxn = T * g
        dX = (N * dxn - np.sum(dxn, axis=0) - xn * np.sum(dxn * xn, axis=0)) / (N * std)
        X = X - 0.1 * dX
        g = g - 0.1 * dg
        """,
        ("dg", "dxn", "dX"),
        ("/ (N * std)", "/ std"),
        "nothing",
    ),
    "root mean square norm": Closed(
        _ROWS,
        """
        r = 1 / np.sqrt(np.mean(X * X, axis=-1, keepdims=True) + eps)
        u = X * r
        J = np.sum(u * T)
        dX = r * (T - u * np.mean(T * u, axis=-1, keepdims=True))
        X = X - 0.1 * dX
        """,
        ("dX",),
        ("u * np.mean(T * u", "X * np.mean(T * u"),
        "dX",
    ),
    "rows of length one": Closed(
        _ROWS,
        """
        u = X / np.linalg.norm(X, axis=1, keepdims=True)
        J = np.sum(u * T)
        dX = (T - u * np.sum(u * T, axis=1, keepdims=True)) / np.linalg.norm(X, axis=1, keepdims=True)
        X = X - 0.1 * dX
        """,
        ("dX",),
        ("np.sum(u * T, axis=1, keepdims=True))", "np.sum(X * T, axis=1, keepdims=True))"),
        "dX",
    ),
    "attention": Closed(
        "X = np.random.randn(6, 5); Q0 = np.random.randn(5, 4); K0 = np.random.randn(5, 4); V0 = np.random.randn(5, 3);"
        " T = np.random.randn(6, 3); d = Q0.shape[1]",
        """
        Q = X @ Q0
        K = X @ K0
        V = X @ V0
        S = Q @ K.T / np.sqrt(d)
        E = np.exp(S - S.max(axis=1, keepdims=True))
        A = E / E.sum(axis=1, keepdims=True)
        O = A @ V
        loss = np.sum((O - T) ** 2)
        dO = 2 * (O - T)
        dV = A.T @ dO
        dA = dO @ V.T
        dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))
        dQ = dS @ K / np.sqrt(d)
        dK = dS.T @ Q / np.sqrt(d)
        Q0 = Q0 - 0.1 * X.T @ dQ
        K0 = K0 - 0.1 * X.T @ dK
        V0 = V0 - 0.1 * X.T @ dV
        """,
        ("dO", "dV", "dA", "dS", "dQ", "dK"),
        ("dK = dS.T @ Q", "dK = dS @ Q"),
        "dK",
    ),
    "gate of a recurrent unit": Closed(
        "x = np.random.randn(4, 3); h0 = np.random.randn(4, 5); W = np.random.randn(3, 5); U = np.random.randn(5, 5);"
        " R = np.random.randn(3, 5); T = np.random.randn(4, 5)",
        """
        z = 1 / (1 + np.exp(-(x @ W + h0 @ U)))
        k = np.tanh(x @ R)
        h = (1 - z) * k + z * h0
        loss = 0.5 * np.sum((h - T) ** 2)
        dh = h - T
        dz = dh * (h0 - k) * z * (1 - z)
        dk = dh * (1 - z) * (1 - k ** 2)
        dW = x.T @ dz
        dU = h0.T @ dz
        dR = x.T @ dk
        W = W - 0.1 * dW
        U = U - 0.1 * dU
        R = R - 0.1 * dR
        """,
        ("dh", "dz", "dk", "dW", "dU", "dR"),
        ("dz = dh * (h0 - k)", "dz = dh * (k - h0) * h0"),
        "dz",
    ),
    "variational autoencoder": Closed(
        "mu = np.random.randn(4, 3); lv = np.random.randn(4, 3); eps = np.random.randn(4, 3); T = np.random.randn(4, 3)",
        """
        z = mu + np.exp(0.5 * lv) * eps
        loss = 0.5 * np.sum((z - T) ** 2) - 0.5 * np.sum(1 + lv - mu ** 2 - np.exp(lv))
        dz = z - T
        dmu = dz + mu
        dlv = dz * 0.5 * np.exp(0.5 * lv) * eps + 0.5 * (np.exp(lv) - 1)
        mu = mu - 0.1 * dmu
        lv = lv - 0.1 * dlv
        """,
        ("dz", "dmu", "dlv"),
        ("0.5 * (np.exp(lv) - 1)", "0.5 * (np.exp(0.5 * lv) - 1)"),
        "dlv",
    ),
    "words and negative samples": Closed(
        "V = np.random.randn(7, 4); U = np.random.randn(7, 4); c = 2; o = 3; neg = np.array([0, 5, 6])",
        """
        v = V[c].copy()
        u = U[o].copy()
        un = U[neg]
        pos = 1 / (1 + np.exp(-(u @ v)))
        ns = 1 / (1 + np.exp(un @ v))
        loss = -np.log(pos) - np.sum(np.log(ns))
        dv = (pos - 1) * u + (1 - ns) @ un
        du = (pos - 1) * v
        dun = np.outer(1 - ns, v)
        V[c] -= 0.1 * dv
        U[o] -= 0.1 * du
        """,
        ("dv", "du", "dun"),
        ("(1 - ns) @ un", "ns @ un"),
        "dv",
    ),
    "words and negative samples, by a sigmoid of the negative": Closed(
        "V = np.random.randn(7, 4); U = np.random.randn(7, 4); c = 2; o = 3; neg = np.array([0, 5, 6])",
        """
        v = V[c].copy()
        u = U[o].copy()
        un = U[neg]
        pos = 1 / (1 + np.exp(-(u @ v)))
        loss = -np.log(pos) - np.sum(np.log(1 / (1 + np.exp(-(-un @ v)))))
        ns = 1 / (1 + np.exp(-(un @ v)))
        dv = (pos - 1) * u + un.T @ ns
        du = (pos - 1) * v
        dun = np.outer(ns, v)
        V[c] -= 0.1 * dv
        U[o] -= 0.1 * du
        """,
        ("dv", "du", "dun"),
        ("+ un.T @ ns", "- un.T @ ns"),
        "dv",
    ),
    "a Gaussian's covariance": Closed(
        "Y = np.random.randn(30, 3); L = np.random.randn(3, 3) * 0.3 + np.eye(3); n = Y.shape[0]",
        """
        S = L @ L.T
        sign, logdet = np.linalg.slogdet(S)
        P = np.linalg.inv(S)
        loss = 0.5 * n * logdet + 0.5 * np.sum((Y @ P) * Y)
        dS = 0.5 * n * P.T - P.T @ (0.5 * Y.T @ Y) @ P.T
        dL = (dS + dS.T) @ L
        L = L - 0.001 * dL
        """,
        ("dS", "dL"),
        ("dS = 0.5 * n * P.T", "dS = 0.5 * n * S.T"),
        "dS",
    ),
    "t-SNE": Closed(
        _PAIRS,
        """
        diff = Y[:, None, :] - Y[None, :, :]
        num = 1 / (1 + np.sum(diff ** 2, axis=2))
        Q = num / np.sum(num)
        loss = np.sum(P * np.log(P / Q))
        F = (P - Q) * num
        dY = 4 * np.sum(F[:, :, None] * diff, axis=1)
        Y = Y - 0.1 * dY
        """,
        ("F", "dY"),
        ("F = (P - Q) * num", "F = (P - Q) * num ** 2"),
        "F",
    ),
    "t-SNE without an element's chance with itself, by a Laplacian": Closed(
        _PAIRS + "; P = P * (1 - np.eye(n)); P = P / P.sum()",
        """
        s = np.sum(np.square(Y), 1)
        num = 1 / (1 + np.add(np.add(-2 * np.dot(Y, Y.T), s).T, s))
        Q = num / (np.sum(num) - n)
        loss = -np.sum(P * np.log(Q))
        F = (P - Q) * num
        dY = 4 * (np.diag(np.sum(F, axis=1)) - F) @ Y
        Y = Y - 0.1 * dY
        """,
        ("dY",),
        ("dY = 4 * (np.diag", "dY = 2 * (np.diag"),
        "nothing",
    ),
    "quadratic form": Closed(
        "A = np.random.randn(5, 5); A = A + A.T; b = np.random.randn(5); x = np.random.randn(5)",
        """
        loss = 0.5 * x @ A @ x - b @ x
        g = A @ x - b
        x = x - 0.1 * g
        """,
        ("g",),
        ("g = A @ x - b", "g = A @ x + b"),
        "g",
    ),
    "distances in a plane": Closed(
        "X = np.random.randn(7, 4); D0 = np.sum((X[:, None] - X[None]) ** 2, axis=2); Y = np.random.randn(7, 2)",
        """
        diff = Y[:, None] - Y[None]
        E = np.sum(diff ** 2, axis=2) - D0
        loss = np.sum(E ** 2)
        dY = 8 * np.sum(E[:, :, None] * diff, axis=1)
        Y = Y - 0.001 * dY
        """,
        ("dY",),
        ("dY = 8 * np.sum(E[:, :, None]", "dY = 8 * np.sum(np.abs(E)[:, :, None]"),
        "dY",
    ),
}
