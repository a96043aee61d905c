"""Reading of image files into arrays of float32, in the libraries that research uses.

usage: read_peers.py WORKLOAD PEER [--threads N] [--files DIR] [--worker]
       read_peers.py make-j2k DIR
WORKLOAD and PEER: read-nifti with nibabel or simpleitk; read-ct with simpleitk, pydicom or dcm2niix
(the program of that name, which also writes the volume, uncompressed); inspect-tree with pydicom, or
pydicom-pool, in as many processes as threads. The files are made here, with
the voxels of src/cli/bench_reading.c, in a temporary folder, or lie in DIR. make-j2k writes the CT
series as lossless JPEG 2000 (pydicom with pylibjpeg-openjpeg) to be read with --files.
"""
import argparse
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import worker

SIDE, SLICES = 256, 180
CT_SIDE, CT_SLICES = 512, 100
TREE_SERIES, TREE_SLICES, TREE_SIDE = 100, 100, 16


def folder():
    where = tempfile.mkdtemp(prefix="nodule-bench-")
    atexit.register(shutil.rmtree, where, ignore_errors=True)
    return where


def voxels(slices, side, half):
    """[k, j, i], the integers of src/cli/bench_reading.c; x and y are halved where half is 2."""
    import numpy
    k, j, i = numpy.ogrid[:slices, :side, :side]
    noise = numpy.arange(slices * side * side, dtype=numpy.uint32) * numpy.uint32(2654435761)
    noise ^= noise >> numpy.uint32(15)
    noise *= numpy.uint32(2246822519)
    noise ^= noise >> numpy.uint32(13)
    noise = (noise >> numpy.uint32(27)).astype(numpy.int32).reshape(slices, side, side)
    x, y = (numpy.fix((n - side // 2) / half).astype(int) for n in (i, j))
    r2 = x**2 + y**2 + 2 * (k - slices // 2) ** 2
    inside = numpy.where(r2 < 14000, (14000 - r2) // 16, 0)
    return (inside + noise * numpy.where(inside > 0, 2, 1) - 16).astype(numpy.int16)


# --- NIfTI ---------------------------------------------------------------------------------------


def nifti_file(args):
    if args.files:
        return os.path.join(args.files, "volume.nii.gz")
    import nibabel
    import numpy
    path = os.path.join(folder(), "volume.nii.gz")
    nibabel.openers.Opener.default_compresslevel = 6  # what ours is written with
    nibabel.save(nibabel.Nifti1Image(voxels(SLICES, SIDE, 1).transpose(2, 1, 0), numpy.eye(4)), path)
    return path


def nibabel_nifti(args):
    import nibabel
    import numpy
    path = nifti_file(args)
    return "nibabel", nibabel.__version__, lambda: nibabel.load(path).get_fdata(dtype=numpy.float32)


def simpleitk(args):
    import SimpleITK
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(args.threads)
    return SimpleITK, SimpleITK.Version.VersionString()


def simpleitk_nifti(args):
    sitk, version = simpleitk(args)
    path = nifti_file(args)
    return "SimpleITK", version, lambda: sitk.ReadImage(path, sitk.sitkFloat32)


# --- a CT series ---------------------------------------------------------------------------------


def ct_slice(patient, study, series, frame, sop, k, side):
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
    d = pydicom.Dataset()
    d.file_meta = pydicom.dataset.FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.SOPClassUID = d.file_meta.MediaStorageSOPClassUID = CTImageStorage
    d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = sop
    d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, series, frame
    d.Modality, d.PatientID, d.ImageType = "CT", patient, ["ORIGINAL", "PRIMARY", "AXIAL"]
    d.InstanceNumber, d.SliceThickness, d.PixelSpacing = k + 1, 2.5, [0.8, 0.8]
    d.ImagePositionPatient, d.ImageOrientationPatient = [0, 0, 2.5 * k], [1, 0, 0, 0, 1, 0]
    d.Rows, d.Columns, d.SamplesPerPixel = side, side, 1
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
    d.PhotometricInterpretation, d.RescaleIntercept, d.RescaleSlope = "MONOCHROME2", -1024, 1
    return d


def write_slice(d, pixels, path):
    d.PixelData = pixels.astype("<u2").tobytes()
    d["PixelData"].VR = "OW"
    d.save_as(path, enforce_file_format=True)


def uid(*words):
    from pydicom.uid import generate_uid
    return generate_uid(entropy_srcs=["nodule bench", *map(str, words)])


def write_ct(where, j2k):
    from pydicom.uid import JPEG2000Lossless
    for k, pixels in enumerate(voxels(CT_SLICES, CT_SIDE, 2) + 16):
        d = ct_slice("benchmark", uid("a"), uid("b"), uid("c"), uid(k), k, CT_SIDE)
        path = os.path.join(where, f"IM{k + 1:04d}.dcm")
        write_slice(d, pixels, path)
        if j2k:
            d.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg")
            d.save_as(path, enforce_file_format=True)


def ct_files(args):
    if args.files:
        return args.files
    where = folder()
    write_ct(where, False)
    return where


def simpleitk_ct(args):
    sitk, version = simpleitk(args)
    where = ct_files(args)

    def run():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(where))
        reader.SetOutputPixelType(sitk.sitkFloat32)
        return reader.Execute()

    return "SimpleITK", version, run


def pydicom_ct(args):
    import numpy
    import pydicom
    where = ct_files(args)

    def run():
        slices = [pydicom.dcmread(name) for name in glob.glob(os.path.join(where, "*"))]
        slices.sort(key=lambda d: d.ImagePositionPatient[2])
        volume = numpy.empty((len(slices), slices[0].Rows, slices[0].Columns), numpy.float32)
        for d, plane in zip(slices, volume):
            plane[:] = d.pixel_array
            plane *= float(d.RescaleSlope)
            plane += float(d.RescaleIntercept)
        return volume

    return "pydicom", pydicom.__version__, run


def dcm2niix_ct(args):
    where, out = ct_files(args), folder()
    words = subprocess.run(["dcm2niix", "--version"], capture_output=True, text=True).stdout.split()
    command = ["dcm2niix", "-z", "n", "-b", "n", "-w", "1", "-f", "volume", "-o", out, where]
    return ("dcm2niix", words[-1].lstrip("v"),
            lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


# --- a tree of headers ---------------------------------------------------------------------------


def tree(args):
    if args.files:
        return args.files
    import numpy
    where, black = folder(), numpy.zeros((TREE_SIDE, TREE_SIDE))
    for s in range(TREE_SERIES):
        uids = [uid(kind, s) for kind in ("study", "series", "frame")]
        for k in range(TREE_SLICES):
            d = ct_slice(f"bench{s:03d}", *uids, uid("slice", s, k), k, TREE_SIDE)
            write_slice(d, black, os.path.join(where, f"S{s:03d}I{k:03d}.dcm"))
    return where


def read_header(path):
    """Elements are kept as they are: nothing is converted until it is asked for."""
    import pydicom
    try:
        pydicom.dcmread(path, stop_before_pixels=True)
        return 1
    except pydicom.errors.InvalidDicomError:
        return 0


def names_below(where):
    return [os.path.join(at, name) for at, _, names in os.walk(where) for name in names]


def pydicom_tree(args):
    import pydicom
    where = tree(args)
    return "pydicom", pydicom.__version__, lambda: sum(map(read_header, names_below(where)))


def pydicom_pool_tree(args):
    import multiprocessing
    import pydicom
    where, pool = tree(args), multiprocessing.Pool(args.threads)
    return (f"pydicom, {args.threads} processes", pydicom.__version__,
            lambda: sum(pool.imap_unordered(read_header, names_below(where), chunksize=100)))


PEERS = {("inspect-tree", "pydicom"): pydicom_tree,
         ("inspect-tree", "pydicom-pool"): pydicom_pool_tree,
         ("read-nifti", "nibabel"): nibabel_nifti, ("read-nifti", "simpleitk"): simpleitk_nifti,
         ("read-ct", "simpleitk"): simpleitk_ct, ("read-ct", "pydicom"): pydicom_ct,
         ("read-ct", "dcm2niix"): dcm2niix_ct}

if sys.argv[1:2] == ["make-j2k"]:
    os.makedirs(sys.argv[2], exist_ok=True)
    write_ct(sys.argv[2], True)
else:
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=tuple(sorted({w for w, _ in PEERS})))
    parser.add_argument("peer", choices=tuple(sorted({p for _, p in PEERS})))
    arguments = worker.arguments(parser)
    worker.main(arguments, lambda: PEERS[arguments.workload, arguments.peer](arguments))
