"""Everything that a program does to numbers stands on the tape: shown by replaying it with other numbers.

Each program is run natively with inputs A and B and recorded with inputs A.  The tape of A, replayed with
the inputs of B, must give what the native run with B gave; a dependency that was lost gives A's value.
"""

from __future__ import annotations

import numpy as np
import pytest

from tracer.program import parse
from tracer.recording import Recording, record_source
from tracer.recording.box import same
from tracer.tape import Kind, replay

BEFORE = "import numpy as np, math, functools, operator\nfrom functools import reduce\n"
AFTER = "\nresult = out * 1\n"

FOLLOWED = {
    "math.exp": "out = math.exp(s) * x",
    "float": "out = float(np.sum(x)) * 2",
    "item": "out = x.sum().item() + s",
    "array of scalars": "a = s*2; b = s+1; out = np.array([a, b]) @ x[:2]",
    "a list of scalars": "l = []\nfor r in x:\n    l.append(r.sum())\nout = np.array(l).mean()",
    "sum of a generator": "out = sum([(r*r).sum() for r in x])",
    "zip over rows": "out = 0\nfor a, b in zip(x, w): out = out + a[:2] * b",
    "enumerate numbers": "out = 0.\nfor i, a in enumerate(x[:,0]): out += a * i",
    "a row changed in place": "b = x.copy(); a = b[0]; a += 1; a *= w[:,0]; out = b * 2",
    "a transpose changed in place": "b = x.copy(); t = b.T; t[0] = w[0,0]; r = b.reshape(-1); r[5] = s; out = t @ b",
    "a view read after its base changed": "b = x.copy(); a = b[:, 1]; b[...] = b * b; out = a + 1",
    "out=": "o = np.zeros(x.shape); np.multiply(x, s, out=o); np.add(o, o, o); out = o",
    "positional out": "o = x.copy(); np.tanh(o, o); out = o * s",
    "clip with out": "o = x.copy(); np.clip(o, -0.5, 0.5, out=o); out = o * s",
    "np.add.at": "o = np.zeros(4); np.add.at(o, [0,1,1], x[:,0]); out = o",
    "np.subtract.at": "o = np.zeros(4); np.subtract.at(o, [0,1,1], x[:,0]); out = o",
    "sort in place": "a = x[0].copy(); a.sort(); out = a * [1,2,3,4]",
    "fill_diagonal": "a = x[:3,:3].copy(); np.fill_diagonal(a, s); out = a @ a",
    "map of a lambda": "out = np.array(list(map(lambda r: r.sum() * s, x)))",
    "closure": "def mk(k):\n    def g(v): return v * k\n    return g\nout = mk(s)(x)",
    "global in a function": "def g(v): return 1./(2*n) * np.sum(v) * s\nout = g(x)",
    "generator function": "def g():\n    for r in x: yield r * s\nout = np.stack(list(g()))",
    "private attribute and property": (
        "class P:\n    def __init__(self, k): self.__k = k\n    @property\n    def k2(self): return self.__k * 2\nout = P(s).k2 * x"
    ),
    "decorator": (
        "def deco(f):\n    @functools.wraps(f)\n    def h(*a, **k): return f(*a, **k) * 2\n    return h\n"
        "@deco\ndef g(v, k=1.): return v * k\nout = g(x, k=s)"
    ),
    "range over n": "out = 0.\nfor i in range(n): out = out + x[i] * s",
    "round": "out = round(s * 3.3, 2) * x",
    "while": "c = s\nwhile not c < 0.1: c = c * 0.5\nout = c * x",
    "ternary and or": "out = (x if s > 0 else w) * (s or 1.)",
    "walrus in an f-string": "t = f'{(q := s*2):.2f}'; out = q * x",
    "tuple swap": "a, b = s, s*2; a, b = b, a; out = a * x + b",
    "star arguments": "def g(*a, **k): return a[0] @ a[1] * k['z']\nargs = (x, w); out = g(*args, **{'z': s})",
    "dict comprehension": "d = {k: v * s for k, v in {'a': x}.items()}; out = d['a']",
    "c_ and r_": "out = np.c_[x*s, x]",
    "einsum and norm": "out = np.einsum('ij,jk->ik', x, w) + np.linalg.norm(x)",
    "a bound method": "f = x.dot; out = f(w) * s",
    "zero-argument super": (
        "class B:\n    def f(self, v): return v * s\nclass C(B):\n    def f(self, v): return super().f(v) + 1\nout = C().f(x)"
    ),
    "assignment to a mask": "b = x.copy(); b[b > 0] *= s; b[b < -1] = -1; out = b",
    "chained comparison": "out = np.where((x > -s) & (x < s), x, s) if -9 < s < 9 else 0",
    "attribute changed in place": "class O: pass\no = O(); o.W = x.copy(); o.W -= s * o.W; o.W[0] += 1; out = o.W",
    "try": "try:\n    out = x @ x\nexcept ValueError:\n    out = x @ x.T * s",
    "block writes": "g = np.zeros((3, 8)); g[:, :4] = x; g[:, 4:] = 1 / (1 + np.exp(-x)); out = g * s",
    "negative key of a dict": "hs = {}; hs[-1] = x[0]; hs[0] = np.tanh(hs[-1] * s); out = hs[0]",
    "split": "a, b = np.split(x, 2, axis=1); out = a * b * s",
    "concatenate": "out = np.concatenate([x, x * s], axis=1)",
    "vstack of a list": "l = [r * s for r in x]; out = np.vstack(l)",
    "softmax in place": "p = np.exp(x); p /= p.sum(axis=1, keepdims=True); d = p; d[range(n), [0, 1, 2]] -= 1; d /= n; out = d",
    "nested lists": "a = [[s, s * 2], [1., s * 3]]; out = sum([a[i][j] for i in range(2) for j in range(2)]) * x",
    "max of numbers": "out = max(s, 0.5) * x + min([s, 2.])",
    "int and abs": "out = x * abs(-s) + int(s * 100) * 0",
    "mean and var": "m = x.mean(0); v = x.var(axis=0); out = (x - m) / np.sqrt(v + 1e-5)",
    "ndindex": "o = np.zeros((3, 4))\nfor i, j in np.ndindex(3, 4): o[i, j] = x[i, j] * s\nout = o",
    "augmented entry of a list": "l = [x * 1, w * 1]\nfor i in range(2): l[i] -= s * l[i]\nout = l[0]",
    "global statement": "k = 0.\ndef f():\n    global k\n    k = k + s\nf(); f(); out = k * x",
    "float32": "a = x.astype(np.float32); a += w[0, 0]; a *= 0.5; out = a * np.float32(s)",
    "integers divided": "out = x * (n / 2) + n // 2",
    "views of views": "b = x.copy(); c = b[1:]; d = c[:, 2:]; d *= s; out = b",
    "atleast_2d and newaxis": "out = x[:, np.newaxis, :] * s + np.atleast_2d(x[0])",
    "outer and tensordot": "out = np.outer(x[0], x[1]) * s + np.tensordot(x, x, axes=([0], [0]))",
    "setattr and getattr": "class O: pass\no = O(); setattr(o, 'k', s * 2.); out = getattr(o, 'k') * x",
    "copy.deepcopy-free copies": "a = np.array(x); b = np.copy(a); a += s; out = b - a",
    "operator and reduce": "out = reduce(np.dot, [x, w, w.T]) * operator.mul(s, 2.)",
    "linalg.inv": "out = np.linalg.inv(x @ x.T + np.eye(3)) * s",
    "ufunc reduce and outer": "out = np.add.reduce(x) + np.multiply.outer(x[0], x[1])",
    "strings beside numbers": "name = 'W' + str(1); d = {name: x * s}; out = d['W1']",
    "tolist": "l = x.tolist(); out = sum(l[0]) * s + l[1][2]",
    "ones_like and full": "out = np.ones_like(x) * s + np.full(x.shape, s)",
    "ravel and unravel": "t = np.concatenate([x.ravel(), w.ravel()]); a = t[:12].reshape(3, 4); a *= s; out = t",
    "conditional expression in a call": "def relu(z):\n    z[z < 0] = 0\n    return z\nh = x * s; a = relu(h); out = a + h",
    "vectorize": "f = np.vectorize(lambda v: v * s if v > 0 else 0.); out = f(x)",
    "apply_along_axis": "out = np.apply_along_axis(lambda r: r * s, 1, x)",
}
#: Programs of which something cannot be followed: there must be a notice.
REPORTED = {
    "a number from text": "out = float('%r' % float(s)) * x",
    "eval": "out = eval('x * s') + 1",
    "memory written behind the recorder": (
        "b = x.copy(); y0 = b * 1; m = memoryview(b).cast('B'); m[0:8] = np.float64(s).tobytes(); out = b * 2"
    ),
}


