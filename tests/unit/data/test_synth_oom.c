/* test_synth_oom.c: writing phantoms when memory is refused at any point: an error, nothing
 * leaked, no half-written archive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/threads.h"
#include "data/synth.h"
#include "fail_alloc.h"
#include "temp_folder.h"

static void test_arrays(void **state)
{
    char path[512];
    nod_synth_options o = nod_synth_defaults(NOD_SYNTH_VOLUMES);
    o.n_patients = 6;
    o.size = 8;
    o.part_val = o.part_test = 0.34;
    temp_path(path, *state, "x.npz");
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        int rc = nod_synth_write(path, &o, NULL, &err);
        bool refused = fail_alloc_stop();
        if (!refused) assert_int_equal(rc, 0);
        assert_int_equal(nod_path_exists(path), rc == 0);
        remove(path);
    }
}

/* A tree of DICOM: truth.csv comes last, so that a tree without it is known to be cut short. */
static void test_tree(void **state)
{
    char path[512], name[32];
    nod_synth_options o = nod_synth_defaults(NOD_SYNTH_MR);
    o.n_patients = 2;
    o.images_per_patient = 1;
    o.size = 16;
    nod_threads_set(1); /* fail_alloc.h counts one thread */
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        snprintf(name, sizeof name, "tree%ld", n);
        temp_path(path, *state, name);
        int rc = nod_synth_write(path, &o, NULL, &err);
        bool refused = fail_alloc_stop();
        if (!refused) assert_int_equal(rc, 0);
        strcat(path, "/truth.csv");
        assert_int_equal(nod_path_exists(path), rc == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arrays),
                                       cmocka_unit_test(test_tree)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
