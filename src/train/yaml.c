/* yaml.c: YAML read through libfyaml; see yaml.h. The only file that knows libfyaml. */
#include "train/yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

typedef struct place {
    char *path;
    int line, column;
} place;

struct nod_yaml {
    char *name;
    nod_json *root;
    place *places;
    size_t n, cap;
};

/* --- conversion
 * --------------------------------------------------------------------------------- */

typedef struct walk {
    nod_yaml *y;
    nod_error *err;
    int depth;
} walk;

static int add_place(walk *w, const char *path, struct fy_token *token)
{
    const struct fy_mark *m = token ? fy_token_start_mark(token) : NULL;
    nod_yaml *y = w->y;
    if (!m) return 0;
    if (!nod_grow((void **)&y->places, &y->cap, y->n + 1, sizeof *y->places))
        return nod_fail_memory(w->err, "places of a recipe", y->n * sizeof *y->places);
    y->places[y->n] = (place){nod_strdup(path), m->line + 1, m->column + 1};
    if (!y->places[y->n].path)
        return nod_fail_memory(w->err, "places of a recipe", strlen(path));
    y->n++;
    return 0;
}

static int fail_at(walk *w, struct fy_node *n, const char *what)
{
    struct fy_token *t = fy_node_is_scalar(n) ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
    return nod_fail(w->err, NOD_ERECIPE, "%s:%d:%d: %s", w->y->name, m ? m->line + 1 : 1,
                    m ? m->column + 1 : 1, what);
}

static nod_json *scalar_of(const char *text, bool plain)
{
    int64_t i;
    double d;
    if (plain && (!*text || !strcmp(text, "~") || !strcmp(text, "null")))
        return nod_json_null();
    if (plain && !strcmp(text, "true")) return nod_json_bool(true);
    if (plain && !strcmp(text, "false")) return nod_json_bool(false);
    if (plain && nod_parse_i64(text, &i)) return nod_json_int(i);
    if (plain && nod_parse_f64(text, &d)) return nod_json_real(d);
    return nod_json_string(text);
}

static int convert(walk *w, struct fy_node *n, const char *path, nod_json **out);

static int convert_map(walk *w, struct fy_node *n, const char *path, nod_json **out)
{
    void *iter = NULL;
    struct fy_node_pair *pair;
    nod_json *map = nod_json_object();
    int rc = 0;
    while (!rc && (pair = fy_node_mapping_iterate(n, &iter))) {
        struct fy_node *key = fy_node_pair_key(pair);
        char child[512];
        const char *name = key && fy_node_is_scalar(key) ? fy_node_get_scalar0(key) : NULL;
        nod_json *value = NULL;
        if (!name || !*name || strlen(name) > NOD_YAML_MAX_KEY) {
            rc = fail_at(w, name ? key : n, "a key must be short text");
            break;
        }
        snprintf(child, sizeof child, "%s%s%s", path, *path ? "." : "", name);
        rc = add_place(w, child, fy_node_get_scalar_token(key));
        if (!rc) rc = convert(w, fy_node_pair_value(pair), child, &value);
        if (!rc) nod_json_set(map, name, value);
    }
    if (rc)
        nod_json_free(map);
    else
        *out = map;
    return rc;
}

static int convert_list(walk *w, struct fy_node *n, const char *path, nod_json **out)
{
    void *iter = NULL;
    struct fy_node *item;
    nod_json *list = nod_json_array();
    int rc = 0;
    for (int i = 0; !rc && (item = fy_node_sequence_iterate(n, &iter)); i++) {
        char child[512];
        nod_json *value = NULL;
        snprintf(child, sizeof child, "%s[%d]", path, i);
        struct fy_token *t = fy_node_is_scalar(item) ? fy_node_get_scalar_token(item) : NULL;
        rc = add_place(w, child, t);
        if (!rc) rc = convert(w, item, child, &value);
        if (!rc) nod_json_push(list, value);
    }
    if (rc)
        nod_json_free(list);
    else
        *out = list;
    return rc;
}

static int convert(walk *w, struct fy_node *n, const char *path, nod_json **out)
{
    int rc = 0;
    if (!n) {
        *out = nod_json_null();
        return 0;
    }
    if (fy_node_is_alias(n) || fy_node_get_tag(n, NULL))
        return fail_at(w, n,
                       "anchors and tags are not used in recipes: write the value itself");
    if (++w->depth > NOD_YAML_MAX_DEPTH) return fail_at(w, n, "nested too deeply");
    if (fy_node_is_mapping(n)) {
        rc = convert_map(w, n, path, out);
    } else if (fy_node_is_sequence(n)) {
        rc = convert_list(w, n, path, out);
    } else {
        const char *text = fy_node_get_scalar0(n);
        bool plain = fy_node_get_style(n) == FYNS_PLAIN;
        *out = text ? scalar_of(text, plain) : nod_json_null();
    }
    w->depth--;
    return rc;
}

