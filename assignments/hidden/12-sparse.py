"""Hidden tests of chapter 12: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np
import scipy.sparse as sps

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_color_and_recover(answer, seed):
    import signal
    import sys
    from types import FunctionType

    import numpy as np
    import scipy.sparse as sps

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for NumPy and SciPy's sparse matrices alone")

    for name, module in list(sys.modules.items()):  # in place, so that a name bound before is refused as well
        if module is not None and (name == "lecture_utils.sparse" or name.startswith("lecture_utils.sparse.")
                                   or name == "asdex" or name.startswith("asdex.coloring")):
            for function in list(vars(module).values()):
                if isinstance(function, FunctionType) and function.__module__.startswith(("lecture_utils.sparse", "asdex")):
                    function.__code__ = refuse.__code__
    from scipy.optimize import _numdiff
    _numdiff.group_columns = refuse
    rng = np.random.default_rng(seed)

    def random(M, N, density):
        return sps.csr_array((rng.random((M, N)) < density) * rng.uniform(0.5, 2.0, (M, N)) * rng.choice([-1, 1], (M, N)))

    def band(N):
        return sps.csr_array(sps.diags_array([rng.uniform(1, 2, N - abs(o)) for o in (-1, 0, 1)], offsets=[-1, 0, 1]))

    M, N = int(rng.integers(12, 18)), int(rng.integers(20, 26))
    dense_row = sps.csr_array(np.eye(9) * rng.uniform(1, 2, 9) + np.outer(np.arange(9) == 4, rng.uniform(2, 3, 9)))
    empty = rng.uniform(1, 2, (6, 8)) * (rng.random((6, 8)) < 0.4)
    empty[:, 3], empty[2], empty[0, 0] = 0, 0, 1.5
    matrices = {"wide": random(M, N, 0.12), "tall": random(N, M, 0.15), "a band": band(30), "a full row": dense_row,
                "an empty column and row": sps.csr_array(empty)}

    def run(A, limit=None):
        A = sps.csr_array(A)
        A.sort_indices()
        pattern = sps.csr_array((np.ones(A.nnz), A.indices.copy(), A.indptr.copy()), shape=A.shape)
        calls = []

        def product(v):
            calls.append(1)
            if limit is not None and len(calls) > limit:
                raise RuntimeError(f"product was called more than {limit} times")
            return A @ v

        colors, data = answer(product, pattern)
        return {"colors": np.asarray(colors), "data": np.asarray(data), "calls": np.array([len(calls)])}

    out = {}
    for name, A in matrices.items():
        memory = {}
        for part in ("colors", "data", "calls"):
            def get(A=A, part=part, memory=memory):
                if not memory:
                    memory.update(run(A))
                return memory[part]
            out[f"{name}: {part}"] = get

    def too_slow(*args):
        raise TimeoutError("20,000 columns took longer than 20 s")

    def large():
        """Number of calls, colors and entries for the large pattern, in one array of limited size."""
        original = {}
        kinds = [getattr(sps, kind) for kind in ("csr_array", "csc_array", "coo_array")]

        def no_dense(self, *args, **kwargs):
            raise MemoryError("a dense array of 20,000 x 20,000 numbers would take 3.2 GB")

        for kind in kinds:
            for method in ("toarray", "todense"):
                original[kind, method] = getattr(kind, method)
                setattr(kind, method, no_dense)
        zeros = np.zeros

        def small_zeros(shape, *args, **kwargs):
            if np.prod(np.atleast_1d(shape).astype(float)) > 1e8:
                raise MemoryError("a dense array of 20,000 x 20,000 numbers would take 3.2 GB")
            return zeros(shape, *args, **kwargs)

        np.zeros = small_zeros
        try:
            signal.signal(signal.SIGALRM, too_slow)
            signal.alarm(20)
            found = run(big, 50)
            return np.concatenate([found["calls"], found["colors"], found["data"]])[:100_000]
        finally:
            signal.alarm(0)
            np.zeros = zeros
            for (kind, method), function in original.items():
                setattr(kind, method, function)

    big = band(20_000)
    return out | {"large": large}


def judge_color_and_recover(arrays, seed):
    rng = np.random.default_rng(seed)

    def random(M, N, density):
        return sps.csr_array((rng.random((M, N)) < density) * rng.uniform(0.5, 2.0, (M, N)) * rng.choice([-1, 1], (M, N)))

    def band(N):
        return sps.csr_array(sps.diags_array([rng.uniform(1, 2, N - abs(o)) for o in (-1, 0, 1)], offsets=[-1, 0, 1]))

    M, N = int(rng.integers(12, 18)), int(rng.integers(20, 26))
    dense_row = sps.csr_array(np.eye(9) * rng.uniform(1, 2, 9) + np.outer(np.arange(9) == 4, rng.uniform(2, 3, 9)))
    empty = rng.uniform(1, 2, (6, 8)) * (rng.random((6, 8)) < 0.4)
    empty[:, 3], empty[2], empty[0, 0] = 0, 0, 1.5
    matrices = {"wide": random(M, N, 0.12), "tall": random(N, M, 0.15), "a band": band(30), "a full row": dense_row,
                "an empty column and row": sps.csr_array(empty), "large": band(20_000)}
    for A in matrices.values():
        A.sort_indices()
    large = arrays.get("large", np.zeros(0))
    if large.shape == (1 + 20_000 + matrices["large"].nnz,) and bool(np.all(np.isfinite(large))):
        arrays = arrays | {"large: calls": large[:1], "large: colors": large[1:20_001].astype(int), "large: data": large[20_001:]}

    def case(name):
        """(shapes and integers, valid, few enough, data, calls) of one matrix."""
        A = matrices[name]
        colors, data, calls = (arrays.get(f"{name}: {part}") for part in ("colors", "data", "calls"))
        if colors is None or data is None or calls is None:
            return (False,) * 5
        integers = colors.shape == (A.shape[1],) and (colors.dtype.kind in "iu") and bool(np.all(colors >= 0))
        if not integers:
            return (False,) * 5
        meets = (abs(A).T @ abs(A)).tocoo()
        valid = bool(np.all((colors[meets.row] != colors[meets.col]) | (meets.row == meets.col)))
        few = int(colors.max()) + 1 <= np.bincount(meets.row).max()                # a column meets itself, too
        right = close(arrays, f"{name}: data", A.data, rtol=1e-10, atol=1e-12)
        once = int(calls[0]) == len(set(colors.tolist()))
        return integers, valid, few, right, once

    *cases, large = (case(name) for name in matrices)
    answered = any(c[0] for c in cases)
    shaped, valid, few, right, once = (all(c[k] for c in cases) for k in range(5))
    scales = large[0] and large[1] and large[3] and arrays["large: calls"][0] <= 5
    return [
        Part("a valid coloring", 1, shaped and valid,
             ABOVE if not answered else
             "colors are integers from 0 on, one for each column, of shape (N,)" if not shaped else
             "two columns with entries in one row have the same color somewhere: a column conflicts with every column that it "
             "meets in any of its rows, not only with its neighbors"),
        Part("few colors", 1, shaped and valid and few,
             ABOVE if not (shaped and valid) else
             "greedy never needs more colors than the most columns that one column meets, and one: give each column the first "
             "color that is free, not a new one"),
        Part("the entries", 1, right,
             ABOVE if not answered else
             "entry (i, j) stands in row i of the product of column j's color; the order is that of pattern.indices, row by row"),
        Part("one product for each color", 1, shaped and right and valid and once,
             ABOVE if not (shaped and right and valid) else
             "call product once for each color that is used, with the sum of the basis vectors of its columns"),
        Part("a large pattern", 1, scales and valid and right,
             ABOVE if not (valid and right) else
             "20,000 columns: no dense array of M x N or N x N, and no loop over all pairs of columns; keep for each row the "
             "colors that are taken there"),
    ]


def drive_arrow_hessian(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    sizes = {"one shared": (int(rng.integers(6, 12)), 1), "three shared": (int(rng.integers(9, 14)), 3), "one group": (4, 3)}

    def arrow(N, b):
        H = rng.uniform(0.5, 2.0, (N, N)) * rng.choice([-1, 1], (N, N))
        H = H + H.T
        H[b:, b:] = np.diag(rng.uniform(1, 2, N - b))
        return H

    out = {}
    for name, (N, b) in sizes.items():
        H = arrow(N, b)
        memory = {}

        def get(part, H=H, N=N, b=b, memory=memory):
            if not memory:
                calls = []

                def product(v):
                    calls.append(np.shape(v) == (N,))
                    return H @ v

                found = np.asarray(answer(product, N, b))
                memory.update({"answer": found, "calls": np.array([len(calls), all(calls)])})
            return memory[part]

        out[f"{name}: answer"] = lambda get=get: get("answer")
        out[f"{name}: calls"] = lambda get=get: get("calls")
    return out


def judge_arrow_hessian(arrays, seed):
    rng = np.random.default_rng(seed)
    sizes = {"one shared": (int(rng.integers(6, 12)), 1), "three shared": (int(rng.integers(9, 14)), 3), "one group": (4, 3)}

    def arrow(N, b):
        H = rng.uniform(0.5, 2.0, (N, N)) * rng.choice([-1, 1], (N, N))
        H = H + H.T
        H[b:, b:] = np.diag(rng.uniform(1, 2, N - b))
        return H

    exact = {name: arrow(N, b) for name, (N, b) in sizes.items()}

    def right(name):
        return close(arrays, f"{name}: answer", exact[name], rtol=1e-10, atol=1e-10)

    def counted(name):
        return close(arrays, f"{name}: calls", [sizes[name][1] + 1, 1])

    found, H = arrays.get("three shared: answer"), exact["three shared"]
    border = (found is not None and found.shape == H.shape and found.dtype.kind == "f"
              and np.allclose(found[:3, 3:], H[:3, 3:]) and np.allclose(found[3:, :3], H[3:, :3]))
    return [
        Part("one shared parameter", 1, right("one shared"),
             "the product with e_0 is the first column and, by symmetry, the first row; the product with the sum of all other basis "
             "vectors holds the diagonal, but not in its first entry" if arrays else ABOVE),
        Part("several shared parameters", 1, right("three shared") and right("one group"),
             ABOVE if not right("one shared") else
             "the shared block and both borders come from the products with e_0 … e_(b-1), and the last product gives the diagonal of "
             "the groups alone" if border else
             "row i and column i, for each i below b, come from the product with e_i: the border stands on both sides"),
        Part("b + 1 products", 2, all(counted(name) and right(name) for name in sizes),
             "one product for each shared parameter and one for all groups together: groups that do not meet share it"
             if all(right(name) for name in sizes) else ABOVE),
    ]


def drive_is_star(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)

    def graph(N, edges, diagonal=1):
        S = diagonal * np.eye(N, dtype=int)
        for i, j in edges:
            S[i, j] = S[j, i] = 1
        return S

    path = lambda N: [(i, i + 1) for i in range(N - 1)]
    cycle = lambda N: path(N) + [(N - 1, 0)]
    star = lambda N: [(0, i) for i in range(1, N)]
    fixed = {
        "no edges": (graph(4, []), [0, 0, 0, 0]), "a star of two colors": (graph(6, star(6)), [0, 1, 1, 1, 1, 1]),
        "distance two": (graph(3, path(3)), [0, 1, 0]), "path of four, three colors": (graph(4, path(4)), [0, 1, 0, 2]),
        "cycle of five": (graph(5, cycle(5)), [0, 1, 0, 1, 2]), "two stars": (graph(6, [(0, 1), (0, 2), (3, 4), (3, 5)]), [0, 1, 1, 0, 1, 1]),
        "an edge of one color": (graph(3, path(3)), [0, 0, 1]), "path of four": (graph(4, path(4)), [0, 1, 0, 1]),
        "path of four, without a diagonal": (graph(4, path(4), 0), [1, 0, 1, 0]), "cycle of four": (graph(4, cycle(4)), [0, 1, 0, 1]),
        "triangle and tail": (graph(5, [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4)]), [0, 1, 2, 0, 2]),
        "a long path": (graph(9, path(9)), [0, 1, 2, 0, 1, 2, 0, 1, 2]),
        "a diagonal alone of ones": (graph(2, [(0, 1)], 0), [0, 1]),
    }
    for t in range(24):
        N = int(rng.integers(5, 9))
        edges = [(i, j) for i in range(N) for j in range(i) if rng.random() < 2.0 / N]
        fixed[f"random {t}"] = graph(N, edges), rng.integers(0, 4, N).tolist()
    for t in range(24):                                # colors that differ along every edge
        N = int(rng.integers(5, 9))
        colors = rng.integers(0, 3, N)
        edges = [(i, j) for i in range(N) for j in range(i) if colors[i] != colors[j] and rng.random() < 2.2 / N]
        fixed[f"proper {t}"] = graph(N, edges), colors.tolist()
    out = {}
    for name, (S, colors) in fixed.items():
        def get(S=S, colors=colors):
            """Whether it said True, whether as a bool, and the arguments afterwards."""
            given = S.copy(), np.array(colors)
            found = answer(*given)
            return np.concatenate([[found is True or found is np.True_, isinstance(found, bool)], given[0].ravel(), given[1]])

        out[name] = get
    return out


def judge_is_star(arrays, seed):
    rng = np.random.default_rng(seed)

    def graph(N, edges, diagonal=1):
        S = diagonal * np.eye(N, dtype=int)
        for i, j in edges:
            S[i, j] = S[j, i] = 1
        return S

    path = lambda N: [(i, i + 1) for i in range(N - 1)]
    cycle = lambda N: path(N) + [(N - 1, 0)]
    star = lambda N: [(0, i) for i in range(1, N)]
    fixed = {
        "no edges": (graph(4, []), [0, 0, 0, 0]), "a star of two colors": (graph(6, star(6)), [0, 1, 1, 1, 1, 1]),
        "distance two": (graph(3, path(3)), [0, 1, 0]), "path of four, three colors": (graph(4, path(4)), [0, 1, 0, 2]),
        "cycle of five": (graph(5, cycle(5)), [0, 1, 0, 1, 2]), "two stars": (graph(6, [(0, 1), (0, 2), (3, 4), (3, 5)]), [0, 1, 1, 0, 1, 1]),
        "an edge of one color": (graph(3, path(3)), [0, 0, 1]), "path of four": (graph(4, path(4)), [0, 1, 0, 1]),
        "path of four, without a diagonal": (graph(4, path(4), 0), [1, 0, 1, 0]), "cycle of four": (graph(4, cycle(4)), [0, 1, 0, 1]),
        "triangle and tail": (graph(5, [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4)]), [0, 1, 2, 0, 2]),
        "a long path": (graph(9, path(9)), [0, 1, 2, 0, 1, 2, 0, 1, 2]),
        "a diagonal alone of ones": (graph(2, [(0, 1)], 0), [0, 1]),
    }
    for t in range(24):
        N = int(rng.integers(5, 9))
        edges = [(i, j) for i in range(N) for j in range(i) if rng.random() < 2.0 / N]
        fixed[f"random {t}"] = graph(N, edges), rng.integers(0, 4, N).tolist()
    for t in range(24):                                # colors that differ along every edge
        N = int(rng.integers(5, 9))
        colors = rng.integers(0, 3, N)
        edges = [(i, j) for i in range(N) for j in range(i) if colors[i] != colors[j] and rng.random() < 2.2 / N]
        fixed[f"proper {t}"] = graph(N, edges), colors.tolist()

    def truth(S, colors):
        N = len(colors)
        edge = (S != 0) & ~np.eye(N, dtype=bool)
        if np.any(edge & np.equal.outer(colors, colors)):
            return False
        for a in range(N):
            for b in np.flatnonzero(edge[a]):
                for c in np.flatnonzero(edge[b]):
                    for d in np.flatnonzero(edge[c]):
                        if len({a, b, c, d}) == 4 and colors[a] == colors[c] and colors[b] == colors[d]:
                            return False
        return True

    said, expected, bools, kept, proper = {}, {}, True, True, {}
    for name, (S, colors) in fixed.items():
        colors = np.array(colors)
        expected[name] = truth(S, colors)
        proper[name] = not np.any((S != 0) & ~np.eye(len(colors), dtype=bool) & np.equal.outer(colors, colors))
        found = arrays.get(name, np.zeros(0))
        said[name] = bool(found[0]) if found.ndim == 1 and found.size > 2 else None
        bools &= said[name] is not None and bool(found[1])
        kept &= said[name] is not None and bool(np.array_equal(found[2:], np.concatenate([S.ravel(), colors])))
    right = lambda which: bool(which) and all(said[name] is expected[name] for name in which)
    yes = [name for name in fixed if expected[name]]
    clash = [name for name in fixed if not proper[name]]
    paths = [name for name in fixed if proper[name] and not expected[name]]
    varied = right(yes) or right(paths) or right(clash)
    both = right(yes) and right(clash)
    constant = len(set(said.values())) <= 1
    return [
        Part("star colorings are accepted", 1, right(yes) and not constant,
             ABOVE if not varied or constant else
             "nodes two edges apart may share a color, as the leaves of a star do: only a path of three edges with two colors is "
             "forbidden; the diagonal is no edge"),
        Part("an edge of one color", 1, right(clash) and not constant,
             "the two ends of an edge must differ" if not constant else ABOVE),
        Part("a path of four nodes with two colors", 1, right(paths) and not constant,
             ABOVE if constant else
             "look at each edge as the middle one of a path: it is bad if each of its ends has another neighbor of the other end's "
             "color; a cycle is not needed, and the path may stand anywhere in the graph"),
        Part("a bool, and the arguments as they were", 1, bools and kept and both and right(paths),
             ABOVE if not (both and right(paths)) else
             "return True or False of Python, not of NumPy" if not bools else
             "np.fill_diagonal and assignments write into the caller's array: work on a copy"),
    ]


def drive_both_sides(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    entry = lambda *shape: rng.uniform(0.5, 2.0, shape) * rng.choice([-1, 1], shape)

    def bordered(M, N, dense, width=1):
        i, j = np.indices((M, N))
        J = entry(M, N) * (abs(i - j) <= width)
        J[dense] = entry(len(dense), N)
        return J

    n = int(rng.integers(9, 13))
    only_dense = bordered(n, n + 2, [1], 1)
    only_dense[2:, -3:], only_dense[0, -3:] = 0, 0       # the last columns have nothing but the dense row
    arrow = np.diag(entry(n))
    arrow[0], arrow[:, 0] = entry(n), entry(n)
    some = entry(n, n - 2) * (rng.random((n, n - 2)) < 0.2)
    some[2] = entry(n - 2)
    alone = np.zeros((3, 5))
    alone[1] = entry(5)
    cases = {"one dense row": (bordered(n, n, [0]), [0]), "two dense rows": (bordered(n + 3, n, [n, 2]), [n, 2]),
             "no dense row": (bordered(n, n + 1, []), []), "an arrow": (arrow, [0]), "columns of a dense row alone": (only_dense, [1]),
             "random": (some, [2]), "a dense row and nothing else": (alone, [1])}
    out = {}
    for name, (J, dense) in cases.items():
        memory = {}

        def get(part, J=J, dense=dense, memory=memory):
            if not memory:
                pushed, pulled = [], []
                pattern, given = (J != 0).astype(int), list(dense)
                found = np.asarray(answer(lambda v: pushed.append(1) or J @ v, lambda u: pulled.append(1) or J.T @ u,
                                          pattern, given))
                memory.update({"answer": found, "calls": np.array([len(pushed), len(pulled)]),
                               "arguments": np.concatenate([pattern.ravel(), np.array(given, dtype=int)])})
            return memory[part]

        out |= {f"{name}: {part}": lambda get=get, part=part: get(part) for part in ("answer", "calls", "arguments")}
    return out


def judge_both_sides(arrays, seed):
    rng = np.random.default_rng(seed)
    entry = lambda *shape: rng.uniform(0.5, 2.0, shape) * rng.choice([-1, 1], shape)

    def bordered(M, N, dense, width=1):
        i, j = np.indices((M, N))
        J = entry(M, N) * (abs(i - j) <= width)
        J[dense] = entry(len(dense), N)
        return J

    n = int(rng.integers(9, 13))
    only_dense = bordered(n, n + 2, [1], 1)
    only_dense[2:, -3:], only_dense[0, -3:] = 0, 0       # the last columns have nothing but the dense row
    arrow = np.diag(entry(n))
    arrow[0], arrow[:, 0] = entry(n), entry(n)
    some = entry(n, n - 2) * (rng.random((n, n - 2)) < 0.2)
    some[2] = entry(n - 2)
    alone = np.zeros((3, 5))
    alone[1] = entry(5)
    cases = {"one dense row": (bordered(n, n, [0]), [0]), "two dense rows": (bordered(n + 3, n, [n, 2]), [n, 2]),
             "no dense row": (bordered(n, n + 1, []), []), "an arrow": (arrow, [0]), "columns of a dense row alone": (only_dense, [1]),
             "random": (some, [2]), "a dense row and nothing else": (alone, [1])}
    right = {name: close(arrays, f"{name}: answer", J, rtol=1e-10, atol=1e-12) for name, (J, _) in cases.items()}

    def calls(name):
        found = arrays.get(f"{name}: calls", np.zeros(0))
        return found if found.shape == (2,) else np.full(2, -1)

    def allowed(name):
        """The most JVPs that greedy needs in some order: the largest degree plus 1, over the columns that need a product."""
        S = cases[name][0] != 0
        S[cases[name][1]] = False
        S = S[:, S.any(axis=0)]
        if not S.size:
            return 0
        meets = S.T.astype(int) @ S.astype(int) > 0
        return int(meets.sum(axis=1).max())              # itself among them

    square = ["one dense row", "an arrow", "random"]
    basic = all(right[n] for n in square)
    every = basic and all(right.values())
    pulls = every and all(calls(name)[1] == len(dense) for name, (_, dense) in cases.items())
    pushes = every and all(0 <= calls(name)[0] <= allowed(name) for name in cases)
    untouched = all(close(arrays, f"{name}: arguments", np.concatenate([(J != 0).ravel(), dense]), rtol=0, atol=0)
                    for name, (J, dense) in cases.items())
    return [
        Part("one dense row", 1, basic,
             "a VJP of e_i is row i of J; in the other rows each entry stands in the product of its column's color. With the dense "
             "rows left out, columns that meet in another row must still differ" if arrays else ABOVE),
        Part("several dense rows, none, other shapes, and the pattern as it was", 1, every and untouched,
             ABOVE if not basic else
             "the caller's pattern was changed: copy it before you clear the dense rows" if every else
             "with an empty list there is nothing to pull back; J is M x N; a column whose nonzeros all stand in dense rows "
             "needs no product, and where no other nonzeros are left there is none at all"),
        Part("one VJP for each dense row", 1, pulls,
             "the basis vector of each dense row goes through vjp once, and no other vector does" if every else ABOVE),
        Part("few JVPs", 1, pushes,
             "clear the dense rows before you look which columns meet, and leave out the columns that are then empty; each of "
             "the others gets the first free color" if every else ABOVE),
    ]
