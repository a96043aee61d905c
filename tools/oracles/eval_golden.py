#!/usr/bin/env python3
"""Writes tests/golden/eval_*.json: what src/eval must compute.

Oracles: scikit-learn 1.9.1 where it has the quantity, mpmath 1.3.0 for distributions, SciPy 1.17.1
for binomial tests and root finding, and otherwise brute force in NumPy written from the formula (every pair of
a positive and a negative for the AUC's components). An entry is null where the quantity is not
defined. Run from the root of the tree: python tools/oracles/eval_golden.py
"""
import json
import math
import warnings

import numpy as np
import scipy
import sklearn
from mpmath import mp
from scipy import optimize, special, stats
from sklearn import calibration, linear_model, metrics

warnings.filterwarnings("ignore")
OUT = "tests/golden/eval_%s.json"
ORACLE = f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}"


def write(name, cases):
    def plain(v):
        if isinstance(v, dict):
            return {k: plain(x) for k, x in v.items()}
        if isinstance(v, (list, tuple, np.ndarray)):
            return [plain(x) for x in v]
        if isinstance(v, (np.integer, int)) and not isinstance(v, bool):
            return int(v)
        if isinstance(v, (np.floating, float)):
            return None if not np.isfinite(v) else float(v)
        return v

    with open(OUT % name, "w") as f:
        json.dump({"oracle": ORACLE, "cases": plain(cases)}, f, separators=(",", ":"))
        f.write("\n")


# --- distributions -------------------------------------------------------------------------
def t_tail(t, df):
    """P(T > t), t >= 0, to 40 digits."""
    t, df = mp.mpf(t), mp.mpf(df)
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2


def t_cdf(t, df):
    return 1 - t_tail(t, df) if t >= 0 else t_tail(-t, df)


def t_quantile(p, df):
    if p == 0.5:
        return 0
    start = stats.t.ppf(p, df)
    return mp.findroot(lambda t: (t_cdf(t, df) - mp.mpf(p)) / min(p, 1 - p),
                       (start, start * (1 + 1e-6)), solver="secant", tol=1e-40)


def beta_cdf(x, a, b):
    return mp.betainc(mp.mpf(a), mp.mpf(b), 0, mp.mpf(x), regularized=True)


