#!/usr/bin/env python3
"""Nodule and PyTorch with the same weights and batches: losses of whole trainings, and every
gradient of a ResNet-18 (made with PyTorch 2.13.0 and NumPy 2, processor only).

    torch_parity.py golden                writes tests/golden/parity.json, which
                                          tests/unit/train/test_torch_parity.c reads
    torch_parity.py gradients [PROGRAM]   full-width networks, gradient by gradient: tables
    torch_parity.py curves [PROGRAM]      50 steps of a full-width network: a table

PROGRAM is build/release/bench/torch_parity (`make` builds it), which runs Nodule's side.

Weights, images and labels are functions of a seed (tests/parity_case.h; `tensors` below), the
order of the batches is Nodule's own (Philox, written anew in base.py), so nothing is exchanged.
PyTorch rounds differently in each of its modes (MODES: memory format, oneDNN or not,
torch.compile, instruction set, 1 or 2 threads). Errors are
relative L2: |g - g64| / |g64|, g64 being PyTorch's float64."""
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[:0] = [HERE, os.path.join(ROOT, "bench", "peers")]
GOLDEN = os.path.join(ROOT, "tests", "golden", "parity.json")
PROGRAM = os.path.join(ROOT, "build", "release", "bench", "torch_parity")
RNG_ORDER, PROJECTIONS, STEPS = 2, 16, 50
RESNET_LR = 0.001  # of SGD with momentum: low enough that the loss falls steadily

# Environment, name, what is switched. ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA are PyTorch's
# own switches for older processors; each environment is a process.
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
SSE = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}
MODES = [({}, [("eager", "eager"), ("channels-last", "last"), ("no oneDNN", "plain"),
               ("compile", "compile")]),
         (AVX2, [("eager avx2", "eager"), ("channels-last avx2", "last")]),
         (SSE, [("eager sse", "eager")])]

# --- cases ---------------------------------------------------------------------------------------


def recipe(network, size, optimiser="{name: sgd, lr: 0.01}", batch=32, more=""):
    return (f"input: {{size: {size}}}\nbatch_size: {batch}\nepochs: 1\nseed: 11\n"
            f"network: {network}\noptimiser: {optimiser}\nschedule: {{name: constant}}\n{more}")


def case(name, size, batch, steps, **r):
    return {"name": name, "recipe": recipe(size=list(size), batch=batch, **r), "channels": 1,
            "size": list(size), "classes": 2, "n": batch * steps, "seed": 4000, "batch": batch}


def mlp(optimiser, settings, more=""):
    return case(f"mlp {optimiser}", (10, 10, 10), 32, STEPS, more=more,
                network="{name: mlp, hidden: [12, 12], bias: false}",
                optimiser=f"{{name: {optimiser}, {settings}}}")


def resnet(act, width, side, batch, steps):
    return case(f"resnet18 {act} width {width}", (side, side), batch, steps,
                optimiser=f"{{name: momentum, lr: {RESNET_LR}}}",
                network=f"{{name: resnet18, width: {width}, activation: {act}}}")


def mlps():
    return [mlp("sgd", "lr: 0.05"), mlp("momentum", "lr: 0.01"),
            mlp("nesterov", "lr: 0.01, clip_norm: 1.0",
                "regularisation: {weights: {l2: 0.01}}\n"),
            mlp("rmsprop", "lr: 0.001"), mlp("adam", "lr: 0.002"),
            mlp("adamw", "lr: 0.002", "regularisation: {weights: {decay: 0.1}}\n"
                                      "loss: {label_smoothing: 0.1, class_weights: [1, 3]}\n")]


# --- the PyTorch side ----------------------------------------------------------------------------


