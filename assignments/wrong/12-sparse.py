"""Plausible wrong answers to the exercises of chapter 12. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% color-and-recover | a color for each column | greedy
def color_and_recover(product, pattern):
    N = pattern.shape[1]
    rows, cols = pattern.nonzero()
    colors, data = np.arange(N), np.zeros(pattern.nnz)
    for j in range(N):
        v = np.zeros(N)
        v[j] = 1
        Av = product(v)
        data[cols == j] = Av[rows[cols == j]]
    return colors, data


# %% color-and-recover | three colors whatever the pattern is | meets
def color_and_recover(product, pattern):
    N = pattern.shape[1]
    rows, cols = pattern.nonzero()
    colors = np.arange(N) % 3
    data = np.zeros(pattern.nnz)
    for c in range(3):
        Av = product((colors == c).astype(float))
        data[colors[cols] == c] = Av[rows[colors[cols] == c]]
    return colors, data


# %% color-and-recover | forms the conflict graph as a dense array | dense
def color_and_recover(product, pattern):
    S = pattern.toarray() != 0
    meet = S.T.astype(int) @ S > 0
    N = S.shape[1]
    colors = np.full(N, -1)
    for j in range(N):
        taken = set(colors[meet[j]])
        colors[j] = next(c for c in range(N + 1) if c not in taken)
    rows, cols = pattern.nonzero()
    data = np.zeros(pattern.nnz)
    for c in range(colors.max() + 1):
        Av = product((colors == c).astype(float))
        data[colors[cols] == c] = Av[rows[colors[cols] == c]]
    return colors, data


# %% color-and-recover | returns the entries column by column | row by row
def color_and_recover(product, pattern):
    M, N = pattern.shape
    columns, colors = pattern.tocsc(), np.zeros(N, int)
    taken = [set() for i in range(M)]
    for j in range(N):
        mine = columns.indices[columns.indptr[j]:columns.indptr[j + 1]]
        used = set().union(*(taken[i] for i in mine))
        while colors[j] in used:
            colors[j] += 1
        for i in mine:
            taken[i].add(colors[j])
    data = []
    products = [product((colors == c).astype(float)) for c in range(colors.max() + 1)]
    for j in range(N):
        data += [products[colors[j]][i] for i in columns.indices[columns.indptr[j]:columns.indptr[j + 1]]]
    return colors, np.array(data)


# %% color-and-recover | one product for each column, though colors are shared | once for each color
def color_and_recover(product, pattern):
    M, N = pattern.shape
    columns, colors = pattern.tocsc(), np.zeros(N, int)
    taken = [set() for i in range(M)]
    for j in range(N):
        mine = columns.indices[columns.indptr[j]:columns.indptr[j + 1]]
        used = set().union(*(taken[i] for i in mine))
        while colors[j] in used:
            colors[j] += 1
        for i in mine:
            taken[i].add(colors[j])
    rows, cols = pattern.nonzero()
    data = np.zeros(pattern.nnz)
    for j in range(N):
        Av = product((colors == colors[j]).astype(float))
        data[cols == j] = Av[rows[cols == j]]
    return colors, data


# %% arrow-hessian | all columns by themselves | share it
def arrow_hessian(product, N, b):
    return np.stack([product(e) for e in np.eye(N)])


# %% arrow-hessian | forgets the other side of the border | by symmetry
def arrow_hessian(product, N, b):
    H = np.diag(product((np.arange(N) >= b).astype(float)))
    for i in range(b):
        H[:, i] = product(np.eye(N)[i])
    return H


# %% arrow-hessian | two products whatever b is | product with e_i
def arrow_hessian(product, N, b):
    first = np.zeros(N)
    first[:b] = 1
    H = np.diag(product(1 - first))
    H[0] = H[:, 0] = product(first)
    return H


# %% arrow-hessian | puts the sums of the last product on the shared diagonal | not in its first entry
def arrow_hessian(product, N, b):
    H = np.zeros((N, N))
    for i in range(b):
        H[i] = H[:, i] = product(np.eye(N)[i])
    H[np.arange(N), np.arange(N)] = product((np.arange(N) >= b).astype(float))
    return H


# %% is-star | looks at the edges alone | middle one
def is_star(pattern, colors):
    edge = (pattern != 0) & ~np.eye(len(colors), dtype=bool)
    return not bool(np.any(edge & np.equal.outer(colors, colors)))


# %% is-star | forbids one color at distance two | two edges apart
def is_star(pattern, colors):
    edge = ((pattern != 0) & ~np.eye(len(colors), dtype=bool)).astype(int)
    near = (edge + edge @ edge > 0) & ~np.eye(len(colors), dtype=bool)
    return not bool(np.any(near & np.equal.outer(colors, colors)))


# %% is-star | forbids cycles of two colors, which is an acyclic coloring | cycle is not needed
def is_star(pattern, colors):
    edge = (pattern != 0) & ~np.eye(len(colors), dtype=bool)
    if np.any(edge & np.equal.outer(colors, colors)):
        return False
    for a in set(colors.tolist()):
        for b in set(colors.tolist()):
            mine = np.flatnonzero((colors == a) | (colors == b))
            part = edge[np.ix_(mine, mine)]
            pieces = sps.csgraph.connected_components(sps.csr_array(part))[0] if len(mine) else 0
            if part.sum() // 2 != len(mine) - pieces:
                return False
    return True


# %% is-star | takes the diagonal for an edge | no edge
def is_star(pattern, colors):
    if np.any((pattern != 0) & np.equal.outer(colors, colors)):
        return False
    return True


# %% is-star | a bool of NumPy | of Python
def is_star(pattern, colors):
    edge = (pattern != 0) & ~np.eye(len(colors), dtype=bool)
    if np.any(edge & np.equal.outer(colors, colors)):
        return np.False_
    other = [np.sum(edge[i] & (colors == colors[j])) > 1 and np.sum(edge[j] & (colors == colors[i])) > 1
             for i, j in np.argwhere(edge)]
    return ~np.any(np.array(other, dtype=bool))


# %% both-sides | colors with the dense rows in, so that each column needs a product | clear the dense rows
def both_sides(jvp, vjp, pattern, dense):
    S = pattern != 0
    meet = S.T.astype(int) @ S > 0
    N = S.shape[1]
    colors = np.full(N, -1)
    for j in range(N):
        taken = set(colors[meet[j]])
        colors[j] = next(c for c in range(N + 1) if c not in taken)
    J = np.zeros(S.shape)
    for c in range(colors.max() + 1):
        Jv = jvp((colors == c).astype(float))
        rows, cols = np.nonzero(S & (colors == c))
        J[rows, cols] = Jv[rows]
    for i in dense:
        J[i] = vjp(np.eye(len(S))[i])
    return J


# %% both-sides | pulls back every row | no other vector
def both_sides(jvp, vjp, pattern, dense):
    return np.stack([vjp(u) for u in np.eye(pattern.shape[0])])


# %% both-sides | pulls the dense rows back together | columns that meet
def both_sides(jvp, vjp, pattern, dense):
    S = np.array(pattern) != 0
    u = np.zeros(len(S))
    u[dense] = 1
    row = vjp(u)
    J = np.zeros(S.shape)
    for c in range(2):
        v = (np.arange(S.shape[1]) % 2 == c).astype(float)
        Jv = jvp(v)
        rows, cols = np.nonzero(S & (v == 1))
        J[rows, cols] = Jv[rows]
    J[dense] = row
    return J


# %% both-sides | clears the dense rows in the caller's pattern | copy it
def both_sides(jvp, vjp, pattern, dense):
    M, N = pattern.shape
    J = np.zeros((M, N))
    pattern[dense] = 0
    meet = pattern.T @ pattern > 0
    colors = np.full(N, -1)
    for j in np.flatnonzero(pattern.any(axis=0)):
        taken = set(colors[meet[j]])
        colors[j] = next(c for c in range(N) if c not in taken)
    for c in range(colors.max() + 1):
        Jv = jvp((colors == c).astype(float))
        rows, cols = np.nonzero(pattern * (colors == c))
        J[rows, cols] = Jv[rows]
    for i in dense:
        J[i] = vjp(np.eye(M)[i])
    return J


# %% both-sides | gives a product to columns that need none | then empty
def both_sides(jvp, vjp, pattern, dense):
    M, N = pattern.shape
    J = np.zeros((M, N))
    S = np.array(pattern) != 0
    S[dense] = False
    meet = S.T.astype(int) @ S > 0
    colors = np.full(N, -1)
    for j in range(N):
        taken = set(colors[meet[j]])
        colors[j] = next(c for c in range(N + 1) if c not in taken)
    for c in range(colors.max() + 1):
        Jv = jvp((colors == c).astype(float))
        rows, cols = np.nonzero(S & (colors == c))
        J[rows, cols] = Jv[rows]
    for i in dense:
        J[i] = vjp(np.eye(M)[i])
    return J
