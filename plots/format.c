// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/format.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* snprintf with a point whatever the locale says. */
static void __attribute__((format(printf, 2, 3)))
format_number(char text[FORMAT_BYTES], const char *format, ...) {
    static locale_t c_locale;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c_locale ? uselocale(c_locale) : (locale_t)0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, FORMAT_BYTES, format, arguments);
    va_end(arguments);
    if (c_locale)
        uselocale(before);
}

/* Units of one kind, from small to large: how many of the first one makes. */
struct unit_step {
    const char *unit;
    double size;
};

static const struct unit_step time_steps[] = {
    {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {NULL, 0}};
static const struct unit_step rate_steps[] = {
    {"B/s", 1}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}, {NULL, 0}};
/* Two rates of one disk stand in one unit more often when the larger one comes late. */
static const struct unit_kind {
    const struct unit_step *steps;
    double least; /* of a unit before it is used */
} unit_kinds[] = {{time_steps, 1}, {rate_steps, 10}, {NULL, 0}};

struct scale scale_for(const struct summary_metric *metric, unsigned environment_count) {
    struct scale scale = {1, metric->unit};
    double least = INFINITY, greatest = 0;
    for (unsigned i = 0; i < environment_count; i++) {
        double median = fabs(metric->cells[i].median);
        if (metric->cells[i].blocks == 0 || !(median > 0) || !isfinite(median))
            continue;
        least = fmin(least, median);
        greatest = fmax(greatest, median);
    }
    if (!isfinite(least))
        return scale;
    double middle = sqrt(least) * sqrt(greatest);
    for (const struct unit_kind *kind = unit_kinds; kind->steps; kind++) {
        const struct unit_step *own = kind->steps;
        while (own->unit && strcmp(own->unit, metric->unit) != 0)
            own++;
        if (!own->unit)
            continue;
        const struct unit_step *best = kind->steps;
        for (const struct unit_step *at = kind->steps; at->unit; at++)
            if (middle * own->size / at->size >= kind->least)
                best = at;
        return (struct scale){own->size / best->size, best->unit};
    }
    return scale;
}

/* Digits after the point so that `significant` digits show. */
static int decimals_for(double value, int significant) {
    double magnitude = fabs(value);
    if (!(magnitude > 0))
        return 0;
    int decimals = significant - 1 - (int)floor(log10(magnitude));
    /* 9.9996 becomes 10.000 with the digits of 9: one less. */
    double rounded = round(magnitude * pow(10, decimals)) / pow(10, decimals);
    if (floor(log10(rounded)) > floor(log10(magnitude)))
        decimals--;
    return decimals < 0 ? 0 : decimals;
}

/* Beyond these a plain decimal is no longer readable (and would not fit a column). */
static bool needs_exponent(double value) {
    double magnitude = fabs(value);
    return magnitude >= 1e9 || (magnitude > 0 && magnitude < 1e-4);
}

char *format_value(double value, char text[FORMAT_BYTES]) {
    if (!isfinite(value))
        strcpy(text, "-");
    else if (needs_exponent(value))
        format_number(text, "%.3e", value);
    else
        format_number(text, "%.*f", decimals_for(value, 4), value);
    return text;
}

char *format_ratio(double ratio, char text[FORMAT_BYTES]) {
    if (!isfinite(ratio))
        strcpy(text, "-");
    else if (needs_exponent(ratio))
        format_number(text, "%.2e", ratio);
    else
        format_number(text, "%.*f",
                      fabs(ratio) < 0.9995 ? decimals_for(ratio, 3)
                                           : decimals_for(fmax(fabs(ratio), 1), 4),
                      ratio);
    return text;
}

char *format_end(double end, double other, char text[FORMAT_BYTES]) {
    char beside[FORMAT_BYTES];
    format_ratio(end, text);
    format_ratio(other, beside);
    if (isfinite(end) && isfinite(other) && end != other && strcmp(text, beside) == 0 &&
        !needs_exponent(end))
        format_number(text, "%.*f", decimals_for(end, 6), end);
    return text;
}

char *format_short(double value, char text[FORMAT_BYTES]) {
    format_number(text, "%.6g", fabs(value) < 1e-12 ? 0 : value);
    return text;
}

char *format_percent(double fraction, bool tight, char text[FORMAT_BYTES]) {
    double percent = fraction * 100;
    if (!isfinite(percent))
        strcpy(text, "-");
    else if (percent >= 999.5)
        format_number(text, tight ? ">999%%" : "> 999 %%");
    else {
        int decimals = percent < 9.95 && fabs(percent - round(percent)) > 1e-9 ? 1 : 0;
        format_number(text, tight ? "%.*f%%" : "%.*f %%", decimals, percent);
    }
    return text;
}

char *format_exact(double value, char text[FORMAT_BYTES]) {
    text[0] = '\0';
    for (int digits = 15; isfinite(value) && digits <= 17; digits++) {
        format_number(text, "%.*g", digits, value);
        static locale_t c_locale;
        if (!c_locale)
            c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (c_locale && strtod_l(text, NULL, c_locale) == value)
            break;
    }
    return text;
}

double cell_spread(const struct summary_cell *cell) {
    if (cell->blocks < 2 || !isfinite(cell->mad) || !(fabs(cell->median) > 0))
        return NAN;
    return cell->mad / fabs(cell->median);
}

bool cell_has_median_interval(const struct summary_cell *cell) {
    return cell->blocks > 0 && isfinite(cell->median_low) && isfinite(cell->median_high);
}

bool cell_has_ratio_interval(const struct summary_cell *cell) {
    return cell->blocks > 0 && isfinite(cell->ratio_low) && isfinite(cell->ratio_high);
}
