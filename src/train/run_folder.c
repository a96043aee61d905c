/* run_folder.c: the folder of a run; see run_folder.h. */
#include "train/run_folder.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "data/cache.h"

#define RUN_JSON_MAX ((size_t)1 << 20)

/* --- inputs ------------------------------------------------------------------------------- */

/* `path` as written in a recipe that lies in `folder`, absolute and without links where it exists;
 * what does not exist is named as it was looked for. */
static char *beside(const char *folder, const char *path)
{
    char *joined = nod_path_join(folder, path), *real = joined ? nod_path_real(joined) : NULL;
    if (!real) return joined;
    nod_free(joined);
    return real;
}

/* Where cohort and split are: given by name, or written in the recipe. */
static int find_inputs(const char *recipe_path, const char *cohort, const char *split,
                       nod_run_inputs *in, nod_error *err)
{
    char *recipe_folder = nod_path_dir(recipe_path), *folder = NULL;
    if (recipe_folder)
        in->cohort_path =
            cohort ? beside(".", cohort) : beside(recipe_folder, in->recipe->cohort);
    if (cohort) folder = nod_path_dir(cohort);
    if (split)
        in->split_path = beside(".", split);
    else if (folder)
        in->split_path = beside(folder, "split.json");
    else if (recipe_folder && !cohort)
        in->split_path = beside(recipe_folder, in->recipe->split);
    nod_free(recipe_folder);
    nod_free(folder);
    return in->cohort_path && in->split_path ? 0 : nod_fail_memory(err, "paths of a run", 4096);
}

int nod_run_inputs_open(const char *recipe_path, const char *cohort, const char *split,
                        nod_run_inputs *out, nod_error *err)
{
    int rc = 0;
    nod_run_inputs in = {0};
    NOD_TRY(nod_recipe_read(recipe_path, &in.recipe, err));
    NOD_TRY(find_inputs(recipe_path, cohort, split, &in, err));
    rc = nod_cohort_read(in.cohort_path, &in.cohort, err);
    if (rc) {
        if (!cohort)
            nod_error_prefix(err, "cohort of %s (another one: --cohort FILE)", recipe_path);
        goto out;
    }
    rc = nod_split_read(in.split_path, in.cohort, &in.split, err);
    if (rc) {
        if (!cohort && !split)
            nod_error_prefix(err, "split of %s (another one: --split FILE)", recipe_path);
        goto out;
    }
    *out = in;
    memset(&in, 0, sizeof in);
out:
    nod_run_inputs_done(&in);
    return rc;
}

int nod_run_cache(const char *asked, const char *cohort_path, char **out, nod_error *err)
{
    if (asked && strcmp(asked, "none") == 0) {
        *out = NULL;
        return 0;
    }
    *out = asked ? nod_strdup(asked) : nod_cache_default_path(cohort_path);
    return *out ? 0 : nod_fail_memory(err, "path of a cache", 4096);
}

void nod_run_inputs_done(nod_run_inputs *i)
{
    nod_split_free(i->split);
    nod_cohort_free(i->cohort);
    nod_recipe_free(i->recipe);
    nod_free(i->cohort_path);
    nod_free(i->split_path);
    memset(i, 0, sizeof *i);
}

/* --- run.json ----------------------------------------------------------------------------- */

static int copy_hash(const nod_json *j, const char *path, const char *key,
                     char out[NOD_SHA256_HEX], nod_error *err)
{
    const char *text = NULL;
    int rc = nod_json_need_str(j, path, key, &text, err);
    if (!rc && strlen(text) != NOD_SHA256_HEX - 1)
        rc = nod_fail(err, NOD_EFORMAT, "%s: '%s' is not a hash of 64 digits", path, key);
    if (!rc) memcpy(out, text, NOD_SHA256_HEX);
    return rc;
}

static int info_from_json(const nod_json *j, const char *path, nod_run_info *out,
                          nod_error *err)
{
    int rc = 0;
    nod_run_info i = {0};
    const char *format = NULL, *backend = NULL;
    int64_t version = 0;
    NOD_TRY(nod_json_need_str(j, path, "format", &format, err));
    NOD_TRY(nod_json_need_i64(j, path, "format_version", &version, err));
    if (strcmp(format, "nodule-run") != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: not the run.json of a run", path);
    if (version != 1)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: run format %lld; this program reads format 1: use a newer program",
                        path, (long long)version);
    NOD_TRY(nod_json_need_i64(j, path, "seeds", &i.n_seeds, err));
    NOD_TRY(nod_json_need_str(j, path, "backend", &backend, err));
    NOD_TRY(copy_hash(j, path, "split_hash", i.split_hash, err));
    NOD_TRY(copy_hash(j, path, "cohort_hash", i.cohort_hash, err));
    NOD_TRY(nod_anchor_from_json(nod_json_get(j, "anchor"), path, &i.begun, err));
    if (i.n_seeds < 1 || i.n_seeds > NOD_RUN_SEEDS_MAX || strlen(backend) >= sizeof i.backend)
        return nod_fail(err, NOD_EFORMAT, "%s: 'seeds' or 'backend' is out of range", path);
    snprintf(i.backend, sizeof i.backend, "%s", backend);
    *out = i;
out:
    return rc;
}

