/* cache.c: the file of a contract, found, mapped, and added to under a lock; see cache.h.
 *
 * A file is only ever made longer, but for a torn end, which no reader uses; where it has to be shorter
 * or is not ours, a new one takes its name, and who has the old one mapped keeps it. */
#include "data/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define WAIT_S       0.02
#define DEAD_ALLOWED ((size_t)64 << 20) /* bytes in records that nobody asks for any more */

struct nod_cache {
    nod_contract contract;
    const nod_log *log;
    char *folder, *path;
    nod_strbuf header;

    int file; /* -1: none */
    ino_t inode;
    bool said_foreign;
    uint8_t *map;
    size_t map_size;
    nod_pack_index index;

    pthread_mutex_t lock;
    bool begun;
    int folder_lock; /* of the writer */
    bool writing;    /* put adds records */
    size_t end;      /* of the file, while writing */
    size_t n_put;
    char refusal[512]; /* why nothing is written */
};

/* --- keys --------------------------------------------------------------------------------- */

/* File times move in steps of the system's clock tick, on some file systems in whole seconds: within
 * one, a second change would leave no trace. */
#define TICK_NS        50000000LL
#define COARSE_TICK_NS 2000000000LL

typedef struct state {
    nod_sha256 *hash;
    int64_t newest_ns;
    bool coarse;
} state;

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void add_state(state *s, const struct stat *st)
{
    const int64_t m = nanoseconds(st->st_mtim), c = nanoseconds(st->st_ctim);
    const int64_t all[] = {(int64_t)st->st_size, (int64_t)st->st_ino, m, c};
    for (size_t i = 0; i < NOD_COUNT(all); i++)
        nod_sha256_add_i64(s->hash, all[i]);
    s->newest_ns = NOD_MAX(s->newest_ns, NOD_MAX(m, c));
    s->coarse = s->coarse || c % 1000000000 == 0;
}

/* The files of a series, below `path`. */
static bool add_files(state *s, const char *path, const char *files)
{
    while (*files) {
        struct stat st;
        size_t n = strcspn(files, "|");
        char *name = nod_strndup(files, n), *file = name ? nod_path_join(path, name) : NULL;
        bool there = file && stat(file, &st) == 0;
        if (there) add_state(s, &st);
        nod_free(name);
        nod_free(file);
        if (!there) return false;
        files += n + (files[n] == '|');
    }
    return true;
}

static bool get_state(const char *path, const char *files, char out[NOD_SHA256_HEX])
{
    struct timespec now;
    struct stat st;
    state s = {0};
    nod_error err = NOD_ERROR_INIT;
    if (stat(path, &st) || nod_sha256_new(&s.hash, &err)) return false;
    bool known = true;
    if (S_ISREG(st.st_mode)) /* an image, an array, or an archive of a series */
        add_state(&s, &st);
    else
        known = *files && add_files(&s, path, files);
    nod_sha256_hex(s.hash, out);
    nod_sha256_free(s.hash);
    clock_gettime(CLOCK_REALTIME, &now);
    return known && nanoseconds(now) - s.newest_ns > (s.coarse ? COARSE_TICK_NS : TICK_NS);
}

static int get_content(const nod_cohort *cohort, const nod_case *k, char out[NOD_SHA256_HEX],
                       nod_error *err)
{
    nod_sha256 *h = NULL;
    char *text = NULL;
    nod_json *policies = nod_policies_to_json(nod_cohort_get_info(cohort)->policies);
    int rc = nod_json_dump_canonical(policies, &text, err);
    nod_json_free(policies);
    if (!rc) rc = nod_sha256_new(&h, err);
    if (!rc) {
        const char *const words[] = {text, k->pixels, k->file, k->files, k->array};
        for (size_t i = 0; i < NOD_COUNT(words); i++)
            nod_sha256_add_str(h, words[i]);
        nod_sha256_add_i64(h, k->index);
        nod_sha256_hex(h, out);
        nod_sha256_free(h);
    }
    nod_free(text);
    return rc;
}

bool nod_cache_key(const nod_cohort *cohort, size_t i, nod_pack_key *out)
{
    nod_error err = NOD_ERROR_INIT;
    const nod_case *k = nod_cohort_get(cohort, i);
    char *path = nod_cohort_case_path(cohort, i);
    bool good = path && get_content(cohort, k, out->content, &err) == 0;
    bool known = good && get_state(path, k->files, out->state);
    if (!known) memset(out->state, '-', sizeof out->state - 1);
    if (!known) out->state[sizeof out->state - 1] = '\0';
    nod_free(path);
    return known;
}