def tensors(c, net):
    """Fills the network; images [n, C, ...] and labels [n]."""
    import torch
    from ops_golden import fill
    modules = [(m, n) for m in net.modules() for n, _ in m.named_parameters(recurse=False)]
    for i, (m, n) in enumerate(modules):
        p = getattr(m, n)
        v = fill("signed", c["seed"] + 16 + i, tuple(p.shape))
        if hasattr(m, "running_mean"):
            w = v / 4 + (n == "weight")
        elif n == "weight":
            w = v * math.sqrt(6 / p[0].numel())
        else:
            w = v * (1 / math.sqrt(m.weight[0].numel()))
        p.data = w.float()
    shape = [c["n"], c["channels"]] + c["size"]
    x = fill("signed", c["seed"] + 2, shape)
    y = fill("label", c["seed"] + 1, [c["n"]], c["classes"])
    half = torch.arange(math.prod(c["size"])) < math.prod(c["size"]) // 2
    x += 0.3 * y.double().reshape([-1] + [1] * (len(shape) - 1)) * half.reshape(c["size"])
    return x.float(), y


def network(c):
    import torch
    from resnet import ResNet18, relu
    if c["name"].startswith("mlp"):
        layers = [torch.nn.Flatten()]
        for a, b in ((math.prod(c["size"]), 12), (12, 12), (12, c["classes"])):
            layers += [torch.nn.Linear(a, b, bias=False), torch.nn.ReLU()]
        return torch.nn.Sequential(*layers[:-1])
    _, act, _, width = c["name"].split()
    return ResNet18(c["channels"], c["classes"], len(c["size"]), width=int(width),
                    act={"relu": relu, "silu": torch.nn.functional.silu}[act])


def optimiser(c, net):
    """The same settings in PyTorch's words, and their name."""
    import torch
    o, w = torch.optim, list(net.parameters())
    if not c["name"].startswith("mlp"):
        return o.SGD(w, RESNET_LR, 0.9), "momentum"
    kind = c["name"].split()[1]
    return {"sgd": lambda: o.SGD(w, 0.05), "momentum": lambda: o.SGD(w, 0.01, 0.9),
            "nesterov": lambda: o.SGD(w, 0.01, 0.9, nesterov=True, weight_decay=0.01),
            "rmsprop": lambda: o.RMSprop(w, 0.001), "adam": lambda: o.Adam(w, 0.002),
            "adamw": lambda: o.AdamW(w, 0.002, weight_decay=0.1)}[kind](), kind


def load(c, mode):
    import torch
    net = network(c)
    x, y = tensors(c, net)
    if mode == "f64":
        net, x = net.double(), x.double()
    if mode in ("last", "compile") and x.dim() == 4:
        net, x = (t.to(memory_format=torch.channels_last) for t in (net, x))
    torch.backends.mkldnn.enabled = mode != "plain"
    torch.compiler.reset()
    return net, (torch.compile(net) if mode == "compile" else net), x, y


def gradients(c, mode):
    import torch.nn.functional as F
    net, run, x, y = load(c, mode)
    loss = F.cross_entropy(run(x[:c["batch"]]), y[:c["batch"]])
    loss.backward()
    out = [(n, p.grad) for n, p in net.named_parameters()]
    out += [(n, b) for n, b in net.named_buffers() if not n.endswith("tracked")]
    return {"loss": loss.item(), **{n: t.detach().double().numpy() for n, t in out}}


