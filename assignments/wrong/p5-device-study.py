"""Wrong answers of problem set 5, each with the points that it keeps."""

# %% dev-round | cuts off instead of rounding | rounds toward zero | 5
def round_tf32(x):
    if x.dtype != jnp.float32:
        raise TypeError("float32")
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    short = jax.lax.bitcast_convert_type(bits & 0xFFFFE000, jnp.float32)
    return jnp.where(jnp.isnan(x), x, short)

# %% dev-round | rounds ties away from zero | last kept bit is 0 | 6
def round_tf32(x):
    if x.dtype != jnp.float32:
        raise TypeError("float32")
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    short = jax.lax.bitcast_convert_type((bits + 0x1000) & 0xFFFFE000, jnp.float32)
    return jnp.where(jnp.isnan(x), x, short)

# %% dev-round | lets a NaN run over into a zero | runs over | 6
def round_tf32(x):
    if x.dtype != jnp.float32:
        raise TypeError("float32")
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    rounded = (bits + 0xFFF + ((bits >> 13) & 1)) & 0xFFFFE000
    return jax.lax.bitcast_convert_type(rounded, jnp.float32)

# %% dev-round | takes JAX's own function | bitcast_convert_type | 6
def round_tf32(x):
    if x.dtype != jnp.float32:
        raise TypeError("float32")
    return jax.lax.reduce_precision(x, 8, 10)

# %% dev-round | converts another type in silence | TypeError | 6
def round_tf32(x):
    x = jnp.asarray(x, jnp.float32)
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    rounded = (bits + 0xFFF + ((bits >> 13) & 1)) & 0xFFFFE000
    return jnp.where(jnp.isnan(x), x, jax.lax.bitcast_convert_type(rounded, jnp.float32))

# %% dev-round | keeps 7 bits, as bfloat16 does | the mask is 0xFFFFE000 | 3
def round_tf32(x):
    if x.dtype != jnp.float32:
        raise TypeError("float32")
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return jnp.where(jnp.isnan(x), x, jax.lax.bitcast_convert_type(rounded, jnp.float32))

# %% dev-gradient | has the sign of the log-likelihood | the sign | 11
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        P = jax.nn.softmax(short(X) @ short(W))
        R = jax.nn.one_hot(y, W.shape[1], dtype=dtype) - P
        return short(X).T @ short(R) / len(y)

# %% dev-gradient | sums over persons | divide by n | 11
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        P = jax.nn.softmax(short(X) @ short(W))
        return short(X).T @ short(P - jax.nn.one_hot(y, W.shape[1], dtype=dtype))

# %% dev-gradient | overflows at large utilities | softmax does | 13
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        E = jnp.exp(short(X) @ short(W))
        R = E / jnp.sum(E, axis=1, keepdims=True) - jax.nn.one_hot(y, W.shape[1], dtype=dtype)
        return short(X).T @ short(R) / len(y)

# %% dev-gradient | differentiates through the bits | zeros | 10
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    W, X = jnp.asarray(W, dtypes[precision]), jnp.asarray(X, dtypes[precision])
    short = round_tf32 if precision == "simulated" else lambda a: a

    def loss(W):
        logs = jax.nn.log_softmax(short(X) @ short(W), axis=1)
        return -jnp.mean(logs[jnp.arange(X.shape[0]), y])

    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        return jax.grad(loss)(W)

# %% dev-gradient | rounds the inputs of the first product only | second product | 12
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        P = jax.nn.softmax(short(X) @ short(W))
        return X.T @ (P - jax.nn.one_hot(y, W.shape[1], dtype=dtype)) / len(y)

# %% dev-gradient | forgets to round W | before X @ W | 12
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        P = jax.nn.softmax(short(X) @ W)
        return short(X).T @ short(P - jax.nn.one_hot(y, W.shape[1], dtype=dtype)) / len(y)

