#!/usr/bin/env python3
"""pydicom_decode.py DUMP [--ref FOLDER] FILE|FOLDER...: stored values of DICOM files, beside pydicom's.

DUMP is build/release/tests/dicom_dump. Every file that either program takes for DICOM is decoded by
both in this run (pydicom with pylibjpeg-libjpeg, -openjpeg, -rle), and one line a file says how they
compare: `equal`, `within N` (lossy codecs may differ by rounding), `differ`, or who refused it and
why. pydicom's values are taken as RGB where it converts; its 1-bit data is unpacked. The last lines
count. With --ref each file A_KIND is compared with pydicom's A_UNC of that folder instead (the NEMA
compression samples). Needs pydicom 3.0 and numpy."""
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")
LOSSY = {"1.2.840.10008.1.2.4." + k for k in ("50", "51", "81", "91", "203")}


def list_files(names):
    for name in names:
        if os.path.isfile(name):
            yield name
        for folder, folders, files in os.walk(name):
            folders.sort()
            for f in sorted(files):
                yield os.path.join(folder, f)


def ours(dump, files, folder):
    out = subprocess.run([dump, folder, *files], capture_output=True, text=True, check=True).stdout
    results = {}
    for line in out.splitlines():
        i, verdict, *rest = line.split("\t")
        path = files[int(i)]
        if verdict != "ok":
            results[path] = (None, rest[0].replace(path + ": ", ""))
            continue
        frames, rows, columns, channels = map(int, rest[:4])
        values = np.fromfile(os.path.join(folder, i + ".raw"), rest[4])
        results[path] = (values.reshape(frames, rows, columns, channels), rest[5])
    return results


def pydicoms(path):
    try:
        ds = pydicom.dcmread(path, force=True)
        if len(ds) == 0:
            return None, "no dataset", ""
        syntax = str(ds.file_meta.get("TransferSyntaxUID", "")) if hasattr(ds, "file_meta") else ""
        if not any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            return None, "no pixel data", syntax
        try:
            a = pixel_array(ds)
        except Exception:
            a = ds.pixel_array
        frames = int(ds.get("NumberOfFrames", 1) or 1)
        return a.reshape(frames, ds.Rows, ds.Columns, -1), "", syntax
    except Exception as e:
        return None, (str(e) or type(e).__name__).split("\n")[0], ""


def compare(a, b, syntax):
    if a.shape != b.shape:
        return f"differ: shapes {a.shape} and {b.shape}"
    d = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
    if d == 0:
        return "equal"
    if syntax in LOSSY and d <= 2:
        return f"within {d:g}"
    n = np.mean(a != b)
    return f"differ: by up to {d:g} in {n:.1%} of the values"


def reference(dump, folder, names):
    files = list(list_files(names))
    n_wrong = 0
    with tempfile.TemporaryDirectory() as temp:
        mine = ours(dump, files, temp)
    for path in files:
        name = os.path.basename(path)
        b, why, _ = pydicoms(os.path.join(folder, name.split("_")[0] + "_UNC"))
        a = mine[path][0]
        if a is None or b is None:
            verdict = mine[path][1] if a is None else why
        else:
            d = np.abs(a.astype(np.float64) - b.astype(np.float64)).max() if a.shape == b.shape else "shape"
            verdict = "equal" if d == 0 else f"differs by up to {d:g}"
        n_wrong += verdict != "equal"
        print(f"{name:12} {verdict}")
    print(f"{len(files) - n_wrong} of {len(files)} equal the uncompressed image bit for bit")


def main():
    dump, names = sys.argv[1], sys.argv[2:]
    if names[0] == "--ref":
        return reference(dump, names[1], names[2:])
    files = list(list_files(names))
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        mine = ours(dump, files, folder)
        for path in files:
            a, why_a = mine[path]
            b, why_b, syntax = pydicoms(path)
            if a is not None and b is not None:
                verdict = compare(a, b, syntax)
            elif a is not None:
                verdict = f"only nodule: pydicom says {why_b}"
            elif b is not None:
                verdict = f"only pydicom: nodule says {why_a}"
            else:
                verdict = f"neither: nodule: {why_a}; pydicom: {why_b}"
            print(f"{os.path.relpath(path, os.path.commonpath(files)):50} {verdict}")
            key = verdict.split(":")[0].split(" 0")[0].split(" 1")[0].split(" 2")[0]
            counts[key] = counts.get(key, 0) + 1
    print(f"\npydicom {pydicom.__version__}, {len(files)} files: "
          + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    both = counts.get("equal", 0) + counts.get("within", 0)
    differ = counts.get("differ", 0)
    print(f"decoded by nodule: {both + differ + counts.get('only nodule', 0)}, "
          f"by pydicom: {both + differ + counts.get('only pydicom', 0)}")


if __name__ == "__main__":
    main()
