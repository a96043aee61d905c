/* pack.c: records of a cache file, written and read; see pack.h. Numbers are as the processor has them:
 * the header holds some, so that a file of another processor is another file. */
#include "data/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define HEX (NOD_SHA256_HEX - 1)

typedef struct head {
    char magic[8];
    uint32_t encoding;
    uint32_t sums_bytes; /* as they stand in the file */
    uint64_t value_bytes;
    char content[HEX], state[HEX];
    char check[HEX]; /* SHA-256 over all of the head before it, the sums and the values */
} head;

static const char magic[8] = {'N', 'O', 'D', 'P', 'I', 'C', '\n', 1};

/* --- forms of values ---------------------------------------------------------------------- */

/* An integer q from `low` to `high` stands for (float)(q / scale). */
typedef struct form {
    uint32_t bytes;
    double scale; /* 0: floats as they are */
    int32_t low, high;
} form;

/* The first that gives all values of an image back is taken; a new one goes at the end. */
static const form forms[] = {
    {4, 0, 0, 0},         /* f32 */
    {1, 255, 0, 255},     /* u8 scaled to [0,1] */
    {1, 1, 0, 255},       /* u8 as stored */
    {2, 65535, 0, 65535}, /* u16 scaled to [0,1] */
    {2, 1, 0, 65535},     /* u16 as stored */
    {2, 1, -32768, 32767} /* Hounsfield units and other signed integers */
};

static float value_of(const form *f, int32_t q)
{
    return (float)((double)q / f->scale);
}

