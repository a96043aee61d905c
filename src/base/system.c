/* system.c: clocks and memory figures of the machine (file.h). What the kernel says is read
 * from /proc and from the control group (version 2) that this process is in. */
#include <inttypes.h>
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
        if (sscanf(line + strlen(key), "%" SCNd64, &value) != 1) break;
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

/* What the group at `dir` may still take: its limit less its use, where the page cache it can
 * drop does not count as use. -1: no limit there. */
static int64_t group_room(const char *dir)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/memory.max", dir);
    int64_t limit = number_after(path, "");
    if (limit < 0) return -1; /* "max", or no such file */
    snprintf(path, sizeof path, "%s/memory.current", dir);
    int64_t used = number_after(path, "");
    snprintf(path, sizeof path, "%s/memory.stat", dir);
    int64_t cache = number_after(path, "inactive_file ");
    int64_t room = limit - (used > 0 ? used : 0) + (cache > 0 ? cache : 0);
    return room < 0 ? 0 : NOD_MIN(room, limit);
}

/* The smallest room of this process's group and those above it, -1 if none is limited. */
static int64_t cgroup_room(void)
{
    char line[1024], dir[1100];
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (f == NULL) return -1;
    dir[0] = '\0';
    while (dir[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        if (!nod_has_prefix(line, "0::/")) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(dir, sizeof dir, "/sys/fs/cgroup%s", line + 3);
    }
    fclose(f);
    int64_t least = -1;
    while (strlen(dir) >= strlen("/sys/fs/cgroup")) {
        int64_t room = group_room(dir);
        if (room >= 0 && (least < 0 || room < least)) least = room;
        char *slash = strrchr(dir, '/');
        *slash = '\0';
    }
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
