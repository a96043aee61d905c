#!/usr/bin/env python3
"""Makes tests/golden/images: small PNG, JPEG and TIFF files, and what they must decode to.

PNG and TIFF files are put together here byte by byte from seeded arrays, so that the expected
samples are known without any decoder; Pillow checks them where it knows the form. JPEG files
are written by Pillow, whose decoder gives the expected pixels (tolerance 2 grey levels).
resize.npz holds the resampling of an array by the formula of src/imaging/resize.h, evaluated
directly (and checked against Pillow away from the borders).

Needs numpy and Pillow. Run: python tools/oracles/images.py tests/golden/images
"""
import io
import math
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(sys.argv[1])
RNG = np.random.default_rng(7)
expected = {}


def smooth(h, w, c, top):
    """Smooth and a little noisy, so that it compresses and no channel equals another."""
    y, x = np.mgrid[0:h, 0:w]
    planes = [0.5 + 0.4 * np.sin(x / (3.0 + k) + k) * np.cos(y / (4.0 - 0.5 * k)) for k in range(c)]
    a = np.stack(planes, -1) * top + RNG.normal(0, top / 200, (h, w, c))
    return np.clip(np.rint(a), 0, top)


def keep(name, data, array, check=None):
    """Stores the file and its expected [D,H,W,C] array; `check`: what Pillow must say."""
    (OUT / name).write_bytes(data)
    a = np.asarray(array)
    expected[name] = a if a.ndim == 4 else a[None]
    if check is not None:
        got = np.asarray(Image.open(io.BytesIO(data)).convert(check) if check else
                         Image.open(io.BytesIO(data)))
        got = got[..., None] if got.ndim == 2 else got
        assert np.array_equal(got.astype(float), expected[name][0].astype(float)), name


# --- PNG ------------------------------------------------------------------------------------


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(a, bits):
    """[h,w,c] to filtered rows (filter 0)."""
    rows = b""
    for row in a:
        flat = row.reshape(-1).astype(int)
        if bits == 16:
            body = flat.astype(">u2").tobytes()
        elif bits == 8:
            body = flat.astype("u1").tobytes()
        else:
            text = "".join(format(v, f"0{bits}b") for v in flat)
            text += "0" * (-len(text) % 8)
            body = bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
        rows += b"\0" + body
    return rows


def png(a, bits, colour, interlace=False, extra=b""):
    h, w, _ = a.shape
    passes = [(0, 0, 1, 1)]
    if interlace:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                  (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b"".join(pack_rows(a[y0::dy, x0::dx], bits) for x0, y0, dx, dy in passes
                   if a[y0::dy, x0::dx].size)
    head = struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, int(interlace))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) +
            chunk(b"IEND", b""))


