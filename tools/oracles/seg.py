#!/usr/bin/env python3
"""Segmentations as highdicom writes them (made with highdicom 0.28.2, pydicom 3.0.2), and ours beside
pydicom's on real files.

    seg.py golden                 writes tests/golden/dicom/seg_*.dcm for test_seg.c
    seg.py compare PROGRAM FILE...  masks of PROGRAM (tests/seg_dump) and of pydicom, voxel by voxel

The masks are functions of place and segment (`inside`, the same in test_seg.c), so the golden files
need no golden numbers. Source slices lie 2.5 mm apart on an oblique plane, in a shuffled order."""
import os
import subprocess
import sys

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "..", "tests", "golden", "dicom")
COLUMNS, ROWS, SLICES, STEP = 20, 16, 6, 2.5
ROW, COLUMN = np.array([0.8, 0.6, 0.0]), np.array([-0.6, 0.8, 0.0])
NORMAL = np.cross(ROW, COLUMN)


def inside(segment, x, y, z):
    """Segment 1 in slices 1 to 4 without 3, segment 2 over a part of it in 2 to 5, segment 3 apart."""
    if segment == 1:
        return (x - 6) ** 2 + (y - 8) ** 2 < 25 and z in (1, 2, 4)
    if segment == 2:
        return 8 <= x < 14 and 5 <= y < 11 and 2 <= z <= 5
    return x >= 15 and y == z + 2


def masks():
    grid = [[[[inside(s, x, y, z) for s in (1, 2, 3)] for x in range(COLUMNS)]
             for y in range(ROWS)] for z in range(SLICES)]
    return np.array(grid, dtype=np.uint8)  # [z][y][x][segment]


def source():
    """Plain CT slices that the segmentation refers to."""
    out = []
    for z in (3, 0, 5, 1, 4, 2):
        d = Dataset()
        d.file_meta = FileMetaDataset()
        d.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        d.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID
        d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = f"2.25.77.{z + 1}"
        d.StudyInstanceUID, d.SeriesInstanceUID = "2.25.77", "2.25.77.100"
        d.FrameOfReferenceUID = "2.25.77.200"
        d.PatientID, d.PatientName, d.PatientBirthDate, d.PatientSex = "seg", "", "", ""
        d.StudyID, d.StudyDate, d.StudyTime, d.AccessionNumber = "", "", "", ""
        d.ReferringPhysicianName, d.Modality, d.InstanceNumber = "", "CT", z + 1
        d.Rows, d.Columns, d.PixelSpacing, d.SliceThickness = ROWS, COLUMNS, [1.5, 0.75], STEP
        d.ImageOrientationPatient = [*ROW, *COLUMN]
        d.ImagePositionPatient = list(np.round(np.array([10, -20, 30]) + z * STEP * NORMAL, 6))
        out.append((z, d))
    return out


def golden():
    import highdicom as hd
    from highdicom.seg import SegmentationTypeValues, SegmentDescription
    from pydicom.sr.codedict import codes

    images = source()
    order = [z for z, _ in images]
    described = [SegmentDescription(n, f"segment {n}", codes.SCT.Tissue, codes.SCT.Tissue,
                                    "MANUAL") for n in (1, 2, 3)]
    m = masks()
    fraction = np.stack([m[..., 0] * 0.25, m[..., 1] * 0.75, m[..., 2] * 1.0], axis=-1)
    labels = m[..., 0] * 1
    labels[m[..., 1] > 0] = 2  # the later wins where they overlap
    labels[m[..., 2] > 0] = 3
    for name, kind, pixels in (("binary", SegmentationTypeValues.BINARY, m),
                               ("fractional", SegmentationTypeValues.FRACTIONAL, fraction),
                               ("labelmap", SegmentationTypeValues.LABELMAP, labels)):
        seg = hd.seg.Segmentation(
            source_images=[d for _, d in images],
            pixel_array=pixels[order], segmentation_type=kind, segment_descriptions=described,
            series_instance_uid="2.25.77.300", series_number=1, sop_instance_uid="2.25.77.301",
            instance_number=1, manufacturer="none", manufacturer_model_name="none",
            software_versions="0", device_serial_number="0", omit_empty_frames=True,
            **({"max_fractional_value": 200} if name == "fractional" else {}))
        for keyword in ("ContentDate", "ContentTime", "InstanceCreationDate",
                        "InstanceCreationTime", "SeriesDate", "SeriesTime"):
            if keyword in seg:
                setattr(seg, keyword, "")
        seg.save_as(os.path.join(GOLDEN, f"seg_{name}.dcm"))


def compare(program, files):
    for path in files:
        d = pydicom.dcmread(path)
        pixels = d.pixel_array.reshape(-1, d.Rows, d.Columns)
        first = np.array(d.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0]
                         .ImagePositionPatient, float)
        shared = d.SharedFunctionalGroupsSequence[0]
        o = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
        normal = np.cross(o[:3], o[3:])
        frames = []
        for i, g in enumerate(d.PerFrameFunctionalGroupsSequence):
            p = np.array(g.PlanePositionSequence[0].ImagePositionPatient, float)
            frames.append((g.SegmentIdentificationSequence[0].ReferencedSegmentNumber,
                           round(float((p - first) @ normal), 3), pixels[i]))
        ours = subprocess.run([program, path], capture_output=True, check=True).stdout
        numbers = sorted({s for s, _, _ in frames})
        heights = sorted({h for _, h, _ in frames})
        volume = np.frombuffer(ours, np.uint8).reshape(len(numbers), -1, d.Rows, d.Columns)
        theirs = np.zeros((len(numbers), len(heights), d.Rows, d.Columns), np.uint8)
        for s, h, p in frames:
            theirs[numbers.index(s), heights.index(h)] |= (p > 0).astype(np.uint8)
        same = volume.shape == theirs.shape and bool((volume == theirs).all())
        both = (theirs.sum(axis=0) > 1).sum(axis=(1, 2))
        print(f"{os.path.basename(path)}: {len(numbers)} segments, {volume.shape[1]} planes: "
              f"{'equal' if same else 'DIFFERENT'}; voxels of several segments by plane: "
              f"{[int(n) for n in both]}")
        for a in range(len(numbers)):
            for b in range(a):
                n = int((theirs[a] & theirs[b]).sum())
                if n:
                    print(f"  segments {numbers[b]} and {numbers[a]}: {n} voxels in common")


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        golden()
    elif len(sys.argv) > 3 and sys.argv[1] == "compare":
        compare(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)
