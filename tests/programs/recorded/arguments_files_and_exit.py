import sys, os, time, argparse
import numpy as np
parser = argparse.ArgumentParser()
parser.add_argument('--epochs', type=int, default=3)
args = parser.parse_args()
rng = np.random.default_rng(0)
here = os.path.dirname(os.path.abspath(__file__))

def main():
    X, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    W = rng.standard_normal((3, 1))
    for epoch in range(args.epochs):
        rng.shuffle(X)
        d = X @ W - y
        loss = float((d * d).mean())
        W -= 0.1 * X.T @ d
        time.sleep(0)
    print('done', round(loss, 6), os.path.isdir(here))
    return W

if __name__ == '__main__':
    W = main()
    sys.exit(0)
