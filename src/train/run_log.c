/* run_log.c: the log of one seed; see run_log.h. */
#include "train/run_log.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define LOG_MAX ((size_t)1 << 30)

/* --- writing ------------------------------------------------------------------------------ */

static int add_event(const char *path, nod_json *j_take, nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump(j_take, false, &text, err);
    if (!rc) rc = nod_file_append_line(path, text, err);
    nod_free(text);
    nod_json_free(j_take);
    return rc;
}

static nod_json *event_of(const char *name, const nod_run_author *a)
{
    nod_json *j = nod_json_object();
    char now[32];
    nod_time_utc(now, sizeof now);
    nod_json_set_str(j, "event", name);
    nod_json_set_str(j, "time", now);
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "command", a->command);
    nod_json_set_str(j, "backend", a->backend);
    nod_json_set_str(j, "isa", a->isa);
    nod_json_set_int(j, "looks_before", a->looks_before);
    return j;
}

int nod_run_log_start(const char *path, const nod_run_author *a, uint64_t seed,
                      int64_t plan_bytes, int64_t n_train, int64_t n_validation, nod_error *err)
{
    int rc = nod_file_write(path, "", 0, err);
    if (rc) return rc;
    nod_json *j = event_of("start", a);
    nod_json_set_int(j, "seed", (int64_t)seed);
    nod_json_set_int(j, "plan_bytes", plan_bytes);
    nod_json_set_int(j, "train_cases", n_train);
    nod_json_set_int(j, "validation_cases", n_validation);
    return add_event(path, j, err);
}

static nod_json *score_json(const nod_part_score *p)
{
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "n", p->n);
    nod_json_set_real(j, "loss", p->loss);
    nod_json_set_real(j, "total_error", p->total_error);
    nod_json_set_real(j, "mean_error", p->total_error / (double)NOD_MAX(p->n, 1));
    nod_json_set_real(j, "accuracy", p->accuracy);
    nod_json_set_real(j, "auc", p->auc);
    return j;
}

int nod_run_log_epoch(const char *path, const nod_epoch *e, nod_error *err)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "event", "epoch");
    nod_json_set_int(j, "epoch", e->epoch);
    nod_json_set_real(j, "lr", e->lr);
    nod_json_set_real(j, "loss_optimised", e->loss);
    nod_json_set_real(j, "penalty", e->penalty);
    nod_json_set_real(j, "grad_norm", e->grad_norm);
    if (e->has_train) nod_json_set(j, "train", score_json(&e->train));
    nod_json_set(j, "validation", score_json(&e->validation));
    nod_json_set_bool(j, "best", e->is_best);
    nod_json_set_real(j, "time_s", e->time_s);
    nod_json_set_real(j, "load_s", e->load_s);
    return add_event(path, j, err);
}

int nod_run_log_end(const char *path, int64_t best_epoch, nod_error *err)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "event", "end");
    nod_json_set_int(j, "best_epoch", best_epoch);
    return add_event(path, j, err);
}

/* --- reading ------------------------------------------------------------------------------ */

/* The next whole line that is JSON, from *at on; *size with its newline, 0 at the end of the log or
 * at a torn last line. Lines that are no JSON (a disk that lost power) are passed over. */
static int next_line(const nod_bytes *b, const char *path, size_t *at, size_t *size,
                     nod_json **out, nod_error *err)
{
    *size = 0;
    while (*at < b->size) {
        const char *line = (const char *)b->data + *at;
        const char *end = memchr(line, '\n', b->size - *at);
        nod_error why = NOD_ERROR_INIT;
        if (!end) return 0;
        size_t with_newline = (size_t)(end - line) + 1;
        int rc = nod_json_parse(line, with_newline - 1, path, out, &why);
        if (rc == 0) *size = with_newline;
        if (rc == NOD_ENOMEM) *err = why;
        if (rc == 0 || rc == NOD_ENOMEM) return rc;
        *at += with_newline;
    }
    return 0;
}

/* Whether a line says what will be said again. */
static bool is_later(const nod_json *j, int64_t epochs_done)
{
    const char *event = nod_json_str(nod_json_get(j, "event"));
    if (strcmp(event, "epoch") == 0)
        return nod_json_i64(nod_json_get(j, "epoch")) > epochs_done;
    return strcmp(event, "end") == 0;
}

static int mend(const char *path, int64_t epochs_done, nod_error *err)
{
    nod_bytes b = {0};
    nod_strbuf kept = NOD_STRBUF_INIT;
    nod_json *j = NULL;
    int rc = nod_file_read(path, LOG_MAX, &b, err);
    size_t size, at = 0;
    if (rc) return rc;
    while ((rc = next_line(&b, path, &at, &size, &j, err)) == 0 && size > 0) {
        if (!is_later(j, epochs_done)) nod_strbuf_addn(&kept, (const char *)b.data + at, size);
        nod_json_free(j);
        j = NULL;
        at += size;
    }
    if (rc == 0 && kept.failed)
        rc = nod_fail_memory(err, "a log", b.size);
    else if (rc == 0 && kept.len != b.size)
        rc = nod_file_write(path, kept.len ? kept.data : "", kept.len, err);
    nod_bytes_done(&b);
    nod_strbuf_done(&kept);
    return rc;
}

int nod_run_log_resume(const char *path, const nod_run_author *a, int64_t epochs_done,
                       nod_error *err)
{
    int rc = nod_path_is_file(path) ? mend(path, epochs_done, err) : 0;
    if (rc) return rc;
    nod_json *j = event_of("resume", a);
    nod_json_set_int(j, "epochs_done", epochs_done);
    return add_event(path, j, err);
}

int nod_run_log_has_end(const char *path, bool *out, nod_error *err)
{
    nod_bytes b = {0};
    nod_json *j = NULL;
    size_t size, at = 0;
    *out = false;
    if (!nod_path_is_file(path)) return 0;
    int rc = nod_file_read(path, LOG_MAX, &b, err);
    if (rc) return rc;
    while ((rc = next_line(&b, path, &at, &size, &j, err)) == 0 && size > 0) {
        *out = strcmp(nod_json_str(nod_json_get(j, "event")), "end") == 0;
        nod_json_free(j);
        j = NULL;
        at += size;
    }
    nod_bytes_done(&b);
    return rc;
}
