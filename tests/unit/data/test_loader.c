/* test_loader.c: batches come in order, the same for any number of threads, and from anywhere in
 * the stream.
 * LABELS: tsan */
#include "base/memory.h"
#include "cohort_maker.h"
#include "data/loader.h"

enum { N = 23, SAMPLES = 12 };

/* Image i holds 100 i + 0 .. 11; label i is i % 3. */
static nod_dataset dataset(void)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dataset d = {0};
    nod_shape shape = nod_shape_of(4, N, 1, 3, 4);
    if (nod_tensor_init(&d.images, NOD_DTYPE_F32, &shape, &err) != 0)
        fail_msg("%s", err.message);
    d.labels = (nod_labels){.n = N, .n_classes = 3};
    d.labels.values = nod_calloc(N, sizeof *d.labels.values);
    for (int i = 0; i < N; i++) {
        d.labels.values[i] = i % 3;
        for (int k = 0; k < SAMPLES; k++)
            ((float *)d.images.data)[i * SAMPLES + k] = (float)(100 * i + k);
    }
    return d;
}

static nod_sampler *sampler(const nod_dataset *d, int64_t batch, bool drop_last)
{
    nod_error err = NOD_ERROR_INIT;
    nod_sampler *s = NULL;
    nod_sampler_options o = {
        .kind = NOD_SAMPLING_SHUFFLED, .seed = 9, .batch = batch, .drop_last = drop_last};
    if (nod_sampler_new(&d->labels, &o, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

/* Reads the stream to its end and checks it against the sampler's own orders. */
static void check_stream(const nod_dataset *d, const nod_sampler *s, nod_loader_options o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_loader *l = NULL;
    const nod_batch *b = NULL;
    int64_t order[N], batch = nod_sampler_batch(s), i = o.batch, epoch = o.epoch;
    if (nod_loader_open(d, s, &o, &l, &err) != 0) fail_msg("%s", err.message);
    for (; epoch < o.epochs; epoch++, i = 0) {
        assert_int_equal(nod_sampler_order(s, epoch, order, &err), 0);
        for (; i < nod_sampler_batches(s); i++) {
            if (nod_loader_next(l, &b, &err) != 0) fail_msg("%s", err.message);
            assert_non_null(b);
            assert_int_equal(b->epoch, epoch);
            assert_int_equal(b->i, i);
            int64_t n = NOD_MIN(batch, nod_sampler_visits(s) - i * batch);
            assert_int_equal(b->n, n);
            assert_int_equal(b->images.shape.dim[0], batch);
            const float *v = b->images.data;
            for (int64_t k = 0; k < batch; k++) {
                int64_t c = k < n ? order[i * batch + k] : -1;
                assert_int_equal(b->cases[k], c);
                assert_int_equal(b->labels[k], c < 0 ? 0 : c % 3);
                assert_true(v[k * SAMPLES + 5] == (c < 0 ? 0.0f : (float)(100 * c + 5)));
            }
        }
    }
    assert_int_equal(nod_loader_next(l, &b, &err), 0);
    assert_null(b);
    assert_int_equal(nod_loader_next(l, &b, &err), 0);
    assert_null(b);
    nod_loader_close(l);
}

static void test_streams(void **state)
{
    (void)state;
    nod_dataset d = dataset();
    static const int threads[] = {1, 2, 5}, ahead[] = {1, 2, 7};
    for (size_t t = 0; t < NOD_COUNT(threads); t++)
        for (size_t a = 0; a < NOD_COUNT(ahead); a++)
            for (int64_t batch = 1; batch <= 24; batch += 5)
                for (int drop = 0; drop < 2; drop++) {
                    if (drop && batch > N) continue;
                    nod_sampler *s = sampler(&d, batch, drop);
                    nod_loader_options o = {
                        .threads = threads[t], .ahead = ahead[a], .epochs = 4};
                    check_stream(&d, s, o);
                    nod_sampler_free(s);
                }
    nod_dataset_done(&d);
}

static void test_resumed_stream(void **state)
{
    (void)state;
    nod_dataset d = dataset();
    nod_sampler *s = sampler(&d, 5, false); /* five batches an epoch */
    for (int64_t epoch = 0; epoch < 3; epoch++)
        for (int64_t batch = 0; batch < 5; batch++) {
            nod_loader_options o = {
                .threads = 2, .ahead = 3, .epoch = epoch, .batch = batch, .epochs = 3};
            check_stream(&d, s, o);
        }
    nod_sampler_free(s);
    nod_dataset_done(&d);
}

static void test_closed_early(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_dataset d = dataset();
    nod_sampler *s = sampler(&d, 2, false);
    for (int taken = 0; taken < 6; taken++) {
        nod_loader_options o = {.threads = 3, .ahead = 4, .epochs = 1000000};
        nod_loader *l = NULL;
        const nod_batch *b;
        assert_int_equal(nod_loader_open(&d, s, &o, &l, &err), 0);
        for (int i = 0; i < taken; i++)
            assert_int_equal(nod_loader_next(l, &b, &err), 0);
        nod_loader_close(l);
    }
    nod_loader_options bad = NOD_LOADER_OPTIONS_INIT;
    nod_loader *l = NULL;
    bad.threads = 0;
    assert_int_equal(nod_loader_open(&d, s, &bad, &l, &err), NOD_EINVAL);
    bad.threads = 1;
    bad.batch = 99;
    assert_int_equal(nod_loader_open(&d, s, &bad, &l, &err), NOD_EINVAL);
    assert_null(l);
    nod_sampler_free(s);
    nod_dataset_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_resumed_stream),
        cmocka_unit_test(test_closed_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
