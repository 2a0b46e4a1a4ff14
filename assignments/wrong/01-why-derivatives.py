"""Plausible wrong answers to the exercises of chapter 01. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% metropolis-step | accepts whenever the density rises, and never else | exactly when
def metropolis_step(log_density, x, proposal, u):
    return proposal if log_density(proposal) > log_density(x) else x


# %% metropolis-step | forgets the logarithm of u | logarithms
def metropolis_step(log_density, x, proposal, u):
    return proposal if u < log_density(proposal) - log_density(x) else x


# %% metropolis-step | turns the ratio around | proposal minus x
def metropolis_step(log_density, x, proposal, u):
    return proposal if np.log(u) < log_density(x) - log_density(proposal) else x


# %% metropolis-step | takes the exponential of each log density, which underflows | overflows
def metropolis_step(log_density, x, proposal, u):
    return proposal if u < np.exp(log_density(proposal)) / np.exp(log_density(x)) else x


# %% metropolis-step | takes the exponential of the difference, which overflows | overflows
def metropolis_step(log_density, x, proposal, u):
    return proposal if u < np.exp(log_density(proposal) - log_density(x)) else x


# %% metropolis-step | accepts with the complementary probability | exactly when
def metropolis_step(log_density, x, proposal, u):
    return proposal if np.log(1 - u) < log_density(proposal) - log_density(x) else x


# %% metropolis-step | always moves | rejected
def metropolis_step(log_density, x, proposal, u):
    return proposal


# %% effective-draws | returns tau | n over tau
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    pairs = rho[0::2] / rho[0] + rho[1::2] / rho[0]
    last = np.argmax(pairs <= 0)
    return float(2 * np.sum(pairs[:last]) - 1)


# %% effective-draws | counts each lag once | twice
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    pairs = rho[0::2] / rho[0] + rho[1::2] / rho[0]
    last = np.argmax(pairs <= 0)
    return float(n / np.sum(pairs[:last]))


# %% effective-draws | counts lag 0 twice as well | lag 0
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    pairs = rho[0::2] / rho[0] + rho[1::2] / rho[0]
    last = np.argmax(pairs <= 0)
    return float(n / (2 * np.sum(pairs[:last])))


# %% effective-draws | sums all lags | cut off
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    return float(n / (2 * np.sum(rho) / rho[0] - 1))


# %% effective-draws | does not take the average off | average
def effective_draws(chain):
    n, x = len(chain), chain
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    pairs = rho[0::2] / rho[0] + rho[1::2] / rho[0]
    negative = np.flatnonzero(pairs <= 0)
    last = negative[0] if len(negative) else len(pairs)
    return float(n / (2 * np.sum(pairs[:last]) - 1))


# %% effective-draws | leaves out the division by the autocovariance at lag 0 | units
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n] / n
    pairs = rho[0::2] + rho[1::2]
    last = np.argmax(pairs <= 0)
    return float(n / (2 * np.sum(pairs[:last]) - 1))


# %% effective-draws | stops at the first negative autocorrelation | pairs
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    rho = rho / rho[0]
    last = np.argmax(rho <= 0)
    return float(n / (2 * np.sum(rho[:last]) - 1))


# %% effective-draws | caps the answer at n | cap
def effective_draws(chain):
    n, x = len(chain), chain - np.mean(chain)
    rho = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2)[:n]
    pairs = rho[0::2] / rho[0] + rho[1::2] / rho[0]
    last = np.argmax(pairs <= 0)
    return float(min(n, n / (2 * np.sum(pairs[:last]) - 1)))


# %% effective-draws | uses the first lag alone | cut off
def effective_draws(chain):
    x = chain - np.mean(chain)
    return float(len(x) * (1 - np.sum(x[1:] * x[:-1]) / np.sum(x * x)))


# %% newton-logit | takes one step | until nothing moves
def newton_logit(X, y, tol=1e-8):
    q = np.full(len(y), 0.5)
    V = np.linalg.inv((X * (q * (1 - q))[:, None]).T @ X)
    return V @ (X.T @ (y - q)), np.sqrt(np.diag(V))


# %% newton-logit | returns variances for standard errors | square roots
def newton_logit(X, y, tol=1e-8):
    b = np.zeros(X.shape[1])
    for _ in range(100):
        if np.all(np.where(y > 0, X @ b, -X @ b) > 0):
            raise ValueError("separated")
        q = 1 / (1 + np.exp(-X @ b))
        V = np.linalg.inv((X * (q * (1 - q))[:, None]).T @ X)
        move = V @ (X.T @ (y - q))
        b = b + move
        if np.all(np.abs(move) <= tol * np.sqrt(np.diag(V))):
            return b, np.diag(V)


# %% newton-logit | returns the roots of the Hessian's diagonal, inverted one by one | inverse of minus the Hessian
def newton_logit(X, y, tol=1e-8):
    b = np.zeros(X.shape[1])
    for _ in range(100):
        if np.all(np.where(y > 0, X @ b, -X @ b) > 0):
            raise ValueError("separated")
        q = 1 / (1 + np.exp(-X @ b))
        H = (X * (q * (1 - q))[:, None]).T @ X
        move = np.linalg.solve(H, X.T @ (y - q))
        b = b + move
        if np.all(np.abs(move) <= tol * np.sqrt(np.diag(np.linalg.inv(H)))):
            return b, 1 / np.sqrt(np.diag(H))


# %% newton-logit | stops when the gradient is below 0.01, whatever the units | tolerance
def newton_logit(X, y, tol=1e-8):
    b = np.zeros(X.shape[1])
    for _ in range(100):
        if np.all(np.where(y > 0, X @ b, -X @ b) > 0):
            raise ValueError("separated")
        q = 1 / (1 + np.exp(-X @ b))
        V = np.linalg.inv((X * (q * (1 - q))[:, None]).T @ X)
        g = X.T @ (y - q)
        if np.max(np.abs(g)) < 1e-2:
            return b, np.sqrt(np.diag(V))
        b = b + V @ g
    raise ValueError("no convergence")


# %% newton-logit | walks up the gradient with a fixed step | Newton's move
def newton_logit(X, y, tol=1e-8):
    b = np.zeros(X.shape[1])
    for _ in range(2000):
        q = 1 / (1 + np.exp(-X @ b))
        b = b + 0.001 * X.T @ (y - q)
    H = (X * (q * (1 - q))[:, None]).T @ X
    return b, np.sqrt(np.diag(np.linalg.pinv(H)))


# %% newton-logit | gives an answer for separated data after 20 steps | separated
def newton_logit(X, y, tol=1e-8):
    b = np.zeros(X.shape[1])
    for _ in range(20):
        q = 1 / (1 + np.exp(-X @ b))
        V = np.linalg.pinv((X * (q * (1 - q))[:, None]).T @ X)
        b = b + V @ (X.T @ (y - q))
    return b, np.sqrt(np.abs(np.diag(V)))


# %% newton-logit | takes every large coefficient for separation | merely close
def newton_logit(X, y, tol=1e-8):
    b = np.zeros(X.shape[1])
    for _ in range(100):
        if np.max(np.abs(X @ b)) > 6:
            raise ValueError("separated")
        q = 1 / (1 + np.exp(-X @ b))
        V = np.linalg.inv((X * (q * (1 - q))[:, None]).T @ X)
        move = V @ (X.T @ (y - q))
        b = b + move
        if np.all(np.abs(move) <= tol * np.sqrt(np.diag(V))):
            return b, np.sqrt(np.diag(V))


# %% newton-logit | gives the linear probability model | Newton's move
def newton_logit(X, y, tol=1e-8):
    V = np.linalg.inv(X.T @ X)
    b = V @ (X.T @ y)
    return b, np.sqrt(np.diag(V) * np.sum((y - X @ b) ** 2) / (len(y) - X.shape[1]))


# %% newton-logit | standardizes X in place | leave X and y
def newton_logit(X, y, tol=1e-8):
    size = np.max(np.abs(X), axis=0)
    X /= size
    b = np.zeros(X.shape[1])
    for _ in range(100):
        if np.all(np.where(y > 0, X @ b, -X @ b) > 0):
            raise ValueError("separated")
        q = 1 / (1 + np.exp(-X @ b))
        V = np.linalg.inv((X * (q * (1 - q))[:, None]).T @ X)
        move = V @ (X.T @ (y - q))
        b = b + move
        if np.all(np.abs(move) <= tol * np.sqrt(np.diag(V))):
            return b / size, np.sqrt(np.diag(V)) / size
