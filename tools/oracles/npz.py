#!/usr/bin/env python3
"""Makes tests/golden/npz: archives as numpy and others write them, and broken ones.

The contents are closed forms that the test knows (element i of array 'x' is 3 i - 7 in C order,
taken modulo the type's range), so no second file says what is right. Names of broken files
begin with bad_. single.npy files are what numpy.save writes, to compare nod_npz_write with.

Needs numpy. Run: python tools/oracles/npz.py tests/golden/npz
"""
import io
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

OUT = Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
TYPES = ["f4", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]


def content(shape, dtype):
    n = int(np.prod(shape)) if shape else 1
    return (3 * np.arange(n, dtype="i8") - 7).astype(dtype).reshape(shape)


def npy(array, version=None):
    b = io.BytesIO()
    np.lib.format.write_array(b, array, version=version)
    return b.getvalue()


def archive(name, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(OUT / name, "w", method) as z:
        for k, v in members.items():
            z.writestr(zipfile.ZipInfo(k + ".npy"), v, compress_type=method)


def header(text, version=1, n=None):
    body = text.encode() if isinstance(text, str) else text
    size = len(body) if n is None else n
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", size) + body


arrays = {t: content((2, 3, 4), t) for t in TYPES}
arrays["b1"] = content((2, 3, 4), "i4") % 2 == 0
np.savez(OUT / "stored.npz", **arrays)
np.savez_compressed(OUT / "deflated.npz", **arrays)
archive("big_endian.npz", {t: npy(content((2, 3, 4), ">" + t)) for t in TYPES})
archive("fortran.npz", {t: npy(np.asfortranarray(content((2, 3, 4), t))) for t in TYPES} |
        {"be": npy(np.asfortranarray(content((3, 1, 2, 2), ">i2"))), "one": npy(content((5,), "<i4"))})
archive("versions.npz", {f"v{v}": npy(content((2, 3), "<i4"), (v, 0)) for v in (1, 2, 3)})
archive("shapes.npz", {"scalar": npy(content((), "<i4")), "empty": npy(content((0, 5), "<i4")),
                       "six": npy(content((1, 2, 1, 3, 1, 2), "<i4"))})
python2 = "{'shape': (2L, 3L), 'descr': '<i4', \"fortran_order\": False}"
archive("spelling.npz", {"x": header(python2) + content((2, 3), "<i4").tobytes()})
# Written to a pipe: sizes and CRC follow the data (data descriptors).


class Pipe(io.RawIOBase):
    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, b):
        self.data += bytes(b)
        return len(b)


pipe = Pipe()
with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(zipfile.ZipInfo("x.npy"), npy(content((2, 3), "<i4")), zipfile.ZIP_DEFLATED)
    z.writestr(zipfile.ZipInfo("readme.txt"), "not an array")
(OUT / "descriptor.npz").write_bytes(pipe.data)

# What numpy.save writes, for shapes that take different paddings.
for i, (shape, dtype) in enumerate([((), "f4"), ((3,), "f8"), ((0, 5), "u1"), ((2, 3, 4), "i8"),
                                    ((10, 1, 1, 12), "u2"), ((1, 2, 1, 3, 1, 2), "i4"), ((1,) * 6, "i1")]):
    (OUT / f"single{i}.npy").write_bytes(npy(content(shape, dtype)))