def special_cases():
    """mpmath with 40 digits; each value is also SciPy's to 1e-7 (SciPy's own error is larger
    than ours in places)."""
    mp.dps = 40
    out = []

    def add(name, a, b, c, value, check):
        assert np.isclose(float(value), check, rtol=1e-7, atol=1e-300), (name, a, b, c, value, check)
        out.append([name, a, b, c, float(value)])

    for p in [1e-300, 1e-20, 1e-8, 0.001, 0.025, 0.1, 0.4, 0.5, 0.6, 0.9, 0.975, 0.9999, 1 - 1e-9]:
        start = stats.norm.ppf(p)
        x = mp.findroot(lambda x: (mp.ncdf(x) - mp.mpf(p)) / min(p, 1 - p), start) if start else 0
        add("normal_quantile", p, 0, 0, x, start)
    for x in [-30, -8, -3, -1.5, -0.1, 0, 0.3, 1.96, 5, 8]:
        add("normal_cdf", x, 0, 0, mp.ncdf(mp.mpf(x)), stats.norm.cdf(x))
    for df in [1, 1.5, 2, 3, 4.7, 10, 30, 99.9, 1000, 1e5]:
        for p in [1e-10, 0.0005, 0.025, 0.05, 0.3, 0.49, 0.5, 0.6, 0.95, 0.975, 0.9999]:
            add("t_quantile", p, df, 0, t_quantile(p, df), stats.t.ppf(p, df))
        for t in [-40, -3, -1, -0.01, 0, 0.5, 2.2, 9]:
            add("t_cdf", t, df, 0, t_cdf(t, df), stats.t.cdf(t, df))
    for a in [0.5, 1, 2.5, 9, 11, 60, 500]:
        for b in [0.5, 1, 3, 12, 300]:
            add("beta_log", a, b, 0, mp.log(mp.beta(a, b)), special.betaln(a, b))
            mean, sd = a / (a + b), np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
            for z in [-3, -1, 0, 2]:
                x = mean + z * sd
                if 0 < x < 1:
                    add("beta_cdf", x, a, b, beta_cdf(x, a, b), special.betainc(a, b, x))
    for a, b in [(40000, 20000), (1e6, 0.5), (3, 1e5)]:
        add("beta_log", a, b, 0, mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(mp.mpf(a) + b),
            special.betaln(a, b))
    for n in [1, 2, 5, 10, 37, 200, 5000]:
        for k in sorted({0, n // 4, n // 3, n // 2, n - 1}):
            exact = mp.mpf(sum(math.comb(n, i) for i in range(k + 1))) / mp.mpf(2) ** n
            add("binomial_half", k, n, 0, exact, stats.binom.cdf(k, n, 0.5))
    return out


# --- metrics -------------------------------------------------------------------------------
def safe(f, *a, **k):
    return f(*a, **k)


def decisions(y, d):
    """Metrics of binary decisions; None where not defined."""
    y, d = np.asarray(y), np.asarray(d)
    tp, fp = np.sum(y & d), np.sum(~y & d)
    fn, tn = np.sum(y & ~d), np.sum(~y & ~d)
    both = y.any() and (~y).any()
    return {
        "accuracy": metrics.accuracy_score(y, d),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, d) if both else None,
        "sensitivity": metrics.recall_score(y, d) if y.any() else None,
        "specificity": metrics.recall_score(y, d, pos_label=False) if (~y).any() else None,
        "precision": metrics.precision_score(y, d) if d.any() else None,
        "f1": metrics.f1_score(y, d) if tp + fp + fn > 0 else None,
        "dice": metrics.f1_score(y, d) if tp + fp + fn > 0 else None,
        "mcc": metrics.matthews_corrcoef(y, d) if both and d.any() and (~d).any() else None,
        "_counts": [tn, fp, fn, tp],
    }


def ece(y, p, bins):
    true, pred = calibration.calibration_curve(y, p, n_bins=bins, strategy="uniform")
    edges = np.linspace(0, 1, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], p), minlength=bins)
    counts = counts[counts > 0]
    return float(np.sum(counts * np.abs(true - pred)) / len(y))


def recalibration(y, z):
    """slope, intercept, in the large; None where the fit is at infinity or not defined."""
    if y.all() or not y.any():
        return [None] * 3
    # Bracketed root of the score equation in the intercept.
    large = optimize.brentq(lambda a: np.sum(special.expit(a + z) - y), -200, 200, xtol=1e-14)
    separable = z[y].min() >= z[~y].max() or z[~y].min() >= z[y].max()
    if separable:
        return [None, None, large]
    m = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-13,
                                        max_iter=1000).fit(z[:, None], y)
    return [m.coef_[0, 0], m.intercept_[0], large]


def binary_metrics(y, z, t, bins=10):
    y = np.asarray(y).astype(bool)
    z = np.asarray(z, float)
    p = special.expit(z)
    both = y.any() and not y.all()
    slope, intercept, large = recalibration(y, z)
    free = {
        "roc_auc": metrics.roc_auc_score(y, z) if both else None,
        "average_precision": metrics.average_precision_score(y, z) if y.any() else None,
        "brier": metrics.brier_score_loss(y, p) if both else float(np.mean((p - y) ** 2)),
        "log_loss": metrics.log_loss(y, p, labels=[False, True]),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "calibration_in_the_large": large,
        "ece": ece(y, p, bins),
    }
    return {"free": free, "at_t": decisions(y, p >= t), "at_half": decisions(y, p >= 0.5)}


