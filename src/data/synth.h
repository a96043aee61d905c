/* synth.h: a whole cohort of phantoms with known truth, written in a form that the readers know.
 * Equal options give equal bytes: the demo and the tests need no download and no patient.
 */
#ifndef NOD_DATA_SYNTH_H
#define NOD_DATA_SYNTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

typedef enum nod_synth_kind {
    NOD_SYNTH_SLICES,  /* folder: tumor/p0012_s03.png, normal/..., manifest.csv */
    NOD_SYNTH_IMAGES,  /* .npz of [N,S,S] slices */
    NOD_SYNTH_VOLUMES, /* .npz of [N,S,S,S] scans */
    /* Folders of DICOM series (docs/formats/synth.md). */
    NOD_SYNTH_MR,    /* heads, oblique planes; some with a tumour */
    NOD_SYNTH_XRAY,  /* chests, CR and DX; some with a nodule */
    NOD_SYNTH_MAMMO, /* both breasts in two views; some with a mass */
    NOD_SYNTH_CINE,  /* beating hearts in short-axis planes; some eject too little */
    NOD_SYNTH_DCE,   /* breasts before and after contrast; some masses wash out */
    NOD_SYNTH_KINDS
} nod_synth_kind;

/* What can be wrong with a cohort of DICOM, as bits of `defects`. Those of geometry and identity hit
 * one patient in ten, at least one; each defect other patients, as far as there are enough. */
typedef enum nod_synth_defect {
    NOD_SYNTH_GAP,       /* a slice is missing */
    NOD_SYNTH_DUPLICATE, /* a slice is there twice */
    NOD_SYNTH_UNEVEN,    /* a slice lies off its place */
    NOD_SYNTH_TILT,      /* slices are shifted along their plane, as under a tilted gantry */
    NOD_SYNTH_LEAK,      /* a patient is there again under another id, with the same pixels */
    NOD_SYNTH_DUMMY_IDS, /* PatientID is empty or one for several patients */
    NOD_SYNTH_LOCALIZER, /* each study has a localizer series too */
    NOD_SYNTH_BURNED_IN, /* each study has a Secondary Capture with text in the picture too */
    NOD_SYNTH_DEFECTS
} nod_synth_defect;

#define NOD_SYNTH_MAX_PATIENTS 100000
#define NOD_SYNTH_MAX_IMAGES   1000 /* of one patient */
#define NOD_SYNTH_MAX_SITES    26

typedef struct nod_synth_options {
    nod_synth_kind kind;
    int64_t n_patients; /* 2 to NOD_SYNTH_MAX_PATIENTS; default by kind */
    int64_t
        images_per_patient; /* slices, scans, or studies of DICOM: the mean; each patient has up
                                   to half more or fewer; default by kind */
    int64_t size; /* edge in pixels or voxels: 8 to 1024, volumes to 128, DICOM from 16 */
    double
        prevalence;  /* share of patients with the finding, in (0,1); default 0.4. At least one
                          patient is of each class. */
    double contrast; /* of what is to be found, > 0; default 1. Smaller is harder. */
    uint64_t seed;   /* default 1 */
    bool has_parts;  /* .npz only: train_, val_, test_ arrays by patient; else plain images,
                          labels, patients; default true */
    double part_val, part_test; /* .npz: shares of the patients; default 0.15 and 0.25 */
    bool deflate;               /* .npz; default true */
    unsigned defects;           /* DICOM: bit (1 << nod_synth_defect) for each; default none */
    int64_t n_sites;            /* hospitals that the patients of each class are dealt to, up to
                        NOD_SYNTH_MAX_SITES; each has a vendor, and scanners noisier than those of the one
                        before. Patients then have sex and age too. Slices and DICOM; default 0: none
                        of this is known */
} nod_synth_options;

nod_synth_options nod_synth_defaults(nod_synth_kind kind);
/* "slices" ... or -1. */
int nod_synth_kind_from_name(const char *name);
const char *nod_synth_kind_name(nod_synth_kind kind);
bool nod_synth_is_dicom(nod_synth_kind kind);
/* The two classes: "normal" and what is to be found. */
const char *nod_synth_class_name(nod_synth_kind kind, int label);
/* "gap" ... or -1. */
int nod_synth_defect_from_name(const char *name);
const char *nod_synth_defect_name(nod_synth_defect defect);

/* Writes the cohort to `path`: a folder that does not exist or is empty, or a .npz file, which is
 * replaced. In a folder the table of the truth (manifest.csv, or truth.csv beside DICOM) comes last,
 * so that a folder that has it is complete. Labels of arrays: 1 and 0, of tables the class names.
 * Arrays: *_images u8, *_labels u8 [N,1], *_patients i64 [N]. Errors: EINVAL names the option; EIO;
 * ENOMEM. */
int nod_synth_write(const char *path, const nod_synth_options *options, const nod_log *log,
                    nod_error *err) NOD_MUST_CHECK;

#endif
