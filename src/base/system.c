/* system.c: clocks and memory figures of the machine (file.h). What the kernel says is read
 * from /proc and from the control groups that this process is in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"

double nod_time_monotonic_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void nod_time_utc(char *out, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;
    if (size == 0) return;
    out[0] = '\0';
    if (gmtime_r(&now, &tm) != NULL) strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The number after `key` at the start of a line, -1 if there is none. */
static int64_t number_after(const char *path, const char *key)
{
    FILE *f = fopen(path, "re");
    if (f == NULL) return -1;
    char line[512];
    int64_t value = -1;
    while (value < 0 && fgets(line, sizeof line, f) != NULL) {
        if (!nod_has_prefix(line, key)) continue;
        const char *digits = line + strlen(key);
        char *end;
        long long n = strtoll(digits, &end, 10);
        if (end == digits) break; /* "max" */
        value = n;
    }
    fclose(f);
    return value;
}

int64_t nod_peak_rss_bytes(void)
{
    /* Not getrusage first: its maximum is inherited from the parent through fork and exec. */
    int64_t kib = number_after("/proc/self/status", "VmHWM:");
    if (kib >= 0) return kib * 1024;
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* Where the two versions of control groups keep memory figures; "" as a key is the first number
 * of the file. */
typedef struct group_files {
    const char *root, *limit, *used, *cache_key;
} group_files;

static const group_files group_v2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
                                     "inactive_file "};
static const group_files group_v1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                     "memory.usage_in_bytes", "total_inactive_file "};

static int64_t group_number(const char *dir, const char *file, const char *key)
{
    char path[1300];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return number_after(path, key);
}

/* What the group at `dir` may still take: its limit less its use, where the page cache it can
 * drop does not count as use. -1: no limit there. */
static int64_t group_room(const group_files *files, const char *dir)
{
    int64_t limit = group_number(dir, files->limit, "");
    if (limit < 0) return -1; /* "max", or no such file */
    int64_t used = group_number(dir, files->used, "");
    int64_t cache = group_number(dir, "memory.stat", files->cache_key);
    int64_t room = limit - NOD_MAX(used, 0) + NOD_MAX(cache, 0);
    return room < 0 ? 0 : NOD_MIN(room, limit);
}

/* The smallest room of the group `path` below files->root and of those above it, or `least`. */
static int64_t room_upwards(const group_files *files, const char *path, int64_t least)
{
    char dir[1200];
    snprintf(dir, sizeof dir, "%s%s", files->root, path);
    while (strlen(dir) >= strlen(files->root)) {
        int64_t room = group_room(files, dir);
        if (room >= 0 && (least < 0 || room < least)) least = room;
        *strrchr(dir, '/') = '\0';
    }
    return least;
}

/* The smallest room of this process's groups, -1 if none is limited. Lines of the file are
 * "0::/path" (version 2) and "5:memory:/path" (version 1). */
static int64_t cgroup_room(void)
{
    char line[1024];
    int64_t least = -1;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (f == NULL) return -1;
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *path = strstr(line, ":/");
        if (path == NULL) continue;
        if (nod_has_prefix(line, "0::"))
            least = room_upwards(&group_v2, path + 1, least);
        else if (strstr(line, ":memory:") != NULL)
            least = room_upwards(&group_v1, path + 1, least);
    }
    fclose(f);
    return least;
}

int64_t nod_available_memory_bytes(void)
{
    int64_t kib = number_after("/proc/meminfo", "MemAvailable:");
    int64_t machine = kib >= 0 ? kib * 1024 : -1;
    int64_t group = cgroup_room();
    if (group < 0) return machine < 0 ? 0 : machine;
    return machine < 0 ? group : NOD_MIN(machine, group);
}