# %% dev-gradient | asks for TF32 in the first product only | on the way back | 11
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    asks = "tensorfloat32" if precision == "tf32" else "float32"
    P = jax.nn.softmax(jnp.matmul(short(X), short(W), precision=asks))
    return short(X).T @ short(P - jax.nn.one_hot(y, W.shape[1], dtype=dtype)) / len(y)

# %% dev-gradient | computes in float64 and rounds the result | of float32 arrays | 12
def gradient(W, X, y, precision):
    dtypes = {"float64": jnp.float64, "float32": jnp.float32, "tf32": jnp.float32, "simulated": jnp.float32}
    if precision not in dtypes:
        raise ValueError(precision)
    dtype = dtypes[precision]
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        P = jax.nn.softmax(short(X).astype(float) @ short(W).astype(float))
        R = (P - jax.nn.one_hot(y, W.shape[1])).astype(dtype)
        return (short(X).astype(float).T @ short(R).astype(float) / len(y)).astype(dtype)

# %% dev-gradient | takes any precision that it does not know for float32 | raise a ValueError | 13
def gradient(W, X, y, precision):
    dtype = jnp.float64 if precision == "float64" else jnp.float32
    W, X = jnp.asarray(W, dtype), jnp.asarray(X, dtype)
    short = round_tf32 if precision == "simulated" else lambda a: a
    with jax.default_matmul_precision("tensorfloat32" if precision == "tf32" else "float32"):
        P = jax.nn.softmax(short(X) @ short(W))
        return short(X).T @ short(P - jax.nn.one_hot(y, W.shape[1], dtype=dtype)) / len(y)

# %% dev-add | adds and forgets | ADDED to the total | 1
def compensated_add(total, lost, term):
    return total + term, lost

# %% dev-add | keeps what was lost with a minus sign | ADDED to the total | 5
def compensated_add(total, lost, term):
    new = total + term
    seen = new - total
    return new, lost - ((total - (new - seen)) + (term - seen))

# %% dev-add | takes Kahan's four operations | the larger of the two | 6
def compensated_add(total, lost, term):
    y = term + lost
    new = total + y
    return new, y - (new - total)

# %% dev-add | adds in float64 | no float64 | 6
def compensated_add(total, lost, term):
    exact = total.astype(jnp.float64) + lost.astype(jnp.float64) + term.astype(jnp.float64)
    new = (total + term).astype(total.dtype)
    return new, (exact - new.astype(jnp.float64)).astype(total.dtype)

# %% dev-add | keeps only what the last step rounded off | kept, and added | 3
def compensated_add(total, lost, term):
    new = total + term
    seen = new - total
    return new, (total - (new - seen)) + (term - seen)

# %% dev-stream | sums the blocks' means and divides by n | the number of blocks | 8
def streamed_gradient(W, X, y, block, precision):
    n = X.shape[0]
    if n % block:
        raise ValueError("block")
    zeros = jnp.zeros(W.shape, jnp.float64 if precision == "float64" else jnp.float32)

    def step(carry, data):
        return compensated_add(*carry, gradient(W, *data, precision)), None

    (total, lost), _ = jax.lax.scan(step, (zeros, zeros), (X.reshape(-1, block, X.shape[1]), y.reshape(-1, block)))
    return (total + lost) / n

