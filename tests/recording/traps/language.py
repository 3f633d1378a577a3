"""Small programs that show how Python is written: functions, classes, containers, control flow."""

from __future__ import annotations

TRAPS = {
    "default argument computed": "def f(v, k=s * 2):\n    return v * k\nout = f(x)",
    "keyword-only default": "def f(v, *, k=s * 2, m=w[0, 0]):\n    return v * k + m\nout = f(x)",
    "lambda default": "f = lambda v, k=s + 1: v * k\nout = f(x)",
    "recursion": "def p(v, k):\n    return v if k == 0 else p(v * s, k - 1)\nout = p(x, 3)",
    "closure nonlocal": "def mk():\n    t = 0.\n    def add(v):\n        nonlocal t\n        t = t + v\n        return t\n    return add\nadd = mk(); add(s); out = add(w[0,0]) * x",
    "class attribute": "class P:\n    scale = s * 2\n    def f(self, v): return v * self.scale\nout = P().f(x)",
    "class attribute via cls": "class P:\n    scale = s * 2\n    @classmethod\n    def f(cls, v): return v * cls.scale\n    @staticmethod\n    def g(v): return v + 1\nout = P.g(P.f(x))",
    "inheritance": "class A:\n    def __init__(self, k): self.k = k * 2\n    def f(self, v): return v * self.k\nclass B(A):\n    def __init__(self, k):\n        super().__init__(k)\n        self.j = self.k + 1\n    def f(self, v): return super().f(v) + self.j\nout = B(s).f(x)",
    "property with setter": "class P:\n    def __init__(self): self._k = 0.\n    @property\n    def k(self): return self._k\n    @k.setter\n    def k(self, v): self._k = v * 3\np = P(); p.k = s; out = p.k * x",
    "dataclass": "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    k: float\n    v: object = None\n    l: list = field(default_factory=list)\np = P(s, x); p.l.append(s * 2); out = p.k * p.v + p.l[0]",
    "namedtuple": "P = collections.namedtuple('P', 'a b')\np = P(x * s, w); q = p._replace(b=s); out = p.a + q.b",
    "namedtuple of whole numbers": "P = collections.namedtuple('P', 'a k')\np, q = P(x * s, (1, 2)), P(k=n + 0, a=x); out = p.a * p.k[1] + q.a * q.k + q[1]",
    "typing NamedTuple": "import typing\nclass P(typing.NamedTuple):\n    a: object\n    b: float\np = P(x, s); a, b = p; out = a * b",
    "slots": "class P:\n    __slots__ = ('k',)\np = P(); p.k = s * 2; p.k += 1; out = p.k * x",
    "operator overloading": "class T:\n    def __init__(self, d): self.d = d\n    def __add__(self, o): return T(self.d + o.d)\n    def __mul__(self, o): return T(self.d * (o.d if isinstance(o, T) else o))\n    __rmul__ = __mul__\n    def __matmul__(self, o): return T(self.d @ o.d)\n    def __neg__(self): return T(-self.d)\n    def __getitem__(self, i): return T(self.d[i])\nt = 2. * T(x) @ T(w) + T(w[:1]) * s\nout = (-t)[0:2].d",
    "iadd overloading": "class T:\n    def __init__(self, d): self.d = d\n    def __iadd__(self, o):\n        self.d = self.d + o\n        return self\n    def __isub__(self, o):\n        self.d -= o\n        return self\nt = T(x.copy()); t += s; t -= w[0,0]; out = t.d",
    "len and iter dunder": "class L:\n    def __init__(self, v): self.v = v\n    def __len__(self): return len(self.v)\n    def __iter__(self): return iter(self.v)\n    def __getitem__(self, i): return self.v[i]\n    def __setitem__(self, i, v): self.v[i] = v\n    def __contains__(self, v): return v in self.v\nl = L([x, x * s]); l[0] = l[1] * 2\nout = 0.\nfor r in l: out = out + r\nout = out / len(l)",
    "getattr dunder": "class P:\n    def __init__(self): self.d = {'k': s * 2}\n    def __getattr__(self, n): return self.d[n]\nout = P().k * x",
    "descriptor": "class D:\n    def __get__(self, o, t): return o._v * 2\n    def __set__(self, o, v): o._v = v\nclass P:\n    k = D()\np = P(); p.k = s; out = p.k * x",
    "context manager": "class C:\n    def __init__(self, k): self.k = k\n    def __enter__(self): return self.k * 2\n    def __exit__(self, *a): return None\nwith C(s) as k:\n    out = k * x",
    "contextlib manager": "import contextlib\n@contextlib.contextmanager\ndef c(k):\n    yield k * 2\nwith c(s) as k, c(s + 1) as j:\n    out = k * x + j",
    "errstate": "with np.errstate(all='ignore'):\n    out = np.exp(x) * s",
    "try finally": "def f():\n    try:\n        return x * s\n    finally:\n        pass\nout = f()",
    "try except raise": "def f(v):\n    if v.shape[0] == 3: raise ValueError(s * 2)\ntry:\n    f(x)\nexcept ValueError as e:\n    out = x * e.args[0]",
    "try else": "try:\n    a = x * s\nexcept ZeroDivisionError:\n    a = 0\nelse:\n    a = a + s\nfinally:\n    b = 1\nout = a",
    "match literal": "k = 'relu'\nmatch k:\n    case 'tanh':\n        out = np.tanh(x)\n    case 'relu' | 'lrelu':\n        out = np.maximum(x, 0) * s\n    case _:\n        out = x",
    "match capture": "match (x, s):\n    case (a, float(k)) if k > 0:\n        out = a * k\n    case _:\n        out = x",
    "match mapping": "match {'op': 'mul', 'k': s * 2}:\n    case {'op': 'mul', 'k': k}:\n        out = x * k",
    "match class": "class P:\n    __match_args__ = ('a',)\n    def __init__(self, a): self.a = a\nmatch P(s * 2):\n    case P(a):\n        out = x * a",
    "del": "a = x * s; b = a; del a; out = b; d = {'k': s * 2, 'j': 1}; del d['j']; out = out * d['k']",
    "del list items": "l = [s, s * 2, s * 3]; del l[0]; out = l[0] * x + l[1]",
    "star unpacking": "a, *b = [x, s, s * 2]; *c, d = b; out = a * d + c[0]",
    "nested unpacking": "(a, (b, c)), d = (x, (s, s * 2)), w; out = a * b + c + d[0, 0]",
    "unpack array": "a, b, c = x; out = a * b + c * s",
    "unpack in for": "out = 0.\nfor i, (a, b) in enumerate(zip(x, x * s)): out = out + a * b * i",
    "unpack to attributes": "class P: pass\np = P(); p.a, p.b = x * s, s; out = p.a * p.b",
    "unpack to items": "d = {}; l = [0, 0]; d['a'], l[1] = x * s, s; out = d['a'] * l[1]",
    "chained assignment": "a = b = x * s; a += 1; out = b",
    "chained to attribute": "class P: pass\np = P(); p.k = k = s * 2; out = p.k * x + k",
    "annotated assignment": "a: float = s * 2; out = a * x",
    "global list append": "l = []\ndef f(v):\n    l.append(v * s)\nf(x); f(x * 2); out = l[0] + l[1]",
    "generator expression sum": "out = sum(v * s for v in [x, x * 2])",
    "generator send": "def g():\n    t = 0.\n    while True:\n        v = yield t\n        t = t + v * s\nc = g(); next(c); c.send(x); out = c.send(x)",
    "yield from": "def a():\n    yield x * s\n    yield x\ndef b():\n    yield from a()\nout = sum(b())",
    "generator pipeline": "def batches():\n    for i in range(3):\n        yield x[i], w[:, 0] * s\nout = 0.\nfor a, b in batches(): out = out + a @ b",
    "next": "it = iter([x, x * s]); next(it); out = next(it)",
    "next with default": "it = iter([s * 2]); a = next(it, None); b = next(it, s); out = x * a * b",
    "itertools": "out = 0.\nfor a, b in itertools.product([x, x * s], [s, 2.]): out = out + a * b\nfor a, b in itertools.combinations([x, x*s], 2): out = out + a * b",
    "chain and islice": "out = 0.\nfor a in itertools.islice(itertools.chain([x, x * s], [x]), 2): out = out + a",
    "accumulate": "out = list(itertools.accumulate([x, x * s, x]))[-1]",
    "reduce with lambda": "out = reduce(lambda a, b: a @ b, [x, w, w.T]) * s",
    "reduce with operator": "out = reduce(operator.mul, [x, s, 2.])",
    "reduce with np.dot": "out = reduce(np.dot, [x, w, w.T])",
    "map np function": "out = sum(map(np.exp, [x, x * s]))",
    "map math": "out = np.array(list(map(math.exp, [s, s * 2]))).sum() * x",
    "map float": "out = np.array(list(map(float, [s * 2, 1]))).sum() * x",
    "map two": "out = np.stack(list(map(lambda a, b: a * b, x, x * s)))",
    "map operator": "out = sum(map(operator.mul, [x, x], [s, 2.]))",
    "filter": "out = sum(filter(lambda v: v > 0, [s, -1., s * 2])) * x",
    "sorted key": "out = sorted([s * 2, s], key=lambda v: -v)[0] * x + max([s, s*2], key=lambda v: v)",
    "sorted floats": "out = sorted([s * 2, s, 0.1])[2] * x",
    "zip star": "a, b = zip(*[(s, s * 2), (s * 3, 1.)]); out = x * a[0] + b[0]",
    "partial": "f = functools.partial(np.multiply, s); out = f(x)",
    "partial of user": "def f(k, v): return k * v\ng = functools.partial(f, s); out = g(x)",
    "partial keyword": "f = functools.partial(np.sum, axis=0); out = f(x) * s",
    "lru_cache": "@functools.lru_cache(None)\ndef f(k): return k * 2\nout = f(s) * x + f(s)",
    "wraps decorator with args": "def scale(k):\n    def deco(f):\n        @functools.wraps(f)\n        def g(*a): return f(*a) * k\n        return g\n    return deco\n@scale(s)\ndef f(v): return v + 1\nout = f(x)",
    "class decorator": "class memo:\n    def __init__(self, f): self.f = f\n    def __call__(self, *a): return self.f(*a) * 2\n@memo\ndef f(v): return v * s\nout = f(x)",
    "callable object writes": "class M:\n    def __call__(self, v): return self.forward(v)\nclass H(M):\n    def forward(self, v):\n        v *= s\n        return v\nm = H(); y = x * 2; z = m(y); out = y + z",
    "async for and with": "import asyncio\nclass Open:\n    async def __aenter__(self): return s * 2\n    async def __aexit__(self, *a): return None\nasync def items():\n    for k in (1., 2.):\n        await asyncio.sleep(0)\n        yield k\nasync def run():\n    t = 0.\n    async with Open() as v:\n        async for k in items():\n            t = t + x * k * v\n    return t\nout = asyncio.run(run())",
    "walrus in a chained comparison": "if not -1e9 <= (v := float(x.sum()) * s) < 1e9: v = 0.\nout = x * v",
    "walrus in comprehension": "l = [y * 2 for v in x if (y := v * s).sum() > -100]; out = np.stack(l)",
    "walrus while": "it = iter([s, s * 2, None]); t = 0.\nwhile (v := next(it)) is not None: t = t + v\nout = t * x",
    "conditional import": "from math import sqrt as root\nout = root(s) * x",
    "and or": "a = None; out = (a or x) * (s and 2. * s)",
    "not in comprehension": "out = np.array([v for v in x[0] if not v > 100]) * s",
    "nested comprehension": "out = np.array([[x[i][j] * s for j in range(4)] for i in range(3)])",
    "set comprehension": "out = sum({v * s for v in [1., 2.]}) * x",
    "dict items loop": "d = {'a': x, 'b': x * s}; out = 0.\nfor k, v in d.items(): out = out + v * d[k]",
    "dict values": "d = {'a': s, 'b': s * 2}; out = sum(d.values()) * x",
    "dict update": "d = {'a': s}; d.update(b=s * 2); d.update({'c': s * 3}); out = (d['b'] + d['c']) * x",
    "dict pop": "d = {'a': s * 2}; out = d.pop('a') * x + d.get('z', s)",
    "dict setdefault": "d = {}; d.setdefault('a', s * 2); out = d.setdefault('a', 0) * x",
    "dict fromkeys": "d = dict.fromkeys(['a'], s * 2); out = d['a'] * x",
    "dict union": "d = {'a': s * 2} | {'b': s}; out = d['a'] * x + d['b']",
    "dict constructor": "d = dict(a=s * 2, b=x); e = dict(zip(['k'], [s * 3])); out = d['a'] * d['b'] + e['k']",
    "dict star": "d = {'a': s * 2}; e = {**d, 'b': x}; out = e['a'] * e['b']",
    "defaultdict": "d = collections.defaultdict(float); d['a'] += s; d['a'] += s * 2; out = d['a'] * x",
    "defaultdict lambda": "d = collections.defaultdict(lambda: np.zeros(4)); d['a'] += x[0] * s; d['a'] += x[1]; out = d['a']",
    "OrderedDict": "d = collections.OrderedDict(); d['a'] = x * s; d['b'] = s; out = 0.\nfor k in reversed(d): out = out + d[k]",
    "deque": "q = collections.deque(maxlen=2); q.append(s); q.append(s * 2); q.append(s * 3); out = (q[0] + q.pop()) * x",
    "tuple keys": "d = {}; d[1, 'a'] = s * 2; out = d[(1, 'a')] * x",
    "int keys": "d = {}\nfor t in range(3): d[t] = s * t + (d[t - 1] if t else 0)\nout = d[2] * x",
    "list methods": "l = [s]; l.append(s * 2); l.extend([s * 3]); l.insert(0, s * 4); out = (l[0] + l.pop() + l[1]) * x",
    "list reverse": "l = [s, s * 2]; l.reverse(); out = l[0] * x; l = l[::-1]; out = out + l[0]",
    "list sort": "l = [s * 3, s]; l.sort(); out = l[1] * x",
    "list slice assign": "l = [0., 0., 0.]; l[1:] = [s, s * 2]; out = l[1] * x + l[2]",
    "list concat": "l = [s] + [s * 2]; l += [s * 3]; out = (l[0] + l[2] * l[1]) * x",
    "list repeat": "l = [s * 2] * 3; l[1] = s; out = (l[0] + l[1] + l[2]) * x",
    "list copy": "l = [s * 2, 1.]; m = l.copy(); m = list(m); m = m[:]; out = m[0] * x",
    "nested list matrix": "a = [[0.] * 2 for _ in range(2)]\nfor i in range(2):\n    for j in range(2):\n        a[i][j] = s * (i + 1) + j\nout = (a[0][0] * a[1][1] - a[1][0] * a[0][1]) * x",
    "string keys built": "p = {}\nfor l in range(1, 3): p['W' + str(l)] = x * (s * l)\nout = p['W1'] + p['W%d' % 2]",
    "setattr": "class P: pass\np = P()\nfor k in range(2): setattr(p, 'W%d' % k, x * s + k)\nout = getattr(p, 'W0') * p.W1 + getattr(p, 'zz', s)",
    "__dict__": "class P: pass\np = P(); p.__dict__['k'] = s * 2; vars(p)['j'] = s; out = p.k * x + p.j",
    "instance dict update": "class P:\n    def __init__(self, **k): self.__dict__.update(k)\np = P(k=s * 2, v=x); out = p.k * p.v",
    "setattr kwargs": "class P:\n    def __init__(self, **k):\n        for a, v in k.items(): setattr(self, a, v)\np = P(k=s * 2, v=x); out = p.k * p.v",
    "globals()": "globals()['qq'] = s * 2; out = globals()['qq'] * x; del globals()['qq']",
    "exec": "ns = {}; exec('q = 3.0 * k', {'k': s}, ns); out = ns['q'] * x",
    "eval": "out = eval('x * s') + 1",
    "hasattr": "class P: pass\np = P(); out = x * s if hasattr(p, 'k') else x * (s + 1)",
    "bool of comparison": "t = float(s > 0) * s; out = t * x",
    "assert": "assert x.shape[0] == 3 and s > 0, 'no'\nout = x * s",
    "f-string formats": "t = f'{s:.3f} {x.sum()!r:>10} {s=}'; print(t); out = x * s",
    "print many": "print('a', s, x[0], sep='|', end='!\\n'); print('%.3f %d' % (s, n)); print('{:.2f}'.format(s * 2)); out = x * s",
    "type checks": "print(type(s), type(x.sum()), type(n), isinstance(s, float), type(x[0,0] * s), type(x.sum() > 0)); out = x * s",
    "complex": "z = (x + 1j * s); out = (z * np.conj(z)).real + abs(z) + z.imag",
    "async": "import asyncio\nasync def f(v):\n    await asyncio.sleep(0)\n    return v * s\nout = asyncio.run(f(x))",
    "while else": "k = 0\nwhile k < 3:\n    k += 1\nelse:\n    out = x * s\n",
    "for else break": "for v in [s, s * 2]:\n    if v > 1: break\nelse:\n    v = 0.\nout = v * x",
    "continue": "out = 0.\nfor i in range(4):\n    if i % 2: continue\n    out = out + x * s * i",
    "break in nested": "out = 0.\nfor i in range(3):\n    for j in range(3):\n        if j > i: break\n        out = out + x[i] * s * j",
    "return from loop": "def f():\n    for r in x:\n        if r.sum() > -100: return r * s\nout = f()",
    "lambda in dict": "f = {'relu': lambda z: np.maximum(z, 0), 'lin': lambda z: z * s}; out = f['relu'](x) + f['lin'](x)",
    "tuple of functions": "acts = (np.tanh, lambda z: 1 - np.tanh(z) ** 2); out = acts[0](x) * acts[1](x) * s",
    "function attribute": "def f(v): return v * f.k\nf.k = s * 2; out = f(x)",
    "enum": "import enum\nclass M(enum.Enum):\n    A = 1\n    B = 2\nout = x * s if M.A is M(1) else x",
    "abstract base": "from abc import ABC, abstractmethod\nclass L(ABC):\n    @abstractmethod\n    def f(self, v): ...\nclass S(L):\n    def f(self, v): return v * s\nout = S().f(x)",
    "unhashable class": "class M(type):\n    def __eq__(c, other): return c is other\n    __hash__ = None\nclass P(metaclass=M):\n    def f(self, v): return v * self.k * s\np = P(); p.k = 2. * s\nout = p.f(x)",
    "metaclass": "class M(type):\n    def __new__(m, n, b, d):\n        d['k'] = 2.\n        return super().__new__(m, n, b, d)\nclass P(metaclass=M):\n    def f(self, v): return v * self.k * s\nout = P().f(x)",
    "__new__": "class P:\n    def __new__(cls, k):\n        o = super().__new__(cls)\n        o.k = k * 2\n        return o\nout = P(s).k * x",
    "cached_property": "class P:\n    @functools.cached_property\n    def k(self): return s * 2\np = P(); out = p.k * x + p.k",
    "multiple inheritance": "class A:\n    def f(self, v): return v * s\nclass B:\n    def g(self, v): return v + s\nclass C(A, B): pass\nc = C(); out = c.g(c.f(x))",
    "list subclass": "class L(list):\n    def total(self): return sum(self)\nl = L([s, s * 2]); l.append(s); out = l.total() * x",
    "dict subclass": "class D(dict):\n    __getattr__ = dict.__getitem__\n    __setattr__ = dict.__setitem__\nd = D(); d.k = s * 2; out = d.k * x + d['k']",
    "ndarray subclass": "class A(np.ndarray): pass\na = x.view(A) * s; out = np.asarray(a) + 1",
    "micrograd": """class V:
    def __init__(self, data, ch=(), op=''):
        self.data = data; self.grad = 0.0; self._b = lambda: None; self._p = set(ch)
    def __add__(self, o):
        o = o if isinstance(o, V) else V(o)
        r = V(self.data + o.data, (self, o))
        def b():
            self.grad += r.grad; o.grad += r.grad
        r._b = b
        return r
    def __mul__(self, o):
        o = o if isinstance(o, V) else V(o)
        r = V(self.data * o.data, (self, o))
        def b():
            self.grad += o.data * r.grad; o.grad += self.data * r.grad
        r._b = b
        return r
    def tanh(self):
        t = math.tanh(self.data); r = V(t, (self,))
        def b(): self.grad += (1 - t ** 2) * r.grad
        r._b = b
        return r
    def backward(self):
        topo, seen = [], set()
        def build(v):
            if v not in seen:
                seen.add(v)
                for c in v._p: build(c)
                topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo): v._b()
a, b = V(s), V(w[0, 0]); c = (a * b + a * 2.0).tanh(); c.backward()
out = np.array([a.grad, b.grad, c.data])""",
}