/* --- parsing
 * ------------------------------------------------------------------------------------ */

/* First line of the parser's own report ("<memory-@...>:3:4: error: ..."), as our message. */
static int fail_syntax(const char *name, char *report, nod_error *err)
{
    if (report) report[strcspn(report, "\n")] = 0;
    if (!report || !*report || strncmp(report, "[ERR]", 5) == 0)
        return nod_fail(err, NOD_ERECIPE, "%s: not a YAML document", name);
    const char *end = *report == '<' ? strchr(report, '>') : NULL,
               *text = end ? end + 1 : report;
    return nod_fail(err, NOD_ERECIPE, "%s%s%s", name, *text == ':' ? "" : ": ", text);
}

/* Refuses what no recipe needs and libfyaml 0.7 is not sure with: control characters, and lines
 * that begin with '%' (it does not come back from a directive that ends with the text). */
static int check_text(const char *text, size_t size, const char *name, nod_error *err)
{
    size_t line = 1, bom = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (size_t i = bom; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool starts = i == bom || text[i - 1] == '\n' || text[i - 1] == '\r';
        if (c == '%' && starts)
            return nod_fail(err, NOD_ERECIPE,
                            "%s:%zu:1: a line cannot begin with '%%': a recipe has no YAML "
                            "directives; remove it",
                            name, line);
        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return nod_fail(err, NOD_ERECIPE,
                            "%s:%zu: has a byte %u: not a text file; write \"\\x%02x\" in "
                            "quotes if it is meant",
                            name, line, c, c);
        line += c == '\n';
    }
    return 0;
}

int nod_yaml_parse(const char *text, size_t size, const char *name, nod_yaml **out,
                   nod_error *err)
{
    int rc = 0;
    char *report = NULL;
    size_t report_size = 0;
    FILE *sink = NULL;
    struct fy_diag *diag = NULL;
    struct fy_document *doc = NULL;
    nod_yaml *y = NULL;
    if (size > NOD_YAML_MAX_BYTES)
        return nod_fail(err, NOD_ELIMIT, "%s: %zu bytes; a recipe has at most %zu", name, size,
                        NOD_YAML_MAX_BYTES);
    NOD_TRY(check_text(text, size, name, err));
    sink = open_memstream(&report, &report_size);
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = sink;
    diag_cfg.colorize = false;
    diag = sink ? fy_diag_create(&diag_cfg) : NULL;
    y = nod_calloc(1, sizeof *y);
    if (!diag || !y || !(y->name = nod_strdup(name))) {
        rc = nod_fail_memory(err, "recipe parser", size);
        goto out;
    }
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET * 0, .diag = diag};
    doc = fy_document_build_from_string(&cfg, text, size);
    fflush(sink);
    if (!doc || !fy_document_root(doc)) {
        rc = fail_syntax(name, report, err);
        goto out;
    }
    walk w = {y, err, 0};
    NOD_TRY(convert(&w, fy_document_root(doc), "", &y->root));
    *out = y;
    y = NULL;
out:
    fy_document_destroy(doc);
    fy_diag_destroy(diag);
    if (sink) fclose(sink);
    free(report);
    nod_yaml_free(y);
    return rc;
}

int nod_yaml_read(const char *path, nod_yaml **out, nod_error *err)
{
    nod_bytes b = {0};
    int rc = nod_file_read(path, NOD_YAML_MAX_BYTES, &b, err);
    if (rc) return rc;
    rc = nod_yaml_parse((const char *)b.data, b.size, path, out, err);
    nod_bytes_done(&b);
    return rc;
}

void nod_yaml_free(nod_yaml *y)
{
    if (!y) return;
    for (size_t i = 0; i < y->n; i++)
        nod_free(y->places[i].path);
    nod_free(y->places);
    nod_json_free(y->root);
    nod_free(y->name);
    nod_free(y);
}

const nod_json *nod_yaml_root(const nod_yaml *y)
{
    return y->root;
}

/* --- places
 * ----------------------------------------------------------------------------------- */

int nod_yaml_place(const nod_yaml *y, nod_error *err)
{
    const char *colon = strstr(err->message, ": ");
    size_t len = colon ? (size_t)(colon - err->message) : 0;
    const place *best = NULL;
    for (size_t i = 0; i < y->n; i++) {
        const char *p = y->places[i].path;
        size_t n = strlen(p);
        bool prefix = n <= len && strncmp(p, err->message, n) == 0 &&
                      (n == len || err->message[n] == '.' || err->message[n] == '[');
        if (prefix && (!best || n > strlen(best->path))) best = &y->places[i];
    }
    if (best) return nod_error_prefix(err, "%s:%d:%d", y->name, best->line, best->column);
    return nod_error_prefix(err, "%s", y->name);
}
