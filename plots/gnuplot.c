// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/gnuplot.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/installed.h"
#include "common/units.h"
#include "plots/figure.h"
#include "plots/format.h"
#include "plots/spawn.h"

#include <math.h>
#include <string.h>

/* Far more than any figure takes; a script that loops must not hang the report. */
#define GNUPLOT_TIMEOUT_NS (60 * NS_PER_S)

static const struct figure_kind *const figure_kinds[] = {
    &figure_bars,   &figure_overview, &figure_timeline,   &figure_distribution,
    &figure_series, &figure_ecdf,     &figure_references, NULL,
};
enum { KINDS_MAX = 16 };

const char *plot_figure_name(unsigned index) {
    return figure_kinds[index] ? figure_kinds[index]->name : NULL;
}

/* How figures look: see struct figure. */
static const struct figure_style {
    const char *name;
    bool paper, narrow;
    double width_inches; /* of the whole figure; 0: as many pixels as it needs */
    const char *font;
} styles[] = {
    {"slide", false, false, 0, "sans-serif"},
    {"paper", true, false, 7, "serif"},
    {"column", true, true, 3.4, "serif"},
    {NULL, false, false, 0, NULL},
};

const char *plot_style_name(unsigned index) {
    return styles[index].name;
}

/* How gnuplot is told to make a format; sizes are the figure's pixels times the factor. */
static const struct figure_format {
    const char *name;
    const char *terminal; /* gnuplot's */
    double size_factor;
    const char *size_unit; /* after each of the two numbers */
    double font_factor;    /* of font sizes, which scripts give in pixels */
    const char *options;
} formats[] = {
    {"svg", "svg", 1, "", 1, "dynamic standalone background '#ffffff'"},
    {"png", "pngcairo", 2, "", 0.75, "background '#ffffff' fontscale 2 linewidth 2 pointscale 2"},
    {"pdf", "pdfcairo", 1.0 / 96, "in", 0.75,
     "background '#ffffff' fontscale 0.75 linewidth 1.2 pointscale 0.6 rounded"},
    {NULL, NULL, 0, NULL, 0, NULL},
};

struct drawing {
    char *gnuplot;       /* path of the program */
    char *script_folder; /* installed */
    char *own_folder;    /* the user's, or NULL */
    const char *output_folder;
    const struct figure_style *style;
    const struct figure_kind *kinds[KINDS_MAX];
    unsigned kind_count;
    const struct figure_format *formats[sizeof(formats) / sizeof(*formats)];
    unsigned format_count;
    unsigned file_count;
    char **names; /* of the figures so far */
    unsigned name_count;
};

static void drawing_cleanup(struct drawing *drawing) {
    for (unsigned i = 0; i < drawing->name_count; i++)
        free(drawing->names[i]);
    free(drawing->names);
    free(drawing->gnuplot);
    free(drawing->script_folder);
    free(drawing->own_folder);
}
#define cleanup_drawing CLEANUP(drawing)

static const struct figure_format *format_find(const char *name, struct error **err) {
    const char *names[sizeof(formats) / sizeof(*formats)] = {NULL};
    for (unsigned i = 0; formats[i].name; i++) {
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
        names[i] = formats[i].name;
    }
    error_unknown_name("plot format", name, names, err);
    return NULL;
}

static int parse_formats(struct drawing *drawing, const char *text, struct error **err) {
    cleanup_free char *copy = strdup(text);
    if (!copy)
        return error_no_memory(err);
    char *rest = copy;
    for (char *name; (name = strsep(&rest, ","));) {
        const struct figure_format *format = format_find(name, err);
        if (!format)
            return -1;
        bool known = false;
        for (unsigned i = 0; i < drawing->format_count; i++)
            known = known || drawing->formats[i] == format;
        if (!known)
            drawing->formats[drawing->format_count++] = format;
    }
    return 0;
}

