/* test_npz_oom.c: npz files when memory is refused at any point: an error, nothing leaked,
 * outputs untouched, no half-written file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "fail_alloc.h"
#include "temp_folder.h"
#include "tensor/npz.h"

#define GOLDEN "tests/golden/npz/"

static void test_read(void **state)
{
    static const char *const files[] = {GOLDEN "deflated.npz", GOLDEN "fortran.npz"};
    (void)state;
    for (int f = 0; f < 2; f++)
        for (long n = 0; fail_alloc_round(n); n++) {
            nod_error err = NOD_ERROR_INIT;
            nod_npz *z = NULL;
            nod_tensor t = {0};
            int rc = nod_npz_open(files[f], &z, &err);
            if (rc == 0) rc = nod_npz_read(z, "f8", &t, &err);
            bool refused = fail_alloc_stop();
            if (!refused) assert_int_equal(rc, 0);
            if (rc != 0) assert_null(t.data);
            nod_tensor_done(&t);
            nod_npz_close(z);
        }
}

static void test_write(void **state)
{
    char path[512];
    uint16_t v[3] = {1, 2, 3};
    nod_shape s = nod_shape_of(1, 3);
    nod_tensor t = nod_tensor_view(v, NOD_DTYPE_U16, &s);
    const char *name = "x";
    temp_path(path, *state, "x.npz");
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        int rc = nod_npz_write(path, &name, &t, 1, true, &err);
        bool refused = fail_alloc_stop();
        if (!refused) assert_int_equal(rc, 0);
        assert_int_equal(nod_path_exists(path), rc == 0);
        nod_strlist names = NOD_STRLIST_INIT;
        assert_int_equal(nod_dir_list(*state, &names, &err), 0);
        assert_int_equal(names.n, rc == 0);
        nod_strlist_done(&names);
        remove(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_write)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
