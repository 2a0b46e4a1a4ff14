"""Plausible wrong answers to the exercises of chapter 02. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% fd-forward | takes the difference with the sign reversed | sign
def fd_forward(f, x, v, h):
    return (f(x) - f(x + h * v)) / h


# %% fd-forward | divides by the length of v as well | divided out
def fd_forward(f, x, v, h):
    return (f(x + h * v) - f(x)) / (h * np.linalg.norm(v))


# %% fd-forward | normalizes the direction | length 1
def fd_forward(f, x, v, h):
    u = v / np.linalg.norm(v)
    return (f(x + h * u) - f(x)) / h


# %% fd-forward | normalizes the direction and multiplies by its length, which fails for a direction of zeros | zero
def fd_forward(f, x, v, h):
    length = np.linalg.norm(v)
    return (f(x + h * v / length) - f(x)) / h * length


# %% fd-forward | takes a central difference | central
def fd_forward(f, x, v, h):
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


# %% fd-forward | takes a backward difference | behind
def fd_forward(f, x, v, h):
    return (f(x) - f(x - h * v)) / h


# %% fd-forward | takes a one-sided difference of three points | forward difference takes
def fd_forward(f, x, v, h):
    return (-3 * f(x) + 4 * f(x + h * v) - f(x + 2 * h * v)) / (2 * h)


# %% fd-forward | moves x itself | caller's array
def fd_forward(f, x, v, h):
    before = f(x)
    x += h * v
    return (f(x) - before) / h


# %% fd-forward | converts to float64 | float32
def fd_forward(f, x, v, h):
    x, v = np.asarray(x, dtype=float), np.asarray(v, dtype=float)
    return (f(x + h * v) - f(x)) / h


# %% fd-forward | computes in float64 and converts the result alone | points and the answer
def fd_forward(f, x, v, h):
    wide, along = x.astype(np.float64), v.astype(np.float64)
    return ((f(wide + h * along) - f(wide)) / h).astype(x.dtype)


# %% fd-forward | forgets to divide by h | over the step h
def fd_forward(f, x, v, h):
    return f(x + h * v) - f(x)


# %% fd-forward | adds the partial derivatives, each with its own point | nowhere else
def fd_forward(f, x, v, h):
    return sum(v[i] * (f(x + h * e) - f(x)) / h for i, e in enumerate(np.eye(len(x), dtype=x.dtype)))


# %% fd-forward | moves x by a step of its own | the h that is given
def fd_forward(f, x, v, h):
    h = np.sqrt(np.finfo(x.dtype).eps)
    return (f(x + h * v) - f(x)) / h


# %% fd-forward | calls the library | write it yourself
def fd_forward(f, x, v, h):
    return finite_diff.jvp_fd(f, x, v, method="forward", h=h)


# %% fd-weights | has all signs flipped, as a known slide has | sign
def fd_weights(offsets, order):
    powers = np.vander(np.asarray(offsets, dtype=float), increasing=True).T
    moments = np.zeros(len(offsets))
    moments[order] = -np.prod(np.arange(1, order + 1))
    return np.linalg.solve(powers, moments)


# %% fd-weights | takes the point behind for the point ahead | sign
def fd_weights(offsets, order):
    powers = np.vander(-np.asarray(offsets, dtype=float), increasing=True).T
    moments = np.zeros(len(offsets))
    moments[order] = np.prod(np.arange(1, order + 1))
    return np.linalg.solve(powers, moments)


# %% fd-weights | forgets the factorial | factorial
def fd_weights(offsets, order):
    powers = np.vander(np.asarray(offsets, dtype=float), increasing=True).T
    return np.linalg.solve(powers, np.eye(len(offsets))[order])


# %% fd-weights | takes the order in place of its factorial | factorial
def fd_weights(offsets, order):
    powers = np.vander(np.asarray(offsets, dtype=float), increasing=True).T
    return np.linalg.solve(powers, order * np.eye(len(offsets))[order])


# %% fd-weights | does not transpose the Vandermonde matrix | every other power
def fd_weights(offsets, order):
    moments = np.zeros(len(offsets))
    moments[order] = np.prod(np.arange(1, order + 1))
    return np.linalg.solve(np.vander(offsets, increasing=True), moments)


# %% fd-weights | leaves the powers in decreasing order | every other power
def fd_weights(offsets, order):
    moments = np.zeros(len(offsets))
    moments[order] = np.prod(np.arange(1, order + 1))
    return np.linalg.solve(np.vander(np.asarray(offsets, dtype=float)).T, moments)


# %% fd-weights | sorts the offsets first | do not sort
def fd_weights(offsets, order):
    powers = np.vander(np.sort(np.asarray(offsets, dtype=float)), increasing=True).T
    moments = np.zeros(len(offsets))
    moments[order] = np.prod(np.arange(1, order + 1))
    return np.linalg.solve(powers, moments)


# %% fd-weights | rounds the weights to twelfths | try your weights
def fd_weights(offsets, order):
    powers = np.vander(np.asarray(offsets, dtype=float), increasing=True).T
    moments = np.zeros(len(offsets))
    moments[order] = np.prod(np.arange(1, order + 1))
    return np.round(np.linalg.solve(powers, moments) * 12) / 12


# %% fd-weights | makes integers of the offsets | whole numbers
def fd_weights(offsets, order):
    powers = np.vander(np.array(offsets).astype(int), increasing=True).T.astype(float)
    moments = np.zeros(len(offsets))
    moments[order] = np.prod(np.arange(1, order + 1))
    return np.linalg.lstsq(powers, moments, rcond=None)[0]


# %% fd-weights | handles central stencils of 3 and 5 points alone | whichever
def fd_weights(offsets, order):
    table = {(3, 1): [-0.5, 0, 0.5], (3, 2): [1, -2, 1], (5, 1): [1 / 12, -2 / 3, 0, 2 / 3, -1 / 12],
             (5, 2): [-1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12], (5, 3): [-0.5, 1, 0, -1, 0.5], (5, 4): [1, -4, 6, -4, 1]}
    return np.array(table[len(offsets), order], dtype=float)


# %% fd-weights | uses order + 1 of the points alone | below P
def fd_weights(offsets, order):
    o = np.asarray(offsets, dtype=float)
    used = np.argsort(abs(o))[:order + 1] if len(o) != 5 or order > 1 else np.arange(5)
    weights, moments = np.zeros(len(o)), np.zeros(len(used))
    moments[order] = np.prod(np.arange(1, order + 1))
    weights[used] = np.linalg.solve(np.vander(o[used], increasing=True).T, moments)
    return weights


# %% fd-weights | calls the library | write it yourself
def fd_weights(offsets, order):
    return finite_diff.stencil(offsets, order)


# %% optimal-step | takes the exponent 1/4 for the five-point formula, as a slide does | power from the table
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, power = {"forward": (4, 1 / 2), "central": (3, 1 / 3), "five_point": (11.25, 1 / 4), "second": (48, 1 / 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** power * (abs(x) or 1.0))


# %% optimal-step | takes the exponent of the first derivative's central formula for the second | power from the table
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 3)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * (abs(x) or 1.0))


# %% optimal-step | leaves the factors out, but for the central one | factor
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (1, 2), "central": (3, 3), "five_point": (1, 5), "second": (1, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * (abs(x) or 1.0))


# %% optimal-step | leaves all factors out | factor
def optimal_step(method, dtype, x, f_scale=1.0):
    m = {"forward": 2, "central": 3, "five_point": 5, "second": 4}[method]
    return float((np.finfo(dtype).eps * f_scale) ** (1 / m) * (abs(x) or 1.0))


# %% optimal-step | gives the central step to all methods | each method has its own
def optimal_step(method, dtype, x, f_scale=1.0):
    return float((3 * np.finfo(dtype).eps * f_scale) ** (1 / 3) * (abs(x) or 1.0))


# %% optimal-step | always takes the epsilon of float64 | epsilon of that type
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(float).eps * f_scale) ** (1 / m) * (abs(x) or 1.0))


# %% optimal-step | returns a float32 for 32 bits | Python float
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return (factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * (abs(x) or 1.0)


# %% optimal-step | ignores x | proportional
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m))


# %% optimal-step | takes max(1, abs(x)) | however small
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * max(1.0, abs(x)))


# %% optimal-step | takes 1 + abs(x) where x is not 1 | proportional
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * (1.0 if x == 1 else 1 + abs(x)))


# %% optimal-step | keeps the sign of x | absolute
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * (x or 1.0))


# %% optimal-step | has the step 0 where x is 0 | x = 0
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale) ** (1 / m) * abs(x))


# %% optimal-step | puts abs(x) under the root | proportional
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps * f_scale * (abs(x) or 1.0)) ** (1 / m))


# %% optimal-step | ignores f_scale | under the same root
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps) ** (1 / m) * (abs(x) or 1.0))


# %% optimal-step | multiplies by f_scale outside the root | under the same root
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps) ** (1 / m) * (abs(x) or 1.0) * f_scale)


# %% optimal-step | divides by f_scale | multiplies
def optimal_step(method, dtype, x, f_scale=1.0):
    factor, m = {"forward": (4, 2), "central": (3, 3), "five_point": (11.25, 5), "second": (48, 4)}[method]
    return float((factor * np.finfo(dtype).eps / f_scale) ** (1 / m) * (abs(x) or 1.0))


# %% complex-jacobian | takes h = 1e-8 | smaller
def complex_step_jacobian(f, x):
    columns = []
    for e in np.eye(len(x)):
        y = np.asarray(f(x + 1e-8j * e))
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag / 1e-8)
    return np.stack(columns, axis=1)


# %% complex-jacobian | takes a step relative to x | relative
def complex_step_jacobian(f, x):
    columns = []
    for i, e in enumerate(np.eye(len(x))):
        h = 1e-20 * abs(x[i])
        y = np.asarray(f(x + 1j * h * e))
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | takes the real part | imaginary
def complex_step_jacobian(f, x):
    h, columns = 1e-30, []
    for e in np.eye(len(x)):
        y = np.asarray(f(x + 1j * h * e))
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.real / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | gives the transposed Jacobian | M rows
def complex_step_jacobian(f, x):
    h, rows = 1e-30, []
    for e in np.eye(len(x)):
        y = np.asarray(f(x + 1j * h * e))
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        rows.append(y.imag / h)
    return np.array(rows)


# %% complex-jacobian | puts the complex number into a copy of type float64 | x.astype(complex)
def complex_step_jacobian(f, x):
    h, columns = 1e-30, []
    for i in range(len(x)):
        z = x.copy()
        z[i] = x[i] + 1j * h
        y = np.asarray(f(z))
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | puts the complex number into a copy of type float64, and does not look at the type | cannot hold
def complex_step_jacobian(f, x):
    h, J = 1e-30, []
    for i in range(len(x)):
        z = x.copy()
        z[i] += 1j * h
        J.append(np.imag(f(z)) / h)
    return np.array(J).T


# %% complex-jacobian | adds the complex number to a copy of type float64 in place | cannot hold
def complex_step_jacobian(f, x):
    h, columns = 1e-30, []
    for e in np.eye(len(x)):
        z = x.copy()
        z += 1j * h * e
        y = np.asarray(f(z))
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | calls f once more, at x | no other
def complex_step_jacobian(f, x):
    h = 1e-30
    J = np.zeros((len(f(x)), len(x)))
    for i in range(len(x)):
        z = x.astype(complex)
        z[i] += 1j * h
        y = f(z)
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        J[:, i] = y.imag / h
    return J


# %% complex-jacobian | subtracts f(x), as a difference does | no other
def complex_step_jacobian(f, x):
    h, columns = 1e-30, []
    for e in np.eye(len(x)):
        y = f(x + 1j * h * e)
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append((y - f(x)).imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | moves x itself as well, and does not put it back | copy
def complex_step_jacobian(f, x):
    h, columns = 1e-12, []
    for i, e in enumerate(np.eye(len(x))):
        x[i] += h
        y = f(x + 1j * h * e)
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | adds up the perturbations | put the last one back
def complex_step_jacobian(f, x):
    h, z, columns = 1e-30, x.astype(complex), []
    for i in range(len(x)):
        z[i] += 1j * h
        y = f(z)
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | does not reject real values | TypeError
def complex_step_jacobian(f, x):
    h = 1e-30
    return np.stack([np.imag(f(x + 1j * h * e)) / h for e in np.eye(len(x))], axis=1)


# %% complex-jacobian | rejects real values with a ValueError | TypeError
def complex_step_jacobian(f, x):
    h, columns = 1e-30, []
    for e in np.eye(len(x)):
        y = f(x + 1j * h * e)
        if not np.iscomplexobj(y):
            raise ValueError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | takes a derivative of zero for a real value | may be zero
def complex_step_jacobian(f, x):
    h, columns = 1e-30, []
    for e in np.eye(len(x)):
        y = f(x + 1j * h * e)
        if np.all(np.imag(y) == 0):
            raise TypeError("f is real")
        columns.append(y.imag / h)
    return np.stack(columns, axis=1)


# %% complex-jacobian | forgets to divide by h | divided by the step
def complex_step_jacobian(f, x):
    columns = []
    for e in np.eye(len(x)):
        y = f(x + 1e-30j * e)
        if not np.iscomplexobj(y):
            raise TypeError("f is real")
        columns.append(y.imag)
    return np.stack(columns, axis=1)


# %% complex-jacobian | takes central differences | never a difference
def complex_step_jacobian(f, x):
    h = 6e-6
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))], axis=1)


# %% complex-jacobian | calls the library | write it yourself
def complex_step_jacobian(f, x):
    return finite_diff.jacobian_fd(f, x, method="complex_step", h=1e-30)


# %% noisy-step | takes the square root of machine epsilon | machine epsilon
def noisy_step(f, x, noise):
    return float(np.sqrt(np.finfo(float).eps))


# %% noisy-step | takes the noise itself for the step | square root of the noise
def noisy_step(f, x, noise):
    return float(noise)


# %% noisy-step | takes the noise as relative to f | absolute size
def noisy_step(f, x, noise):
    wide = noise**0.25
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise * abs(f(x)) / curvature))


# %% noisy-step | ignores the curvature | falls as the curvature grows
def noisy_step(f, x, noise):
    return float(8**0.25 * np.sqrt(noise))


# %% noisy-step | takes the value of f for its curvature | values, slopes
def noisy_step(f, x, noise):
    return float(8**0.25 * np.sqrt(noise / abs(f(x))))


# %% noisy-step | takes the slope for the curvature | values, slopes
def noisy_step(f, x, noise):
    wide = np.sqrt(noise)
    return float(8**0.25 * np.sqrt(noise / abs((f(x + wide) - f(x)) / wide)))


# %% noisy-step | takes the curvature with a step of 1e-4, where it drowns in the noise | 2.4*noise
def noisy_step(f, x, noise):
    wide = 1e-4
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature with a step of 1e-3 | far below 1
def noisy_step(f, x, noise):
    wide = 1e-3
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature with the square root of the noise as step | far below 1
def noisy_step(f, x, noise):
    wide = np.sqrt(noise)
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature with twice the square root of the noise as step | far below 1
def noisy_step(f, x, noise):
    wide = 2 * np.sqrt(noise)
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature with the best step of a second derivative without noise | far below 1
def noisy_step(f, x, noise):
    wide = np.finfo(float).eps ** 0.25
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature with the square root of machine epsilon as step | 2.4*noise
def noisy_step(f, x, noise):
    wide = np.sqrt(np.finfo(float).eps)
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature over 0.5 to each side | another place
def noisy_step(f, x, noise):
    wide = 0.5
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the curvature over 1 to each side | another place
def noisy_step(f, x, noise):
    curvature = abs(f(x + 1) - 2 * f(x) + f(x - 1))
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | takes the central difference's cube root | square root
def noisy_step(f, x, noise):
    wide = noise**0.25
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float((3 * noise / curvature) ** (1 / 3))


# %% noisy-step | forgets to divide the second difference by the square of its step | square root of the noise
def noisy_step(f, x, noise):
    wide = noise**0.25
    return float(8**0.25 * np.sqrt(noise / abs(f(x + wide) - 2 * f(x) + f(x - wide))))


# %% noisy-step | forgets to divide the second difference by the square of 0.1 | divided by the square of its step
def noisy_step(f, x, noise):
    return float(8**0.25 * np.sqrt(noise / abs(f(x + 0.1) - 2 * f(x) + f(x - 0.1))))


# %% noisy-step | forgets the absolute value | absolute value
def noisy_step(f, x, noise):
    wide = noise**0.25
    curvature = (f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise / curvature))


# %% noisy-step | multiplies by the curvature | falls
def noisy_step(f, x, noise):
    wide = noise**0.25
    curvature = abs(f(x + wide) - 2 * f(x) + f(x - wide)) / wide**2
    return float(8**0.25 * np.sqrt(noise * curvature))
