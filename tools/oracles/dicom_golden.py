#!/usr/bin/env python3
"""Makes tests/golden/dicom: small DICOM files of every encoding, and what they must decode to.

All images are synthetic. `expected.npz` has for each file NAME.stored (what Pixel Data holds,
[frames, rows, columns, channels]) and, where it differs, NAME.real (what src/imaging/dicom/values.h
makes of it). Stored values are known without a decoder where the compression is lossless; of lossy
ones they are pydicom's. Real values are pydicom's (apply_modality_lut, apply_voi_lut,
apply_color_lut), MONOCHROME1 turned over by its definition.

Needs pydicom 3.0 with pylibjpeg-libjpeg, -openjpeg, -rle and pyjpegls, Pillow, DCMTK's dcmcjpeg,
and ojph_compress (openjph-tools). Run: python tools/oracles/dicom_golden.py tests/golden/dicom
"""
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels import (apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array)
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian,
                         ExplicitVRLittleEndian, HTJ2KLossless, ImplicitVRLittleEndian,
                         JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, JPEGExtended12Bit,
                         JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless,
                         RLELossless)

OUT = Path(sys.argv[1])
RNG = np.random.default_rng(11)
ROWS, COLUMNS = 14, 16
LARGE = {"rows": 34, "columns": 36}  # JPEG 2000 of six levels needs 32
SC = "1.2.840.10008.5.1.4.1.1.7"
expected = {}


def picture(low, high, dtype, frames=1, channels=1, rows=ROWS, columns=COLUMNS):
    """Smooth and a little noisy, over the whole range, no frame or channel equal to another."""
    f, y, x, c = np.mgrid[0:frames, 0:rows, 0:columns, 0:channels]
    a = 0.5 + 0.45 * np.sin(x / (3.0 + c) + c + f) * np.cos(y / (4.0 - 0.5 * c) + f)
    a = low + a * (high - low) + RNG.normal(0, (high - low) / 300, a.shape)
    a.flat[0], a.flat[1] = low, high
    return np.clip(np.rint(a), low, high).astype(dtype)


def dataset(a, bits=None, modality="OT", photometric=None, **more):
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = SC, "1.2.3.4"
    ds.Modality = modality
    ds.SamplesPerPixel = a.shape[3]
    ds.PhotometricInterpretation = photometric or ("RGB" if a.shape[3] == 3 else "MONOCHROME2")
    ds.Rows, ds.Columns = a.shape[1:3]
    if a.shape[0] > 1:
        ds.NumberOfFrames = a.shape[0]
    if a.shape[3] == 3:
        ds.PlanarConfiguration = 0
    if a.dtype.kind != "f":
        ds.BitsAllocated = 8 * a.dtype.itemsize
        ds.BitsStored = bits or ds.BitsAllocated
        ds.HighBit = ds.BitsStored - 1
        ds.PixelRepresentation = int(a.dtype.kind == "i")
    for key, value in more.items():
        setattr(ds, key, value)
    return ds


def write(ds, name, syntax, label=None):
    """`label`: the transfer syntax that the meta header claims."""
    implicit = syntax == ImplicitVRLittleEndian
    little = syntax != ExplicitVRBigEndian
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = label or syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.ImplementationClassUID = "1.2.3.5"
    path = OUT / (name + ".dcm")
    if label:  # pydicom would write it as the label says
        raw = pydicom.filebase.DicomBytesIO()
        raw.is_implicit_VR, raw.is_little_endian = implicit, little
        pydicom.filewriter.write_dataset(raw, ds)
        meta = pydicom.filebase.DicomBytesIO()
        meta.is_implicit_VR, meta.is_little_endian = False, True
        pydicom.filewriter.write_file_meta_info(meta, ds.file_meta)
        path.write_bytes(bytes(128) + b"DICM" + meta.getvalue() + raw.getvalue())
    else:
        pydicom.dcmwrite(path, ds, implicit_vr=implicit, little_endian=little,
                         enforce_file_format=True)
    return path


