/* site_key.h: which site key the program uses: --site-key FILE, the file that NODULE_SITE_KEY names, or
 * nodule/site.key in the user's folder of settings ($XDG_CONFIG_HOME, else ~/.config). */
#ifndef NOD_CLI_SITE_KEY_H
#define NOD_CLI_SITE_KEY_H

#include "base/site_key.h"
#include "cli/verb.h"

/* The key, made where it is wanted for the first time, which is said. */
int nod_cli_site_key(const nod_cli *cli, nod_site_key *out, nod_error *err) NOD_MUST_CHECK;

#endif
