/* loss.c: losses as scalars, and their gradients scaled by dloss[1].
 *
 * The definitions are torch.nn.functional's with reduction "mean" (cross_entropy,
 * binary_cross_entropy_with_logits, mse_loss, l1_loss); focal: Lin et al. 2017. Everything is
 * written on logits through log-softmax and log-sigmoid, so that no loss overflows. Labels are
 * i32; one outside 0..K-1 is an error of the run. */
#include <math.h>

#include "backend/act.h"
#include "backend/ref/ref.h"

/* The logits of one label: K numbers, `step` apart. */
typedef struct row {
    const double *z;
    int64_t n, step;
    double log_sum; /* log of sum of exp(z) */
} row;

static row row_at(const nod_ref_view *v, const double *logits, int64_t i)
{
    row r = {logits + i / v->plane * v->c * v->plane + i % v->plane, v->c, v->plane, 0};
    double top = -INFINITY, sum = 0;
    for (int64_t c = 0; c < r.n; c++)
        top = r.z[c * r.step] > top ? r.z[c * r.step] : top;
    for (int64_t c = 0; c < r.n; c++)
        sum += exp(r.z[c * r.step] - top);
    r.log_sum = top + log(sum);
    return r;
}

static double log_p(const row *r, int64_t c)
{
    return r->z[c * r->step] - r->log_sum;
}

/* 1 - p of class y, from the other classes: exact where p is near 1. */
static double one_minus_p(const row *r, int64_t y)
{
    double sum = 0;
    for (int64_t c = 0; c < r->n; c++)
        if (c != y) sum += exp(log_p(r, c));
    return sum;
}

static int check_labels(const nod_kernel *k, const int32_t *labels, nod_error *err)
{
    int64_t count = nod_shape_count(&k->in[1]), n_classes = k->in[0].dim[1];
    for (int64_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= n_classes)
            return nod_fail(err, NOD_EDATA,
                            "label %d at index %lld is outside 0..%lld, the classes of the "
                            "network's output",
                            labels[i], (long long)i, (long long)n_classes - 1);
    return 0;
}

static double class_weight(const double *weights, int64_t c)
{
    return weights != NULL ? weights[c] : 1;
}

/* Sum of the weights of all labels: what cross-entropy's mean divides by. */
static double total_weight(const nod_kernel *k, const int32_t *labels, const double *weights)
{
    double sum = 0;
    for (int64_t i = 0; i < nod_shape_count(&k->in[1]); i++)
        sum += class_weight(weights, labels[i]);
    return sum;
}

/* --- cross-entropy ------------------------------------------------------------------------ */

/* logits[N,K,S] labels[N,S] [class_weight[K]] -> loss[1]:
 * ((1-s) sum_i w_yi (-log p_i,yi) + s/K sum_i sum_c w_c (-log p_i,c)) / sum_i w_yi */
int nod_ref_loss_ce(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const int32_t *labels = a->in[1];
    const double *weights = a->in[2];
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    double smoothing = k->attr.smoothing, hard = 0, smooth = 0;
    int rc = check_labels(k, labels, err);
    if (rc != 0) return rc;
    for (int64_t i = 0; i < v.n * v.plane; i++) {
        row r = row_at(&v, a->in[0], i);
        hard -= class_weight(weights, labels[i]) * log_p(&r, labels[i]);
        for (int64_t c = 0; c < v.c && smoothing > 0; c++)
            smooth -= class_weight(weights, c) * log_p(&r, c);
    }
    *(double *)a->out[0] = ((1 - smoothing) * hard + smoothing / (double)v.c * smooth) /
                           total_weight(k, labels, weights);
    return 0;
}

/* logits labels [class_weight] dloss[1] -> dlogits. With t_c the weight of -log p_c above,
 * d/dz_c = p_c * sum of t - t_c. */
int nod_ref_loss_ce_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const int32_t *labels = a->in[1];
    const double *weights = a->in[2], *dloss = a->in[3];
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    double smoothing = k->attr.smoothing, sum_w = 0;
    int rc = check_labels(k, labels, err);
    if (rc != 0) return rc;
    double scale = *dloss / total_weight(k, labels, weights);
    for (int64_t c = 0; c < v.c; c++)
        sum_w += class_weight(weights, c);
    for (int64_t i = 0; i < v.n * v.plane; i++) {
        row r = row_at(&v, a->in[0], i);
        double *dz = (double *)a->out[0] + i / v.plane * v.c * v.plane + i % v.plane;
        double hard = (1 - smoothing) * class_weight(weights, labels[i]);
        double soft = smoothing / (double)v.c;
        for (int64_t c = 0; c < v.c; c++) {
            double t = soft * class_weight(weights, c) + (c == labels[i] ? hard : 0);
            dz[c * v.plane] = scale * (exp(log_p(&r, c)) * (hard + soft * sum_w) - t);
        }
    }
    return 0;
}

/* --- focal -------------------------------------------------------------------------------- */

