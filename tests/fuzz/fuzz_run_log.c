/* fuzz_run_log.c: any bytes as the log of a seed, behind a byte that says how many epochs the
 * checkpoint has. A log that was taken up again holds whole lines of JSON, no later epoch, no
 * end, and as its last line who went on; what it keeps, it keeps in order and unchanged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "memory_folder.h"
#include "train/run_log.h"

#define LOG_MAX ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const nod_run_author author = {.command = "fuzz", .backend = "ref", .isa = "none"};

/* Checks the line, and returns where its bytes stand in the old log, from `from` on. */
static const char *check_line(const char *line, size_t size, bool last, int64_t epochs_done,
                              const char *from, const char *end)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    NOD_ASSERT(nod_json_parse(line, size - 1, "log", &j, &err) == 0);
    const char *event = nod_json_str(nod_json_get(j, "event"));
    NOD_ASSERT(strcmp(event, "end") != 0);
    if (strcmp(event, "epoch") == 0)
        NOD_ASSERT(nod_json_i64(nod_json_get(j, "epoch")) <= epochs_done);
    if (last) {
        NOD_ASSERT(strcmp(event, "resume") == 0);
    } else {
        from = memmem(from, (size_t)(end - from), line, size);
        NOD_ASSERT(from != NULL);
        from += size;
    }
    nod_json_free(j);
    return from;
}

static void check(const char *path, int64_t epochs_done, const uint8_t *old, size_t old_size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b = {0};
    const char *from = (const char *)old, *end = from + old_size;
    NOD_ASSERT(nod_file_read(path, LOG_MAX, &b, &err) == 0);
    for (size_t at = 0; at < b.size;) {
        const char *line = (const char *)b.data + at;
        const char *newline = memchr(line, '\n', b.size - at);
        NOD_ASSERT(newline != NULL);
        size_t size = (size_t)(newline - line) + 1;
        from = check_line(line, size, at + size == b.size, epochs_done, from, end);
        at += size;
    }
    nod_bytes_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    char folder[64], path[80];
    bool has_end = true;
    if (size == 0) return 0;
    int64_t epochs_done = data[0] % 16;
    memory_folder_make(folder);
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    FILE *f = fopen(path, "wb");
    NOD_ASSERT(f != NULL && fwrite(data + 1, 1, size - 1, f) == size - 1 && fclose(f) == 0);
    NOD_ASSERT(nod_run_log_has_end(path, &has_end, &err) == 0);
    NOD_ASSERT(nod_run_log_resume(path, &author, epochs_done, &err) == 0);
    check(path, epochs_done, data + 1, size - 1);
    NOD_ASSERT(nod_run_log_has_end(path, &has_end, &err) == 0 && !has_end);
    NOD_ASSERT(remove(path) == 0 && remove(folder) == 0);
    return 0;
}