/* --- the mapped file ---------------------------------------------------------------------- */

static void unmap(nod_cache *c)
{
    if (c->map) munmap(c->map, c->map_size);
    c->map = NULL;
    c->map_size = 0;
    nod_pack_index_done(&c->index);
}

static void close_file(nod_cache *c)
{
    unmap(c);
    if (c->file >= 0) close(c->file);
    c->file = -1;
}

/* Maps what the open file holds now; false where it is not the cache of this contract. */
static int map_file(nod_cache *c, bool *ours, nod_error *err)
{
    struct stat st;
    *ours = false;
    unmap(c);
    if (fstat(c->file, &st) || !S_ISREG(st.st_mode) || (size_t)st.st_size < c->header.len)
        return 0;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, c->file, 0);
    if (map == MAP_FAILED) return nod_fail_memory(err, "the cache", (size_t)st.st_size);
    c->map = map;
    c->map_size = (size_t)st.st_size;
    c->inode = st.st_ino;
    if (memcmp(c->map, c->header.data, c->header.len) != 0) return 0;
    *ours = true;
    return nod_pack_scan(c->map, c->map_size, c->header.len, &c->contract, &c->index, err);
}

/* Without a file that can be used there is nothing to find. */
static int open_file(nod_cache *c, int flags, nod_error *err)
{
    bool ours = false;
    close_file(c);
    c->file = open(c->path, flags | O_CLOEXEC | O_NONBLOCK);
    if (c->file < 0) return 0;
    int rc = map_file(c, &ours, err);
    if (rc || !ours) {
        if (!rc && !c->said_foreign)
            nod_info(c->log, "cache %s: not of this program, or damaged; it is made anew",
                     c->path);
        c->said_foreign = true;
        close_file(c);
    }
    return rc;
}

static int set_paths(nod_cache *c, const char *folder, nod_error *err)
{
    char hash[NOD_SHA256_HEX], name[32];
    int rc = nod_pack_header(&c->contract, &c->header, err);
    if (!rc) rc = nod_sha256_of(c->header.data, c->header.len, hash, err);
    if (rc) return rc;
    snprintf(name, sizeof name, "%.16s.pack", hash);
    c->folder = nod_strdup(folder);
    c->path = nod_path_join(folder, name);
    return c->folder && c->path ? 0 : nod_fail_memory(err, "path of a cache", 256);
}

