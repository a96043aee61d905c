/* synth.h: a whole cohort of phantoms with known truth, written in a layout that the readers
 * know. Equal options give equal bytes: the demo and the tests need no download and no patient.
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
    NOD_SYNTH_KINDS
} nod_synth_kind;

#define NOD_SYNTH_MAX_PATIENTS 100000
#define NOD_SYNTH_MAX_IMAGES   1000 /* of one patient */

typedef struct nod_synth_options {
    nod_synth_kind kind;
    int64_t n_patients;         /* 2 to NOD_SYNTH_MAX_PATIENTS; default 200 */
    int64_t images_per_patient; /* the mean: each has up to half more or fewer; default 3 for
                                   slices, 1 for volumes */
    int64_t size; /* edge in pixels or voxels: 8 to 1024, volumes to 128; default 64 or 28 */
    double prevalence; /* share of patients with a tumour, in (0,1); default 0.4. At least one
                          patient is of each class. */
    double contrast;   /* of tumours, > 0; default 1. Smaller is harder. */
    uint64_t seed;     /* default 1 */
    bool has_parts;    /* .npz only: train_, val_, test_ arrays by patient; else plain images,
                          labels, patients; default true */
    double part_val, part_test; /* .npz: shares of the patients; default 0.15 and 0.25 */
    bool deflate;               /* .npz; default true */
} nod_synth_options;

nod_synth_options nod_synth_defaults(nod_synth_kind kind);
/* "slices" ... or -1. */
int nod_synth_kind_from_name(const char *name);
const char *nod_synth_kind_name(nod_synth_kind kind);

/* Writes the cohort to `path`: a folder that does not exist or is empty, or a .npz file, which
 * is replaced. In a folder manifest.csv (path,label,patient) comes last, so that a folder that
 * has it is complete. Labels: 1 and "tumor", 0 and "normal". Arrays: *_images u8, *_labels u8
 * [N,1], *_patients i64 [N]. Errors: EINVAL names the option; EIO; ENOMEM. */
int nod_synth_write(const char *path, const nod_synth_options *options, const nod_log *log,
                    nod_error *err) NOD_MUST_CHECK;

#endif
