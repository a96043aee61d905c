/* error.c: writing messages into a caller's nod_error. Each message is formatted into a local
 * buffer first, so that it may quote the message it replaces. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void nod_assert_failed(const char *expr, const char *file, int line, const char *func)
{
    fprintf(stderr, "nodule: broken promise in %s (%s:%d): %s\n", func, file, line, expr);
    abort();
}

static void store(nod_error *err, int code, const char *text)
{
    size_t len = strnlen(text, sizeof err->message - 1);
    err->code = code;
    memcpy(err->message, text, len);
    err->message[len] = '\0';
    nod_text_tidy(err->message);
}

int nod_fail(nod_error *err, int code, const char *fmt, ...)
{
    char text[NOD_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0) snprintf(text, sizeof text, "(message could not be formatted)");
    store(err, code, text);
    return code;
}

static int code_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
        return NOD_ENOENT;
    case ENOMEM:
        return NOD_ENOMEM;
    default:
        return NOD_EIO;
    }
}

/* What helps, where the reason alone does not say it. */
static const char *remedy_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
        return "; make room, or write to another disk";
    case EFBIG:
        return "; files are limited in size here (ulimit -f)";
    case EROFS:
        return "; write to another folder";
    case EACCES:
        return "; take a file or folder that you have the right to, or be given it";
    default:
        return "";
    }
}

int nod_fail_errno(nod_error *err, int errno_value, const char *fmt, ...)
{
    char text[NOD_ERROR_MAX], reason_buffer[128];
    /* The reason is what a person needs most: a long path must not push it out. */
    const char *reason = strerror_r(errno_value, reason_buffer, sizeof reason_buffer);
    const char *remedy = remedy_of_errno(errno_value);
    size_t room = sizeof text - strlen(reason) - strlen(remedy) - 3;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, room, fmt, ap);
    va_end(ap);
    if (n < 0) text[0] = '\0';
    nod_text_tidy(text);
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, ": %s%s", reason, remedy);
    int code = code_of_errno(errno_value);
    store(err, code, text);
    return code;
}

int nod_fail_memory(nod_error *err, const char *what, size_t bytes)
{
    return nod_fail(err, NOD_ENOMEM, "out of memory: %s needs %zu bytes", what, bytes);
}

int nod_error_prefix(nod_error *err, const char *fmt, ...)
{
    char text[2 * NOD_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, NOD_ERROR_MAX / 2, fmt, ap);
    va_end(ap);
    if (n < 0) text[0] = '\0';
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, ": %s", err->message);
    store(err, err->code, text);
    return err->code;
}

const char *nod_error_name(int code)
{
    static const char *const names[] = {
        "ok",      "invalid", "not-found",   "io",          "format",
        "memory",  "limit",   "shape",       "recipe",      "data",
        "numeric", "seal",    "unsupported", "interrupted", "internal",
    };
    if (code > 0 || code <= -(int)NOD_COUNT(names)) return "unknown";
    return names[-code];
}