def binary_cases():
    rng = np.random.default_rng(1)
    sets = [
        ("two cases", [0, 1], [0.3, -0.2]),
        ("two cases, right", [0, 1], [-0.3, 0.2]),
        ("three, tied", [0, 1, 1], [0.5, 0.5, 0.5]),
        ("all positive", [1, 1, 1], [0.5, -0.5, 1.5]),
        ("all negative", [0, 0], [0.5, -0.5]),
        ("never called", [0, 1, 0, 1], [-3, -1, -2, -4]),
        ("always called", [0, 1, 0, 1], [3, 1, 2, 4]),
        ("separated", [0, 0, 0, 1, 1], [-2, -1, 0.25, 0.5, 3]),
        ("reversed", [1, 1, 1, 0, 0], [-2, -1, 0.25, 0.5, 3]),
        ("separated but for a tie", [0, 0, 1, 1], [-1, 0.5, 0.5, 2]),
        ("on bin edges", [0, 1, 0, 1, 1, 0, 1, 0],
         list(special.logit([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]))),
        ("saturated", [0, 1, 1, 0, 1, 0], [-45, 40, 700, 2, -3, -800]),
    ]
    for i, (n, share, gap, digits) in enumerate(
        [(7, .5, 1, 1), (12, .3, 1, 0), (30, .5, 1.5, 1), (30, .1, 1, 2), (60, .4, .5, 0),
         (60, .4, 3, 2), (120, .25, 1, 1), (200, .5, 2, 3), (300, .05, 1.5, 2)]):
        y = rng.random(n) < share
        y[:2] = [True, False]
        z = np.round(rng.normal(size=n) * 1.5 + gap * y - gap / 2, digits)
        sets.append((f"random {i}, n {n}, {digits} digits", y.astype(int), z))
    out = []
    for name, y, z in sets:
        t = [0.5, 0.3, 0.62][len(out) % 3]
        out.append({"name": name, "y": y, "z": z, "t": t, "expect": binary_metrics(y, z, t)})
    return out


def mean_of(values):
    values = [v for v in values if v is not None]
    return [np.mean(values) if values else None, len(values)]


def multiclass_case(name, y, z):
    y, z = np.asarray(y), np.asarray(z, float)
    k = z.shape[1]
    p = special.softmax(z, axis=1)
    d = p.argmax(axis=1)
    per, free = [], []
    for c in range(k):
        rest = np.delete(z, c, axis=1)
        lo = z[:, c] - special.logsumexp(rest, axis=1)
        per.append(decisions(y == c, d == c))
        free.append(binary_metrics(y == c, lo, 0.5)["free"])
    one_hot = np.eye(k)[y]
    classes = len(np.unique(y))
    expect = {m: mean_of([x[m] for x in per])
              for m in ["sensitivity", "specificity", "precision", "f1", "dice"]}
    expect["balanced_accuracy"] = [metrics.balanced_accuracy_score(y, d) if classes > 1 else None,
                                   classes]
    for m in ["roc_auc", "average_precision", "calibration_slope", "calibration_intercept",
              "calibration_in_the_large"]:
        expect[m] = mean_of([x[m] for x in free])
    expect["accuracy"] = [metrics.accuracy_score(y, d), 1]
    expect["mcc"] = [metrics.matthews_corrcoef(y, d)
                     if classes > 1 and len(np.unique(d)) > 1 else None, 1]
    # scikit-learn's multiclass Brier score, not halved.
    expect["brier"] = [metrics.brier_score_loss(y, p, labels=range(k), scale_by_half=False), 1]
    expect["log_loss"] = [metrics.log_loss(y, p, labels=range(k)), 1]
    expect["ece"] = [ece(d == y, p.max(axis=1), 10), 1]
    return {"name": name, "y": y, "z": z, "expect": expect,
            "matrix": metrics.confusion_matrix(y, d, labels=range(k))}


def multiclass_cases():
    rng = np.random.default_rng(2)
    out = []
    for n, k, gap in [(6, 3, 1), (40, 3, 1.5), (60, 4, .8), (90, 9, 2)]:
        y = rng.integers(0, k, n)
        z = np.round(rng.normal(size=(n, k)) + gap * np.eye(k)[y], 2)
        out.append(multiclass_case(f"random n {n} k {k}", y, z))
    y = rng.integers(0, 2, 20)  # class 2 never occurs
    z = np.round(rng.normal(size=(20, 3)) + np.eye(3)[y], 2)
    out.append(multiclass_case("a class without cases", y, z))
    z = np.round(rng.normal(size=(10, 3)) * .1 + [3, 0, 0], 2)
    out.append(multiclass_case("always the same decision", rng.integers(0, 3, 10), z))
    out.append(multiclass_case("one class only", np.ones(5, int), z[:5]))
    return out


