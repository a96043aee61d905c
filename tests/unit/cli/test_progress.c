/* test_progress.c: what progress writes to a file and to a terminal, with a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/progress.h"

static double clock_s;

static double read_clock(void)
{
    return clock_s;
}

typedef struct fixture {
    char *text;
    size_t size;
    nod_console console;
} fixture;

static void begin(fixture *f, bool is_terminal)
{
    clock_s = 100;
    *f = (fixture){.text = NULL};
    f->console = (nod_console){.stream = open_memstream(&f->text, &f->size),
                               .is_terminal = is_terminal,
                               .columns = 60,
                               .now = read_clock};
    assert_non_null(f->console.stream);
}

static void expect(fixture *f, const char *text)
{
    fclose(f->console.stream);
    assert_string_equal(f->text, text);
    free(f->text);
}

/* In a file: the first state, then at most a line each ten seconds, then the end. The estimate
 * is closed form: 20 of 100 in 20 s leave 80 s. */
static void test_plain_lines_are_few(void **state)
{
    fixture f;
    nod_progress p;

    (void)state;
    begin(&f, false);
    nod_progress_start(&p, &f.console, "train", 0, 100);
    for (int i = 0; i <= 25; i++) {
        clock_s = 100 + i;
        nod_progress_set(&p, i, i > 15 ? "loss 0.5" : NULL);
    }
    nod_progress_finish(&p, "loss 0.4");
    expect(&f, "train: 0/100   0 %\n"
               "train: 10/100  10 %, 1 min 30 s left\n"
               "train: 20/100  20 %, 1 min 20 s left  loss 0.5\n"
               "train: 25 of 100 in 25.0 s, loss 0.4\n");
}

/* After a resume the estimate counts from where this process began: 10 in 10 s leave 40 s. */
static void test_estimate_counts_from_the_start(void **state)
{
    fixture f;
    nod_progress p;

    (void)state;
    begin(&f, false);
    nod_progress_start(&p, &f.console, "train", 50, 100);
    clock_s = 110;
    nod_progress_set(&p, 60, NULL);
    expect(&f, "train: 60/100  60 %, 40.0 s left\n");
}

static void test_terminal_redraws_ten_times_a_second(void **state)
{
    fixture f;
    nod_progress p;

    (void)state;
    begin(&f, true);
    nod_progress_start(&p, &f.console, "index", 0, 4);
    nod_progress_set(&p, 0, NULL);
    clock_s = 100.05; /* too soon */
    nod_progress_set(&p, 1, NULL);
    clock_s = 101;
    nod_progress_set(&p, 2, NULL);
    nod_progress_finish(&p, NULL);
    expect(&f, "\rindex [........................] 0/4   0 %\x1b[K"
               "\rindex [############............] 2/4  50 %, 1.0 s left\x1b[K"
               "\r\x1b[K"
               "index: 2 of 4 in 1.0 s\n");
}

/* A line of the log goes above the bar, and text is cut at characters, not bytes. */
static void test_lines_go_above_the_bar(void **state)
{
    fixture f;
    nod_log log;

    (void)state;
    begin(&f, true);
    f.console.columns = 5;
    log = nod_console_log(&f.console);
    nod_console_status(&f.console, "\xc3\xa4\xc3\xb6\xc3\xbcxyz");
    nod_warn(&log, "%d images are constant", 2);
    nod_info(&log, "done");
    expect(&f, "\r\xc3\xa4\xc3\xb6\xc3\xbcx\x1b[K"
               "\r\x1b[K"
               "warning: 2 images are constant\n"
               "done\n");
}

static void test_quiet_keeps_warnings(void **state)
{
    fixture f;
    nod_progress p;
    nod_log log;

    (void)state;
    begin(&f, true);
    f.console.quiet = true;
    log = nod_console_log(&f.console);
    nod_progress_start(&p, &f.console, "index", 0, 4);
    nod_progress_set(&p, 1, NULL);
    nod_info(&log, "not shown");
    nod_warn(&log, "shown");
    nod_progress_finish(&p, NULL);
    expect(&f, "warning: shown\n");
}

static void test_unknown_total(void **state)
{
    fixture f;
    nod_progress p;

    (void)state;
    begin(&f, false);
    nod_progress_start(&p, &f.console, "index", 0, 0);
    nod_progress_set(&p, 17, NULL);
    nod_progress_finish(&p, NULL);
    expect(&f, "index: 17\nindex: 17 in 0.0 ms\n");
}

/* Nothing of the first second; then each step by its name. 10 of 20 in 10 s leave 10 s. */
static void test_steps(void **state)
{
    static const char headers[] = "headers", copies[] = "copies";
    fixture f;

    (void)state;
    begin(&f, false);
    nod_progress_steps s = nod_progress_steps_begin(&f.console);
    clock_s = 100.9;
    nod_progress_steps_tell(&s, headers, 5, 10);
    clock_s = 101;
    nod_progress_steps_tell(&s, headers, 6, 10);
    nod_progress_steps_tell(&s, copies, 0, 20);
    clock_s = 111;
    nod_progress_steps_tell(&s, copies, 10, 20);
    expect(&f, "headers: 6/10  60 %\ncopies: 0/20   0 %\ncopies: 10/20  50 %, 10.0 s left\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_lines_are_few),
        cmocka_unit_test(test_estimate_counts_from_the_start),
        cmocka_unit_test(test_terminal_redraws_ten_times_a_second),
        cmocka_unit_test(test_lines_go_above_the_bar),
        cmocka_unit_test(test_quiet_keeps_warnings),
        cmocka_unit_test(test_unknown_total),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