def inputs(factor: float) -> dict[str, str]:
    random = np.random.default_rng(1)
    x, w = (
        np.round(random.standard_normal((3, 4)), 3) * factor,
        np.round(random.standard_normal((4, 2)), 3) * factor,
    )
    return {
        "x": f"np.array({x.tolist()})",
        "w": f"np.array({w.tolist()})",
        "s": repr(0.75 * factor),
        "n": "3",
    }


def natively(body: str, given: dict[str, str]) -> object:
    space: dict[str, object] = {name: eval(value, {"np": np}) for name, value in given.items()}
    exec(BEFORE + body + AFTER, space)
    return space["result"]


def recorded(body: str, given: dict[str, str]) -> Recording:
    return record_source(parse(BEFORE + body + AFTER, "trap.py"), loop=None, define=given)


def result_node(recording: Recording) -> int:
    return next(b.node for b in reversed(recording.tape.bindings) if b.name == "result")


def leaves_of(recording: Recording, other: Recording) -> dict[int, object]:
    mine = [n for n in recording.tape.nodes if n.kind in (Kind.LEAF, Kind.LITERAL, Kind.RANDOM)]
    theirs = [n for n in other.tape.nodes if n.kind in (Kind.LEAF, Kind.LITERAL, Kind.RANDOM)]
    assert [n.names for n in mine] == [n.names for n in theirs]
    return {a.id: b.value for a, b in zip(mine, theirs, strict=True)}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_replay_gives_what_was_recorded_bit_for_bit(name: str) -> None:
    recording = recorded(FOLLOWED[name], inputs(1.0))
    values = replay(recording.tape)
    wrong = [n for n in recording.tape.window_nodes() if not same(n.value, values[n.id])]
    assert not wrong
    assert same(
        np.asarray(recording.tape[result_node(recording)].value),
        np.asarray(natively(FOLLOWED[name], inputs(1.0))),
    )


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_replay_with_other_inputs_gives_what_the_program_would(name: str) -> None:
    recording = recorded(FOLLOWED[name], inputs(1.0))
    unknown = [
        n
        for n in recording.tape.notices
        if "cannot" in n.what or "not followed" in n.what or "not see" in n.what
    ]
    assert not unknown
    other = recorded(FOLLOWED[name], inputs(1.01))
    found = replay(recording.tape, leaves_of(recording, other))[result_node(recording)]
    expected, before = natively(FOLLOWED[name], inputs(1.01)), natively(FOLLOWED[name], inputs(1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert not np.allclose(before, expected, rtol=1e-9, atol=0), (
        "the other inputs changed nothing: this proves nothing"
    )


@pytest.mark.parametrize("name", REPORTED)
def test_what_cannot_be_followed_is_said(name: str) -> None:
    recording = recorded(REPORTED[name], inputs(1.0))
    np.testing.assert_allclose(
        recording.tape[result_node(recording)].value, natively(REPORTED[name], inputs(1.0))
    )
    assert recording.tape.notices
    assert all(notice.line for notice in recording.tape.notices)
