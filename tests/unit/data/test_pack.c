/* test_pack.c: records of the cache's file: values come back bit for bit in the smallest form that can
 * give them, and nothing but whole records is taken. */
#include <math.h>

#include "base/memory.h"
#include "cohort_maker.h"
#include "data/pack.h"

enum { SAMPLES = 12 };

static nod_contract contract(void)
{
    nod_contract k;
    nod_contract_init(&k, 2, 1, 3, 4);
    return k;
}

static nod_pack_key key_of(unsigned i)
{
    nod_pack_key key;
    memset(&key, 0, sizeof key);
    memset(key.content, '0' + (int)(i % 10), sizeof key.content - 1);
    memset(key.state, 'a' + (int)(i / 10), sizeof key.state - 1);
    return key;
}

/* Appends a record; its size. */
static size_t add(nod_strbuf *file, unsigned i, const float *values)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k = contract();
    nod_pack_key key = key_of(i);
    nod_contract_sums sums = {.n = {SAMPLES}, .mean = {1.5 + i}, .accepts = {.n_images = 1}};
    uint8_t *record = NULL;
    size_t size = 0;
    if (nod_pack_record(&k, &key, values, &sums, &record, &size, &err))
        fail_msg("%s", err.message);
    nod_strbuf_addn(file, (const char *)record, size);
    nod_free(record);
    return size;
}

/* Form by form: values, and the bytes of a sample in the file. */
static void test_forms(void **state)
{
    (void)state;
    static const struct {
        double low, step, scale;
        size_t bytes;
    } cases[] = {
        {0, 23, 255, 1},    /* u8 in [0,1] */
        {0, 1, 65535, 2},   /* u16 in [0,1] */
        {3, 17, 1, 1},      /* u8 as stored */
        {200, 5000, 1, 2},  /* u16 as stored */
        {-1024, 371, 1, 2}, /* Hounsfield units */
        {0.1, 0.371, 1, 4}, /* what resizing leaves */
        {-40000, 1, 1, 4},  /* beyond 16 bits */
    };
    size_t smallest = 0;
    for (size_t t = 0; t < NOD_COUNT(cases); t++) {
        float v[SAMPLES], got[SAMPLES];
        nod_strbuf file = NOD_STRBUF_INIT;
        for (int i = 0; i < SAMPLES; i++)
            v[i] = (float)((cases[t].low + i * cases[t].step) / cases[t].scale);
        size_t size = add(&file, 0, v);
        nod_pack_key key = key_of(0);
        assert_true(nod_pack_check((const uint8_t *)file.data, 0, &key));
        nod_pack_values((const uint8_t *)file.data, 0, got);
        assert_memory_equal(got, v, sizeof v);
        /* 12 samples are below one line of 64 bytes in each form: the head says how long they are */
        uint64_t bytes;
        memcpy(&bytes, file.data + 16, sizeof bytes);
        assert_int_equal(bytes, SAMPLES * cases[t].bytes);
        smallest = smallest ? NOD_MIN(smallest, size) : size;
        nod_strbuf_done(&file);
    }
    assert_true(smallest < 512);
    const float odd[SAMPLES] = {-0.0f, 1, 0.5f, 1e-40f, 3e38f};
    float got[SAMPLES];
    nod_strbuf file = NOD_STRBUF_INIT;
    add(&file, 0, odd);
    nod_pack_values((const uint8_t *)file.data, 0, got);
    assert_memory_equal(got, odd, sizeof odd);
    nod_strbuf_done(&file);
}

