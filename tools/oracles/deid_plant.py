#!/usr/bin/env python3
"""deid_plant.py SOURCES OUT: copies of DICOM files with one person's identifiers planted in them, for
`nodule convert OUT --deidentify` and deid_check.py with OUT/planted.txt.

Of every file that pydicom reads: the patient, the visit and the site become those of PLANTED; each text that
stands in the file becomes an identifier of its VR, one in three, drawn by a hash; of every VR that holds text
or bytes three attributes of the standard's dictionary are added, to the dataset and to an item of a sequence;
private blocks, a private sequence, the meta header, the preamble, file and folder names too. What tells how
pixels are encoded, and which object it is, stays. Needs pydicom 3.0."""
import hashlib
import os
import sys
import warnings

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE

NAME, ID, NUMBER, VISIT, UID = "Zwetschkenbaum^Kunigunde", "MRN8675309", "86753099", "ACC20771234", "1.2.3.4.777.86753099"
PLACE, BIRTHDAY, DAY = "Spital zum Beispiel", "19510623", "20230517"
PLANTED = ["Zwetschkenbaum", "Kunigunde", ID, NUMBER, VISIT, UID, PLACE, BIRTHDAY, DAY]
OF_VR = {"AE": ID, "CS": ID, "DA": DAY, "DS": NUMBER, "DT": DAY + "101112", "IS": NUMBER,
         "LO": "for " + NAME, "LT": "born " + BIRTHDAY + " in " + PLACE, "PN": NAME, "SH": VISIT,
         "ST": "seen on " + DAY, "TM": "Kunigunde", "UC": "see " + ID, "UI": UID,
         "UR": "http://host/" + ID, "UT": "Mrs. Zwetschkenbaum called", "AS": "Kunigunde",
         "OB": ("bytes of " + NAME + " ").encode(), "UN": ID.encode(), "OW": (ID + NUMBER).encode()}
STAY = {"EncapsulatedDocument", "SOPClassUID", "SOPInstanceUID", "SpecificCharacterSet", "NumberOfFrames", "PhotometricInterpretation",
        "StudyInstanceUID", "SeriesInstanceUID", "PixelData", "FrameOfReferenceUID", "Modality",
        "RescaleSlope", "RescaleIntercept"}


def draw(*key):
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:4], "big")


def replace(ds, seed):
    for e in list(ds):
        if e.VR == "SQ":
            for i, item in enumerate(e.value):
                replace(item, (seed, int(e.tag), i))
        elif e.VR in OF_VR and e.keyword not in STAY and not e.tag.is_private and draw(seed, int(e.tag)) % 3 == 0 \
                and e.tag.group not in (0x7FE0, 0x0028):
            ds[e.tag] = DataElement(e.tag, e.VR, OF_VR[e.VR])


def add(ds, seed):
    by_vr = {}
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if vr in OF_VR and keyword not in STAY and 0x0008 <= tag >> 16 < 0x5000 and tag >> 16 != 0x0028:
            by_vr.setdefault(vr, []).append(tag)
    for vr, tags in by_vr.items():
        for k in range(3):
            tag = Tag(sorted(tags)[draw(seed, vr, k) % len(tags)])
            if tag not in ds:
                ds[tag] = DataElement(tag, vr, OF_VR[vr])


def plant(ds, seed):
    replace(ds, seed)
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = NAME, ID, BIRTHDAY
    ds.OtherPatientIDs, ds.AccessionNumber, ds.InstitutionName = NUMBER, VISIT, PLACE
    ds.StudyDate, ds.StudyID = DAY, VISIT
    add(ds, seed)
    item = Dataset()
    add(item, (seed, "item"))
    deeper = Dataset()
    add(deeper, (seed, "deeper"))
    item.RelatedSeriesSequence = Sequence([deeper])
    ds.ReferencedImageEvidenceSequence = Sequence([item])
    block = ds.private_block(0x0099, "PRIVATE OF " + ID, create=True)
    block.add_new(1, "LO", NAME)
    block.add_new(2, "UN", ID.encode())
    block.add_new(3, "SQ", Sequence([item]))
    ds.add_new(0xFFFCFFFC, "OB", (ID + NUMBER).encode())
    ds.preamble = (NAME + ID).encode().ljust(128, b"\0")
    ds.file_meta.SourceApplicationEntityTitle = ID
    ds.file_meta.ImplementationVersionName = ID
    ds.file_meta.PrivateInformationCreatorUID = UID
    ds.file_meta.PrivateInformation = ID.encode()


def main():
    source, out = sys.argv[1:3]
    folder = os.path.join(out, "Zwetschkenbaum_" + ID)
    os.makedirs(folder)
    n, failed = 0, {}
    for root, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(root, name)
            try:
                ds = pydicom.dcmread(path)
                if "SOPClassUID" not in ds:
                    continue
                plant(ds, os.path.relpath(path, source))
                ds.save_as(os.path.join(folder, f"Kunigunde_{n:04d}.dcm"), enforce_file_format=True)
                n += 1
            except Exception as e:
                kind = type(e).__name__ + ": " + str(e)[:60]
                failed[kind] = failed.get(kind, 0) + 1
    with open(os.path.join(out, "planted.txt"), "w") as f:
        f.write("\n".join(PLANTED) + "\n")
    print(n, "files planted;", "not:", failed)


main()
