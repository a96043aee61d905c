/* gzip.h: gzip and zlib streams in memory, unpacked as a whole with limits and checksums. */
#ifndef NOD_IMAGING_GZIP_H
#define NOD_IMAGING_GZIP_H

#include <stdbool.h>

#include "base/file.h"

/* One byte of deflate gives at most so many. */
#define NOD_DEFLATE_RATIO 1032

bool nod_gzip_is(const uint8_t *bytes, size_t size);
/* Unpacks the first n bytes, or fewer where the stream is damaged or short; returns how many. */
size_t nod_gzip_peek(const uint8_t *bytes, size_t size, uint8_t *out, size_t n);

/* All members of a gzip file, or one zlib stream, checksums compared. `expected`: so many bytes are
 * what the header inside explains; a stream may hold twice that and a MiB more, not without end.
 * *n_rest is what follows the last member and is none. `name` begins messages. Errors: EFORMAT
 * (damaged, cut off, or too few bytes for `expected`), ELIMIT, ENOMEM. */
int nod_gzip_unpack(const uint8_t *bytes, size_t size, size_t expected, const char *name,
                    nod_bytes *out, size_t *n_rest, nod_error *err) NOD_MUST_CHECK;

/* One member without name and time: equal input, equal bytes. Level 1 (fast) to 12. */
int nod_gzip_pack(const void *data, size_t size, int level, nod_bytes *out,
                  nod_error *err) NOD_MUST_CHECK;

#endif
