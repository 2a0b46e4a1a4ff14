"""Hidden tests of chapter 09: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_same_grad(answer, seed):
    import jax.numpy as jnp
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 7))
    A, c, x, before = rng.standard_normal((n, n)), rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal(n)
    j = int(np.argmin(x**2))
    C = torch.tensor(c, requires_grad=True)
    f_torch = lambda x: torch.sum(torch.sin(torch.tensor(A) @ x) * C)
    f_jax = lambda x: jnp.sum(jnp.sin(A @ x) * c)

    def numpy64(value):
        if not (isinstance(value, np.ndarray) and value.dtype == np.float64):
            raise TypeError(f"expected a NumPy array in float64, got {type(value).__name__} {getattr(value, 'dtype', '')}")
        return value

    def leaf_afterwards(start):
        C.grad = None if start is None else torch.tensor(start)
        try:
            by_torch = answer(f_torch, f_jax, x.copy())[0]
        finally:
            after = None if C.grad is None else C.grad.detach().clone().numpy()
            C.grad = None
        return np.concatenate([np.zeros(n) if after is None else after, [after is None, by_torch is not None]])

    def difference(one, other, at):
        value = answer(one, other, at.copy())[2]
        return np.array([value, isinstance(value, float)], dtype=float)

    return {
        "by PyTorch": lambda: numpy64(answer(f_torch, f_jax, x.copy())[0]),
        "by JAX": lambda: numpy64(answer(f_torch, f_jax, x.copy())[1]),
        "a leaf without gradient": lambda: leaf_afterwards(None),
        "a leaf with a gradient": lambda: leaf_afterwards(before),
        "no difference": lambda: difference(f_torch, f_jax, x),
        "a difference": lambda: difference(lambda x: -0.01 * torch.sum(x**2) - 0.5 * x[j], lambda x: -0.01 * jnp.sum(x**2), 1 + x**2),
        "of a constant": lambda: difference(lambda x: torch.sum(x), lambda x: 0.0 * jnp.sum(x), x),
    }


def judge_same_grad(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 7))
    A, c, x, before = rng.standard_normal((n, n)), rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal(n)
    exact = A.T @ (np.cos(A @ x) * c)
    right = lambda name: close(arrays, name, exact, rtol=1e-11, atol=1e-12)
    nothing = arrays.get("no difference", np.full(2, np.nan))
    return [
        Part("both gradients, in 64 bits", 2, right("by PyTorch") and right("by JAX"),
             "the first is torch.func.grad of f_torch, the second jax.grad of f_jax, each at x in float64 and as a NumPy array: "
             "look for what makes float32 of it, or leaves a tensor or a JAX array" if arrays else ABOVE),
        Part("no side effect", 1,
             close(arrays, "a leaf without gradient", np.r_[np.zeros(n), 1, 1])
             and close(arrays, "a leaf with a gradient", np.r_[before, 0, 1], rtol=1e-14),
             "f_torch has leaves of its own, and .backward() adds to the .grad of every leaf: torch.func.grad, or "
             "torch.autograd.grad by x alone, does not; clearing them would be a side effect, too" if arrays else ABOVE),
        Part("the relative difference", 1,
             nothing.shape == (2,) and 0 <= nothing[0] < 1e-12 and nothing[1] == 1
             and close(arrays, "a difference", [0.5 / np.max(0.02 * (1 + x**2)), 1], rtol=1e-10)
             and close(arrays, "of a constant", [1, 1]),
             "a Python float: the largest absolute difference over the largest absolute entry of JAX's gradient, neither summed "
             "nor divided entry by entry; where that gradient is zero, divide by 1" if arrays else ABOVE),
    ]


def drive_mend_loop(answer, seed):
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    n, steps, rate = int(rng.integers(2, 5)), int(rng.integers(4, 8)), float(rng.uniform(0.05, 0.2))
    d, start, old = rng.uniform(1, 3, n), rng.standard_normal(n), rng.standard_normal(n)
    D = torch.tensor(d)
    loss = lambda w: torch.sum(D * w**2) / 2

    def run(left=None):
        w = torch.tensor(start, requires_grad=True)
        w.grad = None if left is None else torch.tensor(left)
        return answer(loss, w, rate, steps), w

    def floats():
        losses, w = run()
        return np.array([len(losses), all(type(value) is float for value in losses)], dtype=float)

    def kept():
        losses, w = run()
        return np.array([losses is not None, w.is_leaf, w.requires_grad, w.dtype == torch.float64], dtype=float)

    def point(left=None):
        losses, w = run(left)
        if losses is None:
            raise ValueError("fit returned None")
        return w.detach().clone().numpy()

    return {
        "losses": lambda: np.array([float(value) for value in run()[0]]),
        "w afterwards": point,
        "losses, a gradient left": lambda: np.array([float(value) for value in run(old)[0]]),
        "w afterwards, a gradient left": lambda: point(old),
        "floats": floats,
        "w is a leaf": kept,
    }


def judge_mend_loop(arrays, seed):
    rng = np.random.default_rng(seed)
    n, steps, rate = int(rng.integers(2, 5)), int(rng.integers(4, 8)), float(rng.uniform(0.05, 0.2))
    d, start, _ = rng.uniform(1, 3, n), rng.standard_normal(n), rng.standard_normal(n)
    path = [start * (1 - rate * d) ** k for k in range(steps + 1)]
    losses = [np.sum(d * w**2) / 2 for w in path]
    first = close(arrays, "losses", losses[:-1], rtol=1e-10)
    return [
        Part("the losses along the way", 1, first,
             "each step follows the gradient at that point alone: clear w.grad in each pass, and keep w a leaf, or its .grad is "
             "None; the list holds the loss before each step" if arrays else ABOVE),
        Part("the caller's w", 1,
             close(arrays, "w afterwards", path[-1], rtol=1e-10) and close(arrays, "w is a leaf", [1, 1, 1, 1]),
             "w = w - … makes another tensor and leaves the caller's as it was: change w in place, inside torch.no_grad(), so "
             "that it stays a leaf, and take the last step, too" if arrays else ABOVE),
        Part("a gradient left from before", 1,
             close(arrays, "losses, a gradient left", losses[:-1], rtol=1e-10)
             and (close(arrays, "w afterwards, a gradient left", path[-1], rtol=1e-10) or "w afterwards" in arrays
                  and close(arrays, "w afterwards, a gradient left", arrays["w afterwards"], rtol=1e-10)),
             "w may come with a .grad: clear it before the first .backward(), not after the first step" if first else ABOVE),
        Part("numbers, not records", 1, close(arrays, "floats", [steps, 1]),
             "append now.item(), a Python float, once a step: a tensor keeps its whole record in memory" if arrays else ABOVE),
    ]


def drive_micro_batches(answer, seed):
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    k, sizes = int(rng.integers(2, 5)), (rng.permutation([2, 3, 5, 9]) + rng.integers(0, 3, 4)).tolist()
    X, y, W, b = (rng.standard_normal(s) for s in [(sum(sizes), k), (sum(sizes), 1), (1, k), 1])
    cuts = np.cumsum(sizes)[:-1]
    batches = list(zip(map(torch.tensor, np.split(X, cuts)), map(torch.tensor, np.split(y, cuts))))

    class Counted(torch.nn.Module):
        """A linear model that notes the size of each input."""

        def __init__(self):
            super().__init__()
            self.weight, self.bias = torch.nn.Parameter(torch.tensor(W)), torch.nn.Parameter(torch.tensor(b))
            self.seen = []

        def forward(self, X):
            self.seen.append(len(X))
            return X @ self.weight.T + self.bias

    def run(left=False, saving=None):
        model = Counted()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        steps, step = [], optimizer.step
        gradients = []

        def counted_step(*args, **kwargs):
            steps.append(1)
            gradients.append([w.grad.detach().clone().numpy().ravel() for w in (model.weight, model.bias)])
            return step(*args, **kwargs)

        optimizer.step = counted_step
        if left:
            model.weight.grad, model.bias.grad = torch.ones_like(model.weight), torch.ones_like(model.bias)
        risk = answer(model, list(batches), optimizer)
        if risk is None:
            raise ValueError("accumulated_step returned None")
        return model, risk, steps, gradients

    def gradients(left=False):
        return np.concatenate(run(left)[3][0])

    def parameters():
        model = run()[0]
        return np.concatenate([model.weight.detach().clone().numpy().ravel(), model.bias.detach().clone().numpy()])

    def risk():
        value = run()[1]
        return np.array([value, isinstance(value, float)], dtype=float)

    def calls():
        model, _, steps, _ = run()
        return np.array(model.seen + [len(steps)])

    def records():
        """How many batches' residuals are alive at once, at most."""
        alive, most = {}, [0]

        class Kept:
            def __init__(self, tensor):
                self.tensor = tensor
                if tensor.dim() and tensor.numel() == max(tensor.shape) and tensor.numel() in sizes:
                    alive[id(self)] = 1
                    most[0] = max(most[0], len(alive))

            def __del__(self):
                alive.pop(id(self), None)

        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
            run()
        return np.array([most[0]])

    return {"gradients": gradients, "gradients, some left": lambda: gradients(True), "parameters": parameters,
            "risk": risk, "calls": calls, "records": records}


