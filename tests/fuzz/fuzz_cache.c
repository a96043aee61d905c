/* fuzz_cache.c: any bytes as the records of a cache file. What a scan finds lies within the file, and
 * can be read whether its hash fits or not. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/pack.h"

/* Of a record: bytes of its head, and where the two parts of its key begin. */
enum { SAMPLES = 12, HEAD = 216, CONTENT_AT = 24, STATE_AT = 88 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_record(const uint8_t *data, size_t at)
{
    nod_error err = NOD_ERROR_INIT;
    nod_pack_key key;
    nod_contract_sums sums;
    float values[SAMPLES];
    memcpy(key.content, data + at + CONTENT_AT, sizeof key.content - 1);
    memcpy(key.state, data + at + STATE_AT, sizeof key.state - 1);
    key.content[sizeof key.content - 1] = key.state[sizeof key.state - 1] = '\0';
    (void)nod_pack_check(data, at, &key);
    nod_pack_values(data, at, values);
    int rc = nod_pack_sums(data, at, &sums, &err);
    if (rc == 0) {
        nod_contract_sums total = {0};
        nod_contract_merge(&total, &sums, 1);
    }
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_pack_index x;
    nod_strbuf header = NOD_STRBUF_INIT;
    nod_contract_init(&k, 2, 1, 3, 4);
    NOD_ASSERT(nod_pack_header(&k, &header, &err) == 0);
    size_t whole = header.len + size;
    uint8_t *file = malloc(whole);
    NOD_ASSERT(file != NULL);
    memcpy(file, header.data, header.len);
    if (size > 0) memcpy(file + header.len, data, size);
    NOD_ASSERT(nod_pack_scan(file, whole, header.len, &k, &x, &err) == 0);
    NOD_ASSERT(x.end >= header.len && x.end <= whole && x.dead <= x.end);
    for (size_t i = 0; i < x.n; i++) {
        NOD_ASSERT(x.places[i].at >= header.len && x.places[i].at + HEAD <= x.end);
        NOD_ASSERT(nod_pack_find(&x, x.places[i].content) == x.places[i].at);
        read_record(file, x.places[i].at);
    }
    nod_pack_index_done(&x);
    nod_strbuf_done(&header);
    free(file);
    return 0;
}
