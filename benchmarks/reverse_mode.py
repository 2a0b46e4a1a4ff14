"""Reverse mode: our tape beside the package autograd (HIPS), in time, memory and result: `make bench`.

Three programs in NumPy's names: the loss of a logit (10,000 rows, 20 columns), that of a network (784-256-128-10, batch of 256),
and a chain of 10,000 operations on one number. Both differentiate the same lines with respect to all parameters. Times: one
call of each in turn, the order alternating, garbage collected before each, medians of the ratio of neighbors. Memory: the peak
of what NumPy and Python allocate over one call.
"""
import gc
import importlib.metadata
import os
import platform
import sys
import time
import tracemalloc

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")              # before NumPy is imported: one thread is steadier

import autograd
import autograd.numpy
import numpy

from lecture_utils import tape


def logit(np):
    """Negative log-likelihood of a logit; the gradient is with respect to b: [20]."""
    random = numpy.random.default_rng(0)
    X, b = random.normal(size=(10_000, 20)), random.normal(size=20) / 5
    y = (random.uniform(size=10_000) < 1 / (1 + numpy.exp(-X @ b))).astype(float)

    def loss(b):
        z = np.matmul(X, b)
        return np.sum(np.logaddexp(0.0, z) - y * z)

    return loss, [b]


def network(np):
    """Cross entropy of a network with two tanh layers, over a batch of 256; with respect to three matrices and three vectors."""
    random = numpy.random.default_rng(1)
    sizes = [784, 256, 128, 10]
    x, labels = random.normal(size=(256, 784)), numpy.eye(10)[random.integers(10, size=256)]
    parameters = [p for m, n in zip(sizes, sizes[1:]) for p in (random.normal(size=(m, n)) / m**0.5, numpy.zeros(n))]

    def loss(W1, b1, W2, b2, W3, b3):
        h = np.tanh(np.matmul(x, W1) + b1)
        h = np.tanh(np.matmul(h, W2) + b2)
        z = np.matmul(h, W3) + b3
        z = z - np.max(z, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(z), axis=1)) - np.sum(labels * z, axis=1))

    return loss, parameters


def chain(np, length=10_000):
    """That many operations on one number: sin(1.1 x), again and again."""
    def f(x):
        for _ in range(length // 2):
            x = np.sin(1.1 * x)
        return x

    return f, [numpy.float64(0.5)]


def gradients(program):
    """The gradient by our tape and by autograd, as functions without arguments."""
    f, primals = program(tape.np)
    theirs = autograd.grad(program(autograd.numpy)[0], tuple(range(len(primals))))
    return (lambda: tape.vjp(f, *primals)[1](1.0)), (lambda: theirs(*primals))


def seconds(f):
    gc.collect()                                                 # or one would pay for the other's garbage
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def peak_bytes(f):
    """What one call holds at most, beside what was there before."""
    f()
    tracemalloc.start()
    f()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def measure(repeat=41):
    """One row for each program: medians of ratios, ours to theirs, with the middle half of the ratios."""
    rows = []
    for program in (logit, network, chain):
        ours, theirs = gradients(program)
        for a, b in zip(ours(), theirs()):
            assert numpy.allclose(a, b, rtol=1e-10, atol=1e-12 * numpy.max(numpy.abs(b))), program.__name__
        ratios = []
        for i in range(repeat):
            if i % 2:
                ratios.append(seconds(ours) / seconds(theirs))
            else:
                other = seconds(theirs)
                ratios.append(seconds(ours) / other)
        low, middle, high = numpy.quantile(ratios, [0.25, 0.5, 0.75])
        rows.append({"program": program.__name__, "time": middle, "from": low, "to": high,
                     "memory": peak_bytes(ours) / peak_bytes(theirs)})
    return rows


def growth(repeat=11):
    """How many times longer a chain of 100,000 operations takes than one of 10,000: the median, and the middle half."""
    (short, x), (long, _) = chain(tape.np), chain(tape.np, 100_000)
    ratios = []
    for _ in range(repeat):
        once = seconds(lambda: tape.vjp(short, *x)[1](1.0))
        ratios.append(seconds(lambda: tape.vjp(long, *x)[1](1.0)) / once)
    return numpy.quantile(ratios, [0.5, 0.25, 0.75])


def main():
    print(f"Python {platform.python_version()}, NumPy {numpy.__version__}, autograd {importlib.metadata.version('autograd')}, "
          f"{sys.platform}")
    print(f"{'ours / autograd':16} {'time':>5} {'middle half':>12} {'peak memory':>12}")
    for row in measure():
        print(f"{row['program']:16} {row['time']:5.2f} {row['from']:6.2f}-{row['to']:4.2f} {row['memory']:12.2f}")
    print("a chain ten times as long takes {:.1f} times as long ({:.1f}-{:.1f})".format(*growth()))


if __name__ == "__main__":
    main()