def make_png():
    for bits in (1, 2, 4, 8):
        a = smooth(11, 13, 1, 2**bits - 1)
        full = (a * (255 // (2**bits - 1))).astype("u1")
        keep(f"grey{bits}.png", png(a, bits, 0), full)
        keep(f"grey{bits}_adam7.png", png(a, bits, 0, True), full, "L")
    a = smooth(9, 7, 1, 65535)
    keep("grey16.png", png(a, 16, 0), a.astype("u2"), "")
    keep("grey16_adam7.png", png(a, 16, 0, True), a.astype("u2"))
    a = smooth(9, 7, 2, 255)
    keep("grey8_alpha.png", png(a, 8, 4), a.astype("u1"), "LA")
    a = smooth(10, 12, 3, 255)
    keep("rgb8.png", png(a, 8, 2), a.astype("u1"), "RGB")
    gamma = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"Comment\0x")
    keep("rgb8_gamma.png", png(a, 8, 2, True, gamma), a.astype("u1"), "RGB")
    a16 = smooth(10, 12, 3, 65535)
    keep("rgb16.png", png(a16, 16, 2), a16.astype("u2"))
    a = smooth(10, 12, 4, 255)
    keep("rgba8.png", png(a, 8, 6), a.astype("u1"), "RGBA")
    a = smooth(10, 12, 4, 65535)
    keep("rgba16_adam7.png", png(a, 16, 6, True), a.astype("u2"))
    # tRNS: one grey, one colour, a palette with alpha.
    a = smooth(8, 9, 1, 15)
    key = int(a[3, 3, 0])
    alpha = np.where(a == key, 0, 255)
    keep("grey4_trns.png", png(a, 4, 0, False, chunk(b"tRNS", struct.pack(">H", key))),
         np.concatenate([a * 17, alpha], -1).astype("u1"))
    a = smooth(8, 9, 3, 255)
    key = a[2, 2].astype(int)
    alpha = np.where((a == key).all(-1, keepdims=True), 0, 255)
    keep("rgb8_trns.png", png(a, 8, 2, False, chunk(b"tRNS", struct.pack(">HHH", *key))),
         np.concatenate([a, alpha], -1).astype("u1"), "RGBA")
    for bits in (1, 2, 4, 8):
        n = min(2**bits, 20)
        table = RNG.integers(0, 256, (n, 3))
        index = np.minimum(smooth(9, 11, 1, n - 1), n - 1)
        rgb = table[index[..., 0].astype(int)]
        plte = chunk(b"PLTE", table.astype("u1").tobytes())
        keep(f"palette{bits}.png", png(index, bits, 3, False, plte), rgb.astype("u1"), "RGB")
        opacity = RNG.integers(0, 256, n)
        rgba = np.concatenate([rgb, opacity[index.astype(int)]], -1)
        keep(f"palette{bits}_trns.png",
             png(index, bits, 3, bits == 4, plte + chunk(b"tRNS", opacity.astype("u1").tobytes())),
             rgba.astype("u1"), "RGBA")


# --- JPEG -----------------------------------------------------------------------------------


def make_jpeg():
    def put(name, image, to, **options):
        b = io.BytesIO()
        image.save(b, "JPEG", **options)
        data = b.getvalue()
        a = np.asarray(Image.open(io.BytesIO(data)).convert(to))
        keep(name, data, a[..., None] if a.ndim == 2 else a)
        return data

    grey = Image.fromarray(smooth(21, 19, 1, 255)[..., 0].astype("u1"))
    rgb = Image.fromarray(smooth(21, 34, 3, 255).astype("u1"))
    cmyk = Image.fromarray(smooth(18, 17, 4, 255).astype("u1"), "CMYK")
    put("grey.jpg", grey, "L", quality=90)
    put("rgb444.jpg", rgb, "RGB", quality=90, subsampling=0)
    data = put("rgb420.jpg", rgb, "RGB", quality=90, subsampling=2)
    put("rgb422_progressive.jpg", rgb, "RGB", quality=80, subsampling=1, progressive=True)
    put("rgb_adobe.jpg", rgb, "RGB", quality=90, keep_rgb=True)
    put("cmyk.jpg", cmyk, "RGB", quality=90)
    put("rgb_restart.jpg", rgb, "RGB", quality=90, restart_marker_blocks=2)
    # The end marker alone is missing: the picture is whole.
    assert data[-2:] == b"\xff\xd9"
    keep("rgb420_no_end.jpg", data[:-2], expected["rgb420.jpg"])
    # Rubbish between two segments, as some scanners leave it.
    at = data.index(b"\xff\xdb")
    keep("rgb420_rubbish.jpg", data[:at] + b"\x01\x02\x03" + data[at:], expected["rgb420.jpg"])


# --- TIFF -----------------------------------------------------------------------------------

SHORT, LONG, LONG8 = 3, 4, 16


def lzw(data):
    """TIFF LZW (MSB first), code width raised one code early, as the specification has it."""
    text, width, table = "", 9, {bytes([i]): i for i in range(256)}
    nxt, w = 258, b""
    text += format(256, "09b")
    for b in data:
        wb = w + bytes([b])
        if wb in table:
            w = wb
            continue
        text += format(table[w], f"0{width}b")
        table[wb] = nxt
        nxt += 1
        if nxt in (512, 1024, 2048):
            width += 1
        if nxt == 4095:
            text += format(256, f"0{width}b")
            width, table, nxt = 9, {bytes([i]): i for i in range(256)}, 258
        w = bytes([b])
    if w:
        text += format(table[w], f"0{width}b")
        nxt += 1
        if nxt in (512, 1024, 2048):
            width += 1
    text += format(257, f"0{width}b")
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def packbits(data):
    return b"".join(bytes([len(data[i:i + 128]) - 1]) + data[i:i + 128] for i in range(0, len(data), 128))


PACK = {1: bytes, 5: lzw, 8: lambda d: zlib.compress(d, 9), 32773: packbits}


def sample_bytes(a, bits, kind, order):
    """[h,w,c] block to bytes, rows padded to whole bytes."""
    if bits >= 8:
        return a.astype(f"{order}{kind}{bits // 8}").tobytes()
    return b"".join(r[1:] for r in [pack_rows(row[None], bits) for row in a])


def tiff(pages, bits, kind="u", order="<", compression=1, photometric=1, rows=None, tile=None,
         planar=1, big=False, extra=None, colormap=None, orientation=None, predictor=False,
         more=None):
    """pages: arrays [h,w,c]."""
    mark = {"<": b"II", ">": b"MM"}[order]
    out = bytearray(mark + struct.pack(order + ("HHHQ" if big else "HI"),
                                       *((43, 8, 0, 16) if big else (42, 8))))
    link = 8 if big else 4

    def put(data):
        while len(out) % 2:
            out.append(0)
        at = len(out)
        out.extend(data)
        return at

    for i_page, a in enumerate(pages):
        h, w, c = a.shape
        planes = [a] if planar == 1 else [a[..., k:k + 1] for k in range(c)]
        blocks = []
        for p in planes:
            if tile:
                th, tw = tile
                for y in range(0, h, th):
                    for x in range(0, w, tw):
                        t = np.zeros((th, tw, p.shape[2]), p.dtype)
                        part = p[y:y + th, x:x + tw]
                        t[:part.shape[0], :part.shape[1]] = part
                        blocks.append(t)
            else:
                n = rows or h
                blocks += [p[y:y + n] for y in range(0, h, n)]
        where, sizes = [], []
        for b in blocks:
            if predictor:
                b = np.concatenate([b[:, :1], np.diff(b, axis=1)], 1) % 2**bits
            data = PACK[compression](sample_bytes(b, bits, kind, order))
            where.append(put(data))
            sizes.append(len(data))
        tags = {256: (LONG, [w]), 257: (LONG, [h]), 258: (SHORT, [bits] * c), 259: (SHORT, [compression]),
                262: (SHORT, [photometric]), 277: (SHORT, [c]), 284: (SHORT, [planar]),
                339: (SHORT, [{"u": 1, "i": 2, "f": 3}[kind]] * c)}
        if tile:
            tags |= {322: (LONG, [tile[1]]), 323: (LONG, [tile[0]]), 324: (LONG, where), 325: (LONG, sizes)}
        else:
            tags |= {278: (LONG, [rows or h]), 273: (LONG, where), 279: (LONG, sizes)}
        if extra is not None:
            tags[338] = (SHORT, [extra])
        if colormap is not None:
            tags[320] = (SHORT, list(colormap))
        if orientation:
            tags[274] = (SHORT, [orientation])
        if predictor:
            tags[317] = (SHORT, [2])
        if more:
            tags |= more[i_page] or {}
        entries = b""
        room = 8 if big else 4
        for tag in sorted(tags):
            kind_, values = tags[tag]
            body = b"".join(struct.pack(order + {SHORT: "H", LONG: "I", LONG8: "Q"}[kind_], v) for v in values)
            if len(body) > room:
                body = struct.pack(order + ("Q" if big else "I"), put(body))
            entries += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind_, len(values)) + body.ljust(room, b"\0")
        at = put(struct.pack(order + ("Q" if big else "H"), len(tags)) + entries)
        out[link:link + room] = struct.pack(order + ("Q" if big else "I"), at)
        link = len(out)
        out.extend(b"\0" * room)
    return bytes(out)


