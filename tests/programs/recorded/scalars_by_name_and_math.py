import math
xs = [0.5, 1.5, -0.3, 2.0]
ys = [0, 1, 0, 1]
w, b, rate = 0.1, 0.0, 0.5
for epoch in range(20):
    dw = db = loss = 0.0
    for x, y in zip(xs, ys):
        z = w * x + b
        p = 1 / (1 + math.exp(-z))
        loss += -(y * math.log(p) + (1 - y) * math.log(1 - p))
        dw += (p - y) * x
        db += p - y
    w -= rate * dw / len(xs)
    b -= rate * db / len(xs)
print('%.6f %.6f' % (w, b))
