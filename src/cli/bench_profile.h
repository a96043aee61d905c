/* bench_profile.h: where the time of a workload goes: per operation and kernel, and per layer. */
#ifndef NOD_CLI_BENCH_PROFILE_H
#define NOD_CLI_BENCH_PROFILE_H

#include "base/json.h"
#include "cli/bench_workload.h"

/* Runs the workload in this process `runs` times after warming up. The table goes to `text`, or
 * every step of the plan in order to `*json` where that is wanted (text NULL). */
int nod_bench_profile(const nod_bench_workload *w, nod_precision precision, int runs,
                      const nod_log *log, nod_strbuf *text, nod_json **json,
                      nod_error *err) NOD_MUST_CHECK;

#endif