def multilabel_cases():
    rng = np.random.default_rng(3)
    out = []
    for n, k, share in [(30, 3, .4), (50, 5, .15), (12, 2, .5)]:
        y = (rng.random((n, k)) < share).astype(int)
        if n == 30:
            y[:, 2] = 0  # a label that never occurs
        z = np.round(rng.normal(size=(n, k)) + 2 * y - 1, 1)
        per = [binary_metrics(y[:, c], z[:, c], 0.5) for c in range(k)]
        expect = {m: mean_of([x["at_half"][m] for x in per])
                  for m in per[0]["at_half"] if m[0] != "_"}
        expect.update({m: mean_of([x["free"][m] for x in per]) for m in per[0]["free"]})
        out.append({"name": f"n {n} k {k}", "y": y, "z": z, "expect": expect})
    return out


# --- intervals -----------------------------------------------------------------------------
def components(y, scores):
    """V10 of positives and V01 of negatives, averaged over seeds, by all pairs."""
    y = np.asarray(y, bool)
    v = np.zeros(len(y))
    for s in scores:
        s = np.asarray(s, float)
        kernel = (s[y][:, None] > s[~y][None, :]) + 0.5 * (s[y][:, None] == s[~y][None, :])
        v[y] += kernel.mean(axis=1) / len(scores)
        v[~y] += kernel.mean(axis=0) / len(scores)
    return v


def obuchowski(y, v, auc, patient):
    y, patient = np.asarray(y, bool), np.asarray(patient)
    m, n = y.sum(), (~y).sum()
    ids = np.unique(patient)
    d10 = np.array([np.sum(v[(patient == i) & y] - auc) for i in ids])
    d01 = np.array([np.sum(v[(patient == i) & ~y] - auc) for i in ids])
    i10 = sum(np.any(y[patient == i]) for i in ids)
    i01 = sum(np.any(~y[patient == i]) for i in ids)
    mixed = any(np.any(y[patient == i]) and np.any(~y[patient == i]) for i in ids)
    s10 = i10 / ((i10 - 1) * m) * np.sum(d10**2)
    s01 = i01 / ((i01 - 1) * n) * np.sum(d01**2)
    s11 = len(ids) / (len(ids) - 1) * np.sum(d10 * d01)
    a, b = s10 / m, s01 / n
    var = a + b + 2 * s11 / (m * n)
    df = (a + b) ** 2 / (a**2 / (i10 - 1) + b**2 / (i01 - 1))
    return var, min(df, len(ids) - 1) if mixed else df


def auc_cases():
    rng = np.random.default_rng(4)
    out = []
    # Hanley and McNeil, Radiology 1982;143:29-36, table II: 109 CT images rated 1..5.
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    y = [0] * 58 + [1] * 51
    s = np.concatenate([np.repeat(range(1, 6), normal), np.repeat(range(1, 6), abnormal)])
    designs = [("Hanley and McNeil 1982", y, [s], np.arange(109))]
    for n, images, seeds, mixed in [(20, 1, 1, False), (40, 1, 3, False), (14, 3, 1, False),
                                    (25, 4, 1, True), (18, 3, 2, True), (10, 5, 1, True)]:
        patient = np.repeat(np.arange(n), rng.integers(1, images + 1, n))
        of_patient = rng.random(n) < .4
        of_patient[:4] = [True, False, True, False]
        yy = of_patient[patient]
        if mixed:
            yy = yy ^ (rng.random(len(yy)) < .3)
        ss = [np.round(rng.normal(size=len(yy)) + rng.normal(size=n)[patient] + 1.2 * yy, 1)
              for _ in range(seeds)]
        designs.append((f"{n} patients, up to {images} images, {seeds} seeds, mixed {mixed}",
                        yy, ss, patient))
    for name, y, scores, patient in designs:
        y = np.asarray(y, bool)
        v = components(y, scores)
        auc = np.mean([metrics.roc_auc_score(y, s) for s in scores])
        var, df = obuchowski(y, v, auc, patient)
        half = stats.t.ppf(.975, df) * np.sqrt(var) / (auc * (1 - auc))
        other = [np.round(np.asarray(scores[0]) + rng.normal(size=len(y)), 1)]
        auc_b = metrics.roc_auc_score(y, other[0])
        diff = v - components(y, other)
        var_d, df_d = obuchowski(y, diff, auc - auc_b, patient)
        sd = np.sqrt(var_d)
        t = stats.t.ppf(.975, df_d)
        out.append({
            "name": name, "y": y.astype(int), "scores": scores, "patient": patient,
            "other": other, "auc": auc, "variance": var, "df": df,
            "lo": special.expit(special.logit(auc) - half),
            "hi": special.expit(special.logit(auc) + half),
            "difference": auc - auc_b, "difference_variance": var_d, "difference_df": df_d,
            "difference_lo": auc - auc_b - t * sd, "difference_hi": auc - auc_b + t * sd,
            "p": 2 * stats.t.sf(abs(auc - auc_b) / sd, df_d)})
    return out


