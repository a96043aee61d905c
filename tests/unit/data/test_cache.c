/* test_cache.c: preprocessed images on the disk. What is right is what comes without a cache, bit for
 * bit; whatever happens to the file, that must come, or the error that comes without it.
 * LABELS: tsan */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/memory.h"
#include "data/cache.h"
#include "data/dataset.h"
#include "sealed_world.h"

#define PER_CLASS 10

typedef struct spoken {
    char text[4096];
} spoken;

static void hear(void *ctx, nod_log_level level, const char *line)
{
    spoken *s = ctx;
    (void)level;
    size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%s\n", line);
}

static nod_contract contract(void)
{
    nod_contract k;
    nod_contract_init(&k, 2, 1, 7, 4); /* resized: not integers any more */
    return k;
}

/* Older than any tick, so that the state of the files is known. */
static void let_files_settle(void)
{
    const struct timespec pause = {0, 120000000};
    nanosleep(&pause, NULL);
}

/* Fits and opens training and validation; hashes contract and images. */
static int load(const sealed_world *w, const nod_dataset_options *o, const nod_contract *given,
                char out[NOD_SHA256_HEX], nod_error *err)
{
    nod_contract k = *given;
    nod_sha256 *h = NULL;
    int rc = 0;
    NOD_TRY(nod_dataset_fit(w->cohort, w->split, o, &k, err));
    NOD_TRY(nod_sha256_new(&h, err));
    nod_sha256_add(h, k.mean, sizeof k.mean);
    nod_sha256_add(h, k.sd, sizeof k.sd);
    size_t n = (size_t)nod_contract_samples(&k);
    for (int part = NOD_PART_TRAIN; part <= NOD_PART_VAL; part++) {
        nod_dataset d;
        NOD_TRY(nod_dataset_open(w->cohort, w->split, (nod_part)part, &k, NULL, o, &d, err));
        nod_examples e = nod_dataset_examples(&d);
        assert_true((e.images == NULL) == (o->memory == 1));
        float *image = nod_malloc(n * sizeof *image);
        for (int64_t i = 0; i < e.n; i++) {
            if (e.images)
                memcpy(image, e.images + (size_t)i * n, n * sizeof *image);
            else
                assert_int_equal(e.fetch(e.fetch_ctx, i, image, err), 0);
            nod_sha256_add(h, image, n * sizeof *image);
        }
        nod_free(image);
        nod_dataset_done(&d);
    }
    nod_sha256_hex(h, out);
out:
    nod_sha256_free(h);
    return rc;
}

/* Must give what comes without a cache; what was said goes into *s. */
static void check(const sealed_world *w, const nod_dataset_options *o, const nod_contract *k,
                  spoken *s)
{
    nod_error err = NOD_ERROR_INIT;
    const nod_log log = {hear, s};
    nod_dataset_options with = *o, without = {.threads = 1};
    char got[NOD_SHA256_HEX], want[NOD_SHA256_HEX];
    *s = (spoken){{0}};
    with.log = &log;
    if (load(w, &with, k, got, &err) || load(w, &without, k, want, &err))
        fail_msg("%s", err.message);
    assert_string_equal(got, want);
}

static char *pack_path(const char *folder)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    assert_int_equal(nod_dir_list(folder, &names, &err), 0);
    assert_int_equal(names.n, 1);
    char *path = nod_path_join(folder, names.items[0]);
    nod_strlist_done(&names);
    return path;
}

/* Every normalisation, in memory and kept, cold and warm, any number of threads. */
static void test_same_bits(void **state)
{
    sealed_world w = sealed_world_make(*state, "bits", PER_CLASS);
    spoken s;
    let_files_settle();
    for (int kind = NOD_NORMALISATION_NONE; kind <= NOD_NORMALISATION_IMAGE; kind++)
        for (int clip = 0; clip < 2; clip++)
            for (int kept = 0; kept < 2; kept++) {
                char name[64], folder[700];
                nod_contract k = contract();
                k.normalisation = (nod_normalisation)kind;
                if (clip) k.intensity = NOD_INTENSITY_CLIP;
                if (clip) k.clip_by_dataset = true;
                k.clip[0] = 5;
                k.clip[1] = 90;
                snprintf(name, sizeof name, "cache_%d%d%d", kind, clip, kept);
                snprintf(folder, sizeof folder, "%s/%s", w.folder, name);
                nod_dataset_options o = {.threads = 4, .cache = folder, .memory = kept ? 1 : 0};
                check(&w, &o, &k, &s);
                expect_in(s.text, "images were decoded and are kept");
                o.threads = 1;
                check(&w, &o, &k, &s);
                assert_string_equal(s.text, "");
            }
    sealed_world_done(&w);
}

