/* html.c: pages in one file. */
#include "base/html.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void nod_html_add_text(nod_strbuf *b, const char *text)
{
    for (const char *s = text; *s; s++) {
        const char *as = *s == '&'    ? "&amp;"
                         : *s == '<'  ? "&lt;"
                         : *s == '>'  ? "&gt;"
                         : *s == '"'  ? "&quot;"
                         : *s == '\'' ? "&#39;"
                                      : NULL;
        if (as)
            nod_strbuf_add(b, as);
        else
            nod_strbuf_addc(b, *s);
    }
}

void nod_html_add_base64(nod_strbuf *b, const void *bytes, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (n > 2 ? p[i + 2] : 0u);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
                        n > 1 ? digits[v >> 6 & 63] : '=', n > 2 ? digits[v & 63] : '='};
        nod_strbuf_addn(b, four, 4);
    }
}

/* 'sha256-...' of the style sheet. */
static int add_style_hash(nod_strbuf *b, const char *style, nod_error *err)
{
    char hex[NOD_SHA256_HEX];
    uint8_t bytes[NOD_SHA256_BYTES];
    int rc = nod_sha256_of(style, strlen(style), hex, err);
    for (size_t i = 0; rc == 0 && i < sizeof bytes; i++) {
        unsigned v = 0;
        for (size_t k = 2 * i; k < 2 * i + 2; k++)
            v = v * 16 + (unsigned)(hex[k] <= '9' ? hex[k] - '0' : hex[k] - 'a' + 10);
        bytes[i] = (uint8_t)v;
    }
    if (rc) return rc;
    nod_strbuf_add(b, "'sha256-");
    nod_html_add_base64(b, bytes, sizeof bytes);
    nod_strbuf_addc(b, '\'');
    return 0;
}

int nod_html_begin(nod_strbuf *b, const char *title, const char *style, nod_error *err)
{
    nod_strbuf_add(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                      "'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src ");
    int rc = add_style_hash(b, style, err);
    if (rc) return rc;
    nod_strbuf_add(b, "\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    nod_html_add_text(b, title);
    nod_strbuf_printf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
    return 0;
}

void nod_html_end(nod_strbuf *b)
{
    nod_strbuf_add(b, "</body>\n</html>\n");
}
