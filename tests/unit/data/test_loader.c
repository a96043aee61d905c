/* test_loader.c: batches come in order, the same for any number of threads, and from anywhere in
 * the stream.
 * LABELS: tsan */
#include "base/memory.h"
#include "cohort_maker.h"
#include "data/loader.h"

enum { N = 23, SAMPLES = 12 };

typedef struct part {
    float images[N * SAMPLES];
    int32_t labels[N];
    nod_examples examples;
    int64_t fails; /* the image that cannot be fetched; -1: none */
} part;

static int fetch(const void *ctx, int64_t i, float *dst, nod_error *err)
{
    const part *p = ctx;
    if (i == p->fails) return nod_fail(err, NOD_EIO, "image %lld is gone", (long long)i);
    memcpy(dst, p->images + i * SAMPLES, SAMPLES * sizeof *dst);
    return 0;
}

/* Image i holds 100 i + 0 .. 11; label i is i % 3. */
static void part_make(part *p, bool in_memory)
{
    for (int i = 0; i < N; i++) {
        p->labels[i] = i % 3;
        for (int k = 0; k < SAMPLES; k++)
            p->images[i * SAMPLES + k] = (float)(100 * i + k);
    }
    p->fails = -1;
    p->examples = (nod_examples){.n = N,
                                 .images = in_memory ? p->images : NULL,
                                 .labels = p->labels,
                                 .fetch = in_memory ? NULL : fetch,
                                 .fetch_ctx = p};
}

