// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/html_chart.h"

#include "plots/format.h"
#include "plots/html.h"

#include <math.h>
#include <string.h>

/* Width of every picture in its own units; and most things drawn in one. */
#define WIDTH 1000.0
enum { POINTS_MAX = 1000 };

static void add_tick(struct axis *axis, double tick) {
    double slack = (axis->high - axis->low) * 1e-9;
    if (tick >= axis->low - slack && tick <= axis->high + slack &&
        axis->tick_count < AXIS_TICKS_MAX)
        axis->ticks[axis->tick_count++] = tick;
}

/* At most five steps: their labels, "-80 %" and so on, have room in a column of a table. */
static void linear_ticks(struct axis *axis) {
    double span = axis->high - axis->low;
    double step = pow(10, floor(log10(span / 5)));
    if (span / step > 25)
        step *= 10;
    else if (span / step > 10)
        step *= 5;
    else if (span / step > 5)
        step *= 2;
    for (double i = ceil(axis->low / step); i * step <= axis->high + step * 1e-9; i++)
        add_tick(axis, i * step);
}

/* Powers of ten where there are several, else 1, 2, 5 of them. */
static void log_ticks(struct axis *axis) {
    double decades = log10(axis->high / axis->low);
    static const double fine[] = {1, 1.1, 1.25, 1.5, 2, 3, 4, 5, 7.5, 9};
    static const double coarse[] = {1, 2, 5};
    double skip = decades > 8 ? ceil(decades / 6) : 1;
    for (double power = floor(log10(axis->low)); power <= log10(axis->high); power += skip) {
        const double *steps = decades < 0.8 ? fine : coarse;
        unsigned count = decades > 2 ? 1 : decades < 0.8 ? 10 : 3;
        for (unsigned i = 0; i < count; i++)
            add_tick(axis, steps[i] * pow(10, power));
    }
}

struct axis axis_make(double low, double high, bool log) {
    struct axis axis = {.low = low, .high = high, .log = log};
    if (!isfinite(axis.low))
        axis.low = log ? 1 : 0;
    if (!isfinite(axis.high) || axis.high <= axis.low)
        axis.high = log ? axis.low * 10 : axis.low + 1;
    if (log)
        log_ticks(&axis);
    else
        linear_ticks(&axis);
    return axis;
}

double axis_x(const struct axis *axis, double value) {
    if (axis->log && !(value > 0))
        return 0;
    double part = axis->log ? log(value / axis->low) / log(axis->high / axis->low)
                            : (value - axis->low) / (axis->high - axis->low);
    return part > 0 ? WIDTH * (part < 1 ? part : 1) : 0;
}

/* Hundredths are finer than any screen; formatted without the locale. */
static const char *place(double value, char text[FORMAT_BYTES]) {
    return format_exact(round(value * 10) / 10, text);
}

void chart_begin(FILE *to, unsigned height, const char *alt) {
    fprintf(to,
            "<svg viewBox=\"0 0 1000 %u\" preserveAspectRatio=\"none\" class=\"h%u\" role=\"img\" "
            "aria-label=\"",
            height, height);
    html_text(to, alt);
    fputs("\">", to);
}

void chart_end(FILE *to) {
    fputs("</svg>", to);
}

void chart_grid(FILE *to, const struct axis *axis, unsigned height) {
    char x[FORMAT_BYTES];
    fputs("<path class=\"grid\" d=\"", to);
    for (unsigned i = 0; i < axis->tick_count; i++)
        fprintf(to, "M%s 0v%u", place(axis_x(axis, axis->ticks[i]), x), height);
    fputs("\"/>", to);
}

void chart_bar(FILE *to, const struct axis *axis, double from, double until, double top,
               double height, const char *class_name) {
    char x[FORMAT_BYTES], y[FORMAT_BYTES], w[FORMAT_BYTES], h[FORMAT_BYTES];
    double left = axis_x(axis, from), right = axis_x(axis, until);
    if (!isfinite(from) || !isfinite(until) || right < left)
        return;
    fprintf(to, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>", class_name,
            place(left, x), place(top, y), place(right - left, w), place(height, h));
}

