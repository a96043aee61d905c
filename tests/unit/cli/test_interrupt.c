/* test_interrupt.c: a signal is marked, and leaves the stack at hand alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "cli/interrupt.h"

#define DEPTH 65536

static ucontext_t test, other;

static void raise_there(void)
{
    (void)raise(SIGTERM);
}

/* Bytes of a fresh stack that are written when SIGTERM comes while it is in use. */
static size_t depth_of_signal(unsigned char *stack)
{
    size_t untouched = 0;
    memset(stack, 0xa5, DEPTH);
    assert_int_equal(getcontext(&other), 0);
    other.uc_stack = (stack_t){.ss_sp = stack, .ss_size = DEPTH};
    other.uc_link = &test;
    makecontext(&other, raise_there, 0);
    assert_int_equal(swapcontext(&test, &other), 0);
    while (untouched < DEPTH && stack[untouched] == 0xa5)
        untouched++;
    return DEPTH - untouched;
}

static void test_signal_leaves_the_stack_alone(void **state)
{
    (void)state;
    static unsigned char stack[DEPTH] __attribute__((aligned(64)));
    assert_false(nod_interrupt_pending());
    /* What raise itself needs, when nobody handles the signal; the first call also binds it. */
    assert_true(signal(SIGTERM, SIG_IGN) != SIG_ERR);
    (void)depth_of_signal(stack);
    size_t ignored = depth_of_signal(stack);
    assert_in_range(ignored, 1, DEPTH / 2);
    nod_interrupt_watch();
    assert_int_equal(depth_of_signal(stack), ignored);
    assert_true(nod_interrupt_pending());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signal_leaves_the_stack_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
