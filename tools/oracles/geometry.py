#!/usr/bin/env python3
"""Makes tests/golden/geometry: what nibabel says of affines, and what SimpleITK makes of grids.

affines.json: random rotations, some mirrored, with their orientation codes, obliquity, spacing and
a point (nibabel 5.4.2). Rotations whose axes are nearly as close to a second patient axis are left
out, for there the nearest code is a matter of taste.

resample.npz: SimpleITK 2.5.7 on a small smooth volume: linear and nearest onto an oblique grid
and onto a shifted one of equal directions. Both targets lie inside of the source, and no voxel
lies half-way between two of its own, for which the rounding of the last bit would decide.

Needs numpy, nibabel, SimpleITK. Run: python tools/oracles/geometry.py tests/golden/geometry
"""
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

OUT = Path(sys.argv[1])
RNG = np.random.default_rng(11)


def rotation():
    q = RNG.normal(size=4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])


def affines():
    cases = []
    while len(cases) < 24:
        r = rotation()
        r[:, 2] *= RNG.choice([-1, 1])
        ordered = np.sort(np.abs(r), axis=0)
        if (ordered[2] - ordered[1]).min() < 0.15 or \
                len(set(np.abs(r).argmax(axis=0))) < 3:
            continue
        spacing = RNG.uniform(0.3, 6, 3)
        a = np.eye(4)
        a[:3, :3] = r * spacing
        a[:3, 3] = RNG.uniform(-200, 200, 3)
        index = RNG.uniform(-5, 60, 3)
        cases.append({
            "affine_ras": a.tolist(),
            "codes": "".join(nib.aff2axcodes(a)),
            "obliquity_deg": float(np.degrees(nib.affines.obliquity(a).max())),
            "spacing_mm": nib.affines.voxel_sizes(a).tolist(),
            "index": index.tolist(),
            "world_ras_mm": nib.affines.apply_affine(a, index).tolist(),
        })
    return cases


OUT.mkdir(parents=True, exist_ok=True)
(OUT / "affines.json").write_text(json.dumps({"nibabel": nib.__version__, "cases": affines()},
                                             indent=1) + "\n")

# --- resampling -----------------------------------------------------------------------------

SIZE, SPACING = (20, 16, 12), (1.0, 1.5, 2.5)
z, y, x = np.mgrid[0:SIZE[2], 0:SIZE[1], 0:SIZE[0]].astype(float)
volume = (50 * np.sin(x / 3 + 0.4) * np.cos(y / 4) + 20 * np.sin(z / 2.5) + 3 * x - z).astype("f4")
turn = rotation()
image = sitk.GetImageFromArray(volume)
image.SetSpacing(SPACING)
image.SetOrigin((-12.0, 30.0, 7.0))
image.SetDirection(turn.flatten().tolist())


def target(direction, spacing, size, origin):
    g = sitk.Image([int(n) for n in size], sitk.sitkFloat32)
    g.SetSpacing([float(s) for s in spacing])
    g.SetOrigin([float(o) for o in origin])
    g.SetDirection(np.asarray(direction).flatten().tolist())
    return g


def grid(g):
    """As the test reads it: size i,j,k; spacing; direction rows are axes; origin."""
    d = np.array(g.GetDirection()).reshape(3, 3).T
    return np.concatenate([g.GetSize(), g.GetSpacing(), d.flatten(), g.GetOrigin()])


small = np.radians(12.0)
tilt = np.array([[np.cos(small), -np.sin(small), 0], [np.sin(small), np.cos(small), 0], [0, 0, 1]])
centre = np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in SIZE]))
arrays = {"src": volume, "src_grid": grid(image)}
for name, direction, spacing, size in [
        ("oblique", turn @ tilt, (0.9, 1.1, 1.3), (14, 12, 11)),
        ("shifted", turn, (0.8, 1.2, 2.0), (17, 13, 9))]:
    d = np.asarray(direction)
    origin = centre - d @ ((np.array(size) - 1) / 2 * np.array(spacing)) + d @ [0.31, -0.21, 0.113]
    g = target(direction, spacing, size, origin)
    arrays[f"{name}_grid"] = grid(g)
    for kind, code in [("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)]:
        out = sitk.Resample(image, g, sitk.Transform(), code, -999.0)
        arrays[f"{name}_{kind}"] = sitk.GetArrayFromImage(out)
np.savez_compressed(OUT / "resample.npz", **arrays)
print({k: v.shape for k, v in arrays.items()})