# --- broken ---------------------------------------------------------------------------------
good = (OUT / "deflated.npz").read_bytes()
stored = bytearray((OUT / "stored.npz").read_bytes())
(OUT / "bad_cut_half.npz").write_bytes(good[:len(good) // 2])
(OUT / "bad_cut_last.npz").write_bytes(good[:-1])
(OUT / "bad_empty.npz").write_bytes(b"")
(OUT / "bad_text.npz").write_bytes(b"this is no archive\n")
(OUT / "bad_npy.npz").write_bytes(npy(content((2,), "<i4")))
at = stored.index(b"\x93NUMPY") + 128 + 5
stored[at] ^= 1  # one bit of the first array's elements
(OUT / "bad_crc.npz").write_bytes(stored)
x = content((2, 3), "<i4").tobytes()
d = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3)}"
bad = {
    "bad_magic": b"\x93NUMPX" + header(d)[6:] + x,
    "bad_version": header(d, 9) + x,
    "bad_header_long": header(d, 1, 60000) + x,
    "bad_header_huge": header(d, 2, 2**32 - 1) + x,
    "bad_header_cut": header(d[:30]) + x,
    "bad_dict": header("[1, 2]") + x,
    "bad_key": header(d[:-1] + ", 'more': 1}") + x,
    "bad_key_missing": header("{'descr': '<i4', 'shape': (2, 3)}") + x,
    "bad_key_twice": header(d[:-1] + ", 'descr': '<i4'}") + x,
    "bad_order": header(d.replace("False", "0")) + x,
    "bad_shape": header(d.replace("(2, 3)", "(2, -3)")) + x,
    "bad_shape_list": header(d.replace("(2, 3)", "[2, 3]")) + x,
    "bad_shape_huge": header(d.replace("(2, 3)", "(4611686018427387904, 8)")) + x,
    "bad_shape_digits": header(d.replace("(2, 3)", "(99999999999999999999,)")) + x,
    "bad_shape_long": header(d.replace("(2, 3)", "(1,1,1,1,1,2,3)")) + x,
    "bad_shape_more": header(d.replace("(2, 3)", "(20, 3)")) + x,
    "bad_shape_less": header(d.replace("(2, 3)", "(1, 3)")) + x,
    "bad_dtype_object": header(d.replace("<i4", "|O")) + x,
    "bad_dtype_half": header(d.replace("<i4", "<f2")) + x,
    "bad_dtype_text": header(d.replace("<i4", "<U6")) + x,
    "bad_dtype_struct": header(d.replace("'<i4'", "[('a', '<i4')]")) + x,
    "bad_tail": header(d + "x") + x,
    "bad_short": b"\x93NUM",
}
for name, data in bad.items():
    archive(name + ".npz", {"x": data})
with zipfile.ZipFile(OUT / "bad_twice.npz", "w") as z:
    for _ in range(2):
        z.writestr(zipfile.ZipInfo("x.npy"), npy(content((2, 3), "<i4")))
with zipfile.ZipFile(OUT / "bad_no_array.npz", "w") as z:
    z.writestr(zipfile.ZipInfo("x.txt"), "hello")
archive("bad_method.npz", {"x": npy(content((2, 3), "<i4"))}, zipfile.ZIP_BZIP2)


def raw_zip(data, comp, size, method, crc, n_comp=None):
    """One member whose directory claims what we say."""
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, method, 0, 33, crc, len(comp), size, 5, 0) + b"x.npy" + comp
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, method, 0, 33, crc,
                          len(comp) if n_comp is None else n_comp, size, 5, 0, 0, 0, 0, 0, 0) + b"x.npy"
    return local + central + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1, 1, len(central), len(local), 0)


def deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


# A bomb: the directory and the header agree on 3 GB, the member has some hundred bytes.
bomb = header("{'descr': '|u1', 'fortran_order': False, 'shape': (3000000000,)}")
(OUT / "bad_bomb.npz").write_bytes(
    raw_zip(bomb, deflate(bomb + bytes(1000)), len(bomb) + 3000000000, 8, 0))
# The same, where the directory also claims half a gigabyte of compressed bytes.
(OUT / "bad_bomb_claims.npz").write_bytes(
    raw_zip(bomb, deflate(bomb + bytes(1000)), len(bomb) + 3000000000, 8, 0, 2**29))
# The data end before, and after, what all claims say.
body = header(d) + x
(OUT / "bad_ends_early.npz").write_bytes(raw_zip(body, deflate(body[:-4]), len(body), 8, zlib.crc32(body[:-4])))
(OUT / "bad_goes_on.npz").write_bytes(raw_zip(body, deflate(body + b"more"), len(body), 8, zlib.crc32(body)))
(OUT / "bad_stored_size.npz").write_bytes(raw_zip(body, body, len(body) + 4, 0, zlib.crc32(body)))
print(len(list(OUT.iterdir())), "files")
