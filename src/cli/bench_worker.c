/* bench_worker.c: both sides of a benchmark's worker process (bench_worker.h), and what makes a
 * sample clean: the processor time that everybody used (/proc/stat), less what the worker says
 * it used itself, is small. */
#include "cli/bench_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/user_kernels.h"

#define FOREIGN_SHARE  0.05 /* of the machine that others may use during a clean sample */
#define FOREIGN_S      0.02 /* and this much more, for the ticks of /proc/stat */
#define LINE_MAX_BYTES 4096

/* --- processor time ------------------------------------------------------------------------ */

static double machine_cpu_s(void)
{
    unsigned long long v[8] = {0};
    FILE *f = fopen("/proc/stat", "re");
    if (!f) return -1;
    int n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3],
                   &v[4], &v[5], &v[6], &v[7]);
    fclose(f);
    if (n != 8) return -1;
    /* all but idle and waiting for input; stolen time is used by others too */
    unsigned long long busy = v[0] + v[1] + v[2] + v[5] + v[6] + v[7];
    return (double)busy / (double)sysconf(_SC_CLK_TCK);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static double own_cpu_s(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0) return 0;
    return seconds_of(u.ru_utime) + seconds_of(u.ru_stime);
}

static void sleep_s(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&t, NULL);
}

static double machine_size(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (double)n : 1;
}

/* Sleeps until others leave the machine alone or the patience is used up. */
static void wait_for_quiet(double *patience_s)
{
    const double look_s = 0.1;
    for (; *patience_s > 0; *patience_s -= look_s) {
        double before = machine_cpu_s();
        sleep_s(look_s);
        double used = machine_cpu_s() - before;
        /* one tick of a counter is no sign of anything */
        if (before < 0 || used < FOREIGN_SHARE * machine_size() * look_s + 0.0101) return;
    }
}

static nod_bench_sample judge(double time_s, double foreign_s)
{
    double all = machine_size() * time_s;
    return (nod_bench_sample){.time_s = time_s,
                              .foreign = all > 0 ? NOD_MAX(foreign_s, 0) / all : 0,
                              .is_clean = foreign_s < FOREIGN_SHARE * all + FOREIGN_S};
}

/* --- the worker's side --------------------------------------------------------------------- */

static int say(FILE *out, nod_json *message_take, nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump(message_take, false, &text, err);
    nod_json_free(message_take);
    if (!rc && (fprintf(out, "%s\n", text) < 0 || fflush(out) != 0))
        rc = nod_fail_errno(err, errno, "writing to the benchmark");
    nod_free(text);
    return rc;
}

static int answer(nod_bench_job *job, int64_t n, FILE *out, nod_error *err)
{
    double cpu = own_cpu_s(), waited = nod_bench_job_waited_s(job);
    double start = nod_time_monotonic_s();
    for (int64_t i = 0; i < n; i++) {
        int rc = nod_bench_job_run(job, err);
        if (rc) return rc;
    }
    double time_s = nod_time_monotonic_s() - start;
    nod_json *j = nod_json_object();
    nod_json_set_real(j, "time_s", time_s);
    nod_json_set_real(j, "cpu_s", own_cpu_s() - cpu);
    nod_json_set_real(j, "load_s", nod_bench_job_waited_s(job) - waited);
    nod_json_set_int(j, "peak_rss_bytes", nod_peak_rss_bytes());
    return say(out, j, err);
}

static int serve(nod_bench_job *job, FILE *in, FILE *out, nod_error *err)
{
    char line[64];
    int rc = nod_bench_job_run(job, err); /* warms up */
    if (rc) return rc;
    nod_json *j = nod_json_object();
    nod_json_set_bool(j, "ready", true);
    nod_json_set_str(j, "name", "nodule");
    nod_json_set_str(j, "version", NODULE_VERSION);
    rc = say(out, j, err);
    while (!rc && fgets(line, sizeof line, in)) {
        int64_t n;
        line[strcspn(line, "\n")] = '\0';
        if (!nod_has_prefix(line, "run ") || !nod_parse_i64(line + 4, &n) || n < 1)
            return nod_fail(err, NOD_EINVAL, "bench --worker: '%s' is not 'run N'", line);
        rc = answer(job, n, out, err);
    }
    return rc;
}

