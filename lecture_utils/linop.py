"""Linear maps that are given by what they do: their matrices, and the Jacobian of a function as such a map.

Idea: a linear map is known once it is known on a basis, so n products give its n columns and m products of its adjoint its m
rows; and whoever needs only products (GMRES, LSMR) never needs the matrix. One linearization of f serves J v and Jᵀu.
Source: Y. Saad, Iterative Methods for Sparse Linear Systems, SIAM 2003, section 6; A. Griewank, A. Walther, Evaluating
Derivatives, SIAM 2008, section 3.
"""
import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse.linalg import LinearOperator

from lecture_utils import _inputs


def materialize(matvec, n):
    """Return the matrix of a linear map, column by column: [M, N], with column i the map of the basis vector e_i.

    matvec: the map, a function from [N] (given as NumPy, float64) to [M], in NumPy or JAX; the matrix has the type of what
    it returns. n: N, an int.

    Cost: n calls of matvec, and the M N numbers of the matrix. That matvec is linear is not checked: of another function
    this is a matrix that does not stand for it.
    Raises ValueError or TypeError if matvec is no function, n is no positive int, or if matvec returns something other than
    finite real floating-point numbers [M], with the same M each time.

    >>> materialize(lambda v: np.array([v[0], 2 * v[1], v[0] - v[1]]), 2)
    array([[ 1.,  0.],
           [ 0.,  2.],
           [ 1., -1.]])
    """
    return _images("matvec", matvec, "n", n, axis=1)


def materialize_adjoint(rmatvec, m):
    """Return the matrix of a linear map from its adjoint, row by row: [M, N], with row j the adjoint map of e_j.

    rmatvec: the adjoint, a function from [M] (given as NumPy, float64) to [N], in NumPy or JAX; m: M, an int. The columns of
    the adjoint's matrix are the rows of the map's own, which is what is returned, as by `materialize` of the map.

    Cost: m calls of rmatvec.
    Raises ValueError or TypeError as `materialize` does.

    >>> materialize_adjoint(lambda u: np.array([u[0] + u[2], 2 * u[1] - u[2]]), 3)
    array([[ 1.,  0.],
           [ 0.,  2.],
           [ 1., -1.]])
    """
    return _images("rmatvec", rmatvec, "m", m, axis=0)


def jacobian_operator(f, x):
    """Return the Jacobian of f at x as an operator of SciPy, [M, N]: `.matvec(v)` is J v, `.rmatvec(u)` is Jᵀu.

    f: a function of JAX, from a vector [N] to [M] or to a scalar (then M = 1). x: [N], the point of linearization, of a
    floating-point type of at least 32 bits, which the operator keeps: a product with v or u of another type is computed in
    the type of x, or of f(x), and comes back in it, as NumPy. The operator fits `scipy.sparse.linalg`: gmres, lsmr, `J.T`.

    Cost: f is run once, by `jax.linearize`, which keeps what the products need, about as much memory as reverse mode does;
    then each product costs about as much as f, and no matrix is formed. The first product with J, and that with Jᵀ, compile.
    Raises ValueError or TypeError if f is no function or JAX cannot trace it, if x is no finite floating-point [N], or
    float64 while JAX computes in 32 bits, if f(x) is not finite and real, [M] or a scalar; and so does a product with a
    vector of another length, or of complex numbers. Where f has a kink, J is what JAX takes it to be. A function
    of `jax.custom_vjp` has no J v, and says so at the first product.

    >>> J = jacobian_operator(lambda x: jnp.array([x[0] * x[1], x[0], 2 * x[1]]), np.array([2, 4], np.float32))
    >>> J.shape, J.matvec(np.array([1.0, 0.0])).tolist(), J.rmatvec(np.array([1.0, 0.0, 0.0])).tolist()
    ((3, 2), [4.0, 1.0, 0.0], [4.0, 2.0])
    """
    _inputs.function("f", f)
    x = _inputs.vector("x", x)
    if jnp.finfo(x.dtype).bits < 32 or jnp.asarray(x).dtype != x.dtype:
        raise TypeError(f"x has dtype {x.dtype}, expected {jnp.asarray(np.ones(1)).dtype}: SciPy has no types of 16 bits, "
                        'and JAX none of 64 before jax.config.update("jax_enable_x64", True)')
    try:
        y, pushforward = jax.linearize(f, jnp.asarray(x))
    except (TypeError, jax.errors.TracerArrayConversionError) as error:
        raise TypeError(f"f cannot be linearized, expected a function of JAX from [N] to [M] or a scalar: {error}") from error
    if isinstance(y, (list, tuple, dict)):
        raise TypeError(f"f returned a {type(y).__name__}, expected one array [M] or a scalar: jnp.stack makes one of several")
    y = _inputs.result("f", y)
    forward = jax.jit(lambda v: jnp.atleast_1d(pushforward(v)))
    backward = jax.jit(lambda u: jax.linear_transpose(pushforward, x)(u.reshape(y.shape))[0])
    return LinearOperator((y.size, x.size), dtype=y.dtype, matvec=_product("v", forward, x.size, x.dtype),
                          rmatvec=_product("u", backward, y.size, y.dtype))


def _product(name, linear, size, dtype):
    """Return the linear map as a function of NumPy arrays [size] or [size, 1], which is what SciPy calls it with."""
    def product(value):
        if np.iscomplexobj(value):
            raise TypeError(f"{name} is complex, expected real numbers: apply the operator to the two parts")
        return np.array(linear(np.asarray(value).reshape(size).astype(dtype)))     # a copy: gmres writes into it
    return product


def _images(name, linear, size_name, size, axis):
    """Return what the map `linear`, an argument called `name`, makes of the basis vectors, stacked along `axis`."""
    _inputs.function(name, linear)
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(f"{size_name} is {size!r}, expected the dimension of a space: 1, 2, …")
    images: list = []
    for i in range(size):
        e = np.zeros(size)
        e[i] = 1
        image = _inputs.result(name, linear(e), at=f" for the basis vector {i}")
        if image.ndim != 1 or images and image.shape != images[0].shape:
            wanted = list(images[0].shape) if images else "a vector"
            raise ValueError(f"{name} returned shape {list(image.shape)} for the basis vector {i}, expected {wanted}")
        images.append(image)
    return (jnp if isinstance(images[0], jax.Array) else np).stack(images, axis=axis)
