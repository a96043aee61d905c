/* yaml_write.c: JSON values as YAML text that reads back as the same values; see yaml.h.
 *
 * Text that could be taken for anything else stands in double quotes, with escapes for what a
 * YAML reader may take for a line break or refuse: the rule says what is plain, not what is not. */
#include <string.h>

#include "train/yaml.h"

/* --- scalars ------------------------------------------------------------------------------ */

static bool is_plain(const char *s)
{
    static const char inner[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_./+- ";
    static const char *const taken[] = {"true", "false", "null", "---", "..."};
    int64_t i;
    double d;
    size_t n = strlen(s);
    if (n == 0 || strspn(s, inner) != n || *s == '-' || *s == ' ' || s[n - 1] == ' ')
        return false;
    for (size_t k = 0; k < NOD_COUNT(taken); k++)
        if (strcmp(s, taken[k]) == 0) return false;
    return strncmp(s, "...", 3) != 0 && !nod_parse_i64(s, &i) && !nod_parse_f64(s, &d);
}

/* Bytes of the UTF-8 character at s if a reader may stumble over it as it is: DEL, C1 controls,
 * U+2028, U+2029, the byte order mark. Its code goes to *code; 0 if it is harmless. */
static size_t troublesome(const char *s, unsigned *code)
{
    const unsigned char *u = (const unsigned char *)s;
    *code = u[0];
    if (u[0] < ' ' || u[0] == 0x7f) return 1;
    *code = u[1];
    if (u[0] == 0xc2 && u[1] >= 0x80 && u[1] < 0xa0) return 2;
    *code = u[0] == 0xe2 ? 0x2000u + (u[2] & 0x3fu) : 0xfeffu;
    if (u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9)) return 3;
    return u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf ? 3 : 0;
}

static void write_text(const char *s, nod_strbuf *b)
{
    if (is_plain(s)) {
        nod_strbuf_add(b, s);
        return;
    }
    nod_strbuf_addc(b, '"');
    while (*s) {
        unsigned code;
        size_t n = troublesome(s, &code);
        if (*s == '\n')
            nod_strbuf_add(b, "\\n");
        else if (n > 0)
            nod_strbuf_printf(b, "\\u%04x", code);
        else if (*s == '"' || *s == '\\')
            nod_strbuf_printf(b, "\\%c", *s);
        else
            nod_strbuf_addc(b, *s);
        s += n > 0 ? n : 1;
    }
    nod_strbuf_addc(b, '"');
}

static void write_scalar(const nod_json *j, nod_strbuf *b)
{
    char number[40];
    if (nod_json_is_string(j)) {
        write_text(nod_json_str(j), b);
    } else if (nod_json_is_int(j)) {
        nod_strbuf_printf(b, "%lld", (long long)nod_json_i64(j));
    } else if (nod_json_is_number(j)) {
        nod_format_f64(nod_json_f64(j), number, sizeof number);
        nod_strbuf_add(b, number);
        if (!strpbrk(number, ".en")) nod_strbuf_add(b, ".0");
    } else if (nod_json_is_bool(j)) {
        nod_strbuf_add(b, nod_json_truth(j) ? "true" : "false");
    } else {
        nod_strbuf_add(b, "null");
    }
}

static void write_key(const char *key, const char *colon, nod_strbuf *b)
{
    write_text(key, b);
    nod_strbuf_add(b, colon);
}

/* --- maps and lists ------------------------------------------------------------------------- */

static bool is_flat(const nod_json *j)
{
    return !(nod_json_is_object(j) || nod_json_is_array(j)) || nod_json_count(j) == 0;
}

static bool fits_inline(const nod_json *j)
{
    for (size_t i = 0; i < nod_json_count(j); i++)
        if (!is_flat(nod_json_is_object(j) ? nod_json_get(j, nod_json_key(j, i))
                                           : nod_json_at(j, i)))
            return false;
    return true;
}

static void write_inline(const nod_json *j, nod_strbuf *b)
{
    bool map = nod_json_is_object(j);
    if (!map && !nod_json_is_array(j)) {
        write_scalar(j, b);
        return;
    }
    nod_strbuf_addc(b, map ? '{' : '[');
    for (size_t i = 0; i < nod_json_count(j); i++) {
        if (i) nod_strbuf_add(b, ", ");
        if (map) write_key(nod_json_key(j, i), ": ", b);
        write_inline(map ? nod_json_get(j, nod_json_key(j, i)) : nod_json_at(j, i), b);
    }
    nod_strbuf_addc(b, map ? '}' : ']');
}

static void write_block(const nod_json *j, int indent, nod_strbuf *b)
{
    bool map = nod_json_is_object(j);
    for (size_t i = 0; i < nod_json_count(j); i++) {
        const nod_json *v = map ? nod_json_get(j, nod_json_key(j, i)) : nod_json_at(j, i);
        nod_strbuf_printf(b, "%*s", indent, "");
        if (map)
            write_key(nod_json_key(j, i), ":", b);
        else
            nod_strbuf_addc(b, '-');
        bool block = nod_json_is_object(v) ? nod_json_count(v) > 0 && map
                                           : nod_json_is_array(v) && !fits_inline(v);
        if (block) {
            nod_strbuf_addc(b, '\n');
            write_block(v, indent + 2, b);
        } else {
            nod_strbuf_addc(b, ' ');
            write_inline(v, b);
            nod_strbuf_addc(b, '\n');
        }
    }
}

void nod_yaml_write(const nod_json *j, nod_strbuf *out)
{
    if (is_flat(j)) {
        write_inline(j, out);
        nod_strbuf_addc(out, '\n');
    } else {
        write_block(j, 0, out);
    }
}