def curve(c, mode):
    import torch
    import torch.nn.functional as F
    from base import Stream
    net, run, x, y = load(c, mode)
    opt, kind = optimiser(c, net)
    order = Stream(11, RNG_ORDER, 0).shuffle(list(range(c["n"])))
    weights = torch.tensor([1.0, 3.0]).to(x.dtype) if kind == "adamw" else None
    smoothing = 0.1 if kind == "adamw" else 0.0
    losses, b = [], c["batch"]
    for k in range(c["n"] // b):
        i = torch.tensor(order[k * b:(k + 1) * b])
        opt.zero_grad()
        loss = F.cross_entropy(run(x[i]), y[i], weights, label_smoothing=smoothing)
        loss.backward()
        if kind == "nesterov":
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        logits = net.eval()(x[:b])
    return {"loss": np.array(losses), "logits": logits.double().numpy()}


def worker():
    """In a process of its own: jobs from standard input, the numbers of each into its file."""
    import torch
    assert torch.__version__.startswith("2.13"), torch.__version__
    for job in json.load(sys.stdin):
        torch.set_num_threads(job["threads"])
        what = {"gradients": gradients, "curve": curve}[job["what"]]
        try:
            np.savez(job["path"], **what(job["case"], job["mode"]))
        except Exception as e:
            if job["mode"] != "compile":  # which wants a C++ compiler
                raise
            print(f"torch.compile: {e}", file=sys.stderr)


# --- running both --------------------------------------------------------------------------------


def read(path):
    with np.load(path) as z:
        return {k: z[k] for k in z.files}


def torch_runs(folder, what, c, modes=MODES):
    """Numbers in float64, and of every mode that this PyTorch can run, by name."""
    runs = {}
    for env, kinds in modes or [({}, [])]:
        kinds = kinds if env else [("f64", "f64")] + kinds
        jobs = [{"what": what, "case": c, "mode": kind, "threads": threads,
                 "name": f"{name} x{threads}", "path": os.path.join(folder, f"{name}{threads}.npz")}
                for name, kind in kinds for threads in ((2,) if name == "f64" else (1, 2))]
        subprocess.run([sys.executable, os.path.abspath(__file__), "worker"], check=True,
                       text=True, input=json.dumps(jobs),
                       env={**os.environ, "OMP_WAIT_POLICY": "passive", **env})
        for job in (j for j in jobs if os.path.exists(j["path"])):
            runs[job["name"]] = read(job["path"])
            os.remove(job["path"])
    return runs.pop("f64 x2"), runs


def nodule_run(folder, what, c, backend, precision, threads=2):
    cases, path = os.path.join(folder, "cases.json"), os.path.join(folder, "nodule.npz")
    with open(cases, "w") as f:
        json.dump({"cases": [c]}, f)
    program = sys.argv[2] if len(sys.argv) > 2 else PROGRAM
    subprocess.run([program, cases, c["name"], what, backend, precision, str(threads), path],
                   check=True)
    return read(path)


def errors(run, truth):
    """Relative L2 error of each gradient and state, in order, and of all gradients together."""
    names = [n for n in truth if n != "loss"]
    pairs = list(zip(list(v for k, v in run.items() if k != "loss"), (truth[n] for n in names)))
    each = {n: np.linalg.norm(a - b) / np.linalg.norm(b) for n, (a, b) in zip(names, pairs)}
    grads = [(a, b) for n, (a, b) in zip(names, pairs) if ".running_" not in n]
    error, length = (sum(np.sum(v(a, b)**2) for a, b in grads)
                     for v in (lambda a, b: a - b, lambda a, b: b))
    return each, math.sqrt(error / length)



# --- what is asked -------------------------------------------------------------------------------


def digest(truth):
    """Length and signed sums of each tensor, in order; parity_project in tests/parity_case.c."""
    from ops_golden import fill
    rows = []
    for i, name in enumerate(n for n in truth if n != "loss"):
        v = truth[name].ravel()
        bits = (fill("unit", 100 + i, v.shape).numpy() * 2**24).astype(np.uint32)
        rows.append([float(np.linalg.norm(v))] + [
            float(v @ (2.0 * (bits >> k & 1) - 1)) for k in range(PROJECTIONS)])
    return rows


def golden():
    cases = []
    with tempfile.TemporaryDirectory() as d:
        for c in mlps():
            truth, _ = torch_runs(d, "curve", c, [])
            cases.append({**c, "kind": "losses", "loss": list(truth["loss"])})
        for act, width, side, batch in (("silu", 8, 12, 8), ("relu", 8, 12, 8),
                                        ("silu", 64, 28, 8), ("relu", 64, 28, 8)):
            c = resnet(act, width, side, batch, 1)
            truth, runs = torch_runs(d, "gradients", c)
            worst = max(errors(r, truth)[1] for r in runs.values())
            cases.append({**c, "kind": "gradients", "loss": float(truth["loss"]),
                          "torch_f32": worst, "tensors": digest(truth)})
        c = resnet("relu", 16, 16, 16, STEPS)
        runs = np.array([r["loss"] for r in torch_runs(d, "curve", c)[1].values()])
        cases.append({**c, "kind": "envelope", "low": list(runs.min(0)),
                      "high": list(runs.max(0))})
    with open(GOLDEN, "w") as f:
        f.write('{"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")


def gradient_table(d, c):
    truth, runs = torch_runs(d, "gradients", c)
    found = {m: errors(r, truth) for m, r in runs.items()}
    ours = nodule_run(d, "gradients", c, "cpu", "f32")
    names = [n for n in ours if n != "loss"]
    found["Nodule cpu f32"] = errors(ours, truth)
    print(f"\n{c['name']}, {c['size'][0]}x{c['size'][1]}, batch {c['batch']}, seed {c['seed']}:"
          " error against PyTorch f64")
    print(f"{'':24}{'all gradients':>14}{'worst tensor':>14}")
    for m, (each, total) in found.items():
        worst = max(range(len(each)), key=lambda i: list(each.values())[i])
        print(f"{m:24}{total:14.2e}{list(each.values())[worst]:14.2e}  {names[worst]}")
    torch_worst = {n: max(found[m][0][n] for m in runs) for n in found["eager x1"][0]}
    each, total = found["Nodule cpu f32"]
    ratios = [each[n] / torch_worst[n] for n in each]
    print(f"Nodule / PyTorch's worst mode: all gradients "
          f"{total / max(found[m][1] for m in runs):.2f}, worst tensor "
          f"{max(each.values()) / max(torch_worst.values()):.2f}; tensor by tensor at most "
          f"{max(ratios):.2f} ({names[int(np.argmax(ratios))]})", flush=True)


def gradient_tables():
    with tempfile.TemporaryDirectory() as d:
        for act, seeds in (("silu", (4000,)), ("relu", (4000, 5000))):
            for seed in seeds:
                gradient_table(d, {**resnet(act, 64, 28, 16, 1), "seed": seed})


def outside(loss, low, high):
    """Steps outside of [low, high], and the widening of both sides that would let all in, in
    units of the widest the interval had been by then."""
    beyond = np.maximum(np.maximum(low - loss, loss - high), 0)
    width = np.maximum(np.maximum.accumulate(high - low), 5e-6)
    return int((beyond > 0).sum()), float((beyond / width).max())


def curve_table(d, c):
    truth, runs = torch_runs(d, "curve", c)
    truth, runs = truth["loss"], {m: r["loss"] for m, r in runs.items()}
    ours = [nodule_run(d, "curve", c, "cpu", "f32", t)["loss"] for t in (1, 2)]
    both = np.array(list(runs.values()))
    low, high = both.min(0), both.max(0)
    print(f"\n{c['name']}, {c['size'][0]}x{c['size'][1]}, batch {c['batch']}, "
          f"{len(runs)} modes of PyTorch; Nodule cpu f32, 1 and 2 threads "
          f"{'the same bits' if (ours[0] == ours[1]).all() else 'DIFFER'}")
    print(f"{'step':>5}{'PyTorch f64':>13}{'f32 lowest':>13}{'f32 highest':>13}{'Nodule':>13}")
    for k in [0, 1, 2, 4, 9, 14, 19, 24, 29, 34, 39, 44, 49]:
        print(f"{k + 1:5}{truth[k]:13.7f}{low[k]:13.7f}{high[k]:13.7f}{ours[0][k]:13.7f}")
    n, need = outside(ours[0], low, high)
    print(f"Nodule: {n} of {STEPS} steps outside, by at most {need:.2f} of the widest so far")
    for m, loss in runs.items():
        others = np.array([r for o, r in runs.items() if o != m])
        n, need = outside(loss, others.min(0), others.max(0))
        print(f"{m} beside the others: {n} outside, {need:.2f}", flush=True)


def curve_tables():
    with tempfile.TemporaryDirectory() as d:
        curve_table(d, resnet("relu", 64, 16, 16, STEPS))


if __name__ == "__main__":
    {"worker": worker, "golden": golden, "gradients": gradient_tables,
     "curves": curve_tables}[sys.argv[1] if len(sys.argv) > 1 else "golden"]()
