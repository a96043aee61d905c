/* cmd_index.c: `nodule index`: a cohort from a data set in any known layout. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/policy_option.h"
#include "cli/verb.h"
#include "data/layout.h"

typedef struct index_options {
    const char *fold_file, *data_root, *label_column, *images, *masks, *mask_names;
    int64_t patient_divide, fold;
    const char *out, *layout, *positive, *patient_regex, *labels, *unit, *unit_label;
    nod_strlist series, policies;
    double max_unreadable;
    bool spread_labels;
} index_options;

static const index_options defaults = {
    .out = "cohort.csv", .patient_divide = 1, .fold = -1, .max_unreadable = 0.1};
static const nod_option options[] = {
    NOD_OPTION_TEXT(index_options, out, "output", 'o', "FILE", "write the cohort here"),
    NOD_OPTION_TEXT(
        index_options, layout, "layout", 0, "NAME",
        "layout of the data: medmnist, manifest, gandlf, nnunet, msd, monai, bids, dicom, "
        "folder (default: detected)"),
    NOD_OPTION_TEXT(index_options, positive, "positive", 0, "CLASS",
                    "positive class of a binary task"),
    NOD_OPTION_TEXT(
        index_options, patient_regex, "patient-regex", 0, "REGEX",
        "the first group of this extended expression, matched against a file's path, is "
        "the patient"),
    NOD_OPTION_INT(
        index_options, patient_divide, "patient-divide", 0, "N",
        "the patient is a number, by N and rounded up: 2 where the images 2k-1 and 2k "
        "are of one patient",
        1, 1000000),
    NOD_OPTION_TEXT(
        index_options, labels, "labels", 0, "TABLE.csv",
        "labels of a DICOM tree: a column patient, study or series (their ids), and "
        "label"),
    NOD_OPTION_INT(
        index_options, fold, "fold", 0, "K",
        "keep fold K of a data set with folds: its validation images, all others for "
        "training (-1: none)",
        -1, 1000000),
    NOD_OPTION_TEXT(index_options, fold_file, "fold-file", 0, "FILE",
                    "folds of nnU-Net (default: splits_final.json in the data set)"),
    NOD_OPTION_TEXT(index_options, data_root, "data-root", 0, "DIR",
                    "folder where the paths of a list or table begin (default: its own)"),
    NOD_OPTION_TEXT(index_options, label_column, "label-column", 0, "NAME",
                    "column of BIDS' participants.tsv that is the label (default: label maps "
                    "where there are some, else label, group, diagnosis or dx)"),
    NOD_OPTION_TEXT(
        index_options, mask_names, "mask-names", 0, "NAME,NAME",
        "names of the values 0, 1 ... of label maps, where the data set does not name "
        "them"),
    NOD_OPTION_TEXT(index_options, images, "images", 0, "REGEX",
                    "images of BIDS whose path fits this extended expression, such as _T1w"),
    NOD_OPTION_TEXT(index_options, masks, "masks", 0, "REGEX",
                    "label maps of BIDS whose path fits, such as desc-manual"),
    NOD_OPTION_TEXT(
        index_options, unit, "unit", 0, "UNIT",
        "what is judged: image, series, study, breast or patient (default: the level "
        "of the labels)"),
    NOD_OPTION_TEXT(index_options, unit_label, "unit-label", 0, "RULE",
                    "of labels finer than the unit: same: all of one unit must agree; any: one "
                    "with the finding suffices"),
    NOD_OPTION_FLAG(index_options, spread_labels, "spread-labels", 0,
                    "labels coarser than the unit are those of each unit"),
    NOD_OPTION_LIST(
        index_options, series, "series", 0, "RULE",
        "which series of a study, such as SeriesDescription~T1; may be given again"),
    NOD_OPTION_LIST(index_options, policies, "policy", 0, "FINDING=POLICY",
                    "what is done about a finding, such as gantry-tilt=shear; may be given "
                    "again"),
    NOD_OPTION_REAL(index_options, max_unreadable, "max-unreadable", 0, "SHARE",
                    "share of images that may be unreadable", 0, 1),
    NOD_OPTION_END};

static nod_json *findings_json(const nod_cohort *c, const nod_cohort_findings *f)
{
    nod_json *j = nod_json_object();
    const nod_cohort_info *info = nod_cohort_get_info(c);
    nod_json_set_int(j, "cases", (int64_t)nod_cohort_size(c));
    nod_json_set_str(j, "layout", info->layout);
    nod_json_set_str(j, "grouping", nod_grouping_name(info->grouping));
    nod_json_set_str(j, "positive_origin", nod_positive_origin_name(info->positive_origin));
    nod_json_set_str(j, "positive", info->positive >= 0 ? info->classes[info->positive] : NULL);
    nod_json_set_int(j, "patients", (int64_t)f->patients);
    nod_json_set_int(j, "without_patient", (int64_t)f->without_patient);
    nod_json_set_str(j, "unit", nod_level_name(info->unit));
    nod_json_set_int(j, "units", (int64_t)f->units);
    nod_json_set_str(j, "label_level", nod_level_name(info->label_level));
    nod_json_set_str(j, "unit_label", nod_unit_label_name(info->unit_label));
    nod_json_set_int(j, "follow_up_patients", (int64_t)f->follow_up_patients);
    nod_json_set_int(j, "follow_up_studies", (int64_t)f->follow_up_studies);
    nod_json_set_int(j, "constant", (int64_t)f->constant);
    nod_json_set_int(j, "duplicate_sets", (int64_t)f->duplicate_sets);
    nod_json_set_int(j, "duplicate_cases", (int64_t)f->duplicate_cases);
    nod_json_set_int(j, "contradictory_sets", (int64_t)f->contradictory_sets);
    nod_json_set_int(j, "parted_sets", (int64_t)f->parted_sets);
    nod_json_set_int(j, "unreadable", (int64_t)nod_cohort_unreadable(c));
    nod_json_set_bool(j, "phi", info->phi);
    nod_json_set_str(j, "hash", nod_cohort_hash(c));
    return j;
}

static void print_findings(nod_cli *cli, const nod_cohort *c, const nod_cohort_findings *f,
                           const char *path)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    fprintf(cli->out, "%zu cases, %zu classes (", nod_cohort_size(c), info->n_classes);
    for (size_t i = 0; i < info->n_classes; i++)
        fprintf(cli->out, "%s%s", i ? ", " : "", info->classes[i]);
    fprintf(cli->out, ") from layout '%s'\n", info->layout);
    if (info->positive >= 0)
        fprintf(cli->out, "positive class: %s (%s)\n", info->classes[info->positive],
                nod_positive_origin_name(info->positive_origin));
    if (info->grouping == NOD_GROUPING_NONE)
        fprintf(cli->out, "patients: unknown; intervals will be over images\n");
    else
        fprintf(cli->out, "patients: %zu (%s), %zu cases without\n", f->patients,
                nod_grouping_name(info->grouping), f->without_patient);
    if (info->unit != NOD_LEVEL_IMAGE || info->label_level != NOD_LEVEL_IMAGE)
        fprintf(cli->out, "judged: %zu %s; labels by %s\n", f->units,
                nod_level_plural(info->unit), nod_level_name(info->label_level));
    if (f->follow_up_patients)
        fprintf(cli->out,
                "the label of a patient stands on every follow-up: %zu patients have %zu "
                "studies; on "
                "an earlier one the finding may not have been there\n",
                f->follow_up_patients, f->follow_up_studies);
    if (f->duplicate_sets)
        fprintf(cli->out, "equal pixels: %zu cases in %zu groups, kept together by split\n",
                f->duplicate_cases, f->duplicate_sets);
    if (f->contradictory_sets)
        fprintf(cli->out, "equal pixels with different labels: %zu groups\n",
                f->contradictory_sets);
    if (f->parted_sets)
        fprintf(cli->out, "equal pixels in different parts of the official split: %zu groups\n",
                f->parted_sets);
    if (f->constant) fprintf(cli->out, "constant images: %zu\n", f->constant);
    for (size_t i = 0; i < nod_cohort_unreadable(c); i++) {
        nod_unreadable u = nod_cohort_get_unreadable(c, i);
        fprintf(cli->out, "unreadable: %s%s%s: %s\n", u.id, cli->show_ids ? " " : "",
                cli->show_ids ? u.file : "", u.reason);
    }
    fprintf(cli->out, "cohort: %s, hash %.12s\n", path, nod_cohort_hash(c));
    if (info->phi)
        fprintf(cli->out, "it holds ids, dates or paths of patients: keep it where the images "
                          "are; messages name its cases, and 'nodule where' their files\n");
}

/* A table is not replaced by the cohort that is made of it. */
static int check_output(const char *out, const char *input, nod_error *err)
{
    char *a = nod_path_real(out), *b = input ? nod_path_real(input) : NULL;
    int rc = 0;
    if (a && b && strcmp(a, b) == 0)
        rc = nod_fail(err, NOD_EINVAL,
                      "the cohort would replace %s, of which it is made; write it elsewhere: "
                      "--output FILE",
                      input);
    nod_free(a);
    nod_free(b);
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const index_options *o = options_void;
    nod_index_options io = NOD_INDEX_OPTIONS_INIT;
    nod_cohort *c = NULL;
    nod_cohort_findings f;
    nod_policies policies;
    int rc = 0;
    char *folder = nod_path_dir(o->out);
    NOD_TRY(check_output(o->out, cli->args[0], err));
    NOD_TRY(check_output(o->out, o->labels, err));
    NOD_TRY(nod_policies_from_words(&o->policies, &policies, err));
    io.layout = o->layout;
    io.positive = o->positive;
    io.patient_regex = o->patient_regex;
    io.max_unreadable = o->max_unreadable;
    io.patient_divide = o->patient_divide;
    io.labels = o->labels;
    io.fold = o->fold;
    io.fold_file = o->fold_file;
    io.data_root = o->data_root;
    io.label_column = o->label_column;
    io.images = o->images;
    io.masks = o->masks;
    io.mask_names = o->mask_names;
    io.unit = o->unit;
    io.unit_label = o->unit_label;
    io.spread_labels = o->spread_labels;
    io.series = &o->series;
    io.policies = &policies;
    io.folder = folder;
    io.threads = cli->threads;
    io.show_ids = cli->show_ids;
    io.log = cli->log;
    NOD_TRY(nod_index(cli->args[0], &io, &c, err));
    NOD_TRY(nod_cohort_find_all(c, &f, err));
    NOD_TRY(nod_cohort_write(c, o->out, err));
    if (cli->json)
        rc = nod_cli_put_json(cli, findings_json(c, &f), err);
    else
        print_findings(cli, c, &f, o->out);
out:
    nod_cohort_free(c);
    nod_free(folder);
    return rc;
}

const nod_verb nod_verb_index = {
    .name = "index",
    .summary = "make a cohort from a data set",
    .args = "SOURCE",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Lists the cases of a data set (nnU-Net, Decathlon, MONAI, GaNDLF, BIDS, MedMNIST, a "
        "folder with one folder per class, a tree of DICOM files, a CSV manifest), decodes and "
        "hashes every image and label map, and writes one row a case.",
    .examples =
        "  nodule index scans/ --labels labels.csv -o cohort.csv\n"
        "  nodule index images/ -o cohort.csv --patient-regex '^[^/]*/(p[0-9]+)_'\n"
        "  nodule index Dataset004_Hippocampus --patient-regex '([0-9]+)' --patient-divide 2\n"
        "  nodule index breastmnist.npz -o cohort.csv --positive 0\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS | NOD_TAKES_SHOW_IDS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