static nod_sampler *sampler(part *p, int64_t batch, bool drop_last)
{
    nod_error err = NOD_ERROR_INIT;
    nod_sampler *s = NULL;
    nod_labels labels = {.n = N, .n_classes = 3, .values = p->labels};
    nod_sampler_options o = {
        .kind = NOD_SAMPLING_SHUFFLED, .seed = 9, .batch = batch, .drop_last = drop_last};
    if (nod_sampler_new(&labels, &o, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

static nod_loader_options options(int threads, int ahead)
{
    nod_loader_options o = NOD_LOADER_OPTIONS_INIT;
    o.threads = threads;
    o.ahead = ahead;
    o.image_size = SAMPLES;
    return o;
}

/* Reads the stream to its end and checks it against the sampler's own orders. */
static void check_stream(const part *d, const nod_sampler *s, nod_loader_options o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_loader *l = NULL;
    const nod_batch *b = NULL;
    int64_t order[N], batch = nod_sampler_batch(s), i = o.batch, epoch = o.epoch;
    if (nod_loader_open(&d->examples, s, &o, &l, &err) != 0) fail_msg("%s", err.message);
    for (; epoch < o.epochs; epoch++, i = 0) {
        assert_int_equal(nod_sampler_order(s, epoch, order, &err), 0);
        for (; i < nod_sampler_batches(s); i++) {
            if (nod_loader_next(l, &b, &err) != 0) fail_msg("%s", err.message);
            assert_non_null(b);
            assert_int_equal(b->epoch, epoch);
            assert_int_equal(b->i, i);
            int64_t n = NOD_MIN(batch, nod_sampler_visits(s) - i * batch);
            assert_int_equal(b->n, n);
            const float *v = b->images;
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
    static part d;
    static const int threads[] = {0, 1, 2, 5}, ahead[] = {1, 2, 7};
    for (int memory = 0; memory < 2; memory++)
        for (size_t t = 0; t < NOD_COUNT(threads); t++)
            for (size_t a = 0; a < NOD_COUNT(ahead); a++)
                for (int64_t batch = 1; batch <= 24; batch += 5)
                    for (int drop = 0; drop < 2; drop++) {
                        if (drop && batch > N) continue;
                        part_make(&d, memory != 0);
                        nod_sampler *s = sampler(&d, batch, drop);
                        nod_loader_options o = options(threads[t], ahead[a]);
                        o.epochs = 4;
                        check_stream(&d, s, o);
                        nod_sampler_free(s);
                    }
}

static void test_resumed_stream(void **state)
{
    (void)state;
    static part d;
    part_make(&d, true);
    nod_sampler *s = sampler(&d, 5, false); /* five batches an epoch */
    for (int64_t epoch = 0; epoch < 3; epoch++)
        for (int64_t batch = 0; batch < 5; batch++) {
            nod_loader_options o = options(2, 3);
            o.epoch = epoch;
            o.batch = batch;
            o.epochs = 3;
            check_stream(&d, s, o);
        }
    nod_sampler_free(s);
}

/* Writes epoch, case and the image's first and last float. */
static int describe(const void *ctx, int64_t epoch, int64_t i_case, const float *image,
                    float *dst, nod_error *err)
{
    (void)err;
    assert_string_equal(ctx, "context");
    const float row[] = {(float)epoch, (float)i_case, image[0], image[SAMPLES - 1]};
    memcpy(dst, row, sizeof row);
    return 0;
}

static void test_transform(void **state)
{
    (void)state;
    static part d;
    nod_error err = NOD_ERROR_INIT;
    for (int memory = 0; memory < 2; memory++)
        for (int threads = 0; threads < 4; threads++) {
            nod_loader *l = NULL;
            const nod_batch *b;
            nod_loader_options o = options(threads, 3);
            o.transform = describe;
            o.transform_ctx = "context";
            o.out_size = 4;
            part_make(&d, memory != 0);
            nod_sampler *s = sampler(&d, 4, true);
            assert_int_equal(nod_loader_open(&d.examples, s, &o, &l, &err), 0);
            for (int64_t i = 0; i < 20; i++) { /* four epochs of a stream without end */
                assert_int_equal(nod_loader_next(l, &b, &err), 0);
                for (int64_t k = 0; k < 4; k++) {
                    const float *row = b->images + k * 4;
                    assert_true(row[0] == (float)(i / 5));
                    assert_true(row[1] == (float)b->cases[k]);
                    assert_true(row[2] == (float)(100 * b->cases[k]));
                    assert_true(row[3] == (float)(100 * b->cases[k] + SAMPLES - 1));
                }
            }
            nod_loader_close(l);
            nod_sampler_free(s);
        }
}

/* An image that cannot be fetched is its batch's error, at its place, for any threads. */
static void test_failed_batch(void **state)
{
    (void)state;
    static part d;
    for (int threads = 0; threads < 4; threads++) {
        nod_error err = NOD_ERROR_INIT;
        nod_loader *l = NULL;
        const nod_batch *b;
        int64_t order[N];
        nod_loader_options o = options(threads, 4);
        part_make(&d, false);
        nod_sampler *s = sampler(&d, 3, false);
        assert_int_equal(nod_sampler_order(s, 0, order, &err), 0);
        d.fails = order[7]; /* in the third batch */
        assert_int_equal(nod_loader_open(&d.examples, s, &o, &l, &err), 0);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(nod_loader_next(l, &b, &err), i == 2 ? NOD_EIO : 0);
            if (i == 2) expect_in(err.message, "is gone");
            if (i != 2) assert_int_equal(b->i, i);
        }
        nod_loader_close(l);
        nod_sampler_free(s);
    }
}

static void test_closed_early(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    static part d;
    part_make(&d, true);
    nod_sampler *s = sampler(&d, 2, false);
    nod_loader *l = NULL;
    for (int taken = 0; taken < 6; taken++) {
        nod_loader_options o = options(3, 4);
        const nod_batch *b;
        assert_int_equal(nod_loader_open(&d.examples, s, &o, &l, &err), 0);
        for (int i = 0; i < taken; i++)
            assert_int_equal(nod_loader_next(l, &b, &err), 0);
        assert_true(nod_loader_waited_s(l) >= 0);
        nod_loader_close(l);
    }
    l = NULL;
    nod_loader_options bad = options(17, 4);
    assert_int_equal(nod_loader_open(&d.examples, s, &bad, &l, &err), NOD_EINVAL);
    bad = options(1, 65);
    assert_int_equal(nod_loader_open(&d.examples, s, &bad, &l, &err), NOD_EINVAL);
    bad = options(1, 4);
    bad.batch = 99;
    assert_int_equal(nod_loader_open(&d.examples, s, &bad, &l, &err), NOD_EINVAL);
    assert_null(l);
    nod_sampler_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),      cmocka_unit_test(test_resumed_stream),
        cmocka_unit_test(test_transform),    cmocka_unit_test(test_failed_batch),
        cmocka_unit_test(test_closed_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
