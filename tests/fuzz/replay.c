/* replay.c: the main() of a fuzz target in normal builds. Feeds each file of the folders (or
 * files) named on the command line to LLVMFuzzerTestOneInput, then damaged copies of it: cut at
 * many places, and with single bytes changed. The damage is the same in every run, so a crash
 * seen once is seen again. Input lies in memory of its exact size, so that AddressSanitizer
 * sees a read past its end. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES   (1 << 20)
#define CUTS_PER_FILE    64
#define CHANGES_PER_FILE 192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", what, path);
    exit(1);
}

static void *copy_of(const uint8_t *data, size_t size)
{
    void *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL) die("no memory", "");
    if (size > 0) memcpy(copy, data, size);
    return copy;
}

static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = copy_of(data, size);

    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* Marsaglia's xorshift: any sequence will do, as long as it is always the same. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void feed_damaged(const uint8_t *data, size_t size)
{
    static const uint8_t nasty[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '"', '\n', '-'};
    uint32_t random = 2463534242u;

    for (size_t i = 0; i < CUTS_PER_FILE && size > 0; i++)
        feed(data, size < CUTS_PER_FILE ? (i < size ? i : 0) : size * i / CUTS_PER_FILE);
    for (size_t i = 0; i < CHANGES_PER_FILE && size > 0; i++) {
        uint8_t *copy = copy_of(data, size);
        size_t at = next_random(&random) % size;
        uint32_t how = next_random(&random);

        if (i % 2 == 0)
            copy[at] ^= (uint8_t)(1u << (how % 8));
        else
            copy[at] = nasty[how % sizeof nasty];
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
}

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(MAX_FILE_BYTES + 1);
    size_t size;

    if (f == NULL || data == NULL) die("cannot open", path);
    size = fread(data, 1, MAX_FILE_BYTES + 1, f);
    if (ferror(f) || size > MAX_FILE_BYTES) die("cannot read, or larger than 1 MiB", path);
    fclose(f);
    /* The last line of a crash says which file it was. */
    printf("%s\n", path);
    fflush(stdout);
    feed(data, size);
    feed_damaged(data, size);
    free(data);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Files of a folder in the order of their names. */
static int replay(const char *path)
{
    struct stat info;
    struct dirent **entries;
    int n;

    if (stat(path, &info) != 0) die("does not exist", path);
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path);
        return 1;
    }
    n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) die("cannot list", path);
    for (int i = 0; i < n; i++) {
        char name[4096];

        if (snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name) >= (int)sizeof name)
            die("path is too long", path);
        replay_file(name);
        free(entries[i]);
    }
    free(entries);
    return n;
}

int main(int argc, char **argv)
{
    int n_files = 0;

    feed((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        n_files += replay(argv[i]);
    if (n_files == 0) die("no corpus files in", argc > 1 ? argv[1] : "nothing");
    printf("%d files, each with %d damaged copies\n", n_files,
           CUTS_PER_FILE + CHANGES_PER_FILE);
    return 0;
}