int nod_run_info_read(const char *folder, nod_run_info *out, nod_error *err)
{
    nod_json *j = NULL;
    char *path = nod_path_join(folder, "run.json");
    int rc = path ? 0 : nod_fail_memory(err, "path of a run", 4096);
    if (!rc && !nod_path_is_file(path))
        rc = nod_fail(
            err, NOD_ENOENT,
            "%s: not there: %s is not the folder of a run ('nodule train -o' makes it)", path,
            folder);
    if (!rc) rc = nod_json_read(path, RUN_JSON_MAX, &j, err);
    if (!rc) rc = info_from_json(j, path, out, err);
    nod_json_free(j);
    nod_free(path);
    return rc;
}

int nod_run_info_write(const char *folder, const nod_run_info *info, const char *command,
                       nod_error *err)
{
    char now[32], *path = nod_path_join(folder, "run.json");
    if (!path) return nod_fail_memory(err, "path of a run", 4096);
    nod_json *j = nod_json_object();
    nod_time_utc(now, sizeof now);
    nod_json_set_str(j, "format", "nodule-run");
    nod_json_set_int(j, "format_version", 1);
    nod_json_set_int(j, "seeds", info->n_seeds);
    nod_json_set_str(j, "backend", info->backend);
    nod_json_set_str(j, "split_hash", info->split_hash);
    nod_json_set_str(j, "cohort_hash", info->cohort_hash);
    nod_json_set(j, "anchor", nod_anchor_to_json(&info->begun));
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "command", command);
    nod_json_set_str(j, "time", now);
    int rc = nod_json_write(j, path, err);
    nod_json_free(j);
    nod_free(path);
    return rc;
}

/* --- the folder --------------------------------------------------------------------------- */

bool nod_run_is_there(const char *folder)
{
    char *recipe = nod_path_join(folder, "recipe.yaml");
    bool there = recipe && nod_path_is_file(recipe);
    nod_free(recipe);
    return there;
}

/* Folders of a run in which files are written: itself, seed_K, test, external/NAME. */
static bool is_written(const char *name)
{
    return nod_has_prefix(name, "seed_") || strcmp(name, "test") == 0;
}

/* In the folders of `folder` that are written, or in all. */
static int remove_temps_below(const char *folder, bool all, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dir_list(folder, &names, err);
    for (size_t i = 0; i < names.n && !rc; i++) {
        if (!all && !is_written(names.items[i])) continue;
        char *sub = nod_path_join(folder, names.items[i]);
        if (!sub)
            rc = nod_fail_memory(err, "path of a run", 4096);
        else if (nod_path_is_dir(sub))
            rc = nod_file_remove_temps(sub, err);
        nod_free(sub);
    }
    nod_strlist_done(&names);
    return rc;
}

static int remove_temps(const char *folder, nod_error *err)
{
    char *external = nod_path_join(folder, "external");
    int rc = external ? nod_file_remove_temps(folder, err)
                      : nod_fail_memory(err, "path of a run", 4096);
    if (!rc) rc = remove_temps_below(folder, false, err);
    if (!rc && nod_path_is_dir(external)) rc = remove_temps_below(external, true, err);
    nod_free(external);
    return rc;
}

int nod_run_lock(const char *folder, int *lock, nod_error *err)
{
    int taken = -1, rc = nod_dir_lock(folder, &taken, err);
    if (rc) return rc;
    rc = remove_temps(folder, err);
    if (rc)
        nod_dir_unlock(taken);
    else
        *lock = taken;
    return rc;
}

/* --- models ------------------------------------------------------------------------------- */

int nod_run_models(const char *folder, nod_strlist *out, nod_error *err)
{
    nod_run_info info;
    int rc = nod_run_info_read(folder, &info, err);
    for (int64_t i = 0; !rc && i < info.n_seeds; i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_printf(&b, "%s/seed_%lld/model.safetensors", folder, (long long)i);
        if (b.failed || !nod_strlist_add(out, b.data))
            rc = nod_fail_memory(err, "models of a run", 4096);
        else if (!nod_path_is_file(b.data))
            rc = nod_fail(err, NOD_ENOENT,
                          "%s: not there: the training has not finished; go on with "
                          "'nodule train --resume -o %s'",
                          b.data, folder);
        nod_strbuf_done(&b);
    }
    return rc;
}

int nod_run_hash(const char *folder, char out[65], nod_error *err)
{
    nod_strlist models = NOD_STRLIST_INIT;
    nod_sha256 *h = NULL;
    int rc = nod_run_models(folder, &models, err);
    if (!rc) rc = nod_sha256_new(&h, err);
    for (size_t i = 0; i < models.n && !rc; i++) {
        char one[NOD_SHA256_HEX];
        rc = nod_sha256_of_file(models.items[i], one, err);
        if (!rc) nod_sha256_add_str(h, one);
    }
    if (!rc) nod_sha256_hex(h, out);
    nod_sha256_free(h);
    nod_strlist_done(&models);
    return rc;
}
