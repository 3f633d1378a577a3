import numpy as np
np.random.seed(0)

def affine_forward(x, w, b): return x.dot(w) + b, (x, w, b)
def affine_backward(dout, cache):
    x, w, b = cache
    return dout.dot(w.T), x.T.dot(dout), dout.sum(axis=0)
def relu_forward(x): return np.maximum(0, x), x
def relu_backward(dout, cache): return dout * (cache > 0)
def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)
def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)
x, w, b, dout = np.random.randn(4, 3), np.random.randn(3, 5), np.random.randn(5), np.random.randn(4, 5)
out, cache = affine_relu_forward(x, w, b)
dx, dw, db = affine_relu_backward(dout, cache)
print(dx.sum().round(6), dw.sum().round(6), db.sum().round(6))
