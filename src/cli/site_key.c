/* site_key.c: see site_key.h. */
#include "cli/site_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/settings.h"

int nod_cli_site_key(const nod_cli *cli, nod_site_key *out, nod_error *err)
{
    char *path = NULL;
    int rc = cli->site_key ? 0 : nod_settings_path("NODULE_SITE_KEY", "site.key", &path, err);
    if (cli->site_key) path = nod_strdup(cli->site_key);
    if (!rc && path == NULL) rc = nod_fail_memory(err, "path of the site key", 4096);
    bool is_new = !rc && !nod_path_exists(path);
    if (!rc) rc = nod_site_key_open(path, true, out, err);
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;
    bool is_own = n > 1 && path != NULL && strncmp(path, home, n) == 0 && path[n] == '/';
    if (!rc && is_new)
        nod_info(cli->log,
                 "a site key was made: %s%s; keep it out of what you share, and keep it: "
                 "patients have these names under it alone",
                 is_own ? "~" : "", is_own ? path + n : path);
    nod_free(path);
    return rc;
}
