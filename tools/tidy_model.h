/* tidy_model.h: what the static analyser cannot see across files. check-tidy puts it before each
 * source: a function that reports a failure returns a negative code, never 0. Without this the
 * analyser walks paths on which a failure looks like success and outputs were never set. */
#include "base/error.h"
#ifdef __clang_analyzer__
#define nod_fail(err, code, ...) ((void)nod_fail(err, code, __VA_ARGS__), (int)(code))
#define nod_fail_errno(...)      ((void)nod_fail_errno(__VA_ARGS__), (int)NOD_EIO)
#define nod_fail_memory(...)     ((void)nod_fail_memory(__VA_ARGS__), (int)NOD_ENOMEM)
#define nod_error_prefix(...)    ((void)nod_error_prefix(__VA_ARGS__), (int)NOD_EINTERNAL)
#endif
