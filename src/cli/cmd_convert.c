/* cmd_convert.c: `nodule convert`: an image of any format as NIfTI, or its slices as a PNG; a tree of DICOM as
 * de-identified copies. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/convert_deidentify.h"
#include "cli/policy_option.h"
#include "cli/verb.h"
#include "imaging/dicom/select.h"
#include "imaging/montage.h"
#include "imaging/nifti/nifti.h"
#include "imaging/reorient.h"

typedef struct convert_options {
    const char *out, *window, *orientation;
    nod_strlist policies, series;
    int plane;
    int64_t slices, columns, frame;
    bool overwrite;
    bool deidentify;
    const char *map;
} convert_options;

enum { PLANE_AUTO };
static const char *const planes[] = {"auto", "stored", "axial", "coronal", "sagittal", NULL};

static const convert_options defaults = {.slices = 25};
static const nod_option options[] = {
    NOD_OPTION_TEXT(convert_options, out, "output", 'o', "FILE",
                    "write this: .nii.gz, .nii, or .png for a picture of slices; with "
                    "--deidentify a folder"),
    NOD_OPTION_FLAG(convert_options, overwrite, "overwrite", 0, "replace FILE if it exists"),
    NOD_OPTION_FLAG(
        convert_options, deidentify, "deidentify", 0,
        "copy DICOM files without identity, with shifted dates, into the folder of -o"),
    NOD_OPTION_TEXT(
        convert_options, map, "map", 0, "FILE",
        "de-identify: write a CSV of each file and its copy; it names the sources, so "
        "keep it apart"),
    NOD_OPTION_LIST(convert_options, series, "series", 0, "RULE",
                    "which series of a folder of DICOM, such as SeriesDescription~T1; may be "
                    "given again"),
    NOD_OPTION_LIST(convert_options, policies, "policy", 0, "FINDING=POLICY",
                    "what is done about a finding, such as gantry-tilt=shear; may be given "
                    "again"),
    NOD_OPTION_TEXT(convert_options, orientation, "orientation", 0, "CODE",
                    "turn the voxels so that i, j, k go there, such as LPS or RAS"),
    NOD_OPTION_TEXT(convert_options, window, "window", 0, "CENTRE,WIDTH",
                    "picture: what is shown from black to white (default: percentiles 0.5 to "
                    "99.5)"),
    NOD_OPTION_CHOICE(
        convert_options, plane, "plane", 0, "PLANE",
        "picture: auto, stored, axial, coronal or sagittal; auto: axial where the "
        "place in the patient is known",
        planes),
    NOD_OPTION_INT(convert_options, slices, "slices", 0, "N",
                   "picture: at most so many slices, evenly spread; 0: all", 0, 65500),
    NOD_OPTION_INT(convert_options, columns, "columns", 0, "N",
                   "picture: slices beside each other; 0: about square", 0, 65500),
    NOD_OPTION_INT(convert_options, frame, "frame", 0, "N",
                   "picture: which frame of the fourth axis, from 0", 0, 65499),
    NOD_OPTION_END};

/* One image on its way, and what all of them share. */
typedef struct conversion {
    nod_cli *cli;
    const convert_options *o;
    const char *in;
    nod_policies policies;
    bool is_picture;
    nod_json *reports; /* of all images */
    nod_image im;
    nod_findings findings;
    double window[2]; /* of a picture */
} conversion;

/* --- options ---------------------------------------------------------------------------------- */

static int check_output(conversion *c, nod_error *err)
{
    const char *out = c->o->out;
    if (out == NULL)
        return nod_fail(err, NOD_EINVAL,
                        "give the file to write with -o, such as -o scan.nii.gz");
    c->is_picture = nod_has_suffix_nocase(out, ".png");
    if (!c->is_picture && !nod_has_suffix_nocase(out, ".nii") &&
        !nod_has_suffix_nocase(out, ".nii.gz"))
        return nod_fail(err, NOD_EINVAL, "-o %s: the name must end in .nii, .nii.gz or .png",
                        out);
    if (c->o->orientation && !nod_orientation_is_valid(c->o->orientation))
        return nod_fail(err, NOD_EINVAL,
                        "--orientation %s: three of L or R, P or A, S or I, such as LPS",
                        c->o->orientation);
    return nod_policies_from_words(&c->o->policies, &c->policies, err);
}