/* logits[N,K] labels[N] [class_weight[K]] -> mean of -w_y (1-p_y)^gamma log p_y */
int nod_ref_loss_focal(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const int32_t *labels = a->in[1];
    const double *weights = a->in[2];
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    double sum = 0;
    int rc = check_labels(k, labels, err);
    if (rc != 0) return rc;
    for (int64_t i = 0; i < v.n * v.plane; i++) {
        row r = row_at(&v, a->in[0], i);
        sum -= class_weight(weights, labels[i]) *
               pow(one_minus_p(&r, labels[i]), k->attr.gamma) * log_p(&r, labels[i]);
    }
    *(double *)a->out[0] = sum / (double)(v.n * v.plane);
    return 0;
}

/* logits labels [class_weight] dloss[1] -> dlogits:
 * w_y (gamma p_y (1-p_y)^(gamma-1) log p_y - (1-p_y)^gamma) * ((c == y) - p_c) */
int nod_ref_loss_focal_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const int32_t *labels = a->in[1];
    const double *weights = a->in[2], *dloss = a->in[3];
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    double gamma = k->attr.gamma;
    int rc = check_labels(k, labels, err);
    if (rc != 0) return rc;
    for (int64_t i = 0; i < v.n * v.plane; i++) {
        row r = row_at(&v, a->in[0], i);
        double *dz = (double *)a->out[0] + i / v.plane * v.c * v.plane + i % v.plane;
        double q = one_minus_p(&r, labels[i]), slope = -pow(q, gamma);
        if (gamma > 0 && q > 0) /* the term's limit at q = 0 is 0 */
            slope +=
                gamma * exp(log_p(&r, labels[i])) * pow(q, gamma - 1) * log_p(&r, labels[i]);
        slope *= *dloss * class_weight(weights, labels[i]) / (double)(v.n * v.plane);
        for (int64_t c = 0; c < v.c; c++)
            dz[c * v.plane] = slope * (c == labels[i] ? q : -exp(log_p(&r, c)));
    }
    return 0;
}

/* --- binary cross-entropy ----------------------------------------------------------------- */

/* logits[N,L] targets[N,L] [pos_weight[L]] -> mean of
 * -(pw t log sigmoid(z) + (1-t) log(1 - sigmoid(z))) */
int nod_ref_loss_bce(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *z = a->in[0], *target = a->in[1], *pos_weight = a->in[2];
    double sum = 0;
    int64_t count = v.n * v.c * v.plane;
    for (int64_t i = 0; i < count; i++) {
        double weight = class_weight(pos_weight, i / v.plane % v.c);
        /* -log sigmoid(z) = softplus(-z), -log(1 - sigmoid(z)) = softplus(-z) + z */
        double softplus = log1p(exp(-fabs(z[i]))) + (z[i] < 0 ? -z[i] : 0);
        sum += (1 - target[i]) * z[i] + (1 + (weight - 1) * target[i]) * softplus;
    }
    *(double *)a->out[0] = sum / (double)count;
    return 0;
}

/* logits targets [pos_weight] dloss[1] -> dlogits */
int nod_ref_loss_bce_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *z = a->in[0], *target = a->in[1], *pos_weight = a->in[2], *dloss = a->in[3];
    double *dz = a->out[0];
    int64_t count = v.n * v.c * v.plane;
    for (int64_t i = 0; i < count; i++) {
        double weight = class_weight(pos_weight, i / v.plane % v.c), t = target[i];
        double slope = (1 - t) - (1 + (weight - 1) * t) * nod_act_sigmoid(-z[i]);
        dz[i] = *dloss * slope / (double)count;
    }
    return 0;
}

/* --- squared and absolute error ----------------------------------------------------------- */

/* pred target -> mean of (pred-target)^2 */
int nod_ref_loss_mse(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *pred = a->in[0], *target = a->in[1];
    double sum = 0;
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        sum += (pred[i] - target[i]) * (pred[i] - target[i]);
    *(double *)a->out[0] = sum / (double)count;
    return 0;
}

/* pred target dloss[1] -> dpred */
int nod_ref_loss_mse_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *pred = a->in[0], *target = a->in[1], *dloss = a->in[2];
    double *dpred = a->out[0];
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        dpred[i] = *dloss * 2 * (pred[i] - target[i]) / (double)count;
    return 0;
}

/* pred target -> mean of |pred-target| */
int nod_ref_loss_mae(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *pred = a->in[0], *target = a->in[1];
    double sum = 0;
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        sum += fabs(pred[i] - target[i]);
    *(double *)a->out[0] = sum / (double)count;
    return 0;
}

/* pred target dloss[1] -> dpred; 0 where they are equal */
int nod_ref_loss_mae_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *pred = a->in[0], *target = a->in[1], *dloss = a->in[2];
    double *dpred = a->out[0];
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++) {
        double sign = (pred[i] > target[i]) - (pred[i] < target[i]);
        dpred[i] = *dloss * sign / (double)count;
    }
    return 0;
}