/* Files just written have a state that a next change might not change: nothing is found by it. */
static void test_fresh_files_are_decoded_again(void **state)
{
    sealed_world w = sealed_world_make(*state, "fresh", PER_CLASS);
    char folder[600];
    nod_contract k = contract();
    spoken s;
    snprintf(folder, sizeof folder, "%s/cache", w.folder);
    nod_dataset_options o = {.threads = 2, .cache = folder, .memory = 1};
    for (size_t i = 0; i < 2 * PER_CLASS; i++) /* as new as can be */
        write_png(w.folder, nod_cohort_get(w.cohort, i)->file, 5, 6, (unsigned)i, false);
    check(&w, &o, &k, &s);
    let_files_settle();
    check(&w, &o, &k, &s);
    check(&w, &o, &k, &s);
    assert_string_equal(s.text, "");
    sealed_world_done(&w);
}

/* A file that is touched is decoded again, one that was changed is the error that it is without a
 * cache, and so is one that is gone. */
static void test_changed_files(void **state)
{
    sealed_world w = sealed_world_make(*state, "changed", PER_CLASS);
    nod_error err = NOD_ERROR_INIT;
    char folder[600], hash[NOD_SHA256_HEX];
    nod_contract k = contract();
    spoken s;
    size_t i = 0;
    unsigned seed = 0;
    snprintf(folder, sizeof folder, "%s/cache", w.folder);
    nod_dataset_options o = {.threads = 2, .cache = folder};
    let_files_settle();
    check(&w, &o, &k, &s);
    while (nod_split_part(w.split, i) != NOD_PART_TRAIN)
        i++;
    const nod_case *first = nod_cohort_get(w.cohort, i);
    assert_int_equal(sscanf(strchr(first->file, '/'), "/%u.png", &seed), 1);
    write_png(w.folder, first->file, 5, 6, seed, false);
    let_files_settle();
    check(&w, &o, &k, &s);
    expect_in(s.text, " 1 images were decoded");
    write_png(w.folder, first->file, 5, 6, seed + 1, false); /* as long as it was */
    assert_int_equal(load(&w, &o, &k, hash, &err), NOD_EDATA);
    expect_in(err.message, first->id);
    expect_in(err.message, "not those that were indexed");
    char *path = nod_cohort_case_path(w.cohort, i);
    unlink(path);
    free(path);
    assert_int_equal(load(&w, &o, &k, hash, &err), NOD_ENOENT);
    expect_in(err.message, first->id);
    sealed_world_done(&w);
}

/* Without a look nothing of the test part is decoded, and so nothing is in the cache. */
static void test_the_seal_holds(void **state)
{
    sealed_world w = sealed_world_make(*state, "seal", PER_CLASS);
    nod_error err = NOD_ERROR_INIT;
    char folder[600];
    nod_contract k = contract();
    nod_dataset d;
    spoken s;
    snprintf(folder, sizeof folder, "%s/cache", w.folder);
    nod_dataset_options o = {.threads = 2, .cache = folder};
    let_files_settle();
    k.normalisation = NOD_NORMALISATION_NONE;
    check(&w, &o, &k, &s);
    assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_TEST, &k, NULL, &o, &d, &err),
                     NOD_ESEAL);
    nod_cache *c = NULL;
    assert_int_equal(nod_cache_open(folder, &k, NULL, &c, &err), 0);
    for (size_t i = 0; i < 2 * PER_CLASS; i++) {
        nod_pack_key key;
        assert_true(nod_cache_key(w.cohort, i, &key));
        bool is_test = nod_split_part(w.split, i) == NOD_PART_TEST;
        assert_true((nod_cache_find(c, &key) == 0) == is_test);
    }
    nod_cache_close(c);
    nod_look *look = sealed_world_look(&w);
    assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_TEST, &k, look, &o, &d, &err),
                     0);
    nod_dataset_done(&d);
    nod_look_close(look);
    sealed_world_done(&w);
}

static void damage(const char *path, size_t at, size_t cut)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    assert_true(fd >= 0);
    if (cut) {
        assert_int_equal(ftruncate(fd, (off_t)at), 0);
    } else {
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    close(fd);
}