static bool is_same(float a, float b)
{
    /* -0 is not 0. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bits are meant */
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Writes `dst` unless some value has no integer: then it is garbage. */
static bool encode(const form *f, const float *v, size_t n, uint8_t *dst)
{
    for (size_t i = 0; i < n; i++) {
        double scaled = (double)v[i] * f->scale;
        if (!(scaled > (double)f->low - 0.5 && scaled < (double)f->high + 0.5)) return false;
        int32_t q = (int32_t)lrint(scaled);
        if (q < f->low || q > f->high || !is_same(value_of(f, q), v[i])) return false;
        uint16_t bits = (uint16_t)q;
        if (f->bytes == 1)
            dst[i] = (uint8_t)q;
        else
            memcpy(dst + i * 2, &bits, 2);
    }
    return true;
}

static void decode_bytes(const form *f, const uint8_t *src, size_t n, float *dst)
{
    float table[256];
    for (int q = 0; q < 256; q++)
        table[q] = value_of(f, q);
    for (size_t i = 0; i < n; i++)
        dst[i] = table[src[i]];
}

static void decode(const form *f, const uint8_t *src, size_t n, float *dst)
{
    if (f->scale <= 0) {
        memcpy(dst, src, n * sizeof *dst);
    } else if (f->bytes == 1) {
        decode_bytes(f, src, n, dst);
    } else {
        for (size_t i = 0; i < n; i++) {
            uint16_t bits;
            memcpy(&bits, src + i * 2, 2);
            dst[i] = value_of(f, f->low < 0 ? (int32_t)(int16_t)bits : (int32_t)bits);
        }
    }
}

/* --- sums --------------------------------------------------------------------------------- */

/* A structure of numbers is mostly zero: it is kept as runs {zeros, bytes} of two bytes each, then
 * that many bytes. */
static size_t shorten(const uint8_t *src, size_t n, uint8_t *dst)
{
    size_t at = 0, out = 0;
    while (at < n) {
        size_t zeros = 0, bytes = 0;
        while (at + zeros < n && zeros < UINT16_MAX && src[at + zeros] == 0)
            zeros++;
        while (at + zeros + bytes < n && bytes < UINT16_MAX && src[at + zeros + bytes] != 0)
            bytes++;
        const uint16_t run[2] = {(uint16_t)zeros, (uint16_t)bytes};
        memcpy(dst + out, run, sizeof run);
        memcpy(dst + out + sizeof run, src + at + zeros, bytes);
        out += sizeof run + bytes;
        at += zeros + bytes;
    }
    return out;
}

static bool lengthen(const uint8_t *src, size_t n, uint8_t *dst, size_t size)
{
    size_t at = 0;
    memset(dst, 0, size);
    while (n >= 4) {
        uint16_t run[2];
        memcpy(run, src, sizeof run);
        src += sizeof run;
        n -= sizeof run;
        if (run[1] > n || (size_t)run[0] + run[1] > size - at) return false;
        memcpy(dst + at + run[0], src, run[1]);
        at += (size_t)run[0] + run[1];
        src += run[1];
        n -= run[1];
    }
    return n == 0 && at == size;
}

static bool are_terms(const nod_terms *t)
{
    if (t->n > NOD_ACCEPTANCE_TERMS) return false;
    for (size_t i = 0; i < t->n; i++)
        if (memchr(t->term[i], '\0', sizeof t->term[i]) == NULL) return false;
    return true;
}

/* --- records ------------------------------------------------------------------------------ */

static size_t values_at(const head *h)
{
    return nod_aligned_size(sizeof *h + h->sums_bytes);
}

static size_t record_size(const head *h)
{
    return values_at(h) + nod_aligned_size(h->value_bytes);
}

static int hash_record(const head *h, const uint8_t *sums, const uint8_t *values,
                       char out[NOD_SHA256_HEX], nod_error *err)
{
    nod_sha256 *s;
    int rc = nod_sha256_new(&s, err);
    if (rc) return rc;
    nod_sha256_add(s, h, offsetof(head, check));
    nod_sha256_add(s, sums, h->sums_bytes);
    nod_sha256_add(s, values, h->value_bytes);
    nod_sha256_hex(s, out);
    nod_sha256_free(s);
    return 0;
}

int nod_pack_record(const nod_contract *k, const nod_pack_key *key, const float *values,
                    const nod_contract_sums *sums, uint8_t **out, size_t *size, nod_error *err)
{
    size_t n = (size_t)nod_contract_samples(k);
    /* Behind each run of bytes is a zero, but for the last: at most 4 bytes for each one kept. */
    uint8_t *brief = nod_malloc(sizeof *sums * 3 + 8);
    uint8_t *record = NULL;
    char check[NOD_SHA256_HEX];
    head h = {.value_bytes = n * sizeof *values};
    int rc = 0;
    if (!brief) return nod_fail_memory(err, "sums of an image", sizeof *sums * 3);
    h.sums_bytes = (uint32_t)shorten((const uint8_t *)sums, sizeof *sums, brief);
    record = nod_calloc(1, record_size(&h));
    if (!record) {
        rc = nod_fail_memory(err, "a record of the cache", record_size(&h));
        goto out;
    }
    for (uint32_t f = 1; f < NOD_COUNT(forms) && h.encoding == 0; f++)
        if (encode(&forms[f], values, n, record + values_at(&h))) h.encoding = f;
    h.value_bytes = n * forms[h.encoding].bytes;
    if (h.encoding == 0) memcpy(record + values_at(&h), values, h.value_bytes);
    memset(record + values_at(&h) + h.value_bytes, 0,
           record_size(&h) - values_at(&h) - h.value_bytes);
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.content, key->content, HEX);
    memcpy(h.state, key->state, HEX);
    NOD_TRY(hash_record(&h, brief, record + values_at(&h), check, err));
    memcpy(h.check, check, HEX);
    memcpy(record, &h, sizeof h);
    memcpy(record + sizeof h, brief, h.sums_bytes);
    *out = record;
    *size = record_size(&h);
    record = NULL;
out:
    nod_free(brief);
    nod_free(record);
    return rc;
}

bool nod_pack_check(const uint8_t *data, size_t at, const nod_pack_key *key)
{
    head h;
    nod_error err = NOD_ERROR_INIT;
    char check[NOD_SHA256_HEX];
    memcpy(&h, data + at, sizeof h);
    if (memcmp(h.content, key->content, HEX) != 0 || memcmp(h.state, key->state, HEX) != 0)
        return false;
    if (hash_record(&h, data + at + sizeof h, data + at + values_at(&h), check, &err))
        return false;
    return memcmp(check, h.check, HEX) == 0;
}

void nod_pack_values(const uint8_t *data, size_t at, float *dst)
{
    head h;
    memcpy(&h, data + at, sizeof h);
    const form *f = &forms[h.encoding];
    decode(f, data + at + values_at(&h), h.value_bytes / f->bytes, dst);
}