int nod_cache_open(const char *folder, const nod_contract *k, const nod_log *log,
                   nod_cache **out, nod_error *err)
{
    nod_cache *c = nod_calloc(1, sizeof *c);
    if (!c) return nod_fail_memory(err, "a cache", sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->contract = *k;
    c->log = log;
    c->file = c->folder_lock = -1;
    int rc = set_paths(c, folder, err);
    if (!rc) rc = open_file(c, O_RDONLY, err);
    if (rc) {
        nod_cache_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void nod_cache_close(nod_cache *c)
{
    if (!c) return;
    if (c->n_put > 0) {
        char size[16];
        nod_format_bytes((double)c->map_size, size, sizeof size);
        nod_info(c->log, "cache %s: %zu images were decoded and are kept, %s", c->path,
                 c->n_put, size);
    }
    close_file(c);
    nod_dir_unlock(c->folder_lock);
    pthread_mutex_destroy(&c->lock);
    nod_strbuf_done(&c->header);
    nod_free(c->folder);
    nod_free(c->path);
    nod_free(c);
}

size_t nod_cache_find(const nod_cache *c, const nod_pack_key *key)
{
    size_t at = nod_pack_find(&c->index, key->content);
    return at && nod_pack_check(c->map, at, key) ? at : 0;
}

void nod_cache_values(const nod_cache *c, size_t at, float *dst)
{
    nod_pack_values(c->map, at, dst);
}

int nod_cache_sums(const nod_cache *c, size_t at, nod_contract_sums *out, nod_error *err)
{
    int rc = nod_pack_sums(c->map, at, out, err);
    return rc ? nod_error_prefix(err, "%s", c->path) : 0;
}

/* --- writing ------------------------------------------------------------------------------ */

char *nod_cache_default_path(const char *cohort_path)
{
    char *folder = nod_path_dir(cohort_path);
    char *path = folder ? nod_path_join(folder, ".nodule-cache") : NULL;
    nod_free(folder);
    return path;
}

const char *nod_cache_refusal(const nod_cache *c)
{
    return c->refusal;
}

/* The work goes on without the cache; what it holds already can be used. */
static void refuse(nod_cache *c, const char *why)
{
    c->writing = false;
    if (c->refusal[0]) return;
    snprintf(c->refusal, sizeof c->refusal, "%.500s", why);
    nod_warn(c->log, "images are not kept for the next time: %s", c->refusal);
}

static int take_lock(nod_cache *c, nod_error *err)
{
    const struct timespec pause = {0, (long)(WAIT_S * 1e9)};
    int rc = nod_dir_make(c->folder, err);
    for (bool said = false; !rc; said = true) {
        if (nod_dir_lock(c->folder, &c->folder_lock, err) == 0) return 0;
        if (err->code != NOD_EIO || access(c->folder, R_OK | X_OK)) return err->code;
        if (!said) nod_info(c->log, "waiting for another process that fills %s", c->folder);
        nanosleep(&pause, NULL);
    }
    return rc;
}

/* With the lock: the file as the last writer left it, or a new one. */
static int begin_writing(nod_cache *c, nod_error *err)
{
    int rc = take_lock(c, err);
    if (!rc) rc = nod_file_remove_temps(c->folder, err);
    if (!rc) rc = open_file(c, O_RDWR, err);
    if (rc) return rc;
    if (c->file < 0 || (c->index.dead > DEAD_ALLOWED && c->index.dead > c->index.end / 2)) {
        rc = nod_file_write(c->path, c->header.data, c->header.len, err);
        if (!rc) rc = open_file(c, O_RDWR, err);
        if (rc) return rc;
        if (c->file < 0) return nod_fail(err, NOD_EIO, "%s: cannot be opened again", c->path);
    }
    if (c->index.end < c->map_size) {
        nod_info(c->log, "cache %s: its end is torn or damaged and is made anew", c->path);
        if (ftruncate(c->file, (off_t)c->index.end))
            return nod_fail_errno(err, errno, "cutting %s", c->path);
    }
    c->end = c->index.end;
    return 0;
}

int nod_cache_begin(nod_cache *c, bool *changed, nod_error *err)
{
    nod_error why = NOD_ERROR_INIT;
    bool had_file = c->file >= 0;
    ino_t inode = c->inode;
    size_t end = c->index.end;
    *changed = false;
    if (c->refusal[0]) return 0;
    c->begun = true;
    int rc = begin_writing(c, &why);
    *changed = had_file != (c->file >= 0) || inode != c->inode || end != c->index.end;
    if (rc == NOD_ENOMEM) {
        *err = why;
        return rc;
    }
    c->writing = rc == 0;
    if (rc) refuse(c, why.message);
    return 0;
}

static bool write_all(int file, const uint8_t *data, size_t size, size_t at)
{
    while (size > 0) {
        ssize_t n = pwrite(file, data, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return false;
        data += n;
        size -= (size_t)n;
        at += (size_t)n;
    }
    return true;
}

int nod_cache_put(nod_cache *c, const nod_pack_key *key, const float *values,
                  const nod_contract_sums *sums, size_t *at, nod_error *err)
{
    uint8_t *record = NULL;
    size_t size = 0;
    int rc = nod_pack_record(&c->contract, key, values, sums, &record, &size, err);
    *at = 0;
    if (rc) return rc;
    pthread_mutex_lock(&c->lock);
    if (c->writing && write_all(c->file, record, size, c->end)) {
        *at = c->end;
        c->end += size;
        c->n_put++;
    } else if (c->writing) {
        nod_error why = NOD_ERROR_INIT;
        (void)nod_fail_errno(&why, errno, "writing %s", c->path);
        if (ftruncate(c->file, (off_t)c->end)) { /* then its end is torn */
        }
        refuse(c, why.message);
    }
    pthread_mutex_unlock(&c->lock);
    nod_free(record);
    return 0;
}

int nod_cache_end(nod_cache *c, nod_error *err)
{
    int rc = 0;
    bool ours = true;
    if (!c->begun) return 0;
    c->begun = c->writing = false;
    if (c->file >= 0) rc = map_file(c, &ours, err);
    if (!rc && (!ours || c->map_size < c->end))
        rc = nod_fail(err, NOD_EIO, "%s: another program has changed it meanwhile; try again",
                      c->path);
    nod_dir_unlock(c->folder_lock);
    c->folder_lock = -1;
    return rc;
}
