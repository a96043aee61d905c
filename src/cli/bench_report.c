/* bench_report.c: medians, ratios, the table and its JSON; see bench_report.h. */
#include "cli/bench_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define CLEAN_NEEDED 3 /* fewer clean samples say too little: then all count */

/* --- samples ------------------------------------------------------------------------------- */

void nod_bench_times_add(nod_bench_times *t, double seconds, bool is_clean)
{
    if (is_clean && t->n_clean < NOD_BENCH_SAMPLES_MAX) t->clean[t->n_clean++] = seconds;
    if (!is_clean && t->n_noisy < NOD_BENCH_SAMPLES_MAX) t->noisy[t->n_noisy++] = seconds;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The samples that count, sorted; how many. `out` holds twice NOD_BENCH_SAMPLES_MAX. */
static int counted(const nod_bench_times *t, double *out)
{
    int n = t->n_clean;
    memcpy(out, t->clean, (size_t)n * sizeof *out);
    if (n < CLEAN_NEEDED) {
        memcpy(out + n, t->noisy, (size_t)t->n_noisy * sizeof *out);
        n += t->n_noisy;
    }
    qsort(out, (size_t)n, sizeof *out, by_size);
    return n;
}

double nod_bench_times_median(const nod_bench_times *t)
{
    double v[2 * NOD_BENCH_SAMPLES_MAX];
    int n = counted(t, v);
    if (n == 0) return NAN;
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double nod_bench_times_min(const nod_bench_times *t)
{
    double v[2 * NOD_BENCH_SAMPLES_MAX];
    return counted(t, v) ? v[0] : NAN;
}

double nod_bench_pair_ratio(const nod_bench_pair *p)
{
    return nod_bench_times_median(&p->peer) / nod_bench_times_median(&p->ours);
}

const nod_bench_pair *nod_bench_row_best(const nod_bench_row *r)
{
    const nod_bench_pair *best = NULL;
    for (int i = 0; i < r->n_pairs; i++) {
        double ratio = nod_bench_pair_ratio(r->pairs[i]);
        if (!isnan(ratio) && (!best || ratio < nod_bench_pair_ratio(best))) best = r->pairs[i];
    }
    return best;
}

/* --- the report ---------------------------------------------------------------------------- */

void nod_bench_report_init(nod_bench_report *r, int threads)
{
    char line[256];
    *r = (nod_bench_report){
        .processor = "unknown processor", .isa = nod_backend_cpu()->isa(), .threads = threads};
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && fgets(line, sizeof line, f)) {
        const char *value = strchr(line, ':');
        if (!nod_has_prefix(line, "model name") || !value) continue;
        snprintf(r->processor, sizeof r->processor, "%.120s", value + 1 + (value[1] == ' '));
        nod_text_tidy(r->processor);
        break;
    }
    if (f) fclose(f);
}

void nod_bench_report_done(nod_bench_report *r)
{
    for (size_t i = 0; i < r->n_rows; i++)
        for (int k = 0; k < r->rows[i].n_pairs; k++)
            nod_free(r->rows[i].pairs[k]);
    nod_free(r->rows);
    r->rows = NULL;
    r->n_rows = r->cap_rows = 0;
}

nod_bench_row *nod_bench_report_add(nod_bench_report *r)
{
    if (!nod_grow((void **)&r->rows, &r->cap_rows, r->n_rows + 1, sizeof *r->rows)) return NULL;
    memset(&r->rows[r->n_rows], 0, sizeof *r->rows);
    return &r->rows[r->n_rows++];
}

/* --- as text ------------------------------------------------------------------------------- */

static void time_text(double seconds, char *out, size_t size)
{
    if (seconds < 1e-3)
        snprintf(out, size, "%.1f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(out, size, "%.2f ms", seconds * 1e3);
    else
        snprintf(out, size, "%.2f s", seconds);
}

static void add_line(nod_strbuf *out, const char *name, const nod_bench_times *t,
                     int64_t peak_rss_bytes, double ratio, const char *mark)
{
    char time[32], memory[16], factor[24] = "";
    time_text(nod_bench_times_median(t), time, sizeof time);
    nod_format_bytes((double)peak_rss_bytes, memory, sizeof memory);
    if (!isnan(ratio)) snprintf(factor, sizeof factor, "%.2fx", ratio);
    nod_strbuf_printf(out, "  %-30s %11s %9s %8s%-2s %5d %5d\n", name, time, memory, factor,
                      mark, t->n_clean, t->n_noisy);
}

static void add_verdict(const nod_bench_row *row, nod_strbuf *out)
{
    const nod_bench_pair *best = nod_bench_row_best(row);
    if (best) {
        double ratio = nod_bench_pair_ratio(best);
        nod_strbuf_printf(out, "  %.2fx the speed of the best peer, %s", ratio, best->name);
        if (row->wanted > 0)
            nod_strbuf_printf(out, "; wanted %.1fx: %s", row->wanted,
                              ratio >= row->wanted ? "reached" : "NOT reached");
        nod_strbuf_addc(out, '\n');
    }
    if (row->wanted_s > 0) {
        bool good = nod_bench_times_median(&row->ours) <= row->wanted_s &&
                    row->peak_rss_bytes <= row->wanted_rss_bytes;
        char memory[16];
        nod_format_bytes((double)row->wanted_rss_bytes, memory, sizeof memory);
        nod_strbuf_printf(out, "  wanted %.0f ms and %s: %s\n", row->wanted_s * 1e3, memory,
                          good ? "reached" : "NOT reached");
    }
}

/* The share of a training step that it waits for its batch. */
#define LOAD_WANTED 0.03

static double load_share(const nod_bench_row *row)
{
    return nod_bench_times_median(&row->load) / nod_bench_times_median(&row->ours);
}

static bool has_load(const nod_bench_row *row)
{
    return row->workload && row->workload->is_training &&
           row->load.n_clean + row->load.n_noisy > 0;
}

static void add_load(const nod_bench_row *row, nod_strbuf *out)
{
    char time[32];
    if (!has_load(row)) return;
    time_text(nod_bench_times_median(&row->load), time, sizeof time);
    nod_strbuf_printf(
        out, "  waits %s, %.2f %% of the step, for its batch; wanted below %.0f %%: %s\n", time,
        100 * load_share(row), 100 * LOAD_WANTED,
        load_share(row) < LOAD_WANTED ? "reached" : "NOT reached");
}

static void add_row(const nod_bench_row *row, nod_strbuf *out)
{
    nod_strbuf_printf(out, "\n%s", row->title);
    if (row->workload) nod_strbuf_printf(out, ", %s", nod_precision_name(row->precision));
    nod_strbuf_addc(out, '\n');
    if (row->missing[0]) {
        nod_strbuf_printf(out, "  not measured: %s\n", row->missing);
        return;
    }
    if (row->ours.n_clean + row->ours.n_noisy == 0) { /* stopped before the first sample */
        nod_strbuf_add(out, "  not measured\n");
        return;
    }
    const nod_bench_pair *best = nod_bench_row_best(row);
    add_line(out, "nodule " NODULE_VERSION, &row->ours, row->peak_rss_bytes, NAN, "");
    for (int i = 0; i < row->n_pairs; i++) {
        const nod_bench_pair *p = row->pairs[i];
        if (p->missing[0])
            nod_strbuf_printf(out, "  %-30s absent: %s\n", p->name, p->missing);
        else if (p->peer.n_clean + p->peer.n_noisy == 0)
            nod_strbuf_printf(out, "  %-30s not measured\n", p->name);
        else
            add_line(out, p->name, &p->peer, p->peak_rss_bytes, nod_bench_pair_ratio(p),
                     p == best ? " *" : "");
    }
    add_verdict(row, out);
    add_load(row, out);
}

void nod_bench_report_text(const nod_bench_report *r, nod_strbuf *out)
{
    nod_strbuf_printf(out, "%s, %s, %d thread%s, nodule " NODULE_VERSION "\n", r->processor,
                      r->isa, r->threads, r->threads == 1 ? "" : "s");
    nod_strbuf_add(out, "time: median for one step or prediction, over the samples without "
                        "foreign load (over all\n"
                        "where fewer than three are clean). ratio: time of the peer over ours, "
                        "samples taken in turn.\n");
    if (r->peers_absent[0])
        nod_strbuf_printf(out, "peers: absent: %s\n", r->peers_absent);
    else if (!r->with_peers)
        nod_strbuf_add(out, "peers: not asked for (--peers)\n");
    nod_strbuf_printf(out, "\n  %-30s %11s %9s %8s   %5s %5s\n", "", "time", "peak", "ratio",
                      "clean", "noisy");
    for (size_t i = 0; i < r->n_rows; i++)
        add_row(&r->rows[i], out);
}

/* --- as JSON ------------------------------------------------------------------------------- */

static void set_times(nod_json *j, const nod_bench_times *t, int64_t peak_rss_bytes)
{
    nod_json_set_real(j, "median_s", nod_bench_times_median(t));
    nod_json_set_real(j, "min_s", nod_bench_times_min(t));
    nod_json_set_int(j, "clean", t->n_clean);
    nod_json_set_int(j, "noisy", t->n_noisy);
    if (peak_rss_bytes > 0) nod_json_set_int(j, "peak_rss_bytes", peak_rss_bytes);
}

static nod_json *pair_json(const nod_bench_pair *p)
{
    nod_json *j = nod_json_object(), *ours = nod_json_object();
    nod_json_set_str(j, "name", p->name);
    if (p->missing[0]) {
        nod_json_set_str(j, "absent", p->missing);
        nod_json_free(ours);
        return j;
    }
    set_times(j, &p->peer, p->peak_rss_bytes);
    set_times(ours, &p->ours, 0);
    nod_json_set(j, "ours", ours);
    nod_json_set_real(j, "ratio", nod_bench_pair_ratio(p));
    return j;
}

static nod_json *row_json(const nod_bench_row *row)
{
    nod_json *j = nod_json_object(), *peers = nod_json_array();
    const nod_bench_pair *best = nod_bench_row_best(row);
    nod_json_set_str(j, "title", row->title);
    if (row->workload) {
        nod_json_set_str(j, "workload", row->workload->name);
        nod_json_set_str(j, "precision", nod_precision_name(row->precision));
    }
    if (row->missing[0])
        nod_json_set_str(j, "missing", row->missing);
    else
        set_times(j, &row->ours, row->peak_rss_bytes);
    if (has_load(row)) nod_json_set_real(j, "load_share", load_share(row));
    for (int i = 0; i < row->n_pairs; i++)
        nod_json_push(peers, pair_json(row->pairs[i]));
    nod_json_set(j, "peers", peers);
    if (best) {
        nod_json_set_str(j, "best_peer", best->name);
        nod_json_set_real(j, "ratio", nod_bench_pair_ratio(best));
    }
    if (row->wanted > 0) nod_json_set_real(j, "wanted_ratio", row->wanted);
    if (row->wanted_s > 0) {
        nod_json_set_real(j, "wanted_s", row->wanted_s);
        nod_json_set_int(j, "wanted_rss_bytes", row->wanted_rss_bytes);
    }
    return j;
}

nod_json *nod_bench_report_json(const nod_bench_report *r)
{
    nod_json *j = nod_json_object(), *rows = nod_json_array();
    nod_json_set_str(j, "processor", r->processor);
    nod_json_set_str(j, "isa", r->isa);
    nod_json_set_int(j, "threads", r->threads);
    nod_json_set_str(j, "version", NODULE_VERSION);
    if (r->peers_absent[0]) nod_json_set_str(j, "peers_absent", r->peers_absent);
    for (size_t i = 0; i < r->n_rows; i++)
        nod_json_push(rows, row_json(&r->rows[i]));
    nod_json_set(j, "rows", rows);
    return j;
}
