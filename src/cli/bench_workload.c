/* bench_workload.c: the table of workloads, and each of them in this process (bench_workload.h).
 *
 * A training workload is a trainer over one batch of random images, so that a step costs what
 * it costs in `nodule train`: gathering the batch, the plan, the optimiser. A prediction is a
 * predictor with the weights packed. */
#include "cli/bench_workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "cli/bench_cohort.h"
#include "infer/predictor.h"
#include "train/trainer.h"

static const nod_bench_workload workloads[] = {
    {.name = "resnet18-step",
     .title = "ResNet-18, 28x28, batch 128: training step",
     .is_training = true,
     .has_bf16 = true,
     .samples = 9,
     .wanted_f32 = 1.7,
     .wanted_amx = 1.1,
     .network = "{\"name\": \"resnet18\", \"stem\": \"small\"}",
     .io = {.channels = 3, .nd = 2, .size = {1, 28, 28}, .n_outputs = 9},
     .batch = 128,
     .peers = {{"torch_step.py", "eager", true},
               {"torch_step.py", "channels-last", true},
               {"torch_step.py", "compile", true}}},
    {.name = "mlp-step",
     .title = "MLP 1000-12-12-2, batch 32: training step",
     .is_training = true,
     .samples = 15,
     .wanted_f32 = 8,
     .wanted_amx = 0,
     .network = "{\"name\": \"mlp\", \"hidden\": [12, 12]}",
     .io = {.channels = 1, .nd = 3, .size = {10, 10, 10}, .n_outputs = 2},
     .batch = 32,
     .peers = {{"torch_step.py", "eager", false}, {"torch_step.py", "compile", false}}},
    {.name = "resnet18-3d-step",
     .title = "3-D ResNet-18, 28x28x28, batch 32: training step",
     .is_training = true,
     .has_bf16 = true,
     .samples = 3,
     .wanted_f32 = 1.3,
     .wanted_amx = 1.0,
     .network = "{\"name\": \"resnet18\", \"stem\": \"small\"}",
     .io = {.channels = 1, .nd = 3, .size = {28, 28, 28}, .n_outputs = 11},
     .batch = 32,
     .peers = {{"torch_step.py", "eager", true},
               {"torch_step.py", "channels-last", true},
               {"torch_step.py", "compile", true}}},
    {.name = "kept-step",
     .title = "ResNet-18, 28x28, batch 128, images from the cache: training step",
     .is_training = true,
     .is_kept = true,
     .has_bf16 = true,
     .samples = 9,
     .network = "{\"name\": \"resnet18\", \"stem\": \"small\"}",
     .io = {.channels = 1, .nd = 2, .size = {1, 28, 28}, .n_outputs = 2},
     .batch = 128},
    {.name = "resnet18-predict",
     .title = "ResNet-18, 224x224: prediction of one image",
     .has_bf16 = true,
     .samples = 15,
     .wanted_f32 = 1.0,
     .wanted_amx = 0.8,
     .network = "{\"name\": \"resnet18\", \"stem\": \"imagenet\"}",
     .io = {.channels = 3, .nd = 2, .size = {1, 224, 224}, .n_outputs = 1000},
     .batch = 1,
     .peers = {{"infer_peers.py", "onnxruntime", false},
               {"infer_peers.py", "openvino", true},
               {"infer_peers.py", "torch-last", true},
               {"infer_peers.py", "torch-compile", true}}},
    {.name = "cache-cold",
     .title = "training part of 256 PNG, 256x256 to 224x224: decoded into an empty cache",
     .samples = 5,
     .reading = &nod_bench_reading_cold},
    {.name = "cache-warm",
     .title = "training part of 256 PNG, 256x256 to 224x224: from the cache into memory",
     .samples = 9,
     .reading = &nod_bench_reading_warm},
    {.name = "read-nifti",
     .title = ".nii.gz, 256x256x180 int16: reading into floats",
     .samples = 15,
     .wanted_f32 = 1.2,
     .reading = &nod_bench_reading_nifti,
     .peers = {{"read_peers.py", "nibabel", false}, {"read_peers.py", "simpleitk", false}}},
    {.name = "read-ct",
     .title = "CT series, 100 files of 512x512: reading into one volume of floats",
     .samples = 15,
     .wanted_f32 = 1.0,
     .reading = &nod_bench_reading_ct,
     .peers = {{"read_peers.py", "simpleitk", false},
               {"read_peers.py", "pydicom", false},
               {"read_peers.py", "dcm2niix", false}}},
    {.name = "inspect-tree",
     .title = "inspect --headers-only: 10 000 DICOM files in 100 series",
     .samples = 7,
     .wanted_f32 = 3.0,
     .reading = &nod_bench_reading_tree,
     .peers = {{"read_peers.py", "pydicom", false}, {"read_peers.py", "pydicom-pool", false}}},
};

