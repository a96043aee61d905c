/* yaml.h: a YAML document as JSON values that remember where they stood (libfyaml inside).
 *
 * Plain scalars become null, true/false, whole numbers, numbers or text; quoted ones are text.
 * Anchors, tags and several documents are refused; duplicate keys are errors of the parser. */
#ifndef NOD_TRAIN_YAML_H
#define NOD_TRAIN_YAML_H

#include "base/json.h"

#define NOD_YAML_MAX_BYTES ((size_t)4 << 20)
#define NOD_YAML_MAX_DEPTH 32
#define NOD_YAML_MAX_KEY   128 /* bytes */

typedef struct nod_yaml nod_yaml;

/* Errors: ERECIPE "FILE:LINE:COLUMN: what". */
int nod_yaml_parse(const char *text, size_t size, const char *name, nod_yaml **out,
                   nod_error *err) NOD_MUST_CHECK;
int nod_yaml_read(const char *path, nod_yaml **out, nod_error *err) NOD_MUST_CHECK;
void nod_yaml_free(nod_yaml *y);
const nod_json *nod_yaml_root(const nod_yaml *y);

/* Puts "FILE:LINE:COLUMN: " before an error whose message begins with the path of a key
 * ("network.layers[2].units: ..."): the place of that key, or of the nearest parent that is in
 * the file. Returns err->code. */
int nod_yaml_place(const nod_yaml *y, nod_error *err);

/* Writes JSON values as YAML text (block style, keys in order; short lists of scalars inline).
 */
void nod_yaml_write(const nod_json *j, nod_strbuf *out);

#endif
