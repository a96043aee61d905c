#!/usr/bin/env python3
"""Plants copies of real images and counts how many `nodule leak` finds: docs/near-duplicates.md.

    near_duplicates.py NODULE FOLDER [N]

FOLDER holds images (any depth) or is a MedMNIST .npz, of which every N-th image is taken. The copies are
made by Pillow (13.0.0 for the documented figures), not by our own code. For each way of copying, a
folder with originals and copies is indexed; a copy is found where the table has its pair."""
import csv
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

rng = np.random.default_rng(7)


def crop(a, most):
    h, w = a.shape
    left, top, right, bottom = rng.uniform(0, most, 4)
    return a[round(top * h):h - round(bottom * h), round(left * w):w - round(right * w)]


def scale(a, y, x):
    size = (max(1, round(a.shape[1] * x)), max(1, round(a.shape[0] * y)))
    return np.asarray(Image.fromarray(a).resize(size, Image.BICUBIC))


def jpeg(a, quality):
    b = io.BytesIO()
    Image.fromarray(a).save(b, "JPEG", quality=quality)
    return np.asarray(Image.open(b))


WAYS = {
    "JPEG 90": lambda a: jpeg(a, 90),
    "JPEG 50": lambda a: jpeg(a, 50),
    "JPEG 20": lambda a: jpeg(a, 20),
    "half the size": lambda a: scale(a, 0.5, 0.5),
    "1.6 times the size": lambda a: scale(a, 1.6, 1.6),
    "stretched": lambda a: scale(a, 0.8, 1.2),
    "mirrored, JPEG 80": lambda a: jpeg(a[:, ::-1].copy(), 80),
    "turned 90, JPEG 80": lambda a: jpeg(np.rot90(a).copy(), 80),
    "turned 180, JPEG 80": lambda a: jpeg(np.rot90(a, 2).copy(), 80),
    "inverted, JPEG 80": lambda a: jpeg(255 - a, 80),
    "gamma 1.5": lambda a: (255 * (a / 255.0) ** 1.5).astype(np.uint8),
    "cropped 3 %": lambda a: jpeg(crop(a, 0.03).copy(), 80),
    "cropped 6 %": lambda a: jpeg(crop(a, 0.06).copy(), 80),
    "cropped 10 %": lambda a: jpeg(crop(a, 0.10).copy(), 80),
    "mirrored, cropped 6 %, turned, x .7, JPEG 75": lambda a: jpeg(
        scale(np.rot90(crop(a[:, ::-1], 0.06)).copy(), 0.7, 0.7), 75),
}


def load(source, step):
    if source.suffix == ".npz":
        z = np.load(source)
        images = np.concatenate([z[f"{p}_images"] for p in ("train", "val", "test")])[::step]
    else:
        files = sorted(p for p in source.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
        images = [np.asarray(Image.open(p).convert("L")) for p in files[::step]]
    seen, out = set(), []
    for a in images:
        key = (a.shape, a.tobytes())
        if key not in seen:
            seen.add(key)
            out.append(np.ascontiguousarray(a))
    return out


def recall(nodule, images, way):
    with tempfile.TemporaryDirectory() as d:
        for i, a in enumerate(images):
            for name, b in (("no", a), ("yes", way(a))):
                path = Path(d) / name / f"{i:05d}.png"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(b).save(path)
        run = lambda *words: subprocess.run([nodule, *words], cwd=d, check=True, capture_output=True)
        run("index", ".", "-o", "c.csv", "--positive", "yes")
        run("leak", "c.csv", "-o", "leak.csv")
        of = {r["id"]: Path(r["file"]).stem for r in csv.DictReader(open(Path(d) / "c.csv"))}
        rows = list(csv.DictReader(open(Path(d) / "leak.csv")))
        found = {of[r["case"]] for r in rows
                 if of[r["case"]] == of[r["other"]] and r["labels"] == "differ"}
        return len(found) / len(images)


def main():
    nodule, source = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
    images = load(source, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print(f"{source.name}: {len(images)} images")
    for name, way in WAYS.items():
        print(f"{name}: {100 * recall(nodule, images, way):.1f} %", flush=True)


if __name__ == "__main__":
    main()