static int check_free(const conversion *c, const char *out, nod_error *err)
{
    if (!c->o->overwrite && nod_path_exists(out))
        return nod_fail(err, NOD_EINVAL, "%s exists; --overwrite replaces it", out);
    return 0;
}

/* "40,400": centre and width. */
static int parse_window(const char *text, nod_montage_options *m, nod_error *err)
{
    char centre_text[40];
    double centre, width;
    const char *comma = strchr(text, ',');
    snprintf(centre_text, sizeof centre_text, "%.*s", (int)(comma ? comma - text : 0), text);
    if (!comma || !nod_parse_f64(centre_text, &centre) || !nod_parse_f64(comma + 1, &width) ||
        !(width > 0))
        return nod_fail(err, NOD_EINVAL, "--window %s: centre and width, such as 40,400", text);
    m->has_window = true;
    m->low = centre - width / 2;
    m->high = centre + width / 2;
    return 0;
}

/* --- work ------------------------------------------------------------------------------------- */

static int turn(conversion *c, nod_error *err)
{
    nod_image turned = {0};
    if (c->o->orientation == NULL) return 0;
    int rc = nod_image_reorient(&c->im, c->o->orientation, &turned, err);
    if (rc) return nod_error_prefix(err, "%s", c->in);
    nod_image_done(&c->im);
    c->im = turned;
    return 0;
}

static int write_picture(conversion *c, const char *out, nod_error *err)
{
    nod_montage_options m = NOD_MONTAGE_OPTIONS_INIT;
    nod_image picture = {0};
    int rc = 0;
    m.slices = c->o->slices;
    m.columns = c->o->columns;
    m.frame = c->o->frame;
    if (c->o->plane == PLANE_AUTO)
        m.plane = c->im.geometry.space == NOD_SPACE_PATIENT && c->im.depth > 1
                      ? NOD_PLANE_AXIAL
                      : NOD_PLANE_STORED;
    else
        m.plane = (nod_plane)(c->o->plane - 1);
    if (c->o->window) NOD_TRY(parse_window(c->o->window, &m, err));
    rc = nod_image_montage(&c->im, &m, &picture, c->window, err);
    if (rc) {
        nod_error_prefix(err, "%s", c->in);
        goto out;
    }
    NOD_TRY(nod_image_write_png(out, &picture, err));
out:
    nod_image_done(&picture);
    return rc;
}

/* --- what was done ---------------------------------------------------------------------------- */

static nod_json *triple(const double v[3])
{
    nod_json *list = nod_json_array();
    for (int a = 0; a < 3; a++)
        nod_json_push(list, nod_json_real(v[a]));
    return list;
}

static nod_json *report_json(const conversion *c, const char *out)
{
    static const char *const samples[] = {"u8", "u16", "f32"};
    const nod_geometry *g = &c->im.geometry;
    nod_json *j = nod_json_object(), *size = nod_json_array(), *findings = nod_json_array();
    char code[4];
    nod_json_set_str(j, "output", out);
    for (int a = 0; a < 3; a++)
        nod_json_push(size, nod_json_int(g->size[a]));
    nod_json_set(j, "size", size);
    nod_json_set_int(j, "frames", c->im.frames);
    nod_json_set_str(j, "axis", nod_axis_name(c->im.facts.axis));
    nod_json_set_int(j, "channels", c->im.channels);
    nod_json_set_str(j, "sample", samples[c->im.sample]);
    nod_json_set(j, "spacing_mm",
                 g->space == NOD_SPACE_NONE ? nod_json_null() : triple(g->spacing_mm));
    nod_geometry_codes(g, code);
    nod_json_set_str(j, "orientation", g->space == NOD_SPACE_PATIENT ? code : NULL);
    nod_json_set(j, "origin_mm",
                 g->space == NOD_SPACE_PATIENT ? triple(g->origin_mm) : nod_json_null());
    if (c->is_picture) {
        nod_json *window = nod_json_array();
        nod_json_push(window, nod_json_real(c->window[0]));
        nod_json_push(window, nod_json_real(c->window[1]));
        nod_json_set(j, "shown", window);
    }
    for (size_t i = 0; i < c->findings.n; i++) {
        const nod_finding *f = &c->findings.items[i];
        nod_json *item = nod_json_object();
        nod_json_set_str(item, "finding", nod_finding_get_info(f->kind)->name);
        nod_json_set_str(item, "detail", f->detail);
        nod_json_push(findings, item);
    }
    nod_json_set(j, "findings", findings);
    return j;
}

