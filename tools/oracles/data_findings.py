"""What is odd about the shared data sets, found independently with numpy and Pillow.

Usage: data_findings.py DATA_FOLDER     (prints; the numbers stand in tests/unit/data/test_real_data.c)
"""
import collections, glob, hashlib, os, sys
import numpy as np
from PIL import Image

root = sys.argv[1]


def report(name, keys, labels, parts):
    """keys: hash or None (constant)."""
    sets = collections.defaultdict(list)
    for i, k in enumerate(keys):
        if k is not None:
            sets[k].append(i)
    dup = [s for s in sets.values() if len(s) > 1]
    contra = [s for s in dup if len({labels[i] for i in s}) > 1]
    parted = [s for s in dup if len({parts[i] for i in s}) > 1]
    rank = {"train": 0, "val": 1, "test": 2, "": 0}
    out = []
    for s in parted:
        top = max(rank[parts[i]] for i in s)
        out += [f"{parts[i]}:{i}" for i in s if rank[parts[i]] < top]
    print(name, "cases", len(keys), "constant", sum(k is None for k in keys),
          "sets", len(dup), "cases in sets", sum(map(len, dup)),
          "contradictory", [[(parts[i], i, labels[i]) for i in s] for s in contra],
          "parted", [[(parts[i], i) for i in s] for s in parted], "left out", len(out))


for f in sorted(glob.glob(os.path.join(root, "medmnist", "*.npz"))):
    z = np.load(f)
    keys, labels, parts = [], [], []
    for p in ("train", "val", "test"):
        for x, y in zip(z[p + "_images"], z[p + "_labels"].reshape(-1)):
            keys.append(None if x.min() == x.max() else hashlib.sha256(x.tobytes()).hexdigest())
            labels.append(int(y))
            parts.append(p)
    report(os.path.basename(f), keys, labels, parts)

keys, labels, parts, raw = [], [], [], collections.defaultdict(list)
for c in ("no", "yes"):
    for f in sorted(os.listdir(os.path.join(root, "brain_tumor_yesno", c))):
        path = os.path.join(root, "brain_tumor_yesno", c, f)
        raw[hashlib.sha256(open(path, "rb").read()).hexdigest()].append(path)
        im = Image.open(path)
        a = np.asarray(im.convert("RGBA" if im.mode in ("P", "RGBA") else im.mode))
        if a.ndim == 3 and a.shape[2] == 4 and (a[..., 3] == 255).all():
            a = a[..., :3]
        if a.ndim == 3 and a.shape[2] >= 3 and (a[..., 0] == a[..., 1]).all() and (a[..., 0] == a[..., 2]).all():
            a = a[..., 0] if a.shape[2] == 3 else a[..., [0, 3]]
        keys.append(hashlib.sha256(str(a.shape).encode() + a.tobytes()).hexdigest())
        labels.append(c)
        parts.append("")
report("brain_tumor_yesno", keys, labels, parts)
same = [v for v in raw.values() if len(v) > 1]
print("byte-identical", len(same), "files", sum(map(len, same)))