int nod_bench_serve(const nod_bench_workload *w, nod_precision precision, const char *files,
                    const nod_log *log, FILE *in, FILE *out, nod_error *err)
{
    nod_bench_job *job = NULL;
    nod_kernel_table *table = NULL;
    int rc = nod_user_kernels_read(&table, err);
    if (!rc) rc = nod_bench_job_new(w, precision, table, files, log, &job, err);
    if (!rc) rc = serve(job, in, out, err);
    nod_bench_job_free(job);
    nod_kernel_table_free(table);
    return rc;
}

/* --- starting a process -------------------------------------------------------------------- */

/* Between fork and exec: streams in place, the path of the program in argv[0]. */
static void become(char *const argv[], int input, int output, int words)
{
    signal(SIGPIPE, SIG_DFL);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(words, 2) < 0) _exit(126);
    execv(argv[0], argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* The last line that is not empty of what a process said on standard error. */
static void last_words(FILE *words, char out[512])
{
    char line[512];
    snprintf(out, 512, "no word");
    if (!words) return;
    rewind(words);
    while (fgets(line, sizeof line, words)) {
        line[strcspn(line, "\n")] = '\0';
        nod_text_tidy(line);
        if (line[0]) memcpy(out, line, sizeof line);
    }
}

static int open_pipes(int in[2], int out[2], nod_error *err)
{
    if (pipe2(in, O_CLOEXEC) != 0) return nod_fail_errno(err, errno, "opening a pipe");
    if (pipe2(out, O_CLOEXEC) != 0) {
        int saved = errno;
        close(in[0]);
        close(in[1]);
        return nod_fail_errno(err, saved, "opening a pipe");
    }
    return 0;
}

static int spawn(nod_bench_worker *w, char *const argv[], nod_error *err)
{
    int in[2], out[2];
    w->words = tmpfile();
    if (!w->words) return nod_fail_errno(err, errno, "opening a temporary file");
    int rc = open_pipes(in, out, err);
    if (rc) return rc;
    w->pid = fork();
    if (w->pid == 0) become(argv, in[0], out[1], fileno(w->words));
    int saved = errno;
    close(in[0]);
    close(out[1]);
    w->input = in[1];
    w->output = fdopen(out[0], "r");
    if (w->pid > 0 && w->output) return 0;
    if (w->pid < 0) w->pid = 0;
    if (!w->output) close(out[0]);
    return nod_fail_errno(err, saved, "starting %s", argv[0]);
}

/* --- talking to it ------------------------------------------------------------------------- */

/* The next answer; lines that are not JSON objects are skipped. */
static int listen(nod_bench_worker *w, nod_json **out, nod_error *err)
{
    char line[LINE_MAX_BYTES], words[512];
    while (fgets(line, sizeof line, w->output)) {
        nod_error ignored = NOD_ERROR_INIT;
        if (line[0] != '{') continue;
        if (nod_json_parse(line, strlen(line), "worker", out, &ignored) != 0) continue;
        const nod_json *what = nod_json_get(*out, "error");
        if (!what) return 0;
        int rc = nod_fail(err, NOD_EINTERNAL, "%s", nod_json_str(what));
        nod_json_free(*out);
        *out = NULL;
        return rc;
    }
    last_words(w->words, words);
    /* It has closed its output, so it has ended or is about to. */
    int status = 0;
    for (int i = 0; i < 20 && w->pid > 0; i++) {
        if (waitpid(w->pid, &status, WNOHANG) == w->pid) {
            w->pid = 0;
            if (WIFSIGNALED(status))
                return nod_fail(err, NOD_EINTERNAL,
                                "ended by signal %d (9: often for memory): %s",
                                WTERMSIG(status), words);
        } else {
            sleep_s(0.05);
        }
    }
    return nod_fail(err, NOD_EINTERNAL, "ended early: %s", words);
}

int nod_bench_worker_start(nod_bench_worker *w, char *const argv[], nod_error *err)
{
    const char *name, *version;
    nod_json *j = NULL;
    int rc = 0;
    *w = (nod_bench_worker){.input = -1};
    NOD_TRY(spawn(w, argv, err));
    NOD_TRY(listen(w, &j, err));
    NOD_TRY(nod_json_need_str(j, "worker", "name", &name, err));
    NOD_TRY(nod_json_need_str(j, "worker", "version", &version, err));
    /* "PyTorch eager", "2.13.0" -> "PyTorch 2.13.0 eager" */
    const char *mode = strchr(name, ' ');
    if (mode && nod_has_prefix(name, "PyTorch "))
        snprintf(w->name, sizeof w->name, "PyTorch %s%s", version, mode);
    else
        snprintf(w->name, sizeof w->name, "%s %s", name, version);
out:
    nod_json_free(j);
    if (rc) nod_bench_worker_stop(w);
    return rc;
}

int nod_bench_worker_sample(nod_bench_worker *w, int64_t n, double *patience_s,
                            nod_bench_sample *out, nod_error *err)
{
    nod_json *j = NULL;
    double time_s, cpu_s;
    int64_t peak;
    int rc = 0;
    wait_for_quiet(patience_s);
    double before = machine_cpu_s();
    if (dprintf(w->input, "run %lld\n", (long long)n) < 0)
        return nod_fail_errno(err, errno, "asking for a sample");
    NOD_TRY(listen(w, &j, err));
    double used = machine_cpu_s() - before;
    NOD_TRY(nod_json_need_f64(j, "worker", "time_s", &time_s, err));
    NOD_TRY(nod_json_need_f64(j, "worker", "cpu_s", &cpu_s, err));
    NOD_TRY(nod_json_need_i64(j, "worker", "peak_rss_bytes", &peak, err));
    w->peak_rss_bytes = peak;
    *out = judge(time_s, before < 0 ? 0 : used - cpu_s);
    out->load_s = nod_json_f64(nod_json_get(j, "load_s")); /* peers do not say it */
out:
    nod_json_free(j);
    return rc;
}

void nod_bench_worker_stop(nod_bench_worker *w)
{
    if (w->input >= 0) close(w->input);
    if (w->output) fclose(w->output);
    if (w->pid > 0) {
        int status;
        /* It ends with its input; a process that is still compiling would make us wait. */
        for (int i = 0; i < 20 && waitpid(w->pid, &status, WNOHANG) == 0; i++) {
            sleep_s(0.05);
            if (i == 19) {
                kill(w->pid, SIGKILL);
                while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
                    ;
            }
        }
    }
    if (w->words) fclose(w->words);
    *w = (nod_bench_worker){.input = -1};
}

/* --- a program from start to end ----------------------------------------------------------- */

/* Once; adds its processor time and its peak. */
static int run_program(char *const argv[], int null, FILE *words, double *cpu_s,
                       int64_t *peak_rss_bytes, nod_error *err)
{
    struct rusage usage;
    char text[512];
    int status;
    pid_t pid = fork();
    if (pid == 0) become(argv, null, null, fileno(words));
    if (pid < 0) return nod_fail_errno(err, errno, "starting %s", argv[0]);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        last_words(words, text);
        return nod_fail(err, NOD_EINTERNAL, "%s", text);
    }
    *cpu_s += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    *peak_rss_bytes = NOD_MAX(*peak_rss_bytes, (int64_t)usage.ru_maxrss * 1024);
    return 0;
}

int nod_bench_program_sample(char *const argv[], int64_t n, double *patience_s,
                             nod_bench_sample *out, int64_t *peak_rss_bytes, nod_error *err)
{
    int rc = 0;
    double cpu_s = 0;
    int64_t peak = 0;
    FILE *words = tmpfile();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (!words || null < 0) rc = nod_fail_errno(err, errno, "starting %s", argv[0]);
    wait_for_quiet(patience_s);
    double before = machine_cpu_s(), start = nod_time_monotonic_s();
    for (int64_t i = 0; !rc && i < n; i++)
        rc = run_program(argv, null, words, &cpu_s, &peak, err);
    double time_s = nod_time_monotonic_s() - start, used = machine_cpu_s() - before;
    if (!rc) {
        *out = judge(time_s, before < 0 ? 0 : used - cpu_s);
        *peak_rss_bytes = peak;
    }
    if (words) fclose(words);
    if (null >= 0) close(null);
    return rc;
}