const nod_bench_workload *nod_bench_workload_at(size_t i)
{
    return i < NOD_COUNT(workloads) ? &workloads[i] : NULL;
}

const nod_bench_workload *nod_bench_workload_find(const char *name)
{
    for (size_t i = 0; i < NOD_COUNT(workloads); i++)
        if (strcmp(workloads[i].name, name) == 0) return &workloads[i];
    return NULL;
}

struct nod_bench_job {
    const nod_bench_workload *workload;
    nod_recipe *recipe;
    nod_model *model;
    nod_trainer *trainer;
    nod_predictor *predictor;
    float *images, *logits;
    int32_t *labels;
    nod_bench_part part; /* of a kept workload */
    const char *files;   /* the folder that is read; borrowed */
    char folder[512];    /* one of its own, "": none */
};

/* --- making -------------------------------------------------------------------------------- */

static int make_recipe(const nod_bench_workload *w, nod_precision precision, nod_recipe **out,
                       nod_error *err)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_strbuf_printf(
        &text,
        "{\"task\": \"multiclass\", \"precision\": \"%s\", \"input\": {\"size\": [8, 8]}, "
        "\"network\": %s, \"batch_size\": %lld, \"optimiser\": {\"name\": "
        "\"momentum\", \"lr\": 0.01}, \"schedule\": {\"name\": \"constant\"}}",
        nod_precision_name(precision), w->network, (long long)w->batch);
    int rc = text.failed ? nod_fail_memory(err, "recipe", 512)
                         : nod_recipe_parse(text.data, text.len, "bench", out, err);
    nod_strbuf_done(&text);
    return rc;
}

static int make_images(nod_bench_job *job, nod_error *err)
{
    const nod_bench_workload *w = job->workload;
    const nod_network_io *io = &w->io;
    int64_t n = w->batch * io->channels * io->size[0] * io->size[1] * io->size[2];
    job->images = nod_calloc((size_t)n, sizeof *job->images);
    job->labels = nod_calloc((size_t)w->batch, sizeof *job->labels);
    job->logits = nod_calloc((size_t)(w->batch * io->n_outputs), sizeof *job->logits);
    if (!job->images || !job->labels || !job->logits)
        return nod_fail_memory(err, "images of a benchmark", (size_t)n * sizeof(float));
    nod_rng rng = nod_rng_make(0, NOD_RNG_ORDER, 0);
    for (int64_t i = 0; i < n; i++)
        job->images[i] = (float)nod_rng_normal(&rng);
    for (int64_t i = 0; i < w->batch; i++)
        job->labels[i] = (int32_t)nod_rng_below(&rng, (uint64_t)io->n_outputs);
    return 0;
}

static int make_model(const nod_bench_workload *w, nod_model **out, nod_error *err)
{
    nod_json *network = NULL;
    int rc = nod_json_parse(w->network, strlen(w->network), w->name, &network, err);
    if (!rc) rc = nod_model_new(network, &w->io, 1, out, err);
    nod_json_free(network);
    return rc;
}

static int make_trainer(nod_bench_job *job, const nod_patching *patching,
                        const nod_plan_options *plan, const nod_log *log, nod_error *err)
{
    int64_t batch = job->workload->batch;
    nod_examples train = {.n = batch, .images = job->images, .labels = job->labels};
    nod_examples validation = {.n = 1, .images = job->images, .labels = job->labels};
    nod_trainer_options options = {
        .plan = *plan, .log = log, .loading_threads = nod_threads_loading(nod_threads_get())};
    if (job->workload->is_kept) train = nod_dataset_examples(&job->part.dataset);
    return nod_trainer_new(job->recipe, job->model, patching, &train, &validation, &options,
                           &job->trainer, err);
}

