#!/usr/bin/env python3
"""How hard the phantoms of `nodule synth` are: trivial classifiers against a small network.

Reads .npz files with train/val/test arrays. For each: the AUC on the test part of the mean
intensity, of the standard deviation, of a logistic regression on the 32-bin histogram, and of a
small convolutional network (2-D or 3-D) or, for 10^3 voxels, the 12-12-2 network.

Needs numpy, scikit-learn, torch. Run: python tools/oracles/synth_difficulty.py FILE.npz...
"""
import sys

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import nn


def network(shape):
    d = len(shape)
    if shape == (10, 10, 10):
        return nn.Sequential(nn.Flatten(), nn.Linear(1000, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(),
                             nn.Linear(12, 2))
    conv, norm = (nn.Conv2d, nn.BatchNorm2d) if d == 2 else (nn.Conv3d, nn.BatchNorm3d)
    pool = nn.MaxPool2d if d == 2 else nn.MaxPool3d
    last = nn.AdaptiveMaxPool2d if d == 2 else nn.AdaptiveMaxPool3d
    layers, c = [], 1
    for k, width in enumerate((16, 32, 64) if d == 2 else (8, 16, 32)):
        layers += [conv(c, width, 3, padding=1), norm(width), nn.ReLU(),
                   conv(width, width, 3, padding=1), norm(width), nn.ReLU(), pool(2)]
        c = width
    return nn.Sequential(*layers, last(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(c, 2))


def train(z, epochs=20, seed=0):
    torch.manual_seed(seed)
    part = {}
    for p in ("train", "val", "test"):
        x = torch.tensor(z[p + "_images"], dtype=torch.float32)[:, None]
        m, s = x.flatten(1).mean(1), x.flatten(1).std(1)
        one = (slice(None),) + (None,) * (x.ndim - 1)
        part[p] = ((x - m[one]) / s[one], torch.tensor(z[p + "_labels"][:, 0].astype("i8")))
    x, y = part["train"]
    net = network(tuple(x.shape[2:]))
    opt = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, epochs * ((len(x) + 31) // 32))
    best, test = 0, 0
    for _ in range(epochs):
        net.train()
        for b in torch.randperm(len(x)).split(32):
            v = x[b]
            flip = torch.rand(len(v)) < 0.5
            if len(x.shape) == 4 or x.shape[2] > 10:
                v = torch.where(flip[(slice(None),) + (None,) * (x.ndim - 1)], v.flip(-1), v)
            opt.zero_grad()
            nn.functional.cross_entropy(net(v), y[b]).backward()
            opt.step()
            sched.step()
        net.eval()
        with torch.no_grad():
            auc = {p: roc_auc_score(part[p][1], torch.softmax(net(part[p][0]), 1)[:, 1]) for p in ("val", "test")}
        if auc["val"] >= best:
            best, test = auc["val"], auc["test"]
    return best, test


torch.set_num_threads(2)
for path in sys.argv[1:]:
    z = dict(np.load(path))
    flat = {p: z[p + "_images"].reshape(len(z[p + "_images"]), -1) for p in ("train", "test")}
    y = {p: z[p + "_labels"][:, 0] for p in ("train", "test")}
    both = lambda v: max(v, 1 - v)
    mean = both(roc_auc_score(y["test"], flat["test"].mean(1)))
    sd = both(roc_auc_score(y["test"], flat["test"].std(1)))
    hist = {p: np.stack([np.histogram(v, 32, (0, 256))[0] for v in flat[p]]) for p in flat}
    scale = StandardScaler().fit(hist["train"])
    lr = LogisticRegression(C=0.1, max_iter=5000).fit(scale.transform(hist["train"]), y["train"])
    hauc = roc_auc_score(y["test"], lr.predict_proba(scale.transform(hist["test"]))[:, 1])
    val, test = train(z)
    print(f"{path}: {len(y['train'])} train, {len(y['test'])} test, mean {mean:.3f}, sd {sd:.3f}, "
          f"histogram {hauc:.3f}, network val {val:.3f} test {test:.3f}", flush=True)
