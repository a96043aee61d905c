#!/usr/bin/env python3
"""Golden files of tests/unit/imaging/test_itk.c: MetaImage and NRRD files written by SimpleITK, a few
by hand, and what SimpleITK reads from them: voxels, and the affine in LPS millimetres.

    python3 tools/oracles/itk.py

Made with SimpleITK 2.5.7 (ITK 5.4) and numpy 2.4.6."""
import gzip
from pathlib import Path

import numpy as np
import SimpleITK as sitk

OUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "itk"
RNG = np.random.default_rng(5)
expected = {}
TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


def turned():
    q, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    return q if np.linalg.det(q) > 0 else q * [1, 1, -1]


DIRECTION = turned()


def values(dtype, shape):
    if np.dtype(dtype).kind == "f":
        return RNG.normal(0, 1000, shape).astype(dtype)
    i = np.iinfo(dtype)
    return RNG.integers(max(i.min, -(1 << 24)), min(i.max, 1 << 24), shape, endpoint=True).astype(dtype)


def image(dtype, shape=(3, 4, 5), vector=False):
    im = sitk.GetImageFromArray(values(dtype, shape), isVector=vector)
    if im.GetDimension() == 3:
        im.SetDirection(DIRECTION.ravel())
        im.SetSpacing((0.75, 1.5, 3.25))
        im.SetOrigin((-31.5, 12.25, 7.125))
    return im


def affine(im):
    a = np.eye(4)
    a[:3, :3] = np.array(im.GetDirection()).reshape(3, 3) * im.GetSpacing()
    a[:3, 3] = im.GetOrigin()
    return a


def keep(name, im=None, place=True):
    """`im`: what the file holds, where SimpleITK reads it otherwise or not at all."""
    im = im or sitk.ReadImage(str(OUT / name))
    v = sitk.GetArrayFromImage(im)
    n = im.GetNumberOfComponentsPerPixel()
    if n == 1:
        v = v[..., None]
    v = v.reshape((1,) * (5 - v.ndim) + v.shape)  # frames, k, j, i, components
    colour = n in (3, 4) and v.dtype in (np.uint8, np.uint16)
    if n > 1 and not colour:  # components become frames
        v = np.moveaxis(v, -1, 0).reshape((-1,) + v.shape[1:4] + (1,))
    plain = v.dtype in (np.uint8, np.uint16)
    expected[name] = np.ascontiguousarray(v if plain else v.astype("f4"))
    if place:
        expected[name + ".affine"] = affine(im)


def write(name, im, packed=False, place=True):
    sitk.WriteImage(im, str(OUT / name), packed)
    keep(name, place=place)


def by_hand(name, header, data, im, place=True):
    (OUT / name).write_bytes(header.encode() + data)
    keep(name, im, place)


def make_by_hand():
    """What SimpleITK does not write: big endian, other worlds, other names of fields."""
    im = image("i2")
    raw = sitk.GetArrayFromImage(im).astype(">i2").tobytes()
    a = affine(im)
    columns = " ".join(repr(float(v)) for v in np.array(im.GetDirection()).reshape(3, 3).T.ravel())
    by_hand("big.mha", "ObjectType = Image\nNDims = 3\nBinaryData = True\nElementByteOrderMSB = True\n"
            f"Orientation = {columns}\nPosition = -31.5 12.25 7.125\nElementSize = 0.75 1.5 3.25\n"
            "HeaderSize = -1\nDimSize = 5 4 3\nElementType = MET_SHORT\nElementDataFile = LOCAL\n",
            b"skipped" + raw, im)
    axes = sitk.Image(im)
    axes.SetDirection((0, -1, 0, 0, 0, 1, -1, 0, 0))  # i to the feet, j to the right, k to the back
    by_hand("letters.mha", "NDims = 3\nElementSpacing = 0.75 1.5 3.25\nOffset = -31.5 12.25 7.125\n"
            "AnatomicalOrientation = SLA\nBinaryDataByteOrderMSB = True\nDimSize = 5 4 3\n"
            "ElementType = MET_SHORT\nElementDataFile = LOCAL\n", raw, axes)
    for world, sign in (("RAS", (-1, -1, 1)), ("left-anterior-superior", (1, -1, 1)), ("LPS", (1, 1, 1))):
        b = np.diag((*sign, 1)) @ a
        v = ["(" + ",".join(repr(float(x)) for x in b[:3, c]) + ")" for c in range(4)]
        by_hand(f"{world[:4].lower()}.nrrd", f"NRRD0004\n# a comment\ntype: int16\ndimension: 3\nspace: {world}\n"
                f"sizes: 5 4 3\nspace directions: {v[0]} {v[1]} {v[2]}\nspace origin: {v[3]}\n"
                'key:=value: of a user\nspace units: "mm" "mm" "mm"\n'
                "endian: big\nencoding: raw\n\n", raw, im)
    b = a / 10
    v = ["(" + ", ".join(repr(float(x)) for x in b[:3, c]) + ")" for c in range(4)]
    (OUT / "skips.raw").write_bytes(b"one line\nand another\n" + gzip.compress(b"12345" + raw, mtime=0))
    by_hand("skips.nhdr", "NRRD0005\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
            f"sizes: 5 4 3\nspace directions: {v[0]} {v[1]} {v[2]}\nspace origin: {v[3]}\n"
            'space units: "cm" "cm" "cm"\nendian: big\nencoding: gz\nline skip: 2\nbyte skip: 5\n'
            "data file: ./skips.raw\n", b"", im)
    series = sitk.GetImageFromArray(values("u1", (6, 3, 4, 5)), isVector=False)
    raw = sitk.GetArrayFromImage(series).tobytes()
    by_hand("list.nrrd", "NRRD0004\ntype: uchar\ndimension: 4\nsizes: 5 4 3 6\nkinds: domain domain domain list\n"
            "spacings: 0.75 1.5 3.25 nan\nencoding: raw\n\n", raw, series, place=False)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for t in TYPES:
        write(f"{t}.mha", image(t), t > "i2")
        write(f"{t}.nrrd", image(t), t > "i2")
    write("apart_mhd.mhd", image("i2"))
    write("apart_mhd_packed.mhd", image("f4"), True)
    write("apart.nhdr", image("i2"))
    write("apart_packed.nhdr", image("f4"), True)
    for end in ("mha", "nrrd"):
        write(f"rgb.{end}", image("u1", (3, 4, 5, 3), True), True)
        write(f"rgba16.{end}", image("u2", (3, 4, 5, 4), True))
        write(f"vector5.{end}", image("f4", (3, 4, 5, 5), True))
        write(f"vector3.{end}", image("f4", (3, 4, 5, 3), True))
        write(f"plane.{end}", image("u1", (6, 7)), place=False)
    frames = sitk.JoinSeries([image("i2") for _ in range(3)])
    sitk.WriteImage(frames, str(OUT / "frames.mha"))
    keep("frames.mha", place=False)
    expected["frames.mha.affine"] = affine(image("i2"))
    write("frames.nrrd", frames, place=False)
    make_by_hand()
    np.savez_compressed(OUT / "expected.npz", **expected)
    print(sum(not n.endswith(".affine") for n in expected), "files")


main()