/* Two workloads whose names differ in odd characters only must not share a file. */
static int make_unique(struct drawing *drawing, struct figure *figure, struct error **err) {
    cleanup_free char *name = strdup(figure->name);
    for (unsigned number = 2; name; number++) {
        bool taken = false;
        for (unsigned i = 0; i < drawing->name_count; i++)
            taken = taken || strcmp(drawing->names[i], name) == 0;
        if (!taken)
            break;
        free(name);
        name = text_format("%s-%u", figure->name, number);
    }
    char **names = realloc(drawing->names, (drawing->name_count + 1) * sizeof(*names));
    if (!names)
        return error_no_memory(err);
    drawing->names = names;
    char *kept = name ? strdup(name) : NULL;
    if (!kept)
        return error_no_memory(err);
    drawing->names[drawing->name_count++] = kept;
    free(figure->name);
    figure->name = TAKE_PTR(name);
    return 0;
}

/* The script that draws: the user's own where there is one. */
static char *script_path(const struct drawing *drawing, const struct figure *figure) {
    char *own =
        drawing->own_folder ? text_format("%s/%s", drawing->own_folder, figure->script) : NULL;
    if (own && file_exists(own))
        return own;
    free(own);
    return text_format("%s/%s", drawing->script_folder, figure->script);
}

/* One terminal and its output; numbers without the locale's comma. */
static void put_format(const struct drawing *drawing, const struct figure *figure,
                       const struct figure_format *format, FILE *to) {
    const struct figure_style *style = drawing->style;
    /* On paper the whole figure is as wide as the column, and its letters shrink with it. */
    double shrink = style->width_inches > 0 ? style->width_inches * 96 / figure->width_px : 1;
    double size = format->size_factor * shrink;
    char width[FORMAT_BYTES], height[FORMAT_BYTES], font[FORMAT_BYTES], plain[FORMAT_BYTES];
    double whole = format->size_factor < 1 ? 0.01 : 1; /* inches have fractions, pixels not */
    format_exact(round(figure->width_px * size / whole) * whole, width);
    format_exact(round(figure->height_px * size / whole) * whole, height);
    format_exact(round(format->font_factor * shrink * 1000) / 1000, font);
    format_exact(round(14 * format->font_factor * shrink * 10) / 10, plain);
    fprintf(to,
            "\nreset\nboxmark_font(px) = sprintf(',%%g', px * %s)\n"
            "set terminal %s noenhanced size %s%s,%s%s %s font '%s,%s'\n"
            "set output '%s.%s'.boxmark_suffix\nload boxmark_script\nunset output\n",
            font, format->terminal, width, format->size_unit, height, format->size_unit,
            format->options, style->font, plain, figure->name, format->name);
}

/* The file that gnuplot is given: what to draw, then once for each format where to and load. */
static int write_script(struct drawing *drawing, const struct figure *figure, const char *path,
                        struct error **err) {
    cleanup_free char *script = script_path(drawing, figure);
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *to = script ? open_memstream(&text, &size) : NULL;
    if (!to)
        return error_no_memory(err);
    fprintf(to,
            "# Written by boxmark; draws again with: cd .. && gnuplot data/%s.gp\n"
            "# The drawing itself is the script loaded at the end: change a copy of that.\n"
            "set encoding utf8\n"
            "if (!exists('boxmark_suffix')) boxmark_suffix = ''\n"
            "boxmark_scripts = ",
            figure->name);
    figure_put_path(to, drawing->script_folder);
    fputs("\nboxmark_script = ", to);
    figure_put_path(to, script);
    fprintf(to,
            "\nboxmark_data = 'data/%s.dat'\nboxmark_width = %u\nboxmark_height = %u\n"
            "boxmark_paper = %d\nboxmark_narrow = %d\n%s",
            figure->name, figure->width_px, figure->height_px, figure->paper, figure->narrow,
            figure->variables_text);
    for (unsigned i = 0; i < drawing->format_count; i++)
        put_format(drawing, figure, drawing->formats[i], to);
    if (fclose(to) != 0)
        return error_no_memory(err);
    return file_replace(path, text, size, err);
}

