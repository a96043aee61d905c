/* memory_folder.h: a folder for fuzz targets of code that reads and writes files: in memory where the
 * system has a place for such files, since a disk takes a thousand times as long. */
#ifndef TESTS_FUZZ_MEMORY_FOLDER_H
#define TESTS_FUZZ_MEMORY_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"

static inline void memory_folder_make(char out[64])
{
    struct stat st;
    bool in_memory = stat("/dev/shm", &st) == 0 && access("/dev/shm", W_OK) == 0;
    snprintf(out, 64, "%s/nodule-fuzz-XXXXXX", in_memory ? "/dev/shm" : "/tmp");
    NOD_ASSERT(mkdtemp(out) != NULL);
}

#endif
