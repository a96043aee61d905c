/* settings.h: where the program keeps what is of this machine or this user: $XDG_CONFIG_HOME/nodule, else
 * ~/.config/nodule; a variable of the environment can name another file. */
#ifndef NOD_CLI_SETTINGS_H
#define NOD_CLI_SETTINGS_H

#include "base/error.h"

/* The file that `variable` names, or `name` in the folder of settings; the caller's to free. */
int nod_settings_path(const char *variable, const char *name, char **out,
                      nod_error *err) NOD_MUST_CHECK;

#endif
