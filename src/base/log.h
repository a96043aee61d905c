/* log.h: where library code sends words for a person. The caller owns the sink; library code
 * never prints. A NULL log is allowed and silent. */
#ifndef NOD_BASE_LOG_H
#define NOD_BASE_LOG_H

#include "base/compiler.h"

typedef enum nod_log_level { NOD_LOG_DEBUG, NOD_LOG_INFO, NOD_LOG_WARN } nod_log_level;

typedef struct nod_log {
    void (*write)(void *ctx, nod_log_level level, const char *line); /* no newline in line */
    void *ctx;
} nod_log;

void nod_log_printf(const nod_log *log, nod_log_level level, const char *fmt, ...)
    NOD_PRINTF(3, 4);
#define nod_info(log, ...) nod_log_printf(log, NOD_LOG_INFO, __VA_ARGS__)
#define nod_warn(log, ...) nod_log_printf(log, NOD_LOG_WARN, __VA_ARGS__)

#endif