def newcombe5(auc, m, n, confidence):
    z, star = stats.norm.ppf((1 + confidence) / 2), (m + n) / 2 - 1

    def f(x):
        v = x * (1 - x) / (m * n) * (1 + star * (1 - x) / (2 - x) + star * x / (1 + x))
        return abs(auc - x) - z * np.sqrt(v)

    tiny = 1e-13  # f is negative beside auc (it is 0 at 0 and 1, where V is 0)
    lo = 0.0 if auc == 0 else optimize.brentq(f, 0, auc - tiny, xtol=1e-16, rtol=1e-15)
    hi = 1.0 if auc == 1 else optimize.brentq(f, auc + tiny, 1, xtol=1e-16, rtol=1e-15)
    return lo, hi


def interval_cases():
    out = {"newcombe5": [], "wilson": [], "mcnemar": [], "hanley_mcneil": []}
    for auc, m, n, c in [(1, 1, 1, .95), (1, 5, 7, .95), (1, 50, 50, .95), (0, 5, 7, .95),
                         (.5, 4, 4, .95), (.9, 20, 30, .95), (.75, 8, 3, .9), (.97, 40, 400, .99)]:
        out["newcombe5"].append([auc, m, n, c, *newcombe5(auc, m, n, c)])
    for k, n, c in [(81, 263, .95), (15, 148, .95), (0, 20, .95), (1, 29, .95), (29, 29, .95),
                    (7, 9, .9), (500, 1000, .99)]:
        ci = stats.binomtest(k, n).proportion_ci(c, method="wilson")
        out["wilson"].append([k, n, c, ci.low, ci.high])
    for b, c in [(0, 0), (0, 1), (0, 6), (3, 9), (10, 10), (25, 60), (200, 260), (4, 3)]:
        p = stats.binomtest(min(b, c), b + c, .5).pvalue if b + c else 1.0
        out["mcnemar"].append([b, c, p])
    return out


def sandwich_cases():
    """Recalibration with its cluster-robust interval."""
    rng = np.random.default_rng(5)
    out = []
    for n, images in [(30, 1), (25, 4)]:
        patient = np.repeat(np.arange(n), rng.integers(1, images + 1, n))
        z = np.round(rng.normal(size=len(patient)) * 2, 2)
        y = rng.random(len(z)) < special.expit(.3 + .7 * z + rng.normal(size=n)[patient])
        slope, intercept, large = recalibration(y, z)
        res = {"y": y.astype(int), "z": z, "patient": patient}
        for name, x, beta, which in [
                ("slope", np.c_[np.ones(len(z)), z], [intercept, slope], 1),
                ("intercept", np.c_[np.ones(len(z)), z], [intercept, slope], 0),
                ("large", np.ones((len(z), 1)), [large], 0)]:
            eta = x @ beta + (z if name == "large" else 0)
            q = special.expit(eta)
            bread = np.linalg.inv(x.T @ (x * (q * (1 - q))[:, None]))
            score = x * (y - q)[:, None]
            meat = sum(np.outer(u, u) for u in
                       (score[patient == i].sum(axis=0) for i in range(n)))
            var = n / (n - 1) * (bread @ meat @ bread)[which, which]
            half = stats.t.ppf(.975, n - 1) * np.sqrt(var)
            res[name] = [beta[which], beta[which] - half, beta[which] + half]
        out.append(res)
    return out


