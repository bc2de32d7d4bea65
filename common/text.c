// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/text.h"

#include "common/cleanup.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#define REPLACEMENT UINT32_C(0xfffd)

/* Length of a sequence by its first byte, the bits of that byte, the least value allowed. */
static unsigned sequence_of(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least) {
    static const struct {
        unsigned char mask, value;
        unsigned length;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};
    for (unsigned i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if ((first & forms[i].mask) == forms[i].value) {
            *ret_bits = first & (unsigned char)~forms[i].mask;
            *ret_least = forms[i].least;
            return forms[i].length;
        }
    return 0;
}

uint32_t text_next(const char **text) {
    const unsigned char *at = (const unsigned char *)*text;
    if (!*at)
        return 0;
    uint32_t character = 0, least = 0;
    unsigned length = sequence_of(*at, &character, &least);
    for (unsigned i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            length = 0; /* the NUL at the end stops here too */
            break;
        }
        character = character << 6 | (at[i] & 0x3f);
    }
    if (length == 0 || character < least || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff)) {
        (*text)++;
        return REPLACEMENT;
    }
    *text += length;
    return character;
}

unsigned text_encode(uint32_t character, char bytes[4]) {
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    unsigned length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (unsigned i = length - 1; i > 0; i--, character >>= 6)
        bytes[i] = (char)(0x80 | (character & 0x3f));
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    bytes[0] = (char)(leads[length] | character);
    return length;
}

uint32_t text_harmless(uint32_t character) {
    if ((character >= '\t' && character <= '\r') || character == 0x85 || character == 0x2028 ||
        character == 0x2029)
        return ' ';
    bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
    bool direction = character == 0x061c || character == 0x200e || character == 0x200f ||
                     (character >= 0x202a && character <= 0x202e) ||
                     (character >= 0x2066 && character <= 0x2069);
    bool no_character = (character & 0xfffe) == 0xfffe || character == 0xfeff ||
                        (character >= 0xfdd0 && character <= 0xfdef);
    bool tag = character >= 0xe0000 && character <= 0xe0fff;
    return control || direction || no_character || tag ? REPLACEMENT : character;
}

char *text_clean(const char *text) {
    if (!text)
        text = "";
    /* One byte that is invalid becomes three. */
    char *clean = malloc(strlen(text) * 3 + 1);
    if (!clean)
        return NULL;
    size_t size = 0;
    for (uint32_t character; (character = text_next(&text));)
        size += text_encode(text_harmless(character), clean + size);
    clean[size] = '\0';
    return clean;
}

char *text_clean_ascii(const char *text) {
    if (!text)
        text = "";
    char *clean = malloc(strlen(text) + 1);
    if (!clean)
        return NULL;
    size_t size = 0;
    for (uint32_t character; (character = text_next(&text));) {
        character = text_harmless(character);
        bool micro = character == 0xb5 || character == 0x3bc;
        clean[size++] = micro ? 'u' : character < 0x80 ? (char)character : '?';
    }
    clean[size] = '\0';
    return clean;
}

static unsigned character_width(uint32_t character) {
    static locale_t utf8;
    if (!utf8)
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!utf8)
        return 1;
    locale_t before = uselocale(utf8);
    int width = wcwidth((wchar_t)character);
    uselocale(before);
    return width < 0 ? 1 : (unsigned)width;
}

unsigned text_width(const char *text) {
    unsigned width = 0;
    for (uint32_t character; (character = text_next(&text));)
        width += character_width(character);
    return width;
}

/*
 * End of the piece of `text` that fits into `width` columns: all of it, or up to the last good
 * place to break, or as much as fits (one character at least).
 */
static const char *piece_end(const char *text, unsigned width) {
    const char *space = NULL, *mark = NULL, *end = text, *at = text;
    for (unsigned used = 0;;) {
        const char *start = at;
        uint32_t character = text_next(&at);
        if (!character)
            return end > text ? end : start; /* spaces at the end belong to no line */
        used += character_width(character);
        if (used > width && character != ' ') {
            if (space)
                return space;
            if (mark)
                return mark;
            return start > text ? start : at;
        }
        if (character == ' ' && start > text && start[-1] != ' ')
            space = start;
        else if (character == ',' || character == ':' || character == ';')
            mark = at;
        if (character != ' ')
            end = at;
    }
}

char *text_wrap(const char *text, unsigned width) {
    if (width == 0)
        width = 1;
    char *wrapped = malloc(strlen(text) * 2 + 1);
    if (!wrapped)
        return NULL;
    size_t size = 0;
    while (*text == ' ')
        text++;
    while (*text) {
        const char *end = piece_end(text, width);
        memcpy(wrapped + size, text, (size_t)(end - text));
        size += (size_t)(end - text);
        for (text = end; *text == ' ';)
            text++;
        if (*text)
            wrapped[size++] = '\n';
    }
    wrapped[size] = '\0';
    return wrapped;
}