def judge_micro_batches(arrays, seed):
    rng = np.random.default_rng(seed)
    k, sizes = int(rng.integers(2, 5)), (rng.permutation([2, 3, 5, 9]) + rng.integers(0, 3, 4)).tolist()
    X, y, W, b = (rng.standard_normal(s) for s in [(sum(sizes), k), (sum(sizes), 1), (1, k), 1])
    residual = X @ W.T + b - y
    gradient = 2 * np.r_[residual[:, 0] @ X, residual.sum()] / len(y)
    right = close(arrays, "gradients", gradient, rtol=1e-10)
    one_step = close(arrays, "parameters", np.r_[W[0], b] - 0.1 * gradient, rtol=1e-10)
    alive = arrays.get("records", np.array([99]))
    return [
        Part("the gradient of the whole", 2, right and one_step,
             "the step must be that of the mean over all observations: a mean for each batch, added or averaged, gives an "
             "observation in a small batch more weight; divide sums by the number of all, and step once, at the end"
             if arrays else ABOVE),
        Part("gradients left from before", 1, "gradients" in arrays
             and close(arrays, "gradients, some left", arrays["gradients"], rtol=1e-10),
             "call optimizer.zero_grad() before the first batch: what earlier steps left in .grad adds up, too"
             if arrays else ABOVE),
        Part("one record at a time", 1,
             close(arrays, "calls", [*sizes, 1]) and alive.shape == (1,) and alive[0] <= 2,
             "call the model once for each batch, in order, and .backward() right after it, which frees its record; a sum of "
             "losses, or all data at once, keeps every batch in memory; one optimizer.step()" if arrays else ABOVE),
        Part("the mean squared error", 1, close(arrays, "risk", [np.mean(residual**2), 1], rtol=1e-10),
             "return the mean over all observations before the step, as a Python float: add up what .item() gives"
             if arrays else ABOVE),
    ]


