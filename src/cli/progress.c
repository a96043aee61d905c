/* progress.c: see progress.h. */
#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"

#define TERMINAL_INTERVAL_S 0.1
#define PLAIN_INTERVAL_S    10.0
#define BAR_WIDTH           24
#define PATIENCE_S          1.0 /* before a step is shown */

void nod_progress_start(nod_progress *p, nod_console *console, const char *what, int64_t done,
                        int64_t total)
{
    *p = (nod_progress){.console = console,
                        .what = what,
                        .total = total,
                        .done = done,
                        .first_done = done,
                        .start_s = console->now()};
    p->drawn_s = p->start_s - PLAIN_INTERVAL_S; /* the first set() is always shown */
}

/* "12/50 24 %, 1 min 03 s left"; the estimate needs something done. */
static void add_state(const nod_progress *p, double now_s, nod_strbuf *line)
{
    int64_t made = p->done - p->first_done;
    char text[32];

    if (p->total <= 0) {
        nod_strbuf_printf(line, "%" PRId64, p->done);
        return;
    }
    nod_strbuf_printf(line, "%" PRId64 "/%" PRId64 " %3.0f %%", p->done, p->total,
                      100.0 * (double)p->done / (double)p->total);
    if (made > 0 && p->done < p->total) {
        double left_s = (now_s - p->start_s) / (double)made * (double)(p->total - p->done);

        nod_format_seconds(left_s, text, sizeof text);
        nod_strbuf_printf(line, ", %s left", text);
    }
}

static void add_bar(const nod_progress *p, nod_strbuf *line)
{
    int full;

    if (p->total <= 0) return;
    full = (int)(BAR_WIDTH * NOD_MIN(p->done, p->total) / p->total);
    nod_strbuf_addc(line, '[');
    for (int i = 0; i < BAR_WIDTH; i++)
        nod_strbuf_addc(line, i < full ? '#' : '.');
    nod_strbuf_add(line, "] ");
}

void nod_progress_set(nod_progress *p, int64_t done, const char *note)
{
    nod_console *c = p->console;
    double now_s = c->now();
    nod_strbuf line = NOD_STRBUF_INIT;

    p->done = done;
    if (c->quiet) return;
    if (now_s - p->drawn_s < (c->is_terminal ? TERMINAL_INTERVAL_S : PLAIN_INTERVAL_S)) return;
    p->drawn_s = now_s;

    nod_strbuf_add(&line, p->what);
    nod_strbuf_add(&line, c->is_terminal ? " " : ": ");
    if (c->is_terminal) add_bar(p, &line);
    add_state(p, now_s, &line);
    if (note != NULL) nod_strbuf_printf(&line, "  %s", note);
    if (!line.failed) { /* without memory there is no progress to see, but the work goes on */
        if (c->is_terminal)
            nod_console_status(c, line.data);
        else
            nod_console_line(c, NOD_COLOUR_NONE, NULL, line.data);
    }
    nod_strbuf_done(&line);
}

void nod_progress_finish(nod_progress *p, const char *note)
{
    nod_console *c = p->console;
    nod_strbuf line = NOD_STRBUF_INIT;
    char text[32];

    nod_console_clear(c);
    if (c->quiet) return;
    nod_format_seconds(c->now() - p->start_s, text, sizeof text);
    nod_strbuf_printf(&line, "%s: %" PRId64, p->what, p->done);
    if (p->total > 0) nod_strbuf_printf(&line, " of %" PRId64, p->total);
    nod_strbuf_printf(&line, " in %s", text);
    if (note != NULL) nod_strbuf_printf(&line, ", %s", note);
    if (!line.failed) nod_console_line(c, NOD_COLOUR_NONE, NULL, line.data);
    nod_strbuf_done(&line);
}

nod_progress_steps nod_progress_steps_begin(nod_console *console)
{
    return (nod_progress_steps){.console = console, .begun_s = console->now()};
}

void nod_progress_steps_tell(void *steps, const char *what, size_t done, size_t total)
{
    nod_progress_steps *s = steps;
    if (s->console->now() - s->begun_s < PATIENCE_S) return;
    /* What was done before it is shown says nothing about how long the rest takes. */
    if (s->what != what)
        nod_progress_start(&s->progress, s->console, what, (int64_t)done, (int64_t)total);
    s->what = what;
    nod_progress_set(&s->progress, (int64_t)done, NULL);
}
