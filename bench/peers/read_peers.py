"""Reading of image files into arrays of float32, in the libraries that research uses.

usage: read_peers.py WORKLOAD PEER [--threads N] [--worker]
WORKLOAD is read-nifti; PEER is nibabel or simpleitk. The files are made here, with the voxels of
src/cli/bench_reading.c, in a temporary folder.
"""
import argparse
import atexit
import os
import shutil
import tempfile

import worker

SIDE, SLICES = 256, 180


def folder():
    where = tempfile.mkdtemp(prefix="nodule-bench-")
    atexit.register(shutil.rmtree, where, ignore_errors=True)
    return where


def voxels():
    """[k, j, i], the integers of src/cli/bench_reading.c."""
    import numpy
    k, j, i = numpy.ogrid[:SLICES, :SIDE, :SIDE]
    noise = numpy.arange(SLICES * SIDE * SIDE, dtype=numpy.uint32) * numpy.uint32(2654435761)
    noise ^= noise >> numpy.uint32(15)
    noise *= numpy.uint32(2246822519)
    noise ^= noise >> numpy.uint32(13)
    noise = (noise >> numpy.uint32(27)).astype(numpy.int32).reshape(SLICES, SIDE, SIDE)
    r2 = (i - SIDE // 2) ** 2 + (j - SIDE // 2) ** 2 + 2 * (k - SLICES // 2) ** 2
    inside = numpy.where(r2 < 14000, (14000 - r2) // 16, 0)
    return (inside + noise * numpy.where(inside > 0, 2, 1) - 16).astype(numpy.int16)


def nifti_file():
    import nibabel
    import numpy
    path = os.path.join(folder(), "volume.nii.gz")
    nibabel.openers.Opener.default_compresslevel = 6  # what ours is written with
    nibabel.save(nibabel.Nifti1Image(voxels().transpose(2, 1, 0), numpy.eye(4)), path)
    return path


def nibabel_nifti(args):
    import nibabel
    import numpy
    path = nifti_file()
    return "nibabel", nibabel.__version__, lambda: nibabel.load(path).get_fdata(dtype=numpy.float32)


def simpleitk_nifti(args):
    import SimpleITK
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(args.threads)
    path = nifti_file()
    version = SimpleITK.Version.VersionString()
    return "SimpleITK", version, lambda: SimpleITK.ReadImage(path, SimpleITK.sitkFloat32)


PEERS = {("read-nifti", "nibabel"): nibabel_nifti, ("read-nifti", "simpleitk"): simpleitk_nifti}

parser = argparse.ArgumentParser()
parser.add_argument("workload", choices=tuple(sorted({w for w, _ in PEERS})))
parser.add_argument("peer", choices=tuple(sorted({p for _, p in PEERS})))
arguments = worker.arguments(parser)
worker.main(arguments, lambda: PEERS[arguments.workload, arguments.peer](arguments))