def drive_clipped_gradient(answer, seed):
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    n, k, m = int(rng.integers(6, 10)), int(rng.integers(2, 4)), int(rng.integers(2, 4))
    X, y, W, b = (rng.standard_normal(s) for s in [(n, k), n, (m, k), m])
    b = np.round(3 * b)
    X[0], y[0] = 0, b.sum()                                         # a gradient of exactly zero
    calls = [0]

    def loss(params, x_i, y_i):
        calls[0] += 1
        return (torch.sum(params["W"] @ x_i + params["b"]) - y_i) ** 2 / 2

    def values(c, only=slice(None)):
        params = {"W": torch.tensor(W), "b": torch.tensor(b)}
        out = answer(loss, params, torch.tensor(X[only]), torch.tensor(y[only]), c)
        if out["W"].shape != (m, k) or out["b"].shape != (m,):
            raise ValueError(f"expected the shapes {(m, k)} and {(m,)}, got {tuple(out['W'].shape)} and {tuple(out['b'].shape)}")
        return np.concatenate([out[name].detach().numpy().ravel() for name in ("W", "b")])

    def count():
        calls[0] = 0
        values(1.0, slice(1, None))
        return np.array([calls[0]])

    return {"cut": lambda: values(1.0, slice(1, None)), "hardly cut": lambda: values(1e6, slice(1, None)),
            "one": lambda: values(0.25, slice(1, 2)), "with a zero": lambda: values(0.5), "calls": count}


def judge_clipped_gradient(arrays, seed):
    rng = np.random.default_rng(seed)
    n, k, m = int(rng.integers(6, 10)), int(rng.integers(2, 4)), int(rng.integers(2, 4))
    X, y, W, b = (rng.standard_normal(s) for s in [(n, k), n, (m, k), m])
    b = np.round(3 * b)
    X[0], y[0] = 0, b.sum()
    residual = np.sum(X @ W.T + b, axis=1) - y
    g = np.concatenate([np.repeat(residual[:, None, None] * X[:, None, :], m, 1).reshape(n, -1),
                        np.repeat(residual[:, None], m, 1)], axis=1)
    g[0] = 0

    def expected(c, only):
        part = g[only]
        return np.mean(part * np.minimum(1, c / np.maximum(np.linalg.norm(part, axis=1), 1e-300))[:, None], axis=0)

    rest = slice(1, None)
    plain = close(arrays, "hardly cut", expected(1e6, rest), rtol=1e-9, atol=1e-11)
    calls = arrays.get("calls", np.array([99]))
    return [
        Part("a large c: the mean gradient", 1, plain,
             "with nothing to cut the answer is the average of the gradients, each name in its own shape: vmap over X and y, "
             "not over the parameters, and divide by n once; a c above the length must not lengthen anything"
             if arrays else ABOVE),
        Part("each gradient cut by its whole length", 2,
             close(arrays, "cut", expected(1.0, rest), rtol=1e-9, atol=1e-11)
             and close(arrays, "one", expected(0.25, slice(1, 2)), rtol=1e-9, atol=1e-11),
             "cut each observation's gradient before you average, by one length over all parameters together: not each "
             "parameter by its own, not each entry, not the average; a short gradient stays as it is; no epsilon is added to the length"
             if arrays else ABOVE),
        Part("a gradient of zero", 1, close(arrays, "with a zero", expected(0.5, slice(None)), rtol=1e-9, atol=1e-9),
             ABOVE if np.all(np.isfinite(arrays.get("with a zero", 0.0))) else
             "zero divided by a length of zero is nan: multiply the gradient by c / max(c, length), which never divides by zero"),
        Part("by vmap", 1, calls.shape == (1,) and 1 <= calls[0] <= 3 and "cut" in arrays,
             "vmap of grad calls loss once for the whole batch: no loop over observations" if arrays else ABOVE),
    ]