int nod_pack_sums(const uint8_t *data, size_t at, nod_contract_sums *out, nod_error *err)
{
    head h;
    nod_contract_sums sums;
    memcpy(&h, data + at, sizeof h);
    if (!lengthen(data + at + sizeof h, h.sums_bytes, (uint8_t *)&sums, sizeof sums) ||
        !are_terms(&sums.accepts.modality) || !are_terms(&sums.accepts.photometric) ||
        !are_terms(&sums.accepts.orientation))
        return nod_fail(err, NOD_EFORMAT, "sums of a record of the cache cannot be read");
    *out = sums;
    return 0;
}

/* --- the file ----------------------------------------------------------------------------- */

int nod_pack_header(const nod_contract *k, nod_strbuf *out, nod_error *err)
{
    const double pi = 3.14159265358979323846;
    const uint32_t numbers[] = {0x01020304, sizeof(head), sizeof(nod_contract_sums),
                                (uint32_t)NOD_COUNT(forms)};
    nod_json *j = nod_contract_prepare_json(k);
    char *text = NULL;
    int rc = nod_json_dump_canonical(j, &text, err);
    nod_json_free(j);
    if (rc) return rc;
    nod_strbuf_printf(out, "nodule cache %d\n%s, contract %d\n%lld samples\n%s\n",
                      NOD_PACK_VERSION, NODULE_VERSION, NOD_CONTRACT_REVISION,
                      (long long)nod_contract_samples(k), text);
    nod_strbuf_addn(out, (const char *)numbers, sizeof numbers);
    nod_strbuf_addn(out, (const char *)&pi, sizeof pi);
    while (!out->failed && out->len % NOD_ALIGNMENT)
        nod_strbuf_addc(out, '\n');
    nod_free(text);
    return out->failed ? nod_fail_memory(err, "header of a cache", 4096) : 0;
}

/* Whether a record of this contract can begin here, and how long it is. */
static bool read_head(const uint8_t *data, size_t left, size_t samples, head *h)
{
    if (left < sizeof *h) return false;
    memcpy(h, data, sizeof *h);
    return memcmp(h->magic, magic, sizeof magic) == 0 && h->encoding < NOD_COUNT(forms) &&
           h->value_bytes == (uint64_t)samples * forms[h->encoding].bytes &&
           h->sums_bytes <= 3 * sizeof(nod_contract_sums) + 8 && record_size(h) <= left;
}

static int by_content(const void *a, const void *b)
{
    const nod_pack_place *x = a, *y = b;
    int c = memcmp(x->content, y->content, HEX);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static void keep_last(nod_pack_index *x, const uint8_t *data)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        head h;
        bool is_last =
            i + 1 == x->n || memcmp(x->places[i].content, x->places[i + 1].content, HEX) != 0;
        memcpy(&h, data + x->places[i].at, sizeof h);
        if (is_last)
            x->places[n++] = x->places[i];
        else
            x->dead += record_size(&h);
    }
    x->n = n;
}

int nod_pack_scan(const uint8_t *data, size_t size, size_t header, const nod_contract *k,
                  nod_pack_index *out, nod_error *err)
{
    nod_pack_index x = {.end = header};
    size_t samples = (size_t)nod_contract_samples(k);
    head h;
    while (x.end < size && x.n < NOD_PACK_MAX_RECORDS &&
           read_head(data + x.end, size - x.end, samples, &h)) {
        if (!nod_grow((void **)&x.places, &x.capacity, x.n + 1, sizeof *x.places)) {
            nod_pack_index_done(&x);
            return nod_fail_memory(err, "index of a cache", x.n * sizeof *x.places);
        }
        memcpy(x.places[x.n].content, h.content, HEX);
        x.places[x.n++].at = x.end;
        x.end += record_size(&h);
    }
    if (x.n > 0) qsort(x.places, x.n, sizeof *x.places, by_content);
    keep_last(&x, data);
    *out = x;
    return 0;
}

void nod_pack_index_done(nod_pack_index *x)
{
    nod_free(x->places);
    *x = (nod_pack_index){0};
}

size_t nod_pack_find(const nod_pack_index *x, const char *content)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = memcmp(x->places[middle].content, content, HEX);
        if (c == 0) return x->places[middle].at;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}
