/*
 * text.h - text that people write: HTML cleaning (gumbo), Markdown (cmark-gfm),
 * folding for search (ICU).
 */
#ifndef CAIRN_TEXT_H
#define CAIRN_TEXT_H

#include "base/base.h"

/*
 * Cleans hostile HTML to an allow-list (docs/decisions): no script, style
 * sheets, forms, frames, event handlers or unknown URL schemes.  Links get
 * rel="noopener noreferrer" target="_blank".  Remote pictures lose their src:
 * it becomes data-remote-src (shown on request, by proxy).  cid: pictures
 * become data-cid.  Inline styles keep an allow-list of harmless properties.
 * The result is well-formed, idempotent and valid UTF-8.
 */
struct str html_clean(struct arena *arena, struct str html);
/* Readable plain text: block structure as line breaks, links with their address where it differs. */
struct str html_to_text(struct arena *arena, struct str html);
/* Paragraphs, line breaks and links (http, https, mailto) of plain text; everything escaped. */
struct str text_to_html(struct arena *arena, struct str text);
/* CommonMark with GFM tables, strikethrough and autolinks; raw HTML is dropped. Already clean. */
struct str markdown_to_html(struct arena *arena, struct str markdown);
/* One line, white space collapsed, at most max_bytes with an ellipsis. */
struct str text_preview(struct arena *arena, struct str text, size_t max_bytes);

/*
 * Search form: NFKD, no marks, case folded; words separated by single spaces;
 * runs of CJK characters become overlapping pairs ("東京都" → "東京 京都").
 * The same function folds documents and queries, so both databases agree.
 */
struct str text_fold(struct arena *arena, struct str text);
/*
 * Marks where the folded terms occur in the original text: up to max_marks
 * [from, to) byte ranges, in order, not overlapping.  A term ending in '*'
 * matches as prefix.
 */
struct text_range { size_t from, to; };
size_t text_find_terms(struct arena *arena, struct str text, const struct str *terms, size_t nterms,
                       struct text_range *ret_marks, size_t max_marks);
/*
 * Bytes in a charset as UTF-8 without NUL.  Wrong, missing and unknown labels
 * are repaired by looking at the bytes; *ret_charset says what they were read as.
 */
struct str text_decode(struct arena *arena, struct str bytes, struct str charset, struct str *ret_charset);
/* Locale-independent simple lower case of whole Unicode (names, tags). */
struct str text_lower(struct arena *arena, struct str text);

#endif
