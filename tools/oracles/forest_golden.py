#!/usr/bin/env python3
"""Writes tests/golden/eval_forest.json: tables, and how well scikit-learn's random forest tells their
classes on held-out rows.

Each table has a training half and a test half, and numbers, categories and missing values as what an
image's metadata can be. scikit-learn has no categories of its own: they are given as one column each
(one-hot). Kept are mean and standard deviation of the test AUC over 20 seeds; for more than two
classes it is the mean over one class against the rest. Made with scikit-learn 1.9.1 and NumPy; run
from the root of the tree: python tools/oracles/forest_golden.py
"""
import json

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

OUT = "tests/golden/eval_forest.json"
SEEDS, TREES, LEAF = 20, 200, 3


def numbers(rng, n):
    """Two classes in six numbers, two of them noise, a tenth of the values missing."""
    x = rng.normal(size=(n, 6))
    y = (x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * np.sin(3 * x[:, 3]) + rng.normal(size=n) > 0.2) + 0
    x = np.round(x, 2)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, [0] * 6, y


def sizes(rng, n):
    """Sizes of pictures: a source of positives has a few fixed ones, negatives are anything."""
    fixed = np.array([[630, 630], [512, 512], [225, 225], [300, 168]])
    y = (rng.random(n) < 0.6) + 0
    x = rng.integers(150, 700, size=(n, 2)).astype(float)
    take = rng.random(n) < np.where(y == 1, 0.5, 0.15)
    x[take] = fixed[rng.integers(0, 4, size=take.sum())]
    return x, [0, 0], y


def categories(rng, n):
    """Twelve makers whose shares of positives differ, three views, and a number of noise."""
    maker = rng.integers(0, 12, size=n)
    share = np.array([0.1, 0.9, 0.5, 0.2, 0.8, 0.5, 0.3, 0.7, 0.5, 0.15, 0.85, 0.5])
    view = rng.integers(0, 3, size=n)
    y = (rng.random(n) < np.clip(share[maker] + np.array([-0.1, 0, 0.1])[view], 0, 1)) + 0
    x = np.stack([maker, view, np.round(rng.normal(size=n), 2)], axis=1).astype(float)
    x[rng.random(n) < 0.1, 0] = np.nan
    return x, [12, 3, 0], y


def missing(rng, n):
    """What tells is that a value is missing."""
    y = (rng.random(n) < 0.4) + 0
    x = np.round(rng.normal(size=(n, 3)), 2)
    x[rng.random(n) < np.where(y == 1, 0.7, 0.2), 1] = np.nan
    return x, [0, 0, 0], y


def classes(rng, n):
    """Three classes in four numbers."""
    y = rng.integers(0, 3, size=n)
    x = rng.normal(size=(n, 4))
    x[:, 0] += y
    x[:, 1] += (y == 1) * 1.2
    return np.round(x, 2), [0] * 4, y


def noise(rng, n):
    x = np.round(rng.normal(size=(n, 5)), 2)
    return x, [0] * 5, rng.integers(0, 2, size=n)


def one_hot(x, kinds):
    columns = []
    for j, k in enumerate(kinds):
        if k == 0:
            columns.append(x[:, j])
            continue
        columns += [(x[:, j] == c) + 0.0 for c in range(k)]
        if np.isnan(x[:, j]).any():
            columns.append(np.isnan(x[:, j]) + 0.0)
    return np.stack(columns, axis=1)


def auc(y, p):
    if p.shape[1] == 2:
        return roc_auc_score(y, p[:, 1])
    return np.mean([roc_auc_score(y == c, p[:, c]) for c in range(p.shape[1])])


def main():
    cases = []
    for i, make in enumerate([numbers, sizes, categories, missing, classes, noise]):
        rng = np.random.default_rng(100 + i)
        x, kinds, y = make(rng, 400)
        wide = one_hot(x, kinds)
        train, test = np.arange(200), np.arange(200, 400)
        got = []
        for seed in range(SEEDS):
            f = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=seed)
            f.fit(wide[train], y[train])
            got.append(auc(y[test], f.predict_proba(wide[test])))
        plain = [[None if np.isnan(v) else int(v) if v == int(v) else float(v) for v in row] for row in x]
        cases.append({"name": make.__name__, "categories": kinds, "x": plain, "y": y.tolist(),
                      "trees": TREES, "min_leaf": LEAF,
                      "auc": float(np.mean(got)), "sd": float(np.std(got, ddof=1))})
        print(f"{make.__name__:12s} {np.mean(got):.4f} sd {np.std(got, ddof=1):.4f}")
    with open(OUT, "w") as f:
        json.dump({"oracle": f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}",
                   "cases": cases}, f, separators=(",", ":"))
        f.write("\n")


main()
