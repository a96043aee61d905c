/* log.c: formats one line and hands it to the caller's sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

void nod_log_printf(const nod_log *log, nod_log_level level, const char *fmt, ...)
{
    if (log == NULL || log->write == NULL) return;
    char line[2048]; /* longer ones are cut: a log line is for a person */
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0) return;
    nod_text_tidy(line);
    log->write(log->ctx, level, line);
}
