/* table.c: the layouts, in the order in which they are tried, and what they share. */
#include "data/layouts/table.h"

#include <string.h>

#include "base/file.h"

static const nod_source_layout *const layouts[] = {
    &nod_source_layout_medmnist, &nod_source_layout_gandlf, &nod_source_layout_manifest,
    &nod_source_layout_nnunet,   &nod_source_layout_msd,    &nod_source_layout_monai,
    &nod_source_layout_bids,     &nod_source_layout_dicom,  &nod_source_layout_folder};

const nod_source_layout *nod_source_layout_at(size_t i)
{
    return i < NOD_COUNT(layouts) ? layouts[i] : NULL;
}

const nod_source_layout *nod_source_layout_find(const char *name)
{
    for (size_t i = 0; i < NOD_COUNT(layouts); i++)
        if (strcmp(layouts[i]->name, name) == 0) return layouts[i];
    return NULL;
}

void nod_listing_done(nod_listing *l)
{
    nod_free(l->items);
    nod_free(l->problems);
    nod_strlist_done(&l->classes);
    nod_arena_done(&l->arena);
    *l = (nod_listing){0};
}

int nod_listing_add(nod_listing *l, const nod_item *item, nod_error *err)
{
    if (l->n >= NOD_COHORT_MAX_CASES)
        return nod_fail(err, NOD_ELIMIT, "more than %zu images", NOD_COHORT_MAX_CASES);
    if (!nod_grow((void **)&l->items, &l->cap, l->n + 1, sizeof *l->items))
        return nod_fail_memory(err, "a list of images", (l->n + 1) * sizeof *l->items);
    l->items[l->n++] = *item;
    return 0;
}

int nod_listing_add_problem(nod_listing *l, const char *name, const char *reason,
                            nod_error *err)
{
    struct nod_item_problem p = {nod_arena_strdup(&l->arena, name),
                                 nod_arena_strdup(&l->arena, reason)};
    if (!p.name || !p.reason ||
        !nod_grow((void **)&l->problems, &l->problems_cap, l->n_problems + 1, sizeof p))
        return nod_fail_memory(err, "a list of what cannot be read", sizeof p);
    l->problems[l->n_problems++] = p;
    return 0;
}

void nod_listing_exclude(nod_listing *l, const char *reason, size_t n)
{
    size_t i = 0;
    while (i < l->n_exclusions && strcmp(l->exclusions[i].reason, reason) != 0)
        i++;
    if (i == l->n_exclusions) {
        NOD_ASSERT(i < NOD_LISTING_EXCLUSIONS);
        l->exclusions[l->n_exclusions++] = (struct nod_item_exclusion){.reason = reason};
    }
    l->exclusions[i].n += n;
}

int nod_listing_root_of(nod_listing *l, const char *file, nod_error *err)
{
    char *dir = nod_path_dir(file);
    l->root = dir ? nod_arena_strdup(&l->arena, dir) : NULL;
    nod_free(dir);
    return l->root ? 0 : nod_fail_memory(err, "a path", strlen(file));
}

int nod_listing_set_root(nod_listing *l, const nod_index_options *o, const char *file,
                         nod_error *err)
{
    if (o->data_root == NULL) return nod_listing_root_of(l, file, err);
    l->root = nod_arena_strdup(&l->arena, o->data_root);
    if (l->root == NULL) return nod_fail_memory(err, "a path", strlen(o->data_root));
    if (!nod_path_is_dir(l->root))
        return nod_fail(err, NOD_ENOENT, "there is no folder %s, where the paths of %s begin",
                        l->root, file);
    return 0;
}
