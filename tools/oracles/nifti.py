#!/usr/bin/env python3
"""Golden files of tests/unit/imaging/test_nifti.c: NIfTI files written by nibabel, and what
nibabel reads from them: voxels (scaled) and the affine in RAS, millimetres.

    python3 tools/oracles/nifti.py

Made with nibabel 5.4.2 and numpy 2.4.6."""
import gzip
from pathlib import Path

import nibabel as nib
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "nifti"
RNG = np.random.default_rng(4)
SHAPE = (5, 4, 3)
expected = {}


def turned():
    """An oblique affine with unequal spacing."""
    q, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    a = np.eye(4)
    a[:3, :3] = q * [0.75, 1.5, 3.25]
    a[:3, 3] = [-31.5, 12.25, 7.125]
    return a


AFFINE = turned()


def keep(name, unit=1.0):
    """What nibabel reads, frames first, x fastest."""
    im = nib.load(OUT / name)
    v = np.asarray(im.dataobj)
    if v.dtype.names:
        v = np.stack([v[n] for n in v.dtype.names], -1)
        v = v.transpose(2, 1, 0, 3)[None]
    else:
        v = v.reshape(v.shape[:3] + (1,) * (3 - v.ndim) + (-1,))
        v = v.transpose(3, 2, 1, 0)[..., None]
    slope = im.dataobj.slope, im.dataobj.inter
    plain = slope == (1, 0) and v.dtype.newbyteorder("=") in (np.uint8, np.uint16)
    expected[name] = np.ascontiguousarray(v.astype(v.dtype.newbyteorder("=") if plain else "f4"))
    a = im.affine.copy()
    a[:3] *= unit
    expected[name + ".affine"] = a


def volume(dtype, shape=SHAPE):
    if np.dtype(dtype).kind == "f":
        return RNG.normal(0, 1000, shape).astype(dtype)
    i = np.iinfo(dtype)
    low, high = max(i.min, -(1 << 24)), min(i.max, 1 << 24)
    return RNG.integers(low, high, shape, endpoint=True).astype(dtype)


def save(name, data, affine=AFFINE, cls=nib.Nifti1Image, endian="<", change=None, unit=1.0):
    header = cls.header_class(endianness=endian)
    header.set_data_dtype(data.dtype.newbyteorder(endian) if data.dtype.names is None else data.dtype)
    im = cls(data, affine, header)
    if affine is not None:
        im.set_sform(affine, 1)
        im.set_qform(affine, 1)
    if change:
        change(im)
    nib.save(im, OUT / name)
    keep(name, unit)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for t in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
        save(f"{t}_le.nii", volume(t))
        save(f"{t}_be.nii", volume(t), endian=">")
        save(f"{t}_2be.nii.gz", volume(t), cls=nib.Nifti2Image, endian=">")
    rgb = np.zeros(SHAPE, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    rgba = np.zeros(SHAPE, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]))
    for im in (rgb, rgba):
        for n in im.dtype.names:
            im[n] = RNG.integers(0, 255, SHAPE, endpoint=True)
    save("rgb.nii.gz", rgb)
    save("rgba.nii", rgba)
    save("frames.nii.gz", volume("i2", SHAPE + (6,)))
    save("plane.nii", volume("u1", (7, 6)))
    save("row.nii", volume("u1", (9,)))
    save("pair.hdr", volume("i2"), cls=nib.Nifti1Pair)
    save("pair_packed.hdr", volume("u2"), cls=nib.Nifti2Pair, endian=">")
    img = OUT / "pair_packed.img"
    (OUT / "pair_packed.img.gz").write_bytes(gzip.compress(img.read_bytes(), mtime=0))
    img.unlink()
    # Scaling: nibabel chooses slope and intercept to keep floats in 16 bits.
    scaled = nib.Nifti1Image(volume("f4"), AFFINE)
    scaled.set_data_dtype("i2")
    nib.save(scaled, OUT / "scaled.nii")
    keep("scaled.nii")
    # Forms.
    def only(sform, qform):
        def change(im):
            im.set_sform(AFFINE, sform)
            im.set_qform(AFFINE, qform)
        return change
    save("sform_only.nii", volume("u1"), change=only(2, 0))
    save("qform_only.nii", volume("u1"), change=only(0, 3))
    mirrored = AFFINE @ np.diag([1, 1, -1, 1])
    save("qform_mirrored.nii", volume("u1"), mirrored,
         change=lambda im: (im.set_sform(mirrored, 0), im.set_qform(mirrored, 1)))
    half_turn = np.diag([-2.0, -2.0, 3.0, 1.0])
    save("qform_half_turn.nii", volume("u1"), half_turn,
         change=lambda im: (im.set_sform(half_turn, 0), im.set_qform(half_turn, 1)))
    save("microns.nii", volume("u1"), change=lambda im: im.header.set_xyzt_units("micron"), unit=1e-3)
    save("metres.nii", volume("u1"), change=lambda im: im.header.set_xyzt_units("meter"), unit=1e3)
    np.savez_compressed(OUT / "expected.npz", **expected)
    print(len(expected) // 2, "files")


main()
