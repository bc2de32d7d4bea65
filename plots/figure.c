// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/figure.h"

#include "common/text.h"
#include "plots/format.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

void figure_cleanup(struct figure *figure) {
    if (figure->variables)
        fclose(figure->variables);
    if (figure->data)
        fclose(figure->data);
    free(figure->variables_text);
    free(figure->data_text);
    free(figure->name);
    *figure = (struct figure){0};
}

int figure_begin(struct figure *figure, const struct drawing *drawing, const char *name,
                 const char *script, struct error **err) {
    *figure = (struct figure){.script = script, .width_px = 960, .height_px = 540};
    drawing_style(drawing, figure);
    figure->name = strndup(name, 60);
    figure->variables = open_memstream(&figure->variables_text, &figure->variables_size);
    figure->data = open_memstream(&figure->data_text, &figure->data_size);
    if (!figure->name || !figure->variables || !figure->data)
        return error_no_memory(err);
    for (char *at = figure->name; *at; at++)
        if (!isascii(*at) || (!isalnum((unsigned char)*at) && !strchr("_-", *at)))
            *at = '_';
    return 0;
}

void figure_number(struct figure *figure, const char *variable, double value) {
    char text[FORMAT_BYTES];
    fprintf(figure->variables, "boxmark_%s = %s\n", variable,
            isfinite(value) ? format_exact(value, text) : "NaN");
}

/*
 * gnuplot substitutes `commands` and escapes inside double quotes, never inside single ones. A
 * quote inside single quotes may be doubled, but not everywhere: gnuplot 5.4 ends '''a' after its
 * first two. So a quote is a string of its own, joined by the operator ".".
 */
static void put_quoted(FILE *to, const char *text) {
    putc('\'', to);
    for (; *text; text++) {
        if (*text == '\n')
            fputs("'.\"\\n\".'", to);
        else if (*text == '\'')
            fputs("'.\"'\".'", to);
        else
            putc(*text, to);
    }
    putc('\'', to);
}

void figure_put_path(FILE *to, const char *path) {
    put_quoted(to, path);
}

/*
 * Scripts turn enhanced text off, so @ { } _ ^ are plain too. Characters that a machine's fonts may
 * lack (beyond Latin) become "?": gnuplot's PNG and PDF draw a missing one over the whole page.
 */
static void put_text(FILE *to, const char *text) {
    cleanup_free char *lines = strdup(text);
    char *rest = lines;
    for (char *line; (line = strsep(&rest, "\n"));) {
        cleanup_free char *clean = text_clean(line);
        size_t size = 0;
        const char *from = clean;
        /* In place: no character gets longer. */
        for (uint32_t character; from && (character = text_next(&from));)
            size += text_encode(character < 0x250 ? character : '?', clean + size);
        if (clean)
            clean[size] = '\0';
        put_quoted(to, clean ? clean : "");
        if (rest)
            fputs(".\"\\n\".", to);
    }
}

void figure_text(struct figure *figure, const char *variable, const char *text) {
    fprintf(figure->variables, "boxmark_%s = ", variable);
    put_text(figure->variables, text ? text : "");
    putc('\n', figure->variables);
}

void figure_numbers(struct figure *figure, const char *variable, const double *values,
                    unsigned count) {
    unsigned size = count ? count : 1;
    fprintf(figure->variables, "array boxmark_%s[%u]\n", variable, size);
    for (unsigned i = 0; i < size; i++) {
        char text[FORMAT_BYTES];
        fprintf(figure->variables, "boxmark_%s[%u] = %s\n", variable, i + 1,
                i < count && isfinite(values[i]) ? format_exact(values[i], text) : "NaN");
    }
}

void figure_texts(struct figure *figure, const char *variable, char *const *texts, unsigned count) {
    unsigned size = count ? count : 1;
    fprintf(figure->variables, "array boxmark_%s[%u]\n", variable, size);
    for (unsigned i = 0; i < size; i++) {
        fprintf(figure->variables, "boxmark_%s[%u] = ", variable, i + 1);
        put_text(figure->variables, i < count && texts[i] ? texts[i] : "");
        putc('\n', figure->variables);
    }
}

void figure_row(struct figure *figure, const double *values, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char text[FORMAT_BYTES];
        fprintf(figure->data, "%s%s", i ? " " : "",
                isfinite(values[i]) ? format_exact(values[i], text) : "NaN");
    }
    putc('\n', figure->data);
}

void figure_end_block(struct figure *figure) {
    /* An empty block would shift the numbers of those after it. */
    fputs("# end\n\n\n", figure->data);
    figure->data_blocks++;
}

unsigned figure_color(const struct figure *figure, unsigned index) {
    static const unsigned colors[] = {0x0072b2, 0x009e73, 0xd55e00, 0xe69f00, 0x56b4e9,
                                      0xcc79a7, 0xf0e442, 0x555555, 0xa0a0a0};
    static const unsigned greys[] = {0x202020, 0x8c8c8c, 0x505050, 0xb4b4b4, 0x383838,
                                     0x747474, 0xa0a0a0, 0x5c5c5c, 0xc8c8c8};
    unsigned count = sizeof(colors) / sizeof(*colors);
    return figure->paper ? greys[index % count] : colors[index % count];
}

unsigned figure_stride(unsigned count) {
    enum { POINTS_MAX = 400 };
    return count <= POINTS_MAX ? 1 : (count + POINTS_MAX - 1) / POINTS_MAX;
}

double figure_step(double span, unsigned most) {
    if (!(span > 0) || !isfinite(span) || most == 0)
        return 1;
    double power = pow(10, floor(log10(span / most)));
    static const double steps[] = {1, 2, 5, 10};
    for (unsigned i = 0; i < 4; i++)
        if (span / (steps[i] * power) <= most)
            return steps[i] * power;
    return 10 * power;
}
