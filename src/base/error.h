/* error.h: how a function says what went wrong.
 *
 * A function that can fail returns 0 or a negative NOD_E* and takes `nod_error *err` last. The
 * caller owns the error; it has a fixed size, so that failing needs no memory. The lowest level
 * that knows writes the message with file, place, values and remedy; callers may put what they
 * were doing before it (nod_error_prefix), never replace it. Outputs are untouched on failure.
 * `err` is never NULL. */
#ifndef NOD_BASE_ERROR_H
#define NOD_BASE_ERROR_H

#include <stddef.h>

#include "base/compiler.h"

/* Kinds of failure. The CLI maps each to an exit code (docs/exit-codes.md). */
enum {
    NOD_OK = 0,
    NOD_EINVAL = -1,    /* an argument of the API or command line that cannot be right */
    NOD_ENOENT = -2,    /* file or directory does not exist */
    NOD_EIO = -3,       /* the system refused: permission, full disk, read error */
    NOD_EFORMAT = -4,   /* a file's bytes are not what they claim to be */
    NOD_ENOMEM = -5,    /* memory was refused, or a plan needs more than there is */
    NOD_ELIMIT = -6,    /* a documented limit (size, nesting, count) was passed */
    NOD_ESHAPE = -7,    /* shapes or dtypes of tensors do not fit together */
    NOD_ERECIPE = -8,   /* recipe: unknown key, wrong type, impossible value */
    NOD_EDATA = -9,     /* the cohort cannot be used as asked: empty class, no patients ... */
    NOD_ENUMERIC = -10, /* NaN, infinity or divergence */
    NOD_ESEAL = -11,    /* the test set is sealed, or ledger and artefacts disagree */
    NOD_EUNSUPPORTED = -12, /* known, but not done by this build or processor */
    NOD_EINTERRUPTED = -13, /* stopped by a signal; what was done is kept */
    NOD_EINTERNAL = -14,    /* a library below failed in a way it should not */
};

#define NOD_ERROR_MAX 1024

typedef struct nod_error {
    int code;                    /* 0 or NOD_E* */
    char message[NOD_ERROR_MAX]; /* one line, no newline at the end */
} nod_error;

/* Initialiser: nod_error err = NOD_ERROR_INIT; */
#define NOD_ERROR_INIT \
    {                  \
        0,             \
        {              \
            0          \
        }              \
    }

/* Writes code and message; returns code, so that `return nod_fail(err, ...)` is one line. */
int nod_fail(nod_error *err, int code, const char *fmt, ...) NOD_PRINTF(3, 4);

/* Same, with ": " and the text of errno at the end; code is chosen from errno
 * (ENOENT -> NOD_ENOENT, ENOMEM -> NOD_ENOMEM, else NOD_EIO). */
int nod_fail_errno(nod_error *err, int errno_value, const char *fmt, ...) NOD_PRINTF(3, 4);

/* "out of memory: WHAT needs BYTES bytes"; returns NOD_ENOMEM. */
int nod_fail_memory(nod_error *err, const char *what, size_t bytes);

/* Puts "prefix: " before the message (cutting the end if it does not fit); returns err->code.
 */
int nod_error_prefix(nod_error *err, const char *fmt, ...) NOD_PRINTF(2, 3);

/* "shape", "format" ...: the stable name of a code, for logs and --json. */
const char *nod_error_name(int code);

/* Evaluates a call once; on failure jumps to `out` with `rc` set. Needs `int rc` and `out:`. */
#define NOD_TRY(call)          \
    do {                       \
        rc = (call);           \
        if (rc != 0) goto out; \
    } while (0)

#endif
