/* fuzz_layouts.c: any bytes as one of the files that say what a data set holds, in a folder where
 * everything else is in order. The first byte says which:
 *
 *   0 dataset.json of nnU-Net     3 datalist of MONAI          6 dseg.tsv of BIDS
 *   1 splits_final.json           4 table of GaNDLF            7 sidecar of BIDS
 *   2 dataset.json of Decathlon   5 participants.tsv of BIDS   8 manifest
 *
 * A layout either lists items that index.c can rely on, or says why not. */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/layout.h"
#include "memory_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *layout, *file, *source; /* the last two below the folder */
    int64_t fold;
} targets[] = {
    {"nnunet", "nnunet/dataset.json", "nnunet", -1},
    {"nnunet", "folds/splits_final.json", "folds", 0},
    {"msd", "msd/dataset.json", "msd", -1},
    {"monai", "list.json", "list.json", 1},
    {"gandlf", "table.csv", "table.csv", -1},
    {"bids", "bids/participants.tsv", "bids", -1},
    {"bids", "masks/dseg.tsv", "masks", -1},
    {"bids", "sidecar/sub-1/sub-1_T1w.json", "sidecar", -1},
    {"manifest", "manifest.csv", "manifest.csv", -1},
};

static const struct {
    const char *name, *text;
} world[] = {
    {"nnunet/imagesTr/a_0000.nii.gz", ""},
    {"nnunet/imagesTr/a_0001.nii.gz", ""},
    {"nnunet/imagesTr/b_0000.nii.gz", ""},
    {"nnunet/labelsTr/a.nii.gz", ""},
    {"nnunet/labelsTr/b.nii.gz", ""},
    {"nnunet/imagesTs/c_0000.nii.gz", ""},
    {"nnunet/labelsTs/c.nii.gz", ""},
    {"folds/imagesTr/a_0000.nii.gz", ""},
    {"folds/imagesTr/b_0000.nii.gz", ""},
    {"folds/labelsTr/a.nii.gz", ""},
    {"folds/labelsTr/b.nii.gz", ""},
    {"folds/dataset.json",
     "{\"channel_names\": {\"0\": \"CT\"}, \"labels\": {\"background\": 0, \"tumor\": 1}}"},
    {"bids/sub-1/anat/sub-1_T1w.nii.gz", ""},
    {"bids/sub-2/ses-1/anat/sub-2_ses-1_T1w.nii.gz", ""},
    {"masks/sub-1/anat/sub-1_T1w.nii.gz", ""},
    {"masks/derivatives/p/sub-1/anat/sub-1_dseg.nii.gz", ""},
    {"sidecar/sub-1/sub-1_T1w.nii.gz", ""},
    {"sidecar/participants.tsv", "participant_id\tgroup\nsub-1\ta\n"},
};

static char folder[64]; /* "" before the first input */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_world(void)
{
    (void)!nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
    char *path = nod_path_join(folder, name);
    NOD_ASSERT(path != NULL);
    FILE *f = fopen(path, "wb");
    NOD_ASSERT(f != NULL && fwrite(bytes, 1, size, f) == size);
    fclose(f);
    nod_free(path);
}

static void make_world(void)
{
    nod_error err = NOD_ERROR_INIT;
    memory_folder_make(folder);
    atexit(remove_world);
    for (size_t i = 0; i < NOD_COUNT(world); i++) {
        char *path = nod_path_join(folder, world[i].name), *dir = nod_path_dir(path);
        NOD_ASSERT(nod_dir_make(dir, &err) == 0);
        write_bytes(world[i].name, world[i].text, strlen(world[i].text));
        nod_free(path);
        nod_free(dir);
    }
    char *msd = nod_path_join(folder, "msd");
    NOD_ASSERT(nod_dir_make(msd, &err) == 0);
    nod_free(msd);
}

static void check(const nod_listing *l)
{
    NOD_ASSERT(l->root != NULL);
    NOD_ASSERT(!l->segmentation || !l->multilabel);
    for (size_t i = 0; i < l->n; i++) {
        const nod_item *item = &l->items[i];
        NOD_ASSERT(item->name && item->array && item->label && item->patient);
        NOD_ASSERT(*item->name || item->files);
        NOD_ASSERT((item->mask != NULL) == l->segmentation);
        NOD_ASSERT(!l->segmentation || *item->label == '\0');
        NOD_ASSERT(item->official <= NOD_PART_OUT);
        for (int f = 0; f < NOD_FACTS; f++) {
            nod_error why = NOD_ERROR_INIT;
            NOD_ASSERT(!item->facts[f] ||
                       nod_fact_check((nod_fact)f, item->facts[f], &why) == 0);
        }
    }
    for (size_t i = 0; i < l->n_problems; i++)
        NOD_ASSERT(l->problems[i].name && l->problems[i].reason);
    for (size_t i = 0; i < l->classes.n; i++)
        NOD_ASSERT(l->classes.items[i] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    nod_listing l = {0};
    if (*folder == '\0') make_world();
    if (size == 0) return 0;
    size_t t = data[0] % 16 % NOD_COUNT(targets);
    write_bytes(targets[t].file, data + 1, size - 1);
    char *source = nod_path_join(folder, targets[t].source);
    const nod_source_layout *layout = nod_source_layout_find(targets[t].layout);
    NOD_ASSERT(source != NULL && layout != NULL);
    o.fold = targets[t].fold;
    nod_arena_init(&l.arena);
    (void)layout->detect(source, &o);
    int rc = layout->list(source, &o, &l, &err);
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    if (rc == 0) check(&l);
    nod_listing_done(&l);
    nod_free(source);
    return 0;
}
