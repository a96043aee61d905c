/* file.h: whole files in, whole files out or nothing, folders, paths, and time.
 *
 * Every write goes to a temporary name beside the target, is synced, and takes the target's
 * name only when it is complete: a full disk or a killed process leaves the old file as it was.
 */
#ifndef NOD_BASE_FILE_H
#define NOD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"

typedef struct nod_bytes {
    uint8_t *data; /* one NUL follows data[size-1], so text can be parsed in place */
    size_t size;
} nod_bytes;

void nod_bytes_done(nod_bytes *b);

/* Reads a regular file of at most `limit` bytes. Errors: ENOENT, EIO, ELIMIT, ENOMEM. */
int nod_file_read(const char *path, size_t limit, nod_bytes *out,
                  nod_error *err) NOD_MUST_CHECK;

/* Atomically replaces `path` by these bytes. */
int nod_file_write(const char *path, const void *data, size_t size,
                   nod_error *err) NOD_MUST_CHECK;

/* The same for content that is produced piece by piece. After open, exactly one of commit or
 * abort must be called; a failed commit has aborted. */
typedef struct nod_file_out {
    FILE *stream;
    char *path, *temp;
} nod_file_out;
int nod_file_out_open(const char *path, nod_file_out *out, nod_error *err) NOD_MUST_CHECK;
/* Adds these bytes to the file; a failed one has aborted it. */
int nod_file_out_add(nod_file_out *out, const void *data, size_t size,
                     nod_error *err) NOD_MUST_CHECK;
int nod_file_out_commit(nod_file_out *out, nod_error *err) NOD_MUST_CHECK;
void nod_file_out_abort(nod_file_out *out);

/* Removes the temporary files that killed writers left in the folder. Only for a folder in which
 * nobody else writes now (nod_dir_lock). */
int nod_file_remove_temps(const char *folder, nod_error *err) NOD_MUST_CHECK;

/* Appends one line (without newline in `line`) and syncs it; for logs. */
int nod_file_append_line(const char *path, const char *line, nod_error *err) NOD_MUST_CHECK;

/* The first bytes of a file, at most `size`; returns how many: 0 also where it cannot be read. */
size_t nod_file_peek(const char *path, void *out, size_t size);

bool nod_path_exists(const char *path);
bool nod_path_is_dir(const char *path);
bool nod_path_is_file(const char *path);
int64_t nod_path_size(const char *path); /* bytes, -1 if absent */
/* "a" + "b" -> "a/b"; b absolute -> b. NULL: no memory. */
char *nod_path_join(const char *a, const char *b) NOD_MUST_CHECK;
const char *nod_path_base(const char *path);         /* after the last '/', borrowed */
char *nod_path_dir(const char *path) NOD_MUST_CHECK; /* before it, or "." */
/* The absolute path without links; NULL if it does not exist or no memory. */
char *nod_path_real(const char *path) NOD_MUST_CHECK;
/* `path` as seen from `folder`, both absolute and without links: "../cohort.csv". Where they share
 * nothing but the root, `path` itself: such a pair does not move together. NULL: no memory. */
char *nod_path_relative(const char *folder, const char *path) NOD_MUST_CHECK;
int nod_dir_make(const char *path, nod_error *err) NOD_MUST_CHECK; /* mkdir -p */
/* Names (no "." and ".."), sorted bytewise; hidden files are listed too. */
int nod_dir_list(const char *path, nod_strlist *out, nod_error *err) NOD_MUST_CHECK;
/* Takes the folder for this process until nod_dir_unlock or its end, however that comes; EIO where
 * another has it. *lock is -1 where the file system knows no locks: then everybody passes. */
int nod_dir_lock(const char *path, int *lock, nod_error *err) NOD_MUST_CHECK;
void nod_dir_unlock(int lock); /* -1 is allowed */

double nod_time_monotonic_s(void);
/* "2026-11-24T10:00:00Z" into out (>= 24 bytes). */
void nod_time_utc(char *out, size_t size);
/* Peak resident set of this process in bytes; 0 where unknown. */
int64_t nod_peak_rss_bytes(void);
/* Memory the system can still give, in bytes (MemAvailable, cgroup limit); 0 where unknown. */
int64_t nod_available_memory_bytes(void);

#endif