/* Finished files take their names in one step; after a failure none is left half-made. */
static int settle_outputs(struct drawing *drawing, const struct figure *figure, bool keep,
                          struct error **err) {
    int result = 0;
    for (unsigned i = 0; i < drawing->format_count; i++) {
        cleanup_free char *path = text_format("%s/%s.%s", drawing->output_folder, figure->name,
                                              drawing->formats[i]->name);
        cleanup_free char *part = path ? text_format("%s.part", path) : NULL;
        if (!part)
            return error_no_memory(err);
        if (!keep)
            unlink(part);
        else if (rename(part, path) < 0)
            result = result
                         ? result
                         : error_set(err, ERROR_INTERNAL, errno, "gnuplot did not make %s", path);
        else
            drawing->file_count++;
    }
    return result;
}

int drawing_add(struct drawing *drawing, struct figure *figure, struct error **err) {
    if (make_unique(drawing, figure, err) < 0)
        return -1;
    if (fflush(figure->variables) != 0 || fflush(figure->data) != 0)
        return error_no_memory(err);
    cleanup_free char *data = text_format("%s/data/%s.dat", drawing->output_folder, figure->name);
    cleanup_free char *script = text_format("%s/data/%s.gp", drawing->output_folder, figure->name);
    cleanup_free char *script_there = text_format("data/%s.gp", figure->name);
    if (!data || !script || !script_there)
        return error_no_memory(err);
    if (file_replace(data, figure->data_text, figure->data_size, err) < 0 ||
        write_script(drawing, figure, script, err) < 0)
        return -1;
    const char *arguments[] = {drawing->gnuplot, "-e", "boxmark_suffix = '.part'", script_there,
                               NULL};
    int result = spawn_and_wait(arguments, drawing->output_folder,
                                deadline_after(monotonic_ns(), GNUPLOT_TIMEOUT_NS), err);
    if (result < 0) {
        cleanup_free char *used = script_path(drawing, figure);
        /* What gnuplot says of the user's own script is about the user's input. */
        if (used && drawing->own_folder && strstr(used, drawing->own_folder) == used)
            error_blame_usage(err);
        error_wrap(err, "cannot draw %s with %s", figure->name, used ? used : figure->script);
        (void)settle_outputs(drawing, figure, false, NULL);
        return -1;
    }
    return settle_outputs(drawing, figure, true, err);
}

void drawing_style(const struct drawing *drawing, struct figure *figure) {
    figure->paper = drawing->style->paper;
    figure->narrow = drawing->style->narrow;
}

static int parse_style(struct drawing *drawing, const char *name, struct error **err) {
    const char *names[sizeof(styles) / sizeof(*styles)] = {NULL};
    for (unsigned i = 0; styles[i].name; i++) {
        names[i] = styles[i].name;
        if (strcmp(styles[i].name, name) == 0) {
            drawing->style = &styles[i];
            return 0;
        }
    }
    return error_unknown_name("plot style", name, names, err);
}

static int parse_figures(struct drawing *drawing, const char *text, struct error **err) {
    const char *names[KINDS_MAX + 1] = {"all"};
    for (unsigned i = 0; figure_kinds[i]; i++)
        names[i + 1] = figure_kinds[i]->name;
    cleanup_free char *copy = strdup(text);
    if (!copy)
        return error_no_memory(err);
    char *rest = copy;
    for (char *name; (name = strsep(&rest, ","));) {
        bool known = false;
        for (unsigned i = 0; figure_kinds[i]; i++) {
            if (strcmp(name, "all") != 0 && strcmp(name, figure_kinds[i]->name) != 0)
                continue;
            known = true;
            bool twice = false;
            for (unsigned j = 0; j < drawing->kind_count; j++)
                twice = twice || drawing->kinds[j] == figure_kinds[i];
            if (!twice)
                drawing->kinds[drawing->kind_count++] = figure_kinds[i];
        }
        if (!known)
            return error_unknown_name("figure", name, names, err);
    }
    return 0;
}

