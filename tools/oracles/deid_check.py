#!/usr/bin/env python3
"""deid_check.py SOURCES COPIES MAP.csv [PLANTED.txt [TABLE.json]]: de-identified copies, looked at by other
programs.

SOURCES and COPIES are what `nodule convert SOURCES --deidentify -o COPIES --map MAP.csv` was given. Of each
pair: dciodvfy (dicom3tools) must find no kind of error in the copy that it does not find in the source;
pydicom must decode equal pixels, or refuse both; no value of an identifying attribute of the source, and no
line of PLANTED.txt, may stand anywhere in the bytes or the name of the copy; what shared a patient, study,
series or frame of reference must still share it, and nothing else may. With TABLE.json (deid_table.py says
what it is) every attribute of Table E.1-1 at any depth must be as its code says. The last lines count.
Needs pydicom 3.0 (with pylibjpeg) and dicom3tools."""
import collections
import csv
import json
import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

NAMES = ["PatientName", "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName",
         "NameOfPhysiciansReadingStudy", "RequestingPhysician", "OtherPatientNames"]
IDS = ["PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate", "InstitutionName",
       "InstitutionAddress", "PatientAddress", "StudyInstanceUID", "SeriesInstanceUID",
       "SOPInstanceUID", "FrameOfReferenceUID", "StudyDate", "SeriesDate", "AcquisitionDate",
       "ContentDate"]
LEAST = 5  # bytes of a text that can be looked for among pixels
NOBODY = ["123456", "ANONYMIZED"]
GROUPS = ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"]


def errors_of(path):
    """Kinds of errors and their places, without values and with no count; None: it cannot read the file."""
    text = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace").stderr
    if "dataset read failed" in text:
        return None
    return {re.sub(r"<[^>]*>|(UID|length is) [0-9.]+$", "<>", line) for line in text.splitlines() if line.startswith("Error")}


def pixels_of(path):
    try:
        return pixel_array(path)
    except Exception as e:
        return type(e).__name__


def texts_of(ds):
    for name in NAMES + IDS:
        value = ds.get(name)
        for v in value if isinstance(value, pydicom.multival.MultiValue) else [value]:
            if v:
                yield name, str(v).strip()


def found_in(ds, planted, path):
    """Left out: ids of nobody, and institutions that are called as the manufacturer."""
    raw = open(path, "rb").read()
    company = str(ds.get("Manufacturer"))
    for name, text in list(texts_of(ds)) + [("planted", p) for p in planted]:
        if text in NOBODY or (name == "InstitutionName" and text in company):
            continue
        for part in re.split(r"[\^= ]", text) if name in NAMES else [text]:
            if len(part) >= LEAST and (part.encode() in raw or part in path):
                yield name, part


def read_table(path):
    rows = {}
    for row in json.load(open(path)):
        tag = row["tag"].strip("()").replace(",", "")
        if len(tag) == 8 and "X" not in tag.upper():
            rows[int(tag, 16)] = row["basicProfile"], row.get("rtnLongModifDatesOpt") == "C"
    return rows


def fault_of(e, code, is_date, new):
    """What is wrong with what became of an element; None: nothing. `new` is the copy's element or None."""
    value, made = str(e.value), None if new is None else str(new.value)
    if is_date and e.VR in ("DA", "DT"):
        return "the date is the same" if value and made == value else None
    if is_date and e.VR == "TM":
        return None
    if code == "X":
        return "it is there" if new is not None else None
    if e.VR == "SQ" or not e.value:
        return None
    if code == "Z" and made and e.keyword != "PatientName":
        return "it is not empty"
    if code == "D" and new is None and e.VR != "UN":
        return "it is gone"
    if code == "U" and value.startswith("1.2.840.10008."):
        return None
    return "it is the same" if made == value and made != "REMOVED" else None


def check_table(ds, copy, rows, seen):
    for e in ds:
        new = copy[e.tag] if e.tag in copy else None
        if e.tag.is_private and new is not None:
            yield e, "a private attribute is there"
        if int(e.tag) in rows:
            seen.add(int(e.tag))
            fault = fault_of(e, *rows[int(e.tag)], new)
            if fault:
                yield e, fault
        if e.VR == "SQ" and new is not None and new.VR == "SQ":
            for item, made in zip(e.value, new.value):
                yield from check_table(item, made, rows, seen)


def main():
    sources, copies, table = sys.argv[1:4]
    planted = open(sys.argv[4]).read().split("\n") if len(sys.argv) > 4 else []
    planted = [p for p in planted if p]
    rows, seen = read_table(sys.argv[5]) if len(sys.argv) > 5 else {}, set()
    n = collections.Counter()
    ends = collections.defaultdict(lambda: collections.defaultdict(set))
    for row in csv.DictReader(open(table)):
        if not row["copy"]:
            n["not copied"] += 1
            continue
        path, copy = os.path.join(sources, row["source"]), os.path.join(copies, row["copy"])
        if not row["source"]:
            path = sources
        n["copies"] += 1
        old, made = errors_of(path), errors_of(copy)
        n["dciodvfy cannot read the source"] += old is None
        more = ["cannot be read"] if made is None else sorted(made - old) if old is not None else []
        n["dciodvfy finds more"] += bool(more)
        for line in more:
            print(f"{row['copy']} ({row['source']}): {line}")
        before, after = pixels_of(path), pixels_of(copy)
        if isinstance(before, str) or isinstance(after, str):
            same = isinstance(before, str) and isinstance(after, str)
            n["no pixels in either" if same else "pixels in one only"] += 1
        else:
            same = before.dtype.str[1:] == after.dtype.str[1:] and np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
            n["equal pixels" if same else "other pixels"] += 1
        if not same:
            print(f"{row['copy']} ({row['source']}): pixels {before if isinstance(before, str) else before.shape}"
                  f" -> {after if isinstance(after, str) else after.shape}")
        ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        new = pydicom.dcmread(copy, stop_before_pixels=True)
        hits = sorted(set(found_in(ds, planted, copy)))
        n["identifiers left"] += bool(hits)
        for name, text in hits:
            print(f"{row['copy']} ({row['source']}): {name} '{text}' is still there")
        faults = list(check_table(ds, new, rows, seen)) if rows else []
        n["not as the table says"] += bool(faults)
        for e, fault in faults:
            print(f"{row['copy']} ({row['source']}): {e.tag} {e.keyword}: {fault}")
        for group in GROUPS:
            if ds.get(group) and new.get(group):
                ends[group][str(ds.get(group)).strip()].add(str(new.get(group)))
        n["dates"] += sum(1 for k in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
                          if new.get(k))
    for group, made in ends.items():
        apart = sum(len(v) > 1 for v in made.values())
        joined = sum(c > 1 for c in collections.Counter(x for v in made.values() for x in v).values())
        print(f"{group}: {len(made)} before, {len({x for v in made.values() for x in v})} after, "
              f"{apart} parted, {joined} joined")
    n["rows of the table seen"] = len(seen)
    for k, v in n.items():
        print(f"{k}: {v}")


main()