# %% dev-stream | adds without compensation | total and lost | 7
def streamed_gradient(W, X, y, block, precision):
    n = X.shape[0]
    if n % block:
        raise ValueError("block")
    zeros = jnp.zeros(W.shape, jnp.float64 if precision == "float64" else jnp.float32)

    def step(total, data):
        return total + gradient(W, *data, precision), None

    total, _ = jax.lax.scan(step, zeros, (X.reshape(-1, block, X.shape[1]), y.reshape(-1, block)))
    return total / (n // block)

# %% dev-stream | stores the gradients of all blocks | for each block | 7
def streamed_gradient(W, X, y, block, precision):
    n = X.shape[0]
    if n % block:
        raise ValueError("block")
    terms = jax.lax.map(lambda data: gradient(W, *data, precision), (X.reshape(-1, block, X.shape[1]), y.reshape(-1, block)))
    zeros = jnp.zeros(W.shape, terms.dtype)
    (total, lost), _ = jax.lax.scan(lambda carry, term: (compensated_add(*carry, term), None), (zeros, zeros), terms)
    return (total + lost) / (n // block)

# %% dev-stream | drops the persons that fill no block | dropped in silence | 9
def streamed_gradient(W, X, y, block, precision):
    T = X.shape[0] // block
    zeros = jnp.zeros(W.shape, jnp.float64 if precision == "float64" else jnp.float32)

    def step(carry, data):
        return compensated_add(*carry, gradient(W, *data, precision)), None

    X, y = X[:T * block], y[:T * block]
    (total, lost), _ = jax.lax.scan(step, (zeros, zeros), (X.reshape(-1, block, X.shape[1]), y.reshape(-1, block)))
    return (total + lost) / T

# %% dev-stream | forgets the precision in the blocks | pass precision on | 9
def streamed_gradient(W, X, y, block, precision):
    n = X.shape[0]
    if n % block:
        raise ValueError("block")
    kind = "float64" if precision == "float64" else "float32"
    zeros = jnp.zeros(W.shape, kind)

    def step(carry, data):
        return compensated_add(*carry, gradient(W, *data, kind)), None

    (total, lost), _ = jax.lax.scan(step, (zeros, zeros), (X.reshape(-1, block, X.shape[1]), y.reshape(-1, block)))
    return (total + lost) / (n // block)

# %% dev-measure | stops the clock at the promise | block_until_ready | 5
def measure(f, args, reference, repeats):
    G = np.asarray(jax.block_until_ready(f(*args)), np.float64)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = f(*args)
        seconds.append(time.perf_counter() - start)
        jax.block_until_ready(result)
    low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    error = np.where(np.isfinite(G), np.abs(G - reference) / np.max(np.abs(reference)), np.inf)
    return {"seconds": seconds, "seconds_median": float(median), "seconds_iqr": float(high - low),
            "error_max": float(np.max(error)), "error_median": float(np.median(error))}

# %% dev-measure | times the compilation, too | the first call compiles | 5
def measure(f, args, reference, repeats):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        G = jax.block_until_ready(f(*args))
        seconds.append(time.perf_counter() - start)
    G = np.asarray(G, np.float64)
    low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    error = np.where(np.isfinite(G), np.abs(G - reference) / np.max(np.abs(reference)), np.inf)
    return {"seconds": seconds, "seconds_median": float(median), "seconds_iqr": float(high - low),
            "error_max": float(np.max(error)), "error_median": float(np.median(error))}

# %% dev-measure | gives mean and standard deviation | np.quantile | 6
def measure(f, args, reference, repeats):
    G = np.asarray(jax.block_until_ready(f(*args)), np.float64)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        f(*args).block_until_ready()
        seconds.append(time.perf_counter() - start)
    error = np.where(np.isfinite(G), np.abs(G - reference) / np.max(np.abs(reference)), np.inf)
    return {"seconds": seconds, "seconds_median": float(np.mean(seconds)), "seconds_iqr": float(np.std(seconds)),
            "error_max": float(np.max(error)), "error_median": float(np.median(error))}

# %% dev-measure | skips what is not finite | np.nanmax would hide it | 6
def measure(f, args, reference, repeats):
    G = np.asarray(jax.block_until_ready(f(*args)), np.float64)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(f(*args))
        seconds.append(time.perf_counter() - start)
    low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    error = (np.abs(G - reference) / np.max(np.abs(reference)))[np.isfinite(G)]
    return {"seconds": seconds, "seconds_median": float(median), "seconds_iqr": float(high - low),
            "error_max": float(np.max(error)), "error_median": float(np.median(error))}

# %% dev-measure | takes the difference after rounding the reference to float32 | in float64 | 6
def measure(f, args, reference, repeats):
    G = np.asarray(jax.block_until_ready(f(*args)))
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(f(*args))
        seconds.append(time.perf_counter() - start)
    low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    reference = reference.astype(G.dtype)
    error = np.where(np.isfinite(G), np.abs(G - reference) / np.max(np.abs(reference)), np.inf)
    return {"seconds": seconds, "seconds_median": float(median), "seconds_iqr": float(high - low),
            "error_max": float(np.max(error)), "error_median": float(np.median(error))}

# %% dev-results | writes a NaN where a number belongs | no NaN | 10
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    study["device"]["memory_gib"] = float("nan")
    return json.dumps(study)

# %% dev-results | leaves the raw timings out | the number of raw timings | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        del row["seconds"]
    return json.dumps(study)

# %% dev-results | calls a CPU by the name of a card | that of such a device | 10
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    device["name"] = "NVIDIA A100"
    return json.dumps(study)

# %% dev-results | gives medians that are not those of the timings | theirs | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        row["seconds_median"] *= 1.3
        row["throughput"] /= 1.3
    return json.dumps(study)

# %% dev-results | times each function three times | at least 5 | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        row.update(repeats=3, seconds=[t * row["seconds_median"] / 1.1 for t in (1.0, 1.1, 1.4)],
                   seconds_iqr=0.2 * row["seconds_median"] / 1.1)
    return json.dumps(study)

# %% dev-results | gives seconds per person | n over seconds_median | 10
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        row["throughput"] = 1 / row["throughput"]
    return json.dumps(study)

# %% dev-results | timed promises | wait for the result | 10
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        low, factor = 1e-4, 1e-4 / row["seconds_median"]
        row.update(seconds=[t * factor for t in row["seconds"]], seconds_median=low, seconds_iqr=row["seconds_iqr"] * factor,
                   throughput=row["n"] / low)
    return json.dumps(study)

# %% dev-results | has float32 where the simulation should be | must rise | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        if row["precision"] == "simulated":
            row.update(error_max=3e-7, error_median=4e-8)
    return json.dumps(study)

# %% dev-results | gives the simulation an error that nobody measured | do not depend on the machine | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        if row["precision"] == "simulated":
            row.update(error_max=4.9e-4, error_median=2.4e-4)
    return json.dumps(study)

# %% dev-results | has the same bytes in one batch as one by one | bench.temp_bytes plans | 10
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    for row in rows:
        row["bytes"] = 40000
    return json.dumps(study)

# %% dev-results | passes the simulation on a CPU off as TF32 | a simulation is called simulated | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    rows += [{**row, "precision": "tf32"} for row in rows if row["precision"] == "simulated"]
    study["rows"] = rows
    return json.dumps(study)

# %% dev-results | leaves the large batch out | one larger batch | 9
def results():
    rows = []
    for precision, unit, big, mid in [("float64", 8, 7e-16, 9e-17), ("float32", 4, 3e-7, 4e-8), ("simulated", 5, 2.753e-04, 5.151e-05)]:
        for batched, n in [(True, 1024), (True, 4096), (True, 16384), (False, 1024), (False, 4096)]:
            one = n * (1e-6 if batched else 1e-5)
            seconds = [one * t for t in (1.0, 1.2, 0.9, 1.1, 1.3)]
            rows.append({"precision": precision, "status": "measured", "batched": batched, "n": n, "repeats": 5,
                         "seconds": seconds, "seconds_median": 1.1 * one, "seconds_iqr": 0.2 * one, "error_max": big, "error_median": mid,
                         "throughput": n / (1.1 * one), "bytes": unit * (32 * n if batched else 5000)})
    absent = {"precision": "tf32", "status": "not available", "reason": "a CPU has no TF32"}
    device = {"platform": "cpu", "name": "CPU", "memory_gib": None}
    study = {"device": device, "versions": {"python": "3.12.3", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3"},
             "host": "x86_64, 2 cores", "date": "2026-11-23", "rows": rows + [absent]}
    study["rows"] = [row for row in rows if row["n"] < 16384] + [absent]
    return json.dumps(study)
