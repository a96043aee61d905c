/* settings.c: see settings.h. */
#include "cli/settings.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static bool is_set(const char *value)
{
    return value != NULL && *value != '\0';
}

int nod_settings_path(const char *variable, const char *name, char **out, nod_error *err)
{
    const char *file = getenv(variable), *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    nod_strbuf b = NOD_STRBUF_INIT;
    if (is_set(file))
        nod_strbuf_add(&b, file);
    else if (is_set(config))
        nod_strbuf_printf(&b, "%s/nodule/%s", config, name);
    else
        nod_strbuf_printf(&b, "%s/.config/nodule/%s", is_set(home) ? home : "", name);
    *out = nod_strbuf_take(&b);
    nod_strbuf_done(&b);
    return *out ? 0 : nod_fail_memory(err, "path of a file of settings", 4096);
}
