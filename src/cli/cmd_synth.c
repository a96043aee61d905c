/* cmd_synth.c: `nodule synth`: a cohort of phantoms with known truth, byte-identical each time. */
#include "cli/verb.h"
#include "data/synth.h"

typedef struct synth_options {
    const char *out;
    int kind;
    int64_t patients, images, size, seed;
    double prevalence, contrast;
} synth_options;

static const char *const kinds[] = {"slices", "images", "volumes", NULL};
static const synth_options defaults = {.out = "synth", .seed = 1};
static const nod_option options[] = {
    NOD_OPTION_TEXT(synth_options, out, "output", 'o', "PATH",
                    "folder of slices, or .npz file of images or volumes"),
    NOD_OPTION_CHOICE(synth_options, kind, "kind", 0, "KIND",
                      "slices: class folders of PNG; images, volumes: arrays in one .npz",
                      kinds),
    NOD_OPTION_INT(synth_options, patients, "patients", 0, "N",
                   "patients (0: the kind's default)", 0, NOD_SYNTH_MAX_PATIENTS),
    NOD_OPTION_INT(synth_options, images, "images-per-patient", 0, "N",
                   "mean number of images of a patient (0: the kind's default)", 0,
                   NOD_SYNTH_MAX_IMAGES),
    NOD_OPTION_INT(synth_options, size, "size", 0, "N",
                   "edge in pixels (0: the kind's default)", 0, 1024),
    NOD_OPTION_REAL(synth_options, prevalence, "prevalence", 0, "SHARE",
                    "share of patients with a tumour (0: the kind's default)", 0, 1),
    NOD_OPTION_REAL(synth_options, contrast, "contrast", 0, "FACTOR",
                    "contrast of tumours; smaller is harder (0: 1)", 0, 100),
    NOD_OPTION_INT(synth_options, seed, "seed", 0, "N", "seed", 0, INT32_MAX),
    NOD_OPTION_END};

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
    int rc = nod_synth_write(o->out, &s, cli->log, err);
    if (!rc) fprintf(cli->out, "phantoms: %s\n", o->out);
    return rc;
}

const nod_verb nod_verb_synth = {
    .name = "synth",
    .summary = "a cohort of phantoms with known truth",
    .args = "",
    .about = "Writes brain-like slices or volumes with and without a tumour, several images\n"
             "a patient, seeded: equal options give equal bytes. No patient's data is\n"
             "involved.",
    .examples = "  nodule synth -o phantoms\n"
                "  nodule synth --kind volumes --size 28 -o phantoms.npz\n",
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
