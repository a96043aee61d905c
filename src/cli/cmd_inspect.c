/* cmd_inspect.c: `nodule inspect`: what is in a folder. */
#include "base/file.h"
#include "cli/progress.h"
#include "cli/site_key.h"
#include "cli/verb.h"
#include "data/survey.h"

#define PICTURE_SIDE 256

typedef struct inspect_options {
    const char *html;
    bool headers_only;
    int64_t rows;
} inspect_options;

static const inspect_options defaults = {.rows = 50};
static const nod_option options[] = {
    NOD_OPTION_TEXT(inspect_options, html, "html", 0, "FILE",
                    "write a page with a slice of each image here"),
    NOD_OPTION_FLAG(inspect_options, headers_only, "headers-only", 0,
                    "decode nothing: describe DICOM, count files of other formats"),
    NOD_OPTION_INT(inspect_options, rows, "rows", 0, "N", "rows of the table (0: all)", 0,
                   INT32_MAX),
    NOD_OPTION_END};

static int write_page(const nod_survey *s, const char *path, nod_error *err)
{
    nod_strbuf page = NOD_STRBUF_INIT;
    int rc = nod_survey_html(s, &page, err);
    if (!rc) rc = nod_file_write(path, page.data, page.len, err);
    nod_strbuf_done(&page);
    return rc;
}

static int print_table(nod_cli *cli, const nod_survey *s, int64_t rows, nod_error *err)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_survey_text(s, (size_t)rows, &text);
    int rc = text.failed ? nod_fail_memory(err, "the table", text.len) : 0;
    if (!rc) fputs(text.data, cli->out);
    nod_strbuf_done(&text);
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const inspect_options *o = options_void;
    nod_progress_steps steps = nod_progress_steps_begin(cli->console);
    nod_survey_options so = NOD_SURVEY_OPTIONS_INIT;
    nod_site_key key;
    nod_survey *s = NULL;
    nod_error nothing = NOD_ERROR_INIT;
    int rc = 0;
    so.headers_only = o->headers_only;
    so.show_ids = cli->show_ids;
    so.side = o->html ? PICTURE_SIDE : 0;
    so.progress = nod_progress_steps_tell;
    so.ctx = &steps;
    nod_error no_key = NOD_ERROR_INIT;
    if (nod_cli_site_key(cli, &key, &no_key) == 0)
        so.key = &key;
    else
        nod_warn(cli->log, "patients are running numbers alone: %s", no_key.message);
    NOD_TRY(nod_survey_new(cli->args, cli->n_args, &so, &s, err));
    nod_console_clear(cli->console);
    int verdict = nod_survey_check(s, &nothing);
    if (o->html) NOD_TRY(write_page(s, o->html, err));
    if (!cli->json)
        NOD_TRY(print_table(cli, s, o->rows, err));
    else if (verdict == 0)
        NOD_TRY(nod_cli_put_json(cli, nod_survey_json(s), err));
    if (o->html && !cli->json) fprintf(cli->out, "page: %s\n", o->html);
    if (verdict) *err = nothing;
    rc = verdict;
out:
    nod_site_key_clear(&key);
    nod_survey_free(s);
    return rc;
}

const nod_verb nod_verb_inspect = {
    .name = "inspect",
    .summary = "show what is in a folder: series, geometry, values, findings",
    .args = "PATH...",
    .min_args = 1,
    .max_args = -1,
    .about =
        "Reads folders, files and zip archives: DICOM by patient, study and series; NIfTI, "
        "MetaImage, NRRD, PNG, JPEG and TIFF by file. For each image: size, spacing, "
        "orientation, fourth axis, values without padding, storage, and what is odd about "
        "it by name, with the policy that helps. Patients are running numbers, and names made "
        "with the site key.",
    .examples = "  nodule inspect scans/\n"
                "  nodule inspect scans/ --headers-only --json\n"
                "  nodule inspect study.zip masks/*.nii.gz --html study.html\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS | NOD_TAKES_SHOW_IDS | NOD_TAKES_SITE_KEY,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
