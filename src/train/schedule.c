/* schedule.c: closed forms of the learning-rate schedules; see schedule.h. */
#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

static const char *const names[] = {
    [NOD_SCHEDULE_CONSTANT] = "constant",       [NOD_SCHEDULE_STEP] = "step",
    [NOD_SCHEDULE_EXPONENTIAL] = "exponential", [NOD_SCHEDULE_POLYNOMIAL] = "polynomial",
    [NOD_SCHEDULE_COSINE] = "cosine",           [NOD_SCHEDULE_ONE_CYCLE] = "one_cycle",
    [NOD_SCHEDULE_PLATEAU] = "plateau",
};

int nod_schedule_from_name(const char *name)
{
    for (size_t i = 0; i < NOD_COUNT(names); i++)
        if (strcmp(names[i], name) == 0) return (int)i;
    return -1;
}

const char *nod_schedule_name(nod_schedule_kind kind)
{
    NOD_ASSERT((size_t)kind < NOD_COUNT(names));
    return names[kind];
}

nod_schedule nod_schedule_default(nod_schedule_kind kind, double lr)
{
    return (nod_schedule){.kind = kind,
                          .lr = lr,
                          .factor = kind == NOD_SCHEDULE_EXPONENTIAL ? 0.95 : 0.1,
                          .power = 0.9,
                          .div = 25,
                          .final_div = 1e4,
                          .pct = 0.3,
                          .every = 30,
                          .patience = 10,
                          .threshold = 1e-4,
                          .total_steps = 1,
                          .steps_per_epoch = 1,
                          .scale = 1};
}

/* From a at t = 0 to b at t = 1 along half a cosine. */
static double cosine_between(double a, double b, double t)
{
    return b + (a - b) * 0.5 * (1 + cos(M_PI * t));
}

static double one_cycle(const nod_schedule *s, double done, double total)
{
    double up = s->pct * total - 1, low = s->lr / s->div;
    if (up > 0 && done <= up) return cosine_between(low, s->lr, done / up);
    double down = total - 1 - up;
    double t = down > 0 ? (done - up) / down : 1;
    return cosine_between(s->lr, low / s->final_div, NOD_MIN(t, 1));
}

double nod_schedule_lr(const nod_schedule *s, int64_t step)
{
    if (step < s->warmup_steps) return s->lr * (double)(step + 1) / (double)s->warmup_steps;
    double total = (double)(s->total_steps - s->warmup_steps);
    double done = (double)(step - s->warmup_steps);
    double t = total > 0 ? NOD_MIN(done / total, 1.0) : 1.0;
    int64_t epoch = step / NOD_MAX(s->steps_per_epoch, 1);
    int64_t n_falls = epoch / NOD_MAX(s->every, 1);
    switch (s->kind) {
    case NOD_SCHEDULE_CONSTANT:
        return s->lr;
    case NOD_SCHEDULE_STEP:
        return s->lr * pow(s->factor, (double)n_falls);
    case NOD_SCHEDULE_EXPONENTIAL:
        return s->lr * pow(s->factor, (double)epoch);
    case NOD_SCHEDULE_POLYNOMIAL:
        return s->lr_min + (s->lr - s->lr_min) * pow(1 - t, s->power);
    case NOD_SCHEDULE_COSINE:
        return cosine_between(s->lr, s->lr_min, t);
    case NOD_SCHEDULE_ONE_CYCLE:
        return one_cycle(s, done, total);
    case NOD_SCHEDULE_PLATEAU:
        return NOD_MAX(s->lr * s->scale, s->lr_min);
    }
    NOD_ASSERT(!"a schedule of the table");
}

void nod_schedule_observe(nod_schedule *s, double loss)
{
    if (s->kind != NOD_SCHEDULE_PLATEAU) return;
    if (!s->has_best || loss < s->best * (1 - s->threshold)) {
        s->best = loss;
        s->has_best = true;
        s->bad_epochs = 0;
    } else if (++s->bad_epochs > s->patience) {
        s->scale *= s->factor;
        s->bad_epochs = 0;
    }
}