static void report(const conversion *c, const char *out)
{
    char text[NOD_GEOMETRY_TEXT];
    FILE *stream = c->cli->out;
    if (c->cli->json) {
        nod_json_push(c->reports, report_json(c, out));
        return;
    }
    fprintf(stream, "%s: %s", out, nod_geometry_text(&c->im.geometry, text));
    if (c->im.frames > 1)
        fprintf(stream, ", %lld frames (%s)", (long long)c->im.frames,
                nod_axis_name(c->im.facts.axis));
    if (c->is_picture && c->im.channels < 3)
        fprintf(stream, ", shown from %g to %g", c->window[0], c->window[1]);
    fputc('\n', stream);
    for (size_t i = 0; i < c->findings.n; i++)
        fprintf(stream, "  %s: %s\n", nod_finding_get_info(c->findings.items[i].kind)->name,
                c->findings.items[i].detail);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* The image that was read. */
static int write_image(conversion *c, const char *out, nod_error *err)
{
    int rc = turn(c, err);
    if (rc == 0)
        rc = c->is_picture ? write_picture(c, out, err) : nod_nifti_write(out, &c->im, err);
    if (rc == 0) report(c, out);
    nod_findings_done(&c->findings);
    nod_image_done(&c->im);
    return rc;
}

static int convert_file(conversion *c, nod_error *err)
{
    int rc = check_free(c, c->o->out, err);
    if (rc == 0) rc = nod_image_read(c->in, &c->policies, &c->findings, &c->im, err);
    return rc ? rc : write_image(c, c->o->out, err);
}

/* "scan.nii.gz" -> "scan_2.nii.gz" for the second of several. */
static char *numbered(const char *out, size_t i)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    size_t n_ending = nod_has_suffix_nocase(out, ".gz") ? strlen(".nii.gz") : strlen(".nii");
    size_t n = strlen(out) - n_ending;
    nod_strbuf_addn(&b, out, n);
    nod_strbuf_printf(&b, "_%zu%s", i + 1, out + n);
    char *name = nod_strbuf_take(&b);
    nod_strbuf_done(&b);
    return name;
}

/* The stacks of a series, each a file of its own where there are several. */
static int convert_series(conversion *c, const nod_dicom_scan *scan, size_t i_series,
                          nod_error *err)
{
    const nod_dicom_stacks *s = &scan->series[i_series].stacks;
    nod_strlist names = NOD_STRLIST_INIT;
    bool split = s->n > 1 && (s->items[0].projection ||
                              c->policies.of[NOD_FINDING_SEVERAL_STACKS] == NOD_POLICY_SPLIT);
    size_t n = split ? s->n : 1;
    int rc = 0;
    if (s->n == 0)
        return nod_dicom_series_read(scan, i_series, &c->policies, &c->im, NULL, err);
    for (size_t i = 0; i < n; i++) {
        char *name = split ? numbered(c->o->out, i) : nod_strdup(c->o->out);
        bool kept = name && nod_strlist_add(&names, name);
        rc = kept ? check_free(c, name, err) : nod_fail_memory(err, "a path", 256);
        nod_free(name);
        if (rc) goto out;
    }
    for (size_t i = 0; i < n; i++) {
        NOD_TRY(
            nod_dicom_stack_read(scan, i_series, i, &c->policies, &c->im, &c->findings, err));
        NOD_TRY(write_image(c, names.items[i], err));
    }
out:
    nod_strlist_done(&names);
    return rc;
}

