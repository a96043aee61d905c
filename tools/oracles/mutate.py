#!/usr/bin/env python3
"""mutate.py N FILE... -- PROGRAM ARG...: runs a program on N damaged copies of files.

Each copy is cut off, has noise in its bytes, or noise in its first 2 kB (a third each, seeded); its
path takes the place of `{}` among the arguments. Says how often the program accepted (exit 0 and no
"refused" in its output), refused, crashed (a signal, or a sanitizer's report) or ran into the limit
of 20 s; keeps what crashed or hung in ./mutated-*. For example

    tools/oracles/mutate.py 1500 FILES -- build/asan/tests/dicom_dump /tmp {}
"""
import os
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np

LIMIT_S = 20


def damage(data, kind, rng):
    if kind == 0:
        return data[:int(rng.integers(0, len(data)))]
    a = np.frombuffer(data, np.uint8).copy()
    span = len(a) if kind == 1 else min(len(a), 2048)
    n = int(rng.integers(1, 20 if kind == 1 else 10))
    a[rng.integers(0, span, n)] = rng.integers(0, 256, n, dtype=np.uint8)
    return a.tobytes()


def main():
    n, rest = int(sys.argv[1]), sys.argv[2:]
    files, command = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    counts, rng = Counter(), np.random.default_rng(4)
    seeds = [open(f, "rb").read() for f in files]
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n):
            k = i % len(seeds)
            path = os.path.join(folder, os.path.basename(files[k]))
            data = damage(seeds[k], i // len(seeds) % 3, rng)
            with open(path, "wb") as f:
                f.write(data)
            try:
                run = subprocess.run([path if a == "{}" else a for a in command], timeout=LIMIT_S,
                                     capture_output=True, text=True, errors="replace")
                fault = run.returncode < 0 or "Sanitizer" in run.stderr or "runtime error" in run.stderr
                verdict = ("crashed" if fault else "refused"
                           if run.returncode or "refused" in run.stdout else "accepted")
            except subprocess.TimeoutExpired:
                verdict = "hung"
            counts[verdict] += 1
            if verdict in ("crashed", "hung"):
                with open(f"mutated-{i}-{os.path.basename(path)}", "wb") as f:
                    f.write(data)
                print(f"{verdict}: mutated-{i} of {files[k]}", file=sys.stderr)
            os.unlink(path)
    print(f"{n} damaged copies of {len(files)} files: " + ", ".join(
        f"{counts[v]} {v}" for v in ("accepted", "refused", "crashed", "hung")))
    return counts["crashed"] + counts["hung"] > 0


if __name__ == "__main__":
    sys.exit(main())
