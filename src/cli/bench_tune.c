/* bench_tune.c: see bench_tune.h. The measuring itself is exec/tune.h. */
#include "cli/bench_tune.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/bench_workload.h"
#include "cli/interrupt.h"
#include "cli/user_kernels.h"
#include "exec/tune.h"
#include "imaging/contract.h"
#include "train/recipe.h"

#define WHOLE_SET 32 /* images that stand for a whole training set as one batch */
/* bf16 becomes what `precision: auto` means where it saves this much of the time of a step. */
#define BF16_GAIN 0.03

typedef struct subject {
    const nod_bench_workload *workload;
    nod_precision precision;
    int runs;
    const nod_log *log;
    nod_bench_job *job;
} subject;

typedef struct tuning {
    nod_cli *cli;
    int runs;
    nod_kernel_table *table;
    double step_s[2]; /* of all training workloads, in f32 and in bf16 */
    nod_json *rows;
} tuning;

static int measure(void *ctx, const nod_kernel_table *table, const nod_plan **plan,
                   nod_error *err)
{
    subject *s = ctx;
    int rc = 0;
    if (nod_interrupt_pending())
        return nod_fail(err, NOD_EINTERRUPTED, "the kernel table is left as it was");
    nod_bench_job_free(s->job);
    s->job = NULL;
    NOD_TRY(nod_bench_job_new(s->workload, s->precision, table, NULL, s->log, &s->job, err));
    NOD_TRY(nod_bench_job_run(s->job, err)); /* gathers a batch and warms up */
    NOD_TRY(nod_bench_job_profile(s->job, s->runs, err));
    *plan = nod_bench_job_plan(s->job);
out:
    return rc;
}

static void report(tuning *t, const nod_bench_workload *w, nod_precision p,
                   const nod_tune_result *r)
{
    const char *precision = nod_precision_name(p);
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "workload", w->name);
    nod_json_set_str(j, "precision", precision);
    nod_json_set_int(j, "kinds", (int64_t)r->n_keys);
    nod_json_set_int(j, "candidates", (int64_t)r->n_candidates);
    nod_json_set_int(j, "changed", (int64_t)r->n_changed);
    nod_json_set_real(j, "before_s", r->before_s / t->runs);
    nod_json_set_real(j, "after_s", r->after_s / t->runs);
    nod_json_push(t->rows, j);
    if (t->cli->json) return;
    fprintf(
        t->cli->out,
        "%s, %s: %zu kinds of nodes, %zu other kernels tried, %zu are faster: %.2f ms by the "
        "rule, %.2f ms now\n",
        w->title, precision, r->n_keys, r->n_candidates, r->n_changed,
        1e3 * r->before_s / t->runs, 1e3 * r->after_s / t->runs);
    fflush(t->cli->out);
}

static int tune(tuning *t, const nod_bench_workload *w, nod_error *err)
{
    int rc = 0;
    static const nod_precision precisions[] = {NOD_PRECISION_F32, NOD_PRECISION_BF16};
    for (size_t i = 0; i < NOD_COUNT(precisions); i++) {
        nod_tune_result r;
        subject s = {
            .workload = w, .precision = precisions[i], .runs = t->runs, .log = t->cli->log};
        nod_tune_work work = {measure, &s};
        if (!nod_backend_cpu()->has_precision(precisions[i])) continue;
        rc = nod_tune(&work, t->table, &r, err);
        nod_bench_job_free(s.job);
        if (rc) return rc;
        report(t, w, precisions[i], &r);
        if (w->is_training) t->step_s[i] += r.after_s;
    }
    return 0;
}

/* The network of a recipe, trained on random images of its size. Two classes: the last layer is
 * never what takes the time. */
static int tune_recipe(tuning *t, const char *path, nod_error *err)
{
    int rc = 0;
    nod_recipe *r = NULL;
    nod_contract k;
    char *network = NULL;
    NOD_TRY(nod_recipe_read(path, &r, err));
    NOD_TRY(nod_contract_from_json(r->input, "input", &k, err));
    NOD_TRY(nod_json_dump(r->network, false, &network, err));
    nod_bench_workload w = {.name = nod_path_base(path),
                            .title = path,
                            .is_training = true,
                            .network = network,
                            .io = {.channels = k.channels, .nd = k.dims, .n_outputs = 2},
                            .batch = r->batch_size > 0 ? r->batch_size : WHOLE_SET};
    nod_contract_result(&k, w.io.size);
    if (r->patch_size[1]) memcpy(w.io.size, r->patch_size, sizeof w.io.size);
    NOD_TRY(tune(t, &w, err));
out:
    nod_free(network);
    nod_recipe_free(r);
    return rc;
}

static int tune_named(tuning *t, const char *name, nod_error *err)
{
    const nod_bench_workload *w = nod_bench_workload_find(name);
    if (w && !w->reading) return tune(t, w, err);
    if (nod_path_is_file(name)) return tune_recipe(t, name, err);
    return nod_fail(err, NOD_EINVAL,
                    "no workload and no recipe '%s'; 'nodule bench --help' lists the workloads",
                    name);
}

static int write_table(const tuning *t, const char *path, nod_error *err)
{
    int rc = 0;
    const nod_backend *cpu = nod_backend_cpu();
    bool bf16 = t->step_s[1] > 0 && t->step_s[1] < (1 - BF16_GAIN) * t->step_s[0];
    char *folder = nod_path_dir(path);
    if (!folder) return nod_fail_memory(err, "path of the kernel table", 4096);
    if (t->step_s[0] > 0)
        NOD_TRY(nod_precision_settle(t->table, cpu,
                                     bf16 ? NOD_PRECISION_BF16 : NOD_PRECISION_F32, err));
    NOD_TRY(nod_dir_make(folder, err));
    NOD_TRY(nod_kernel_table_write(t->table, path, err));
    if (t->cli->json) {
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "file", path);
        nod_json_set(j, "rows", t->rows);
        return nod_cli_put_json(t->cli, j, err);
    }
    fprintf(t->cli->out, "precision: auto is %s\nkernel table: %s, %zu entries\n",
            nod_precision_name(nod_precision_auto(cpu, t->table)), path,
            nod_kernel_table_count(t->table));
out:
    nod_free(folder);
    return rc;
}

int nod_bench_tune(nod_cli *cli, int runs, nod_error *err)
{
    int rc = 0;
    char *path = NULL;
    tuning t = {.cli = cli, .runs = runs, .rows = nod_json_array()};
    nod_interrupt_watch();
    NOD_TRY(nod_user_kernels_path(&path, err));
    NOD_TRY(nod_user_kernels_read(&t.table, err));
    for (size_t i = 0; i < cli->n_args; i++)
        NOD_TRY(tune_named(&t, cli->args[i], err));
    for (size_t i = 0; cli->n_args == 0 && nod_bench_workload_at(i); i++)
        if (!nod_bench_workload_at(i)->reading)
            NOD_TRY(tune(&t, nod_bench_workload_at(i), err));
    rc = write_table(&t, path, err);
    if (cli->json) t.rows = NULL;
out:
    nod_json_free(t.rows);
    nod_kernel_table_free(t.table);
    nod_free(path);
    return rc;
}
