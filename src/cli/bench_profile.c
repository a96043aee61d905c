/* bench_profile.c: the steps of a plan with their times, summed by operation and kernel. Steps
 * are timed one by one, which costs a clock call each: for a plan of many tiny steps the sum is
 * more than a step of `nodule bench`. The optimiser and the gathering of a batch are not part
 * of the plan. */
#include "cli/bench_profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/user_kernels.h"

typedef struct group {
    const char *kernel, *layer; /* layer: of its slowest step */
    nod_op op;
    int n;
    double time_s, slowest_s, macs;
} group;

static int by_time(const void *a, const void *b)
{
    double x = ((const group *)a)->time_s, y = ((const group *)b)->time_s;
    return (x < y) - (x > y);
}

/* Adds up the steps of equal operation and kernel; how many groups. */
static size_t gather(const nod_plan *p, group *groups)
{
    size_t n = 0;
    for (size_t i = 0; i < nod_plan_steps(p); i++) {
        nod_plan_step s = nod_plan_step_at(p, i);
        size_t k = 0;
        while (k < n && (groups[k].op != s.op || strcmp(groups[k].kernel, s.kernel) != 0))
            k++;
        if (k == n) groups[n++] = (group){.kernel = s.kernel, .op = s.op};
        groups[k].n++;
        groups[k].time_s += s.time_s;
        groups[k].macs += (double)s.macs;
        if (groups[k].layer == NULL || s.time_s > groups[k].slowest_s) {
            groups[k].layer = s.layer;
            groups[k].slowest_s = s.time_s;
        }
    }
    qsort(groups, n, sizeof *groups, by_time);
    return n;
}

static int to_text(const nod_bench_workload *w, const nod_plan *p, int runs, nod_strbuf *out,
                   nod_error *err)
{
    group *groups = nod_calloc(nod_plan_steps(p) + 1, sizeof *groups);
    if (!groups) return nod_fail_memory(err, "a profile", nod_plan_steps(p) * sizeof *groups);
    size_t n = gather(p, groups);
    double all = 0;
    for (size_t i = 0; i < n; i++)
        all += groups[i].time_s;
    nod_strbuf_printf(out, "%s: %zu steps, %.3f ms in the plan\n\n", w->title,
                      nod_plan_steps(p), 1e3 * all / runs);
    nod_strbuf_printf(out, "  %-20s %-18s %5s %10s %6s %8s  %s\n", "operation", "kernel",
                      "steps", "ms", "share", "GMAC/s", "slowest layer");
    for (size_t i = 0; i < n; i++) {
        const group *g = &groups[i];
        double rate = g->time_s > 0 ? g->macs * runs / g->time_s / 1e9 : 0;
        nod_strbuf_printf(out, "  %-20s %-18s %5d %10.3f %5.1f%% %8.1f  %s\n",
                          nod_op_name(g->op), g->kernel, g->n, 1e3 * g->time_s / runs,
                          all > 0 ? 100 * g->time_s / all : 0, rate, g->layer);
    }
    nod_free(groups);
    return 0;
}

static nod_json *to_json(const nod_bench_workload *w, const nod_plan *p, int runs)
{
    nod_json *j = nod_json_object(), *steps = nod_json_array();
    nod_json_set_str(j, "workload", w->name);
    for (size_t i = 0; i < nod_plan_steps(p); i++) {
        nod_plan_step s = nod_plan_step_at(p, i);
        nod_json *step = nod_json_object();
        nod_json_set_str(step, "layer", s.layer);
        nod_json_set_str(step, "operation", nod_op_name(s.op));
        nod_json_set_str(step, "kernel", s.kernel);
        nod_json_set_real(step, "time_s", s.time_s / runs);
        nod_json_set_int(step, "macs", s.macs);
        nod_json_push(steps, step);
    }
    nod_json_set(j, "steps", steps);
    return j;
}

int nod_bench_profile(const nod_bench_workload *w, nod_precision precision, int runs,
                      const nod_log *log, nod_strbuf *text, nod_json **json, nod_error *err)
{
    nod_bench_job *job = NULL;
    nod_kernel_table *table = NULL;
    int rc = 0;
    NOD_TRY(nod_user_kernels_read(&table, err));
    NOD_TRY(nod_bench_job_new(w, precision, table, NULL, log, &job, err));
    NOD_TRY(nod_bench_job_run(job, err)); /* gathers a batch and warms up */
    NOD_TRY(nod_bench_job_profile(job, runs, err));
    if (text)
        NOD_TRY(to_text(w, nod_bench_job_plan(job), runs, text, err));
    else
        *json = to_json(w, nod_bench_job_plan(job), runs);
out:
    nod_bench_job_free(job);
    nod_kernel_table_free(table);
    return rc;
}
