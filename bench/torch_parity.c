/* torch_parity.c: the numbers that tools/oracles/torch_parity.py compares with PyTorch's.
 *
 *     torch_parity CASES.json NAME gradients|curve BACKEND f32|f64|bf16 THREADS OUT.npz
 *
 * gradients: "loss", and the gradient of each parameter and each running statistic after the
 * first step, under its name, in f64. curve: "loss" of each step of the first epoch, and
 * "logits" of the first batch afterwards. See tests/parity_case.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "parity_case.h"
#include "tensor/npz.h"

#define CASES_LIMIT ((size_t)16 << 20)

static void check(int rc, const nod_error *err)
{
    if (rc == 0) return;
    fprintf(stderr, "torch_parity: %s\n", err->message);
    exit(1);
}

static void *take(int64_t n, size_t size)
{
    void *p = nod_calloc((size_t)n, size);
    if (p != NULL) return p;
    fputs("torch_parity: out of memory\n", stderr);
    exit(1);
}

static const nod_json *find_case(const nod_json *root, const char *name)
{
    const nod_json *cases = nod_json_get(root, "cases");
    for (size_t i = 0; i < nod_json_count(cases); i++) {
        const nod_json *j = nod_json_at(cases, i);
        if (strcmp(nod_json_str(nod_json_get(j, "name")), name) == 0) return j;
    }
    fprintf(stderr, "torch_parity: no case '%s'\n", name);
    exit(1);
}

static void write_gradients(const parity_case *c, const nod_plan_options *o, const char *path)
{
    nod_error err = NOD_ERROR_INIT;
    const nod_params *p = c->model->params;
    size_t n = p->n_params + p->n_states + 1;
    double loss, *grads = take(p->size, sizeof *grads);
    double *states = take(p->state_size + 1, sizeof *states);
    const char **names = take((int64_t)n, sizeof *names);
    nod_tensor *arrays = take((int64_t)n, sizeof *arrays);
    check(parity_gradients(c, o, &loss, grads, states, &err), &err);
    for (size_t i = 0; i + 1 < n; i++) {
        bool state = i >= p->n_params;
        const nod_param *q = state ? &p->states[i - p->n_params] : &p->params[i];
        names[i] = q->name;
        arrays[i] =
            nod_tensor_view((state ? states : grads) + q->offset, NOD_DTYPE_F64, &q->shape);
    }
    nod_shape scalar = {0};
    names[n - 1] = "loss";
    arrays[n - 1] = nod_tensor_view(&loss, NOD_DTYPE_F64, &scalar);
    check(nod_npz_write(path, names, arrays, n, false, &err), &err);
    nod_free(grads);
    nod_free(states);
    nod_free(names);
    nod_free(arrays);
}

static void write_curve(parity_case *c, const nod_plan_options *o, const char *path)
{
    nod_error err = NOD_ERROR_INIT;
    static const char *const names[2] = {"loss", "logits"};
    int64_t batch = c->recipe->batch_size, steps = c->examples.n / batch;
    nod_shape shapes[2] = {nod_shape_of(1, steps),
                           nod_shape_of(2, batch, c->model->io.n_outputs)};
    double *losses = take(steps, sizeof *losses);
    float *logits = take(batch * c->model->io.n_outputs, sizeof *logits);
    check(parity_curve(c, o, steps, losses, logits, &err), &err);
    nod_tensor arrays[2] = {nod_tensor_view(losses, NOD_DTYPE_F64, &shapes[0]),
                            nod_tensor_view(logits, NOD_DTYPE_F32, &shapes[1])};
    check(nod_npz_write(path, names, arrays, 2, false, &err), &err);
    nod_free(losses);
    nod_free(logits);
}

int main(int argc, char **argv)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *root = NULL;
    parity_case c;
    if (argc != 8) {
        fputs("usage: torch_parity CASES.json NAME gradients|curve BACKEND f32|f64|bf16 "
              "THREADS OUT.npz\n",
              stderr);
        return 2;
    }
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = nod_backend_find(argv[4]);
    o.precision = strcmp(argv[5], "f64") == 0    ? NOD_PRECISION_F64
                  : strcmp(argv[5], "bf16") == 0 ? NOD_PRECISION_BF16
                                                 : NOD_PRECISION_F32;
    if (o.backend == NULL) {
        fprintf(stderr, "torch_parity: no backend '%s'\n", argv[4]);
        return 2;
    }
    nod_threads_set((int)strtol(argv[6], NULL, 10));
    check(nod_json_read(argv[1], CASES_LIMIT, &root, &err), &err);
    check(parity_case_open(find_case(root, argv[2]), &c, &err), &err);
    if (strcmp(argv[3], "curve") == 0)
        write_curve(&c, &o, argv[7]);
    else
        write_gradients(&c, &o, argv[7]);
    parity_case_done(&c);
    nod_json_free(root);
    return 0;
}
