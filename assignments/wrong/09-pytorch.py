"""Plausible wrong answers to the exercises of chapter 09. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% same-grad | calls backward, which adds to the leaves of f_torch | .backward()
def torch_jax_same_grad(f_torch, f_jax, x):
    t = torch.tensor(x, requires_grad=True)
    f_torch(t).backward()
    by_torch, by_jax = t.grad.numpy(), np.asarray(jax.grad(f_jax)(jnp.asarray(x)))
    return by_torch, by_jax, float(np.max(np.abs(by_torch - by_jax)) / (np.max(np.abs(by_jax)) or 1.0))


# %% same-grad | computes PyTorch's side in 32 bits | float32
def torch_jax_same_grad(f_torch, f_jax, x):
    by_jax = np.asarray(jax.grad(f_jax)(jnp.asarray(x)))
    by_torch = torch.func.grad(lambda t: f_torch(t.double()))(torch.Tensor(x)).detach().double().numpy()
    return by_torch, by_jax, float(np.max(np.abs(by_torch - by_jax)) / (np.max(np.abs(by_jax)) or 1.0))


# %% same-grad | returns tensors and JAX arrays | NumPy array
def torch_jax_same_grad(f_torch, f_jax, x):
    by_torch = torch.func.grad(f_torch)(torch.tensor(x)).detach()
    by_jax = jax.grad(f_jax)(jnp.asarray(x))
    difference = np.max(np.abs(by_torch.numpy() - np.asarray(by_jax)))
    return by_torch, by_jax, float(difference / (np.max(np.abs(by_jax)) or 1.0))


# %% same-grad | divides entry by entry | entry by entry
def torch_jax_same_grad(f_torch, f_jax, x):
    by_torch = torch.func.grad(f_torch)(torch.tensor(x)).detach().numpy()
    by_jax = np.asarray(jax.grad(f_jax)(jnp.asarray(x)))
    return by_torch, by_jax, float(np.max(np.abs(by_torch / np.where(by_jax == 0, 1, by_jax) - (by_jax != 0))))


# %% same-grad | divides by zero for a constant | divide by 1
def torch_jax_same_grad(f_torch, f_jax, x):
    by_torch = torch.func.grad(f_torch)(torch.tensor(x)).detach().numpy()
    by_jax = np.asarray(jax.grad(f_jax)(jnp.asarray(x)))
    with np.errstate(divide="ignore"):
        return by_torch, by_jax, float(np.max(np.abs(by_torch - by_jax)) / np.max(np.abs(by_jax)))


# %% same-grad | divides by at least 1 | largest absolute
def torch_jax_same_grad(f_torch, f_jax, x):
    by_torch = torch.func.grad(f_torch)(torch.tensor(x)).detach().numpy()
    by_jax = np.asarray(jax.grad(f_jax)(jnp.asarray(x)))
    return by_torch, by_jax, float(np.max(np.abs(by_torch - by_jax)) / max(1.0, np.max(np.abs(by_jax))))


# %% same-grad | forgets the absolute value | largest absolute
def torch_jax_same_grad(f_torch, f_jax, x):
    by_torch = torch.func.grad(f_torch)(torch.tensor(x)).detach().numpy()
    by_jax = np.asarray(jax.grad(f_jax)(jnp.asarray(x)))
    return by_torch, by_jax, float(np.max(by_torch - by_jax) / (np.max(np.abs(by_jax)) or 1.0))


# %% mend-loop | forgets to clear the gradient | clear w.grad
def fit(loss, w, rate, steps):
    losses = []
    for k in range(steps):
        now = loss(w)
        now.backward()
        with torch.no_grad():
            w -= rate * w.grad
        losses.append(now.item())
    return losses


# %% mend-loop | clears at the end of each pass only | before the first
def fit(loss, w, rate, steps):
    losses = []
    for k in range(steps):
        now = loss(w)
        now.backward()
        with torch.no_grad():
            w -= rate * w.grad
        w.grad = None
        losses.append(now.item())
    return losses


# %% mend-loop | makes a new leaf in each pass | the caller's
def fit(loss, w, rate, steps):
    losses = []
    for k in range(steps):
        w.grad = None
        now = loss(w)
        now.backward()
        w = (w - rate * w.grad).detach().requires_grad_()
        losses.append(now.item())
    return losses


# %% mend-loop | collects tensors | .item()
def fit(loss, w, rate, steps):
    losses = []
    for k in range(steps):
        w.grad = None
        now = loss(w)
        now.backward()
        with torch.no_grad():
            w -= rate * w.grad
        losses.append(now.detach())
    return losses


# %% mend-loop | notes the loss after the step | before each step
def fit(loss, w, rate, steps):
    losses = []
    for k in range(steps):
        w.grad = None
        loss(w).backward()
        with torch.no_grad():
            w -= rate * w.grad
            losses.append(loss(w).item())
    return losses


# %% micro-batches | adds the means of the batches | more weight
def accumulated_step(model, batches, optimizer):
    optimizer.zero_grad()
    risk, total = 0.0, sum(len(y) for X, y in batches)
    for X, y in batches:
        part = torch.mean((model(X) - y) ** 2)
        part.backward()
        risk += part.item() * len(y) / total
    optimizer.step()
    return risk


# %% micro-batches | averages the means of unequal batches | more weight
def accumulated_step(model, batches, optimizer):
    optimizer.zero_grad()
    risk = 0.0
    for X, y in batches:
        part = torch.mean((model(X) - y) ** 2) / len(batches)
        part.backward()
        risk += part.item()
    optimizer.step()
    return risk


# %% micro-batches | does not clear what was left | zero_grad
def accumulated_step(model, batches, optimizer):
    total, risk = sum(len(y) for X, y in batches), 0.0
    for X, y in batches:
        part = torch.sum((model(X) - y) ** 2) / total
        part.backward()
        risk += part.item()
    optimizer.step()
    return risk


# %% micro-batches | adds the losses and sweeps once | right after it
def accumulated_step(model, batches, optimizer):
    total = sum(len(y) for X, y in batches)
    optimizer.zero_grad()
    risk = sum(torch.sum((model(X) - y) ** 2) for X, y in batches) / total
    risk.backward()
    optimizer.step()
    return risk.item()


# %% micro-batches | takes all data at once | once for each batch
def accumulated_step(model, batches, optimizer):
    X, y = (torch.cat(parts) for parts in zip(*batches))
    optimizer.zero_grad()
    risk = torch.mean((model(X) - y) ** 2)
    risk.backward()
    optimizer.step()
    return risk.item()


# %% micro-batches | steps after each batch | step once
def accumulated_step(model, batches, optimizer):
    total, risk = sum(len(y) for X, y in batches), 0.0
    for X, y in batches:
        optimizer.zero_grad()
        part = torch.sum((model(X) - y) ** 2) / total
        part.backward()
        optimizer.step()
        risk += part.item()
    return risk


# %% micro-batches | returns a tensor | Python float
def accumulated_step(model, batches, optimizer):
    total, risk = sum(len(y) for X, y in batches), 0.0
    optimizer.zero_grad()
    for X, y in batches:
        part = torch.sum((model(X) - y) ** 2) / total
        part.backward()
        risk = risk + part.detach()
    optimizer.step()
    return risk


# %% clipped-gradient | cuts the average | before you average
def clipped_gradient(loss, params, X, y, c):
    each = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))
    g = {name: part.mean(0) for name, part in each(params, X, y).items()}
    length = torch.sqrt(sum((part**2).sum() for part in g.values()))
    return {name: part * (c / torch.clamp(length, min=c)) for name, part in g.items()}


# %% clipped-gradient | cuts each parameter by its own length | over all parameters
def clipped_gradient(loss, params, X, y, c):
    g = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(params, X, y)
    out = {}
    for name, part in g.items():
        length = torch.sqrt((part.reshape(len(y), -1) ** 2).sum(1))
        out[name] = torch.tensordot(c / torch.clamp(length, min=c), part, dims=1) / len(y)
    return out


# %% clipped-gradient | cuts each entry | not each entry
def clipped_gradient(loss, params, X, y, c):
    g = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(params, X, y)
    return {name: torch.clamp(part, -c, c).mean(0) for name, part in g.items()}


# %% clipped-gradient | gives every gradient the length c | must not lengthen
def clipped_gradient(loss, params, X, y, c):
    g = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(params, X, y)
    length = torch.sqrt(sum((part.reshape(len(y), -1) ** 2).sum(1) for part in g.values()))
    return {name: torch.tensordot(c / length, part, dims=1) / len(y) for name, part in g.items()}


# %% clipped-gradient | divides a gradient of zero by its length | nan
def clipped_gradient(loss, params, X, y, c):
    g = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(params, X, y)
    length = torch.sqrt(sum((part.reshape(len(y), -1) ** 2).sum(1) for part in g.values()))
    return {name: torch.tensordot(torch.clamp(length, max=c) / length, part, dims=1) / len(y) for name, part in g.items()}


# %% clipped-gradient | sums instead of averaging | divide by n
def clipped_gradient(loss, params, X, y, c):
    g = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(params, X, y)
    length = torch.sqrt(sum((part.reshape(len(y), -1) ** 2).sum(1) for part in g.values()))
    return {name: torch.tensordot(c / torch.clamp(length, min=c), part, dims=1) for name, part in g.items()}


# %% clipped-gradient | loops over the observations | no loop
def clipped_gradient(loss, params, X, y, c):
    total = {name: torch.zeros_like(part) for name, part in params.items()}
    for x_i, y_i in zip(X, y):
        g = torch.func.grad(loss)(params, x_i, y_i)
        length = torch.sqrt(sum((part**2).sum() for part in g.values()))
        for name in total:
            total[name] += g[name] * (c / torch.clamp(length, min=c)) / len(y)
    return total
