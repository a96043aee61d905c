/* temp_folder.h: a folder of its own for a test, under $TMPDIR or /tmp, removed afterwards.
 *
 *     static int setup(void **state) { return temp_folder_make(state); }
 *     cmocka_run_group_tests(tests, setup, temp_folder_remove);
 *     const char *folder = *state; */
#ifndef TESTS_TEMP_FOLDER_H
#define TESTS_TEMP_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int temp_folder_remove_one(const char *path, const struct stat *st, int kind,
                                  struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

/* cmocka set-up function: *state becomes the folder's path. */
__attribute__((unused)) static int temp_folder_make(void **state)
{
    const char *base = getenv("TMPDIR");
    size_t size = strlen(base != NULL && *base ? base : "/tmp") + 32;
    char *path = malloc(size);
    if (path == NULL) return -1;
    snprintf(path, size, "%s/nodule-test-XXXXXX", base != NULL && *base ? base : "/tmp");
    if (mkdtemp(path) == NULL) {
        free(path);
        return -1;
    }
    *state = path;
    return 0;
}

/* cmocka tear-down function. */
__attribute__((unused)) static int temp_folder_remove(void **state)
{
    int rc = nftw(*state, temp_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return rc;
}

/* "FOLDER/NAME" into out; returns out. */
__attribute__((unused)) static const char *temp_path(char out[512], const char *folder,
                                                     const char *name)
{
    snprintf(out, 512, "%s/%s", folder, name);
    return out;
}

#endif