/* The scripts that belong to this program; absolute, since gnuplot works in the output's folder. */
static int find_scripts(char **ret_folder, struct error **err) {
    const char *given = getenv("BOXMARK_PLOTS");
    cleanup_free char *folder = given && *given ? realpath(given, NULL) : installed_data("plots");
    cleanup_free char *probe = folder ? text_format("%s/common.gp", folder) : NULL;
    if (probe && file_exists(probe)) {
        *ret_folder = TAKE_PTR(folder);
        return 0;
    }
    error_set(err, ERROR_UNAVAILABLE, 0, "the plot scripts are not in %s",
              BOXMARK_DATADIR "/plots");
    return error_advise(err, "run `make install', or set BOXMARK_PLOTS to their folder");
}

/* The user's own folder may hold any of the scripts; one that holds none is a slip. */
static int find_own_scripts(const char *asked, char **ret_folder, struct error **err) {
    cleanup_free char *folder = realpath(asked, NULL);
    bool found = false;
    for (const struct figure_kind *const *kind = figure_kinds; folder && *kind; kind++) {
        cleanup_free char *path = text_format("%s/%s", folder, (*kind)->script);
        found = found || (path && file_exists(path));
    }
    if (!found) {
        error_set(err, ERROR_USAGE, folder ? 0 : errno, "%s holds no plot script", asked);
        return error_advise(err, "copy some from %s and change the copies",
                            BOXMARK_DATADIR "/plots");
    }
    *ret_folder = TAKE_PTR(folder);
    return 0;
}

/* Everything that a figure needs but its content. */
static int drawing_open(struct drawing *drawing, const struct plot_options *options,
                        struct error **err) {
    if (parse_formats(drawing, options->formats ? options->formats : "svg,png", err) < 0 ||
        parse_style(drawing, options->style ? options->style : styles[0].name, err) < 0 ||
        parse_figures(drawing, options->figures ? options->figures : PLOT_MAIN_FIGURES, err) < 0)
        return -1;
    drawing->gnuplot = file_find_program("gnuplot");
    if (!drawing->gnuplot) {
        error_set(err, ERROR_UNAVAILABLE, 0, "gnuplot is not installed: there are no plots");
        return error_advise(err, "install it (`./bootstrap packages' names the command), then "
                                 "run `boxmark plot' on the run; nothing needs measuring again");
    }
    if (find_scripts(&drawing->script_folder, err) < 0)
        return -1;
    if (options->script_folder &&
        find_own_scripts(options->script_folder, &drawing->own_folder, err) < 0)
        return -1;
    drawing->output_folder = options->output_folder;
    cleanup_free char *data_folder = text_format("%s/data", options->output_folder);
    return data_folder ? file_make_folders(data_folder, 0755, err) : error_no_memory(err);
}

int plot_run(const struct report *report, const struct plot_options *options, unsigned *ret_count,
             struct error **err) {
    cleanup_drawing struct drawing drawing = {0};
    if (drawing_open(&drawing, options, err) < 0)
        return -1;
    for (unsigned i = 0; i < drawing.kind_count; i++)
        if (drawing.kinds[i]->draw(report, &drawing, err) < 0)
            return -1;
    if (ret_count)
        *ret_count = drawing.file_count;
    return 0;
}

int plot_comparison(const struct report *const *reports, const char *const *names, unsigned count,
                    const struct plot_options *options, unsigned *ret_count, struct error **err) {
    cleanup_drawing struct drawing drawing = {0};
    if (drawing_open(&drawing, options, err) < 0 ||
        (count > 0 && overview_draw(reports, names, count, &drawing, err) < 0))
        return -1;
    if (ret_count)
        *ret_count = drawing.file_count;
    return 0;
}

int plot_drawing(int (*draw)(const void *what, struct drawing *drawing, struct error **err),
                 const void *what, const struct plot_options *options, unsigned *ret_count,
                 struct error **err) {
    cleanup_drawing struct drawing drawing = {0};
    if (drawing_open(&drawing, options, err) < 0 || draw(what, &drawing, err) < 0)
        return -1;
    if (ret_count)
        *ret_count = drawing.file_count;
    return 0;
}
