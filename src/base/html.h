/* html.h: what a page that stands in one file needs: escaped text, pictures within it, and a policy
 * under which nothing is loaded and nothing runs. */
#ifndef NOD_BASE_HTML_H
#define NOD_BASE_HTML_H

#include "base/text.h"

/* Text as it may stand between tags and in quoted attributes. */
void nod_html_add_text(nod_strbuf *b, const char *text);
/* Base64 (RFC 4648, section 4). */
void nod_html_add_base64(nod_strbuf *b, const void *bytes, size_t size);
/* From <!DOCTYPE html> to <body>. The policy (CSP Level 3) allows the one style sheet, by its SHA-256,
 * and pictures within the page. ENOMEM. */
int nod_html_begin(nod_strbuf *b, const char *title, const char *style,
                   nod_error *err) NOD_MUST_CHECK;
void nod_html_end(nod_strbuf *b);

#endif