# --- calibration ---------------------------------------------------------------------------
def calibration_cases():
    rng = np.random.default_rng(6)
    out = {"platt": [], "temperature": []}
    for n, gap in [(20, 1), (60, 2), (150, .7)]:
        y = rng.random(n) < .4
        z = np.round(rng.normal(size=n) * 2 + gap * y + .5, 2)
        high, low = (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2)
        target = np.where(y, high, low)

        def loss(b):
            eta = b[0] + b[1] * z
            return np.sum(np.logaddexp(0, eta) - target * eta)

        def grad(b):
            r = special.expit(b[0] + b[1] * z) - target
            return np.array([r.sum(), (r * z).sum()])

        b = optimize.root(grad, optimize.minimize(loss, [0, 1], jac=grad).x, tol=1e-14).x
        # The same model in scikit-learn, whose optimiser stops earlier.
        s = calibration._SigmoidCalibration().fit(z, y)
        assert abs(-s.a_ - b[1]) < 1e-3 and abs(-s.b_ - b[0]) < 1e-3, (s.a_, s.b_, b)
        out["platt"].append({"y": y.astype(int), "z": z, "intercept": b[0], "slope": b[1]})
    for task, n, k, scale in [("multiclass", 40, 3, 2), ("multiclass", 80, 5, .4),
                              ("binary", 50, 2, 3), ("multilabel", 40, 3, 1.5)]:
        if task == "multilabel":
            y = (rng.random((n, k)) < .4).astype(int)
            z = np.round(scale * (rng.normal(size=(n, k)) + 1.5 * y - .75), 2)

            def loss(s):
                return np.mean(np.sum(np.logaddexp(0, s * z) - y * s * z, axis=1))

            def slope(s):
                return np.mean(np.sum((special.expit(s * z) - y) * z, axis=1))
        else:
            y = rng.integers(0, k, n)
            z = np.round(scale * (rng.normal(size=(n, k)) + 1.2 * np.eye(k)[y]), 2)

            def loss(s):
                return metrics.log_loss(y, special.softmax(s * z, axis=1), labels=range(k))

            def slope(s):
                q = special.softmax(s * z, axis=1)
                return np.mean(np.sum(q * z, axis=1) - z[np.arange(n), y])
        s = optimize.brentq(slope, .05, 20, xtol=1e-15, rtol=1e-15)
        out["temperature"].append({"task": task, "y": y, "z": z, "slope": s,
                                   "loss_before": loss(1), "loss_after": loss(s)})
    out["separated"] = separated_cases()
    return out


def separated_cases():
    """Logits that tell every case apart: the temperature against targets smoothed as Platt's, (N+1)/(N+K)
    for the true one of K classes with N cases and 1/(N+K) for each other."""
    rng = np.random.default_rng(16)
    cases = []
    for task, n, k, scale in [("binary", 24, 2, 3), ("multiclass", 60, 3, 1), ("multilabel", 40, 2, 2)]:
        if task == "multilabel":
            y = (rng.random((n, k)) < .3).astype(int)
            z = np.round(scale * (2 * y - 1) * (.3 + rng.random((n, k))), 2)
            yes = y.sum(axis=0)
            target = np.where(y == 1, (yes + 1) / (yes + 2), 1 / (n - yes + 2))

            def slope(s):
                return np.mean(np.sum((special.expit(s * z) - target) * z, axis=1))
        else:
            y = rng.permutation(np.arange(n) % (k + 1) % k)
            z = rng.normal(size=(n, k))
            z[np.arange(n), y] = z.max(axis=1) + .2
            z = np.round(scale * z, 2)
            count = np.bincount(y, minlength=k)
            target = (np.eye(k)[y] * count[y, None] + 1) / (count[y, None] + k)

            def slope(s):
                return np.mean(np.sum((special.softmax(s * z, axis=1) - target) * z, axis=1))
        s = optimize.brentq(slope, .05, 20, xtol=1e-15, rtol=1e-15)
        cases.append({"task": task, "y": y, "z": z, "slope": s})
    return cases


write("special", special_cases())
write("binary", binary_cases())
write("multiclass", multiclass_cases())
write("multilabel", multilabel_cases())
write("auc", auc_cases())
write("interval", interval_cases())
write("sandwich", sandwich_cases())
write("calibration", calibration_cases())
