"""Parts of networks whose gradients have closed forms over several operations, each with one line that would be wrong."""

from __future__ import annotations

from closed_programs import Closed

NETWORKS: dict[str, Closed] = {
    "attention through a causal mask": Closed(
        "X = np.random.randn(5, 4); Q0 = np.random.randn(4, 3); K0 = np.random.randn(4, 3); V0 = np.random.randn(4, 3);"
        " T = np.random.randn(5, 3); n = X.shape[0]; d = Q0.shape[1]; allowed = np.tril(np.ones((n, n))) > 0",
        """
        Q = X @ Q0
        K = X @ K0
        V = X @ V0
        S = np.where(allowed, Q @ K.T / np.sqrt(d), -1e9)
        E = np.exp(S - S.max(axis=1, keepdims=True))
        A = E / E.sum(axis=1, keepdims=True)
        O = A @ V
        loss = np.sum((O - T) ** 2)
        dO = 2 * (O - T)
        dV = A.T @ dO
        dA = dO @ V.T
        dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))
        dS = np.where(allowed, dS, 0) / np.sqrt(d)
        dQ = dS @ K
        dK = dS.T @ Q
        Q0 = Q0 - 0.1 * X.T @ dQ
        K0 = K0 - 0.1 * X.T @ dK
        V0 = V0 - 0.1 * X.T @ dV
        """,
        ("dO", "dV", "dA", "dQ", "dK"),
        ("dQ = dS @ K", "dQ = dS.T @ K"),
        "dQ",
    ),
    "step of a recurrent net": Closed(
        "x = np.random.randn(4, 3); h0 = np.random.randn(4, 5); Wx = np.random.randn(3, 5); Wh = np.random.randn(5, 5);"
        " b = np.random.randn(5); T = np.random.randn(4, 5)",
        """
        h = np.tanh(x @ Wx + h0 @ Wh + b)
        loss = np.sum((h - T) ** 2)
        dh = 2 * (h - T)
        da = (1 - h * h) * dh
        dWx = x.T @ da
        dWh = h0.T @ da
        db = da.sum(axis=0)
        dh0 = da @ Wh.T
        Wx = Wx - 0.1 * dWx
        Wh = Wh - 0.1 * dWh
        b = b - 0.1 * db
        h0 = h0 - 0.1 * dh0
        """,
        ("dh", "da", "dWx", "dWh", "db", "dh0"),
        ("da = (1 - h * h) * dh", "da = (1 - h) * dh"),
        "da",
    ),
    "step of an LSTM": Closed(
        "x = np.random.randn(3, 2); h0 = np.random.randn(3, 4); c0 = np.random.randn(3, 4); W = np.random.randn(6, 16); H = 4;"
        " T = np.random.randn(3, 4)",
        """
        z = np.hstack((x, h0))
        a = z @ W
        i = 1 / (1 + np.exp(-a[:, :H]))
        f = 1 / (1 + np.exp(-a[:, H:2 * H]))
        o = 1 / (1 + np.exp(-a[:, 2 * H:3 * H]))
        g = np.tanh(a[:, 3 * H:])
        c = f * c0 + i * g
        tc = np.tanh(c)
        h = o * tc
        loss = 0.5 * np.sum((h - T) ** 2)
        dh = h - T
        do = dh * tc
        dc = dh * o * (1 - tc ** 2)
        df = dc * c0
        di = dc * g
        dg = dc * i
        da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g ** 2)))
        dW = z.T @ da
        W = W - 0.1 * dW
        """,
        ("dh", "do", "dc", "df", "di", "dg", "da", "dW"),
        ("dc = dh * o * (1 - tc ** 2)", "dc = dh * o * (1 - c ** 2)"),
        "dc",
    ),
    "convolution as a sum over offsets": Closed(
        "X = np.random.randn(2, 5, 5); K = np.random.randn(2, 2); T = np.random.randn(2, 4, 4)",
        """
        Y = np.zeros((2, 4, 4))
        for p in range(2):
            for q in range(2):
                Y = Y + X[:, p:p + 4, q:q + 4] * K[p, q]
        loss = np.sum((Y - T) ** 2)
        dY = 2 * (Y - T)
        dK = np.zeros((2, 2))
        for p in range(2):
            for q in range(2):
                dK[p, q] = np.sum(dY * X[:, p:p + 4, q:q + 4])
        K = K - 0.01 * dK
        """,
        ("dY", "dK"),
        ("np.sum(dY * X[:, p:p + 4, q:q + 4])", "np.sum(dY * X[:, q:q + 4, p:p + 4])"),
        "dK",
    ),
    "convolution by windows": Closed(
        "X = np.random.randn(2, 6, 6); K = np.random.randn(3, 3); T = np.random.randn(2, 4, 4)",
        """
        cols = np.lib.stride_tricks.sliding_window_view(X, (3, 3), axis=(1, 2))
        Y = np.einsum('nijpq,pq->nij', cols, K)
        loss = np.sum((Y - T) ** 2)
        dY = 2 * (Y - T)
        dK = np.einsum('nij,nijpq->pq', dY, cols)
        K = K - 0.01 * dK
        """,
        ("dY", "dK"),
        ("'nij,nijpq->pq'", "'nij,nijqp->pq'"),
        "dK",
    ),
    "largest of each pair of pixels": Closed(
        "X = np.random.randn(3, 4, 6); T = np.random.randn(3, 2, 3)",
        """
        R = X.reshape(3, 2, 2, 3, 2)
        Y = R.max(axis=(2, 4))
        loss = np.sum((Y - T) ** 2)
        dY = 2 * (Y - T)
        dR = (R == Y[:, :, None, :, None]) * dY[:, :, None, :, None]
        X = X - 0.01 * dR.reshape(X.shape)
        """,
        ("dY", "dR"),
        ("(R == Y[:, :, None, :, None])", "(R > 0)"),
        "dR",
    ),
    "embedding": Closed(
        "E = np.random.randn(7, 4); W = np.random.randn(4, 3); ids = np.array([1, 5, 1, 2]); T = np.random.randn(4, 3)",
        """
        V = E[ids]
        Y = V @ W
        loss = np.sum((Y - T) ** 2)
        dY = 2 * (Y - T)
        dV = dY @ W.T
        dE = np.zeros_like(E)
        np.add.at(dE, ids, dV)
        E = E - 0.1 * dE
        """,
        ("dY", "dV", "dE"),
        ("dV = dY @ W.T", "dV = Y @ W.T"),
        "dE",
    ),
    "matrix factorisation": Closed(
        "R = np.random.randn(6, 5); seen = (np.random.rand(6, 5) > 0.4).astype(float); U = np.random.randn(6, 2); V = np.random.randn(5, 2); lam = 0.1",
        """
        E = seen * (R - U @ V.T)
        loss = np.sum(E ** 2) + lam * (np.sum(U ** 2) + np.sum(V ** 2))
        dU = -2 * E @ V + 2 * lam * U
        dV = -2 * E.T @ U + 2 * lam * V
        U = U - 0.01 * dU
        V = V - 0.01 * dV
        """,
        ("dU", "dV"),
        ("dV = -2 * E.T @ U", "dV = -2 * E.T @ V"),
        "nothing",
    ),
    "log-softmax": Closed(
        "Z = np.random.randn(6, 5); T = np.random.randn(6, 5)",
        """
        L = Z - np.log(np.sum(np.exp(Z), axis=1, keepdims=True))
        loss = np.sum(L * T)
        dZ = T - np.exp(L) * np.sum(T, axis=1, keepdims=True)
        Z = Z - 0.1 * dZ
        """,
        ("dZ",),
        ("np.sum(T, axis=1, keepdims=True)", "np.sum(T, axis=0, keepdims=True)"),
        "dZ",
    ),
}