/* Any byte changed, any length: the images are right, and after that all are found. */
static void test_damage(void **state)
{
    sealed_world w = sealed_world_make(*state, "damage", PER_CLASS);
    char folder[600];
    nod_contract k = contract();
    spoken s;
    snprintf(folder, sizeof folder, "%s/cache", w.folder);
    nod_dataset_options o = {.threads = 2, .cache = folder};
    let_files_settle();
    check(&w, &o, &k, &s);
    char *path = pack_path(folder);
    for (size_t round = 0; round < 60; round++) {
        size_t size = (size_t)nod_path_size(path);
        damage(path, round * 7919 % size, round % 3 == 2);
        o.memory = round % 2;
        check(&w, &o, &k, &s);
        if (round % 8 == 0) check(&w, &o, &k, &s);
        if (round % 8 == 0) assert_string_equal(s.text, "");
    }
    nod_error err = NOD_ERROR_INIT; /* a file of another kind */
    assert_int_equal(nod_file_write(path, "nodule cache 7\n", 15, &err), 0);
    check(&w, &o, &k, &s);
    expect_in(s.text, "not of this program, or damaged");
    check(&w, &o, &k, &s);
    assert_string_equal(s.text, "");
    free(path);
    sealed_world_done(&w);
}

/* A full disk (here: a limit of the file's size) and a folder that cannot be made: done without. */
static void test_no_room(void **state)
{
    sealed_world w = sealed_world_make(*state, "room", PER_CLASS);
    char folder[600], file[700], hash[NOD_SHA256_HEX];
    nod_error err = NOD_ERROR_INIT;
    nod_contract k = contract();
    spoken s;
    struct rlimit old;
    snprintf(folder, sizeof folder, "%s/cache", w.folder);
    nod_dataset_options o = {.threads = 2, .cache = folder};
    let_files_settle();
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t bytes = 0; bytes < 5000; bytes += 1237) { /* the whole has more than 6 000 */
        struct rlimit limit = {bytes, old.rlim_max};
        snprintf(folder, sizeof folder, "%s/cache_%d", w.folder, (int)bytes);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        o.memory = 0;
        check(&w, &o, &k, &s);
        expect_in(s.text, "images are not kept for the next time");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    }
    o.memory = 1;
    check(&w, &o, &k, &s);
    snprintf(file, sizeof file, "%s/no/cache", "/dev/null");
    o.memory = 0;
    o.cache = file;
    check(&w, &o, &k, &s);
    expect_in(s.text, "/dev/null");
    assert_int_equal(load(&w, &o, &k, hash, &err), 0);
    sealed_world_done(&w);
}

/* Processes that fill the same cache at once, some of them killed on the way: all others get the right
 * images, and so does who comes after. */
static void test_processes(void **state)
{
    sealed_world w = sealed_world_make(*state, "processes", 40);
    nod_error err = NOD_ERROR_INIT;
    char folder[600], want[NOD_SHA256_HEX];
    nod_contract k = contract();
    spoken s;
    nod_dataset_options without = {.threads = 1}, o = {.threads = 1, .cache = folder};
    let_files_settle();
    assert_int_equal(load(&w, &without, &k, want, &err), 0);
    for (int round = 0; round < 8; round++) {
        pid_t child[4];
        snprintf(folder, sizeof folder, "%s/cache_%d", w.folder, round / 4);
        for (int i = 0; i < 4; i++) {
            child[i] = fork();
            assert_true(child[i] >= 0);
            if (child[i] == 0) {
                char got[NOD_SHA256_HEX];
                bool good = load(&w, &o, &k, got, &err) == 0 && strcmp(got, want) == 0;
                _exit(good ? 0 : 1);
            }
        }
        const struct timespec moment = {0, 1500000L * (round + 1)};
        nanosleep(&moment, NULL);
        for (int i = 0; i < 4; i++) {
            int status = 0;
            if (i < 2) kill(child[i], SIGKILL);
            assert_int_equal(waitpid(child[i], &status, 0), child[i]);
            if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
            if (i >= 2) assert_true(WIFEXITED(status));
        }
        check(&w, &o, &k, &s);
        check(&w, &o, &k, &s);
        assert_string_equal(s.text, "");
    }
    sealed_world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_fresh_files_are_decoded_again),
        cmocka_unit_test(test_changed_files),
        cmocka_unit_test(test_the_seal_holds),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_processes),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