/* A folder of its own with the files in it. */
static int make_files(nod_bench_job *job, nod_error *err)
{
    const char *base = getenv("TMPDIR");
    snprintf(job->folder, sizeof job->folder, "%.400s/nodule-bench-XXXXXX",
             base && base[0] ? base : "/tmp");
    if (!mkdtemp(job->folder)) {
        int rc = nod_fail_errno(err, errno, "making the folder %s", job->folder);
        job->folder[0] = '\0';
        return rc;
    }
    job->files = job->folder;
    return job->workload->is_kept ? nod_bench_reading_cold.make(job->folder, err)
                                  : job->workload->reading->make(job->folder, err);
}

/* The training part of the pictures, left in the cache. */
static int make_part(nod_bench_job *job, nod_error *err)
{
    const int64_t *size = job->workload->io.size;
    int rc = make_files(job, err);
    return rc ? rc : nod_bench_part_open(job->folder, size[1], size[2], true, &job->part, err);
}

static void remove_files(const char *folder)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error ignored = NOD_ERROR_INIT;
    if (folder[0] == '\0' || nod_dir_list(folder, &names, &ignored) != 0) return;
    for (size_t i = 0; i < names.n; i++) {
        char *path = nod_path_join(folder, names.items[i]);
        if (path) unlink(path);
        nod_free(path);
    }
    rmdir(folder);
    nod_strlist_done(&names);
}

static int make_network(nod_bench_job *job, nod_precision precision,
                        const nod_kernel_table *table, const nod_log *log, nod_error *err)
{
    const nod_bench_workload *w = job->workload;
    nod_plan_options plan = NOD_PLAN_OPTIONS_INIT;
    nod_patching patching = {.how = NOD_AGGREGATE_MEAN};
    plan.backend = nod_backend_cpu();
    plan.precision = precision;
    plan.table = table;
    memcpy(patching.image, w->io.size, sizeof patching.image);
    int rc = make_images(job, err);
    if (!rc) rc = make_model(w, &job->model, err);
    if (!rc && !w->is_training)
        return nod_predictor_new(job->model, &patching, w->batch, &plan, &job->predictor, err);
    if (!rc) rc = make_recipe(w, precision, &job->recipe, err);
    if (!rc) rc = make_trainer(job, &patching, &plan, log, err);
    return rc;
}

int nod_bench_job_new(const nod_bench_workload *w, nod_precision precision,
                      const nod_kernel_table *table, const char *files, const nod_log *log,
                      nod_bench_job **out, nod_error *err)
{
    nod_bench_job *job = nod_calloc(1, sizeof *job);
    int rc = 0;
    if (!job) return nod_fail_memory(err, "benchmark", sizeof *job);
    job->workload = w;
    job->files = files;
    if (w->is_kept) rc = make_part(job, err);
    if (!rc && !w->reading)
        rc = make_network(job, precision, table, log, err);
    else if (!rc && !files)
        rc = make_files(job, err);
    if (rc)
        nod_bench_job_free(job);
    else
        *out = job;
    return rc;
}

int nod_bench_job_run(nod_bench_job *job, nod_error *err)
{
    double loss;
    if (job->workload->reading) return job->workload->reading->read(job->files, err);
    if (job->trainer) return nod_trainer_step(job->trainer, &loss, err);
    return nod_predictor_run(job->predictor, job->images, job->workload->batch, job->logits,
                             err);
}

double nod_bench_job_waited_s(const nod_bench_job *job)
{
    return job->trainer ? nod_trainer_waited_s(job->trainer) : 0;
}

int nod_bench_job_profile(nod_bench_job *job, int runs, nod_error *err)
{
    if (job->trainer) return nod_trainer_profile(job->trainer, runs, err);
    return nod_predictor_profile(job->predictor, runs, err);
}

const nod_plan *nod_bench_job_plan(const nod_bench_job *job)
{
    return job->trainer ? nod_trainer_plan(job->trainer) : nod_predictor_plan(job->predictor);
}

void nod_bench_job_free(nod_bench_job *job)
{
    if (!job) return;
    nod_trainer_free(job->trainer);
    nod_predictor_free(job->predictor);
    nod_model_free(job->model);
    nod_recipe_free(job->recipe);
    nod_bench_part_done(&job->part);
    nod_free(job->images);
    nod_free(job->labels);
    nod_free(job->logits);
    remove_files(job->folder);
    nod_free(job);
}