def keep(name, stored, real=None):
    expected[name + ".stored"] = np.asarray(stored)
    if real is not None:
        expected[name + ".real"] = np.asarray(real).astype(np.float32)


def native(name, a, syntax=ExplicitVRLittleEndian, label=None, **more):
    ds = dataset(a, **more)
    data = a.astype(a.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()
    ds.PixelData = data + bytes(len(data) % 2)
    ds["PixelData"].VR = "OW" if a.dtype.itemsize > 1 or syntax == ImplicitVRLittleEndian else "OB"
    write(ds, name, syntax, label)
    keep(name, a)
    return ds


def compressed(name, a, syntax, frames, lossy=False, **more):
    """`frames`: codestreams, or a whole encapsulated value."""
    ds = dataset(a, **more)
    ds.PixelData = frames if isinstance(frames, bytes) else encapsulate(frames)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    write(ds, name, syntax)
    values = pixel_array(OUT / (name + ".dcm")).reshape(a.shape)
    if not lossy:
        assert np.array_equal(values, a), name
    keep(name, values)
    return ds


def codestreams(a, syntax, bits=None, **options):
    """What pydicom's encoders make of each frame."""
    ds = dataset(a, bits)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.PixelData = a.tobytes()
    ds.compress(syntax, generate_instance_uid=False, **options)
    return list(generate_frames(ds.PixelData, number_of_frames=a.shape[0]))


def dcmtk(name, a, option, syntax, lossy=False, **more):
    """What dcmcjpeg makes of the image; one fragment a frame."""
    with tempfile.TemporaryDirectory() as temp:
        ds = dataset(a, **more)
        ds.PixelData = a.tobytes() + bytes(a.nbytes % 2)
        ds["PixelData"].VR = "OW" if a.dtype.itemsize > 1 else "OB"
        path = write(ds, "temporary", ExplicitVRLittleEndian)
        out = Path(temp) / "out.dcm"
        subprocess.run(["dcmcjpeg", "+ua", *option, path, out], check=True)
        path.unlink()
        got = pydicom.dcmread(out)
        frames = list(generate_frames(got.PixelData, number_of_frames=a.shape[0]))
        more["photometric"] = got.PhotometricInterpretation
    return compressed(name, a, syntax, frames, lossy, **more)


def rle_of_literals(a):
    """One grey frame as PS3.5 G without a single run: pydicom's encoders stop at 16 bits."""
    planes = a.astype(a.dtype.newbyteorder(">")).reshape(-1, 1).view(np.uint8).T
    segments = [b"".join(bytes([len(p[i:i + 128]) - 1]) + p[i:i + 128].tobytes()
                         for i in range(0, len(p), 128)) for p in planes]
    segments = [s + bytes(len(s) % 2) for s in segments]
    at = 64 + np.cumsum([0] + [len(s) for s in segments[:-1]])
    header = np.array([len(segments), *at] + [0] * (15 - len(segments)), "<u4")
    return header.tobytes() + b"".join(segments)


def htj2k(a):
    with tempfile.TemporaryDirectory() as temp:
        pgm, out = Path(temp) / "a.pgm", Path(temp) / "a.j2c"
        rows, columns = a.shape[1:3]
        top = 255 if a.dtype.itemsize == 1 else 65535
        pgm.write_bytes(f"P5 {columns} {rows} {top}\n".encode() + a[0].astype(
            ">u2" if top > 255 else "u1").tobytes())
        subprocess.run(["ojph_compress", "-i", pgm, "-o", out, "-reversible", "true"], check=True,
                       stdout=subprocess.DEVNULL)
        data = out.read_bytes()
        return [data + bytes(len(data) % 2)]


def encodings():
    i16 = picture(-1024, 3071, np.int16)
    u16 = picture(0, 65535, np.uint16)
    u12 = picture(0, 4095, np.uint16)
    u8 = picture(0, 255, np.uint8)
    rgb = picture(0, 255, np.uint8, channels=3)
    native("explicit_i16", i16)
    native("implicit_u8", u8, ImplicitVRLittleEndian)
    native("big_u16", u16, ExplicitVRBigEndian)
    native("big_u32", picture(0, 2**32 - 1, np.uint32), ExplicitVRBigEndian)
    native("deflated_i16", i16, DeflatedExplicitVRLittleEndian)
    native("implicit_as_jpeg", u8, ImplicitVRLittleEndian, label=JPEGBaseline8Bit)
    native("i12_overlay", u12 | RNG.integers(0, 16, u12.shape, np.uint16) << 12, bits=12)
    expected["i12_overlay.stored"] = u12
    bits = (picture(0, 1, np.uint8, frames=3, rows=5, columns=7)).astype(np.uint8)
    ds = dataset(bits, BitsAllocated=1)
    ds.BitsStored, ds.HighBit = 1, 0
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    ds.PixelData = packed + bytes(len(packed) % 2)
    ds["PixelData"].VR = "OB"
    write(ds, "bits", ExplicitVRLittleEndian)
    keep("bits", bits)
    ds = native("planar_rgb", rgb, PlanarConfiguration=0)
    ds.PlanarConfiguration, ds.PixelData = 1, rgb[0].transpose(2, 0, 1).tobytes()
    write(ds, "planar_rgb", ExplicitVRLittleEndian)
    ybr = pydicom.pixels.convert_color_space(rgb[0], "RGB", "YBR_FULL")
    ds = native("ybr_full", ybr[None], photometric="YBR_FULL")
    keep("ybr_full", pydicom.pixels.convert_color_space(ybr, "YBR_FULL", "RGB")[None])
    pairs = ybr.reshape(ROWS, COLUMNS // 2, 2, 3)
    half = np.stack([pairs[:, :, 0, 0], pairs[:, :, 1, 0], pairs[:, :, 0, 1], pairs[:, :, 0, 2]], -1)
    ds.PhotometricInterpretation, ds.PixelData = "YBR_FULL_422", half.tobytes()
    write(ds, "ybr_422", ExplicitVRLittleEndian)
    full = pairs.copy()
    full[:, :, 1, 1:] = pairs[:, :, 0, 1:]
    keep("ybr_422", pydicom.pixels.convert_color_space(full.reshape(ROWS, COLUMNS, 3), "YBR_FULL",
                                                       "RGB")[None])
    for name, dtype in (("float32", np.float32), ("float64", np.float64)):
        a = picture(-100, 100, dtype) / 3
        ds = dataset(a)
        setattr(ds, "FloatPixelData" if dtype == np.float32 else "DoubleFloatPixelData", a.tobytes())
        ds.BitsAllocated = 8 * a.dtype.itemsize
        write(ds, name, ExplicitVRLittleEndian)
        keep(name, a, a)

    two = picture(-1024, 3071, np.int16, frames=2)
    compressed("rle_i16_frames", two, RLELossless, codestreams(two, RLELossless))
    compressed("rle_rgb", rgb, RLELossless, codestreams(rgb, RLELossless))
    u32 = picture(0, 2**32 - 1, np.uint32)
    compressed("rle_u32", u32, RLELossless, [rle_of_literals(u32)])
    dcmtk("jpeg_u8", u8, ["+eb", "+q", "95"], JPEGBaseline8Bit, lossy=True)
    dcmtk("jpeg_ybr", rgb, ["+eb", "+q", "95", "+cy", "+s4"], JPEGBaseline8Bit, lossy=True)
    # of colours with fewer samples, Pillow's (libjpeg-turbo's): pylibjpeg repeats them, the
    # libraries that follow the IJG's interpolate
    ds = dcmtk("jpeg_422", rgb, ["+eb", "+q", "95", "+cy", "+s2"], JPEGBaseline8Bit, lossy=True)
    stream = next(generate_frames(ds.PixelData, number_of_frames=1))
    keep("jpeg_422", np.asarray(Image.open(io.BytesIO(stream)).convert("RGB"))[None])
    dcmtk("jpeg_rgb", rgb, ["+eb", "+q", "95", "+cr"], JPEGBaseline8Bit, lossy=True)
    dcmtk("jpeg_lossless_u16", u16, ["+el"], JPEGLossless)
    dcmtk("jpeg_sv1_u12", u12, ["+e1"], JPEGLosslessSV1, bits=12)
    dcmtk("jpeg_sv1_rgb", rgb, ["+e1"], JPEGLosslessSV1)
    compressed("jls_u12", u12, JPEGLSLossless, codestreams(u12, JPEGLSLossless, 12), bits=12)
    compressed("jls_rgb", rgb, JPEGLSLossless, codestreams(rgb, JPEGLSLossless))
    compressed("jls_near_u8", u8, JPEGLSNearLossless,
               codestreams(u8, JPEGLSNearLossless, jls_error=3), lossy=True)
    i16, u8, rgb = (picture(-1024, 3071, np.int16, **LARGE), picture(0, 255, np.uint8, **LARGE),
                    picture(0, 255, np.uint8, channels=3, **LARGE))
    compressed("j2k_i16", i16, JPEG2000Lossless, codestreams(i16, JPEG2000Lossless))
    compressed("j2k_rgb", rgb, JPEG2000Lossless, codestreams(rgb, JPEG2000Lossless),
               photometric="YBR_RCT")
    compressed("j2k_lossy_u8", u8, JPEG2000, codestreams(u8, JPEG2000, j2k_cr=[4]), lossy=True)
    # the codestream says unsigned, the header signed
    i12 = picture(-2048, 2047, np.int16, **LARGE)
    as_u = (i12.view(np.uint16) & 0xFFF)
    ds = dataset(i12, 12)
    ds.PixelData = encapsulate(codestreams(as_u, JPEG2000Lossless, 12))
    ds["PixelData"].is_undefined_length = True
    write(ds, "j2k_sign", JPEG2000Lossless)
    assert np.array_equal(pixel_array(OUT / "j2k_sign.dcm"), i12[0, :, :, 0])
    keep("j2k_sign", i12)
    # frames in several fragments: with offset table, without, and with the extended one
    two = picture(-1024, 3071, np.int16, frames=2, **LARGE)
    frames = codestreams(two, JPEG2000Lossless)
    compressed("fragments_table", two, JPEG2000Lossless,
               encapsulate(frames, fragments_per_frame=3, has_bot=True))
    compressed("fragments_ends", two, JPEG2000Lossless,
               encapsulate(frames, fragments_per_frame=3, has_bot=False))
    data, offsets, lengths = encapsulate_extended(frames)
    compressed("fragments_extended", two, JPEG2000Lossless, data, ExtendedOffsetTable=offsets,
               ExtendedOffsetTableLengths=lengths)
    for name, a in (("htj2k_u8", u8), ("htj2k_u16", u16)):
        ds = dataset(a)
        ds.PixelData = encapsulate(htj2k(a))
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        write(ds, name, HTJ2KLossless)
        keep(name, a)


def lut_item(first, entries, bits=16):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "US" if first >= 0 else "SS"
    item.LUTData = np.asarray(entries, "<u2").tobytes()
    item["LUTData"].VR = "OW"
    return Sequence([item])


def meanings():
    i16 = picture(-1024, 3071, np.int16)
    u12 = picture(0, 4095, np.uint16)

    def real(name, a, voi=False, **more):
        ds = native(name, a, **more)
        x = apply_modality_lut(a[0, :, :, 0], ds).astype(np.float64)
        top = ds.BitsStored
        low, high = (-2.0**(top - 1), 2.0**(top - 1) - 1) if a.dtype.kind == "i" else (0, 2.0**top - 1)
        if "RescaleSlope" in ds:
            low, high = sorted(v * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
                               for v in (low, high))
        if "ModalityLUTSequence" in ds:
            low, high = 0, 2.0**ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
        if voi:
            x = apply_voi_lut(x if "VOILUTSequence" not in ds else x.astype(np.int64), ds)
            if "VOILUTSequence" in ds:
                low, high = 0, 2.0**ds.VOILUTSequence[0].LUTDescriptor[2] - 1
        if ds.PhotometricInterpretation == "MONOCHROME1":
            x = low + high - x
        keep(name, a, x.reshape(a.shape))
        return ds

    # CT: padding on stored values, HU; a window that must not be applied
    a = i16.copy()
    a[0, :4, :4] = -2000
    ds = real("ct_padding", a, modality="CT", RescaleSlope="1", RescaleIntercept="-24",
              PixelPaddingValue=-2000, WindowCenter="40", WindowWidth="400")
    expected["ct_padding.real"][a == -2000] = -1000
    # the range limit, outside CT: the lowest value that is not padding
    a = picture(10, 4095, np.uint16)
    a[0, :2, :9] = 3
    a[0, 2, :9] = 5
    real("mr_padding", a, modality="MR", bits=12, RescaleSlope="2", RescaleIntercept="7",
         PixelPaddingValue=2, PixelPaddingRangeLimit=5)
    expected["mr_padding.real"][a <= 5] = 2 * a[a > 5].min() + 7
    real("pt_slope", u12, modality="PT", bits=12, RescaleSlope="0.37109375", RescaleIntercept="0",
         Units="BQML", WindowCenter="40", WindowWidth="400")
    entries = (np.sqrt(np.arange(3000) / 2999) * 4095).astype(int)
    real("modality_lut", u12, bits=12, modality="OT", ModalityLUTSequence=lut_item(500, entries))
    inv = dict(photometric="MONOCHROME1", bits=12)
    shown = dict(inv, modality="DX", PresentationIntentType="FOR PRESENTATION", WindowCenter="2000",
                 WindowWidth="1500")
    real("dx_linear", u12, voi=True, **shown)
    real("dx_exact", u12, voi=True, VOILUTFunction="LINEAR_EXACT", **shown)
    real("mg_sigmoid", u12, voi=True, **dict(shown, modality="MG", photometric="MONOCHROME2",
                                             VOILUTFunction="SIGMOID"))
    real("mg_processing", u12, **dict(shown, modality="MG", PresentationIntentType="FOR PROCESSING"))
    entries = (1000 * np.log1p(np.arange(4096))).astype(int) % 65536
    real("cr_voi_lut", u12, voi=True, **dict(shown, modality="CR", PresentationIntentType=None,
                                             VOILUTSequence=lut_item(0, entries)))
    # an enhanced CT: slope and intercept of each frame
    a = picture(0, 4095, np.uint16, frames=3)
    items, x = [], a.astype(np.float64)
    for i, (slope, intercept) in enumerate(((1, -1024), (0.5, -1000), (2, -900))):
        item, group = Dataset(), Dataset()
        item.RescaleSlope, item.RescaleIntercept, item.RescaleType = slope, intercept, "HU"
        group.PixelValueTransformationSequence = Sequence([item])
        items.append(group)
        x[i] = x[i] * slope + intercept
    native("enhanced_ct", a, modality="CT", bits=12,
           PerFrameFunctionalGroupsSequence=Sequence(items))
    keep("enhanced_ct", a, x)
    # a palette of 16-bit entries that begins at 10
    a = picture(0, 80, np.uint8)
    ds = dataset(a, photometric="PALETTE COLOR")
    for k, colour in enumerate(("Red", "Green", "Blue")):
        table = RNG.integers(0, 65536, 64).astype("<u2")
        setattr(ds, colour + "PaletteColorLookupTableDescriptor", [64, 10, 16])
        ds[colour + "PaletteColorLookupTableDescriptor"].VR = "US"
        setattr(ds, colour + "PaletteColorLookupTableData", table.tobytes())
    ds.PixelData = a.tobytes()
    ds["PixelData"].VR = "OB"
    write(ds, "palette", ExplicitVRLittleEndian)
    keep("palette", a, apply_color_lut(a[0, :, :, 0], ds)[None])


OUT.mkdir(parents=True, exist_ok=True)
encodings()
meanings()
np.savez_compressed(OUT / "expected.npz", **expected)
print(f"{len(list(OUT.glob('*.dcm')))} files,",
      sum(f.stat().st_size for f in OUT.iterdir()), "bytes")
