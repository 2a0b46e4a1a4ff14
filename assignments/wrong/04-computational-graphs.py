"""Plausible wrong answers to the exercises of chapter 04. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% run-list | gives the parents in alphabetical order | in their order
def run_list(steps, inputs, rules):
    values = {}
    for name, op, parents in steps:
        if not op and name not in inputs:
            raise ValueError(name)
        values[name] = rules[op](*[values[p] for p in sorted(parents)]) if op else inputs[name]
    return values


# %% run-list | takes a parent that stands twice once | stand twice
def run_list(steps, inputs, rules):
    values = {}
    for name, op, parents in steps:
        if not op and name not in inputs:
            raise ValueError(name)
        values[name] = rules[op](*[values[p] for p in dict.fromkeys(parents)]) if op else inputs[name]
    return values


# %% run-list | leaves the inputs out of the answer | inputs too
def run_list(steps, inputs, rules):
    values = {}
    for name, op, parents in steps:
        if op:
            values[name] = rules[op](*[values[p] if p in values else inputs[p] for p in parents])
        elif name not in inputs:
            raise ValueError(f"{name} has no value")
    return values


# %% run-list | computes by recursion from each step, again and again | doubles
def run_list(steps, inputs, rules):
    step = {name: (op, parents) for name, op, parents in steps}

    def value(name):
        op, parents = step[name]
        if not op and name not in inputs:
            raise ValueError(name)
        return rules[op](*[value(p) for p in parents]) if op else inputs[name]

    return {name: value(name) for name in step}


# %% run-list | recursion with a cache, which runs out of stack | recursion
def run_list(steps, inputs, rules):
    step, values = {name: (op, parents) for name, op, parents in steps}, {}

    def value(name):
        if name not in values:
            op, parents = step[name]
            if not op and name not in inputs:
                raise ValueError(name)
            values[name] = rules[op](*[value(p) for p in parents]) if op else inputs[name]
        return values[name]

    value(steps[-1][0])
    return {name: value(name) for name in step}


# %% run-list | writes the values into the caller's dict | copy
def run_list(steps, inputs, rules):
    for name, op, parents in steps:
        if op:
            inputs[name] = rules[op](*[inputs[p] for p in parents])
        elif name not in inputs:
            raise ValueError(name)
    return inputs


# %% run-list | lets a missing input pass as a KeyError | ValueError
def run_list(steps, inputs, rules):
    values = {}
    for name, op, parents in steps:
        values[name] = rules[op](*[values[p] for p in parents]) if op else inputs[name]
    return values


# %% count-paths | counts a parent that stands twice once | once for each time
def count_paths(steps, source):
    paths = {}
    for name, op, parents in steps:
        paths[name] = 1 if name == source else sum(paths[p] for p in set(parents))
    return paths[steps[-1][0]]


# %% count-paths | starts every input with 1 | with 0
def count_paths(steps, source):
    paths = {}
    for name, op, parents in steps:
        paths[name] = 1 if name == source or not parents else sum(paths[p] for p in parents)
    return paths[steps[-1][0]]


# %% count-paths | counts arrows instead of paths | paths to all parents
def count_paths(steps, source):
    below = {source}
    arrows = 0
    for name, op, parents in steps:
        hits = sum(p in below for p in parents)
        if hits:
            below.add(name)
            arrows += hits
    return max(arrows, 1) if steps[-1][0] in below else 0


# %% count-paths | counts in floating point | Python integers
def count_paths(steps, source):
    paths = {}
    for name, op, parents in steps:
        paths[name] = 1.0 if name == source else sum(paths[p] for p in parents)
    return float(paths[steps[-1][0]])


# %% count-paths | counts in NumPy's 64-bit integers, which overflow | NumPy integers
def count_paths(steps, source):
    at = {name: i for i, (name, _, _) in enumerate(steps)}
    paths = np.zeros(len(steps), dtype=np.int64)
    for i, (name, op, parents) in enumerate(steps):
        paths[i] = 1 if name == source else sum(paths[at[p]] for p in parents)
    return paths[-1]


# %% count-paths | recursion with a cache, which runs out of stack | without recursion
def count_paths(steps, source):
    parents_of, known = {name: parents for name, _, parents in steps}, {}

    def paths(name):
        if name not in known:
            known[name] = 1 if name == source else sum(paths(p) for p in parents_of[name])
        return known[name]

    return paths(steps[-1][0])


# %% count-paths | adds up the paths to all steps without children | last step
def count_paths(steps, source):
    paths, used = {}, {p for _, _, parents in steps for p in parents}
    for name, op, parents in steps:
        paths[name] = 1 if name == source else sum(paths[p] for p in parents)
    return sum(paths[name] for name, _, _ in steps if name not in used)


# %% count-paths | gives the result no path to itself | result itself
def count_paths(steps, source):
    paths = {}
    for name, op, parents in steps:
        paths[name] = 1 if name == source else sum(paths[p] for p in parents)
    return paths[steps[-1][0]] if source != steps[-1][0] else 0


# %% share | compares the parents as they were | after they have been replaced
def share(steps):
    kept, stands_for, seen = [], {}, {}
    for name, op, parents in steps:
        key = (op, tuple(parents)) if op else name
        if key not in seen:
            seen[key] = name
            kept.append((name, op, tuple(stands_for[p] for p in parents)))
        stands_for[name] = seen[key]
    return kept, stands_for[steps[-1][0]]


# %% share | merges inputs | two inputs
def share(steps):
    kept, stands_for, seen = [], {}, {}
    for name, op, parents in steps:
        parents = tuple(stands_for[p] for p in parents)
        if (op, parents) not in seen:
            seen[op, parents] = name
            kept.append((name, op, parents))
        stands_for[name] = seen[op, parents]
    return kept, stands_for[steps[-1][0]]


# %% share | takes x - y for y - x | order
def share(steps):
    kept, stands_for, seen = [], {}, {}
    for name, op, parents in steps:
        parents = tuple(stands_for[p] for p in parents)
        key = (op, tuple(sorted(parents))) if op else name
        if key not in seen:
            seen[key] = name
            kept.append((name, op, parents))
        stands_for[name] = seen[key]
    return kept, stands_for[steps[-1][0]]


# %% share | names the last step that stayed | stands for it
def share(steps):
    kept, stands_for, seen = [], {}, {}
    for name, op, parents in steps:
        parents = tuple(stands_for[p] for p in parents)
        key = (op, parents) if op else name
        if key not in seen:
            seen[key] = name
            kept.append((name, op, parents))
        stands_for[name] = seen[key]
    return kept, kept[-1][0]


# %% share | forgets to rename the parents | use the earlier one
def share(steps):
    kept, stands_for, seen = [], {}, {}
    for name, op, parents in steps:
        key = (op, tuple(stands_for[p] for p in parents)) if op else name
        if key not in seen:
            seen[key] = name
            kept.append((name, op, parents))
        stands_for[name] = seen[key]
    return kept, stands_for[steps[-1][0]]


# %% share | compares the op alone | all others stay
def share(steps):
    kept, stands_for, seen = [], {}, {}
    for name, op, parents in steps:
        key = op or name
        if key not in seen:
            seen[key] = name
            kept.append((name, op, tuple(stands_for[p] for p in parents)))
        stands_for[name] = seen[key]
    return kept, stands_for[steps[-1][0]]
