#!/usr/bin/env python3
"""deid_table.py JSON: the rows of src/imaging/dicom/deid_table.c, on the standard output.

JSON is standard/confidentiality_profile_attributes.json of github.com/innolitics/dicom-standard, which
holds Table E.1-1 of PS3.15 as published; commit 7f4749d has the edition 2024e. Private attributes and
the groups 50xx and 60xx, which the table writes as patterns, are rules of deid_profile.c."""
import json
import sys

CODES = {"X": "X", "Z": "Z", "D": "D", "U": "U", "Z/D": "ZD", "X/Z": "XZ", "X/D": "XD",
         "X/Z/D": "XZD", "X/Z/U*": "XZU"}

rows = []
for row in json.load(open(sys.argv[1])):
    group, _, element = row["tag"].strip("()").partition(",")
    if len(group) != 4 or len(element) != 4 or "X" in (group + element).upper():
        continue
    options = {k for k, v in row.items() if k == "rtnLongModifDatesOpt" and v == "C"}
    rows.append((int(group + element, 16), CODES[row["basicProfile"]], bool(options), row["name"]))
rows.sort()
for tag, code, dates, name in rows:
    name = " ".join(name.encode("ascii", "ignore").decode().split())
    start = "    {0x%08x, NOD_DEID_%s, %s}," % (tag, code, "true" if dates else "false")
    comment = " /* %s */" % name
    if len(start + comment) > 96:
        comment = " /* %s */" % (name[:96 - len(start) - 11].rstrip() + " ...")
    print(start + comment)