void chart_interval(FILE *to, const struct axis *axis, double low, double high, double middle) {
    char a[FORMAT_BYTES], b[FORMAT_BYTES], y[FORMAT_BYTES], above[FORMAT_BYTES];
    if (!isfinite(low) || !isfinite(high))
        return;
    place(axis_x(axis, low), a);
    place(axis_x(axis, high), b);
    place(middle, y);
    place(middle - 4, above);
    fprintf(to, "<path class=\"interval\" d=\"M%s %sH%sM%s %sv8M%s %sv8\"/>", a, y, b, a, above, b,
            above);
}

void chart_mark(FILE *to, const struct axis *axis, double value, double top, double height,
                const char *class_name) {
    char x[FORMAT_BYTES], y[FORMAT_BYTES], h[FORMAT_BYTES];
    if (isfinite(value))
        fprintf(to, "<path class=\"%s\" d=\"M%s %sv%s\"/>", class_name,
                place(axis_x(axis, value), x), place(top, y), place(height, h));
}

void chart_values(FILE *to, const struct axis *axis, const double *values, size_t count,
                  double factor, double offset, double top, double height) {
    char x[FORMAT_BYTES], y[FORMAT_BYTES], h[FORMAT_BYTES];
    size_t shown = count < POINTS_MAX ? count : POINTS_MAX;
    if (shown == 0)
        return;
    place(top, y);
    place(height, h);
    fputs("<path class=\"values\" d=\"", to);
    for (size_t i = 0; i < shown; i++) {
        double value = values[shown == count ? i : i * (count - 1) / (shown - 1)];
        if (isfinite(value))
            fprintf(to, "M%s %sv%s", place(axis_x(axis, value * factor + offset), x), y, h);
    }
    fputs("\"/>", to);
}

void chart_series(FILE *to, const double *values, size_t count, double middle, double limit,
                  double height) {
    size_t points = count < POINTS_MAX ? count : POINTS_MAX;
    char x[FORMAT_BYTES], y[FORMAT_BYTES];
    if (count < 2 || !(limit > 0))
        return;
    fputs("<path class=\"series\" d=\"", to);
    for (size_t i = 0; i < points; i++) {
        size_t from = i * count / points, until = (i + 1) * count / points;
        double least = values[from], greatest = values[from];
        for (size_t j = from; j < until; j++) {
            least = fmin(least, values[j]);
            greatest = fmax(greatest, values[j]);
        }
        const double ends[] = {greatest, least};
        place(WIDTH * (0.01 + 0.98 * (double)i / (double)(points - 1)), x);
        for (unsigned j = 0; j < (least < greatest ? 2 : 1); j++) {
            double part = (ends[j] - middle) / limit;
            part = part < -1 ? -1 : part > 1 ? 1 : part;
            fprintf(to, "%c%s %s", i + j ? 'L' : 'M', x, place(height / 2 * (1 - 0.9 * part), y));
        }
    }
    fputs("\"/>", to);
}

void chart_axis(FILE *to, const struct axis *axis, const char *suffix) {
    fputs("<div class=\"axis\" aria-hidden=\"true\">", to);
    double last = -1000;
    for (unsigned i = 0; i < axis->tick_count; i++) {
        double x = axis_x(axis, axis->ticks[i]);
        char left[FORMAT_BYTES], label[FORMAT_BYTES];
        /* Labels that would touch on a phone are left out; the lines stay. */
        if (x - last < 120)
            continue;
        last = x;
        fprintf(to, "<span style=\"left:%s%%\">%s", place(x / 10, left),
                format_short(axis->ticks[i], label));
        html_text(to, suffix);
        fputs("</span>", to);
    }
    fputs("</div>", to);
}
