"""How a peer is measured: as a worker that `nodule bench` asks for samples, or alone.

A worker prepares its workload, says {"ready": true, "name": ..., "version": ...} and then
answers each line "run N" on standard input with {"time_s": ..., "cpu_s": ..., "peak_rss_bytes":
...}: the wall time of N runs, the processor time of this process meanwhile, and its peak memory
so far. Standard input at its end ends the worker. What libraries print goes to standard error.
The C side of the same protocol is src/cli/bench_worker.c.

Alone (no --worker) a script samples by itself and prints one JSON line: the median over the
samples during which other processes used little of the machine.
"""
import json
import os
import resource
import statistics
import sys
import time

SAMPLE_S = 0.1  # a sample is at least this long
FOREIGN_SHARE = 0.05  # of the machine that others may use during a clean sample
FOREIGN_S = 0.02  # and this much more, for the tick of /proc/stat


def peak_rss_bytes():
    # Not getrusage: its maximum is inherited from the parent through fork and exec.
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def own_cpu_s():
    """Of this process, and of programs that it ran to their end."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(r.ru_utime + r.ru_stime for r in both)


def machine_cpu_s():
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def timed(run, n):
    cpu, start = own_cpu_s(), time.perf_counter()
    for _ in range(n):
        run()
    return time.perf_counter() - start, own_cpu_s() - cpu


def warm_up(run):
    """At least one run; up to three where they are short: compilers look at the first ones."""
    start = time.perf_counter()
    for _ in range(3):
        run()
        if time.perf_counter() - start > 20:
            break


def serve(out, name, version, run):
    def say(message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    warm_up(run)
    say({"ready": True, "name": name, "version": version})
    for line in sys.stdin:
        n = int(line.split()[1])
        time_s, cpu_s = timed(run, n)
        say({"time_s": time_s, "cpu_s": cpu_s, "peak_rss_bytes": peak_rss_bytes()})


def alone(out, name, version, run, samples):
    warm_up(run)
    one = timed(run, 1)[0]
    n = max(1, int(SAMPLE_S / one) + 1) if one < SAMPLE_S else 1
    clean, noisy = [], []
    while len(clean) < samples and len(clean) + len(noisy) < 2 * samples:
        time.sleep(0.05)
        busy = machine_cpu_s()
        time_s, cpu_s = timed(run, n)
        foreign = machine_cpu_s() - busy - cpu_s
        good = foreign < FOREIGN_SHARE * os.cpu_count() * time_s + FOREIGN_S
        (clean if good else noisy).append(time_s / n)
    used = clean if len(clean) >= 3 or not noisy else clean + noisy
    result = {"name": name, "version": version, "median_s": statistics.median(used),
              "min_s": min(used), "clean": len(clean), "noisy": len(noisy),
              "peak_rss_bytes": peak_rss_bytes()}
    out.write(json.dumps(result) + "\n")


def main(args, prepare):
    """prepare() -> (name, version, run); imports its library, so that a failure is told."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        name, version, run = prepare()
        if args.worker:
            serve(out, name, version, run)
        else:
            alone(out, name, version, run, args.samples)
    except Exception as e:  # told to the one who asked, whatever it was
        lines = str(e).strip().splitlines()
        what = f"{type(e).__name__}: {lines[0] if lines else ''}"
        out.write(json.dumps({"error": what[:400]}) + "\n")
        out.flush()
        sys.exit(1)


def arguments(parser):
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--worker", action="store_true", help="take samples when asked")
    parser.add_argument("--files", help="folder to read, instead of files that are made")
    parser.add_argument("--samples", type=int, default=7)
    return parser.parse_args()
