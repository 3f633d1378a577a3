import math
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.push = data, 0.0, parents, lambda: None
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def push():
            self.grad += out.grad
            other.grad += out.grad
        out.push = push
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.push = push
        return out
    __radd__, __rmul__ = __add__, __mul__
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return (-self) + other
    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def push(): self.grad += (1 - t * t) * out.grad
        out.push = push
        return out
    def backward(self):
        order, seen = [], set()
        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.parents: visit(p)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order): v.push()

w, b = Value(0.3), Value(-0.1)
for k in range(10):
    loss = Value(0.0)
    for x, y in [(0.5, 0.2), (1.0, 0.7), (-1.0, -0.4)]:
        e = (w * x + b).tanh() - y
        loss = loss + e * e
    w.grad = b.grad = 0.0
    loss.backward()
    w.data -= 0.1 * w.grad
    b.data -= 0.1 * b.grad
print(round(loss.data, 6), round(w.data, 6))
