/* bids_name.c: names are cut at '_', entities at '-'. */
#include "data/layouts/bids_name.h"

#include <string.h>

#include "base/compiler.h"

static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '+') return false;
    }
    return n > 0;
}

bool nod_bids_name_parse(const char *file, nod_bids_name *out)
{
    nod_bids_name name = {0};
    size_t end = strcspn(file, "."), at = 0;
    name.ending = file + end;
    while (at < end) {
        const char *piece = file + at;
        size_t n = strcspn(piece, "_.");
        const char *dash = memchr(piece, '-', n);
        bool last = at + n >= end;
        if (last != (dash == NULL)) return false;
        if (last) {
            if (!is_plain(piece, n)) return false;
            name.suffix = (nod_bids_piece){piece, n};
        } else {
            size_t n_key = (size_t)(dash - piece), n_value = n - n_key - 1;
            if (!is_plain(piece, n_key) || !is_plain(dash + 1, n_value) ||
                name.n_entities == NOD_BIDS_MAX_ENTITIES)
                return false;
            name.entities[name.n_entities].key = (nod_bids_piece){piece, n_key};
            name.entities[name.n_entities++].value = (nod_bids_piece){dash + 1, n_value};
        }
        at += n + 1;
    }
    if (name.suffix.n == 0) return false;
    *out = name;
    return true;
}

bool nod_bids_piece_is(nod_bids_piece p, const char *text)
{
    return strlen(text) == p.n && memcmp(p.at, text, p.n) == 0;
}

bool nod_bids_piece_same(nod_bids_piece a, nod_bids_piece b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

nod_bids_piece nod_bids_name_get(const nod_bids_name *n, const char *key)
{
    for (size_t i = 0; i < n->n_entities; i++)
        if (nod_bids_piece_is(n->entities[i].key, key)) return n->entities[i].value;
    return (nod_bids_piece){"", 0};
}

/* Entities that derivatives add to the name of what they were made from. */
static bool is_added(nod_bids_piece key)
{
    static const char *const added[] = {"desc", "label", "space", "res", "den", "seg", "atlas"};
    for (size_t i = 0; i < NOD_COUNT(added); i++)
        if (nod_bids_piece_is(key, added[i])) return true;
    return false;
}

size_t nod_bids_name_fit(const nod_bids_name *image, const nod_bids_name *mask)
{
    static const char *const whose[] = {"sub", "ses"};
    size_t shared = 0;
    for (size_t i = 0; i < NOD_COUNT(whose); i++)
        if (!nod_bids_piece_same(nod_bids_name_get(image, whose[i]),
                                 nod_bids_name_get(mask, whose[i])))
            return 0;
    for (size_t i = 0; i < mask->n_entities; i++) {
        bool there = false;
        for (size_t k = 0; k < image->n_entities && !there; k++)
            there = nod_bids_piece_same(mask->entities[i].key, image->entities[k].key) &&
                    nod_bids_piece_same(mask->entities[i].value, image->entities[k].value);
        if (!there && !is_added(mask->entities[i].key)) return 0;
        shared += there;
    }
    return shared;
}