def make_tiff():
    grey = smooth(22, 19, 1, 255)
    keep("grey8.tif", tiff([grey], 8), grey.astype("u1"), "L")
    keep("grey8_white0.tif", tiff([grey], 8, photometric=0), (255 - grey).astype("u1"))
    keep("grey8_strips_lzw.tif", tiff([grey], 8, compression=5, rows=5), grey.astype("u1"), "L")
    keep("grey8_packbits.tif", tiff([grey], 8, compression=32773, rows=7), grey.astype("u1"), "L")
    keep("grey8_tiles.tif", tiff([grey], 8, tile=(16, 16)), grey.astype("u1"), "L")
    keep("grey8_big.tif", tiff([grey], 8, big=True), grey.astype("u1"), "L")
    for bits in (1, 2, 4):
        a = smooth(9, 13, 1, 2**bits - 1)
        keep(f"grey{bits}.tif", tiff([a], bits, rows=4), (a * (255 // (2**bits - 1))).astype("u1"))
    a = smooth(9, 13, 1, 1)
    keep("grey1_white0.tif", tiff([a], 1, photometric=0), (255 - a * 255).astype("u1"))
    g16 = smooth(17, 20, 1, 65535)
    keep("grey16.tif", tiff([g16], 16), g16.astype("u2"), "")
    keep("grey16_mm_deflate.tif", tiff([g16], 16, order=">", compression=8, rows=6), g16.astype("u2"))
    keep("grey16_white0.tif", tiff([g16], 16, photometric=0), (65535 - g16).astype("u2"))
    keep("grey16_predictor_lzw.tif", tiff([g16], 16, compression=5, predictor=True), g16.astype("u2"), "")
    f = RNG.normal(0, 1000, (12, 17, 1))
    keep("f32.tif", tiff([f], 32, "f"), f.astype("f4"), "")
    keep("f32_mm_tiles_deflate.tif", tiff([f], 32, "f", ">", 8, tile=(16, 16)), f.astype("f4"))
    keep("f64.tif", tiff([f], 64, "f"), f.astype("f4"))
    s = np.rint(f)
    keep("i16.tif", tiff([s], 16, "i"), s.astype("f4"))
    keep("i8.tif", tiff([np.clip(s, -128, 127)], 8, "i"), np.clip(s, -128, 127).astype("f4"))
    keep("i32.tif", tiff([s * 100], 32, "i", ">"), (s * 100).astype("f4"))
    keep("u32.tif", tiff([np.abs(s) * 100], 32), (np.abs(s) * 100).astype("f4"))
    rgb = smooth(18, 21, 3, 255)
    keep("rgb8.tif", tiff([rgb], 8, photometric=2, rows=8), rgb.astype("u1"), "RGB")
    keep("rgb8_planes.tif", tiff([rgb], 8, photometric=2, planar=2, rows=5, compression=8), rgb.astype("u1"))
    keep("rgb8_planes_tiles.tif", tiff([rgb], 8, photometric=2, planar=2, tile=(16, 16)), rgb.astype("u1"))
    keep("rgb16_tiles_lzw.tif", tiff([rgb * 257], 16, photometric=2, tile=(16, 32), compression=5),
         (rgb * 257).astype("u2"))
    rgba = smooth(12, 11, 4, 255)
    keep("rgba8.tif", tiff([rgba], 8, photometric=2, extra=2), rgba.astype("u1"), "RGBA")
    keep("rgbx8.tif", tiff([rgba], 8, photometric=2, extra=0), rgba[..., :3].astype("u1"), "RGB")
    alpha = rgba[..., 3:].astype(int)
    pre = np.rint(rgba[..., :3] * alpha / 255).astype(int)
    back = np.where(alpha > 0, np.minimum(255, 255 * pre // np.maximum(alpha, 1)), pre)
    keep("rgba8_premultiplied.tif", tiff([np.concatenate([pre, alpha], -1)], 8, photometric=2, extra=1),
         np.concatenate([back, alpha], -1).astype("u1"), "RGBA")
    la = smooth(12, 11, 2, 255)
    keep("grey8_alpha.tif", tiff([la], 8, extra=2), la.astype("u1"), "LA")
    for bits in (4, 8):
        table = RNG.integers(0, 256, (3, 2**bits))
        index = smooth(10, 15, 1, 2**bits - 1)
        colours = table[:, index[..., 0].astype(int)].transpose(1, 2, 0)
        keep(f"palette{bits}.tif", tiff([index], bits, photometric=3, colormap=(table * 257).reshape(-1)),
             colours.astype("u1"), "RGB")
    pages = [smooth(9, 10, 1, 65535) for _ in range(4)]
    keep("pages16.tif", tiff(pages, 16, compression=8), np.stack(pages).astype("u2"))
    thumb = smooth(3, 4, 1, 255)
    both = [grey, thumb, grey[::-1]]
    keep("pages8_thumbnail.tif", tiff(both, 8, more=[None, {254: (LONG, [1])}, None]),
         np.stack([grey, grey[::-1]]).astype("u1"))
    for k, view in ((2, rgb[:, ::-1]), (3, rgb[::-1, ::-1]), (4, rgb[::-1])):
        keep(f"rgb8_orientation{k}.tif", tiff([rgb], 8, photometric=2, orientation=k), view.astype("u1"), "RGB")
    b = io.BytesIO()
    Image.fromarray(rgb.astype("u1")).save(b, "TIFF", compression="jpeg", quality=90)
    keep("rgb8_jpeg.tif", b.getvalue(), np.asarray(Image.open(io.BytesIO(b.getvalue()))))


# --- resampling -----------------------------------------------------------------------------


def matrix(n_in, n_out, kind):
    """The weights of every output over every input, from the definition."""
    def keys(x):
        x, a = abs(x), -0.5
        return ((a + 2) * x**3 - (a + 3) * x**2 + 1 if x < 1 else
                a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0)

    m = np.zeros((n_out, n_in))
    ratio = n_in / n_out
    scale = max(ratio, 1)
    if kind == "area" and n_out >= n_in:
        kind = "linear"
    for i in range(n_out):
        c = (i + 0.5) * ratio - 0.5
        if kind == "nearest":
            m[i, min(n_in - 1, int(math.floor(c + 0.5)))] = 1
            continue
        for k in range(-4 * n_in - 8, 5 * n_in + 8):
            x = (k - c) / scale
            v = {"linear": lambda: max(0, 1 - abs(x)), "cubic": lambda: keys(x),
                 "area": lambda: max(0, min(k + .5, c + ratio / 2) - max(k - .5, c - ratio / 2))}[kind]()
            m[i, min(max(k, 0), n_in - 1)] += v
        m[i] /= m[i].sum()
    return m


def make_resize():
    src = RNG.normal(0, 1, (6, 21, 17)).astype("f4")
    arrays = {"src": src}
    for kind in ("nearest", "linear", "cubic", "area"):
        for size in ((6, 10, 8), (4, 25, 30), (9, 7, 17), (1, 1, 1), (6, 21, 5)):
            ms = [matrix(a, b, kind) for a, b in zip(src.shape, size)]
            dst = np.einsum("ad,bh,cw,dhw->abc", *ms, src.astype(float))
            arrays[f"{kind}_{size[0]}x{size[1]}x{size[2]}"] = dst.astype("f4")
    # Pillow agrees where its kernel does not reach over the border.
    for kind, code in (("linear", Image.BILINEAR), ("cubic", Image.BICUBIC), ("nearest", Image.NEAREST)):
        for h, w, border in ((10, 8, 2), (33, 40, 4)):
            p = np.asarray(Image.fromarray(src[0]).resize((w, h), code))
            mine = np.einsum("bh,cw,hw->bc", matrix(21, h, kind), matrix(17, w, kind), src[0].astype(float))
            inner = (slice(border, -border), slice(border, -border))
            assert np.abs(p[inner] - mine[inner]).max() < 1e-5, (kind, h)
    np.savez_compressed(OUT / "resize.npz", **arrays)


OUT.mkdir(parents=True, exist_ok=True)
make_png()
make_jpeg()
make_tiff()
make_resize()
np.savez_compressed(OUT / "expected.npz", **expected)
print(len(expected), "pictures")
