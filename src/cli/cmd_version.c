/* cmd_version.c: `nodule version`: which program this is, and how it was built. */
#include "cli/verb.h"

#ifdef _OPENMP
#define HAS_OPENMP true
#else
#define HAS_OPENMP false
#endif

static int run(nod_cli *cli, const void *options, nod_error *err)
{
    nod_json *j;

    (void)options;
    if (!cli->json) {
        fprintf(cli->out, "nodule %s\n", NODULE_VERSION);
        fprintf(cli->out, "built %s with %s %s, %s OpenMP\n", NODULE_BUILD_TYPE,
#ifdef __clang__
                "clang",
#else
                "gcc",
#endif
                __VERSION__, HAS_OPENMP ? "with" : "without");
        fprintf(cli->out, "For research; not a medical device. Licence: Apache-2.0\n");
        return 0;
    }
    j = nod_json_object();
    nod_json_set_str(j, "name", "nodule");
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "build", NODULE_BUILD_TYPE);
    nod_json_set_str(j, "compiler", __VERSION__);
    nod_json_set_bool(j, "openmp", HAS_OPENMP);
    return nod_cli_put_json(cli, j, err);
}

const nod_verb nod_verb_version = {
    .name = "version",
    .summary = "version of the program",
    .args = "",
    .about = "Prints the version of the program and how it was built.",
    .examples = "  nodule version\n"
                "  nodule version --json\n",
    .takes = NOD_TAKES_JSON,
    .run = run,
};
