/* cmd_synth.c: `nodule synth`: a cohort of phantoms with known truth, byte-identical each time. */
#include "cli/verb.h"
#include "data/synth.h"

typedef struct synth_options {
    const char *out;
    int kind;
    int64_t patients, images, size, seed, sites;
    double prevalence, contrast;
    nod_strlist defects;
} synth_options;

static const char *const kinds[] = {"slices", "images", "volumes", "mr", "xray",
                                    "mammo",  "cine",   "dce",     NULL};
_Static_assert(NOD_COUNT(kinds) == NOD_SYNTH_KINDS + 1, "a kind has no name here");
static const synth_options defaults = {.out = "synth", .seed = 1};
static const nod_option options[] = {
    NOD_OPTION_TEXT(synth_options, out, "output", 'o', "PATH",
                    "folder of slices or DICOM, or .npz file of images or volumes"),
    NOD_OPTION_CHOICE(synth_options, kind, "kind", 0, "KIND",
                      "slices: class folders of PNG; images, volumes: arrays in one .npz; mr, "
                      "xray, mammo, cine, dce: DICOM",
                      kinds),
    NOD_OPTION_INT(synth_options, patients, "patients", 0, "N",
                   "patients (0: the kind's default)", 0, NOD_SYNTH_MAX_PATIENTS),
    NOD_OPTION_INT(synth_options, images, "images-per-patient", 0, "N",
                   "mean number of images or studies of a patient (0: the kind's default)", 0,
                   NOD_SYNTH_MAX_IMAGES),
    NOD_OPTION_INT(synth_options, size, "size", 0, "N",
                   "edge in pixels (0: the kind's default)", 0, 1024),
    NOD_OPTION_REAL(synth_options, prevalence, "prevalence", 0, "SHARE",
                    "share of patients with a finding (0: the kind's default)", 0, 1),
    NOD_OPTION_REAL(synth_options, contrast, "contrast", 0, "FACTOR",
                    "contrast of findings; smaller is harder (0: 1)", 0, 100),
    NOD_OPTION_LIST(
        synth_options, defects, "defect", 0, "NAME",
        "gap, duplicate, uneven, tilt, leak, dummy-ids, localizer or burned-in; may be "
        "given several times"),
    NOD_OPTION_INT(
        synth_options, sites, "sites", 0, "N",
        "hospitals, each with its vendor and noisier than the one before; patients then "
        "have sex and age (0: unknown)",
        0, NOD_SYNTH_MAX_SITES),
    NOD_OPTION_INT(synth_options, seed, "seed", 0, "N", "seed", 0, INT32_MAX),
    NOD_OPTION_END};

static const char *defect_name(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_SYNTH_DEFECTS ? nod_synth_defect_name((nod_synth_defect)i) : NULL;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const synth_options *o = options_void;
    int kind = nod_synth_kind_from_name(kinds[o->kind]);
    nod_synth_options s = nod_synth_defaults((nod_synth_kind)kind);
    if (o->patients) s.n_patients = o->patients;
    if (o->images) s.images_per_patient = o->images;
    if (o->size) s.size = o->size;
    if (o->prevalence > 0) s.prevalence = o->prevalence;
    if (o->contrast > 0) s.contrast = o->contrast;
    s.seed = (uint64_t)o->seed;
    s.n_sites = o->sites;
    for (size_t i = 0; i < o->defects.n; i++) {
        int d = nod_synth_defect_from_name(o->defects.items[i]);
        if (d < 0) {
            const char *near = nod_nearest(o->defects.items[i], defect_name, NULL);
            return nod_fail(err, NOD_EINVAL, "--defect %s: not known%s%s%s",
                            o->defects.items[i], near ? "; did you mean '" : "",
                            near ? near : "", near ? "'?" : "");
        }
        s.defects |= 1u << d;
    }
    int rc = nod_synth_write(o->out, &s, cli->log, err);
    if (!rc) fprintf(cli->out, "phantoms: %s\n", o->out);
    return rc;
}

const nod_verb nod_verb_synth = {
    .name = "synth",
    .summary = "a cohort of phantoms with known truth",
    .args = "",
    .about = "Writes simulated images with and without a finding, several a patient, seeded:\n"
             "equal options give equal bytes. No patient's data is involved.\n"
             "  slices, images, volumes   heads with and without a tumour\n"
             "  mr      heads in oblique planes, MR       normal, tumor; masks\n"
             "  xray    chests, CR and DX                 normal, nodule\n"
             "  mammo   CC and MLO of both sides, MG      normal, mass, by series\n"
             "  cine    beating hearts, MR                normal, reduced ejection; masks\n"
             "  dce     breasts and contrast agent, MR    benign, malignant uptake; masks\n"
             "DICOM kinds make a folder: dicom/ with a tree of series, masks/ with NIfTI,\n"
             "labels.csv for `nodule index --labels`, and truth.csv with all that is known.",
    .examples = "  nodule synth -o phantoms\n"
                "  nodule synth --kind volumes --size 28 -o phantoms.npz\n"
                "  nodule synth --kind mr --patients 40 -o heads\n"
                "  nodule synth --kind mr --defect gap --defect leak -o broken\n",
    .takes = NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