static void test_sums(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_strbuf file = NOD_STRBUF_INIT;
    nod_contract k = contract();
    nod_pack_key key = key_of(0);
    nod_contract_sums sums, got;
    const float v[SAMPLES] = {0};
    uint8_t *record;
    size_t size;
    uint8_t *bytes = (uint8_t *)&sums;
    for (size_t i = 0; i < sizeof sums; i++)
        bytes[i] = i % 2 || i % 7 == 0 ? (uint8_t)(i * 31 + 1) : 0; /* hard to shorten */
    sums.accepts.modality = (nod_terms){.n = 1, .term = {"CT"}};
    sums.accepts.photometric = sums.accepts.orientation = (nod_terms){0};
    assert_int_equal(nod_pack_record(&k, &key, v, &sums, &record, &size, &err), 0);
    assert_int_equal(nod_pack_sums(record, 0, &got, &err), 0);
    assert_memory_equal(&got, &sums, sizeof sums);
    nod_free(record);
    sums.accepts.modality.n = NOD_ACCEPTANCE_TERMS + 1; /* of no program */
    assert_int_equal(nod_pack_record(&k, &key, v, &sums, &record, &size, &err), 0);
    assert_int_equal(nod_pack_sums(record, 0, &got, &err), NOD_EFORMAT);
    nod_free(record);
    nod_strbuf_done(&file);
}

/* Of equal cases the last one counts; the state must be the very one; a cut file ends before the record
 * that was cut; a changed byte is found. */
static void test_scan(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_contract k = contract();
    nod_strbuf file = NOD_STRBUF_INIT;
    nod_pack_index x;
    float v[SAMPLES] = {0};
    size_t ends[5] = {0};
    assert_int_equal(nod_pack_header(&k, &file, &err), 0);
    size_t header = file.len;
    assert_int_equal(header % NOD_ALIGNMENT, 0);
    static const unsigned cases[] = {3, 1, 2, 11}; /* 11: case 1, another state */
    ends[0] = header;
    for (int i = 0; i < 4; i++) {
        v[0] = (float)i;
        ends[i + 1] = ends[i] + add(&file, cases[i], v);
    }
    const uint8_t *data = (const uint8_t *)file.data;
    for (size_t size = header; size <= file.len; size++) {
        size_t whole = 0;
        while (whole < 4 && ends[whole + 1] <= size)
            whole++;
        assert_int_equal(nod_pack_scan(data, size, header, &k, &x, &err), 0);
        assert_int_equal(x.end, ends[whole]);
        assert_int_equal(x.n, NOD_MIN(whole, 3));
        nod_pack_index_done(&x);
    }
    assert_int_equal(nod_pack_scan(data, file.len, header, &k, &x, &err), 0);
    assert_int_equal(x.dead, ends[2] - ends[1]);
    nod_pack_key one = key_of(1), later = key_of(11);
    size_t at = nod_pack_find(&x, one.content);
    assert_int_equal(at, ends[3]);
    assert_false(nod_pack_check(data, at, &one));
    assert_true(nod_pack_check(data, at, &later));
    assert_int_equal(nod_pack_find(&x, key_of(5).content), 0);
    size_t unseen = 0;
    for (size_t i = ends[3]; i < ends[4]; i++) {
        file.data[i] ^= 4;
        unseen += nod_pack_check(data, at, &later);
        file.data[i] ^= 4;
        if (i == ends[3] + 11) i += 12; /* lengths: the scan looks at them */
    }
    assert_true(unseen < 2 * NOD_ALIGNMENT); /* what fills the lines up */
    nod_pack_index_done(&x);
    nod_strbuf_done(&file);
}

/* Fitted numbers are no part of what is kept; everything else makes another file. */
static void test_header(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_contract k = contract(), fitted = contract(), other = contract();
    nod_strbuf a = NOD_STRBUF_INIT, b = NOD_STRBUF_INIT, c = NOD_STRBUF_INIT;
    fitted.fitted = true;
    fitted.mean[0] = 3;
    fitted.sd[0] = 2;
    fitted.accepts.n_images = 7;
    other.square = true;
    assert_int_equal(nod_pack_header(&k, &a, &err), 0);
    assert_int_equal(nod_pack_header(&fitted, &b, &err), 0);
    assert_int_equal(nod_pack_header(&other, &c, &err), 0);
    assert_string_equal(a.data, b.data);
    assert_true(strcmp(a.data, c.data) != 0);
    nod_strbuf_done(&a);
    nod_strbuf_done(&b);
    nod_strbuf_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