static int convert_tree(conversion *c, nod_error *err)
{
    nod_dicom_scan scan;
    nod_dicom_choice choice = {0};
    int rc = nod_dicom_scan_tree(c->in, NULL, &scan, err);
    if (rc) return rc;
    NOD_TRY(nod_dicom_choose(&scan, &c->o->series, false, &choice, err));
    if (choice.n == 1)
        rc = convert_series(c, &scan, choice.series[0], err);
    else
        rc = nod_fail(err, NOD_EDATA,
                      "%s: %zu DICOM series where one is wanted, of %zu in %zu files; --series "
                      "RULE chooses",
                      c->in, choice.n, scan.n_series, scan.n_entries);
out:
    nod_dicom_choice_done(&choice);
    nod_dicom_scan_done(&scan);
    return rc;
}

/* Copies are whole files: what turns, chooses and shows images has no meaning for them. */
static int deidentify(nod_cli *cli, const convert_options *o, nod_error *err)
{
    if (o->out == NULL)
        return nod_fail(err, NOD_EINVAL,
                        "give the folder of the copies with -o, such as -o copies/");
    if (o->window || o->orientation || o->series.n > 0 || o->policies.n > 0)
        return nod_fail(
            err, NOD_EINVAL,
            "--deidentify copies files as they are: it takes no --series, --policy, "
            "--orientation or --window");
    return nod_convert_deidentify(cli, cli->args[0], o->out, o->map, o->overwrite, err);
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    conversion c = {.cli = cli, .o = options_void, .in = cli->args[0]};
    if (c.o->deidentify) return deidentify(cli, c.o, err);
    if (c.o->map) return nod_fail(err, NOD_EINVAL, "--map goes with --deidentify");
    int rc = check_output(&c, err);
    if (rc) return rc;
    c.reports = nod_json_array();
    bool tree = nod_path_is_dir(c.in) || nod_has_suffix_nocase(c.in, ".zip");
    rc = tree || c.o->series.n > 0 ? convert_tree(&c, err) : convert_file(&c, err);
    if (rc == 0 && cli->json) {
        nod_json *j = nod_json_object();
        if (cli->show_ids) nod_json_set_str(j, "input", c.in);
        nod_json_set(j, "images", c.reports);
        c.reports = NULL;
        rc = nod_cli_put_json(cli, j, err);
    }
    nod_cli_hide_input(cli, c.in, "the image", err);
    nod_json_free(c.reports);
    nod_findings_done(&c.findings);
    nod_image_done(&c.im);
    return rc;
}

const nod_verb nod_verb_convert = {
    .name = "convert",
    .summary = "an image as NIfTI or as a picture; DICOM without identity",
    .args = "IMAGE|FOLDER",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Reads DICOM (a file, a zip, or a folder of which one series is meant), NIfTI, "
        "MetaImage,\n"
        "NRRD, PNG, JPEG or TIFF, and writes NIfTI with the place in the patient, or a PNG of\n"
        "slices to look at. What is odd about the image is listed, or refused unless a "
        "--policy\n"
        "says otherwise. Values read back equal from NIfTI. A file that exists stays as it is\n"
        "unless --overwrite is given.\n"
        "With --deidentify every DICOM file below IMAGE|FOLDER is copied into the folder\n"
        "of -o: basic profile of PS3.15 with dates shifted by patient, UIDs made anew\n"
        "under the site key, no private attributes. Pixels stay: text in them and faces\n"
        "are named, not removed.",
    .examples = "  nodule convert study/ -o scan.nii.gz\n"
                "  nodule convert study/ --series SeriesDescription~T1 -o t1.nii.gz\n"
                "  nodule convert tilted/ --policy gantry-tilt=shear -o head.nii.gz\n"
                "  nodule convert two/ --policy several-stacks=split-stacks -o part.nii.gz\n"
                "  nodule convert scan.nrrd --orientation RAS -o scan.nii\n"
                "  nodule convert chest.nii.gz --window 40,400 --plane coronal -o chest.png\n"
                "  nodule convert study/ --deidentify -o copies/\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS | NOD_TAKES_SHOW_IDS | NOD_TAKES_SITE_KEY,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
