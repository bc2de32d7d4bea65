// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/progress.h"

#include "common/clock.h"
#include "common/units.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#define REDRAW_NS (100 * NS_PER_MS)

unsigned terminal_columns(int fd) {
    struct winsize size;
    unsigned columns = 80;
    const char *forced = getenv("COLUMNS");
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    else if (forced && atoi(forced) > 0)
        columns = (unsigned)atoi(forced);
    return columns < 40 ? 40 : columns > 200 ? 200 : columns;
}

bool terminal_color(int fd) {
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fd) && !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
}

void progress_start(struct progress *progress, bool quiet) {
    const char *terminal = getenv("TERM");
    *progress = (struct progress){
        .quiet = quiet,
        .terminal = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0,
        .color = terminal_color(STDERR_FILENO),
        .columns = terminal_columns(STDERR_FILENO),
        .start_ns = monotonic_ns(),
    };
}

void progress_total(struct progress *progress, double done, double total) {
    progress->done = progress->unit_seconds = done;
    progress->total = total;
    progress->start_ns = monotonic_ns();
}

void progress_more(struct progress *progress, double units) {
    progress->total += units;
}

static void erase(struct progress *progress) {
    if (progress->line_open)
        fputs("\r\033[K", stderr);
    progress->line_open = false;
}

/* "about 2 min 10 s left", from the pace so far; empty while there is none. */
static void format_left(const struct progress *progress, char text[64]) {
    text[0] = '\0';
    double advanced = progress->done - progress->unit_seconds;
    double spent_ns = (double)(monotonic_ns() - progress->start_ns);
    if (advanced <= 0 || spent_ns < 1e9 || progress->total <= progress->done)
        return;
    double left_ns = spent_ns / advanced * (progress->total - progress->done);
    char duration[32];
    snprintf(text, 64, "about %s left",
             format_duration((uint64_t)(left_ns < 1e9 ? 1e9 : left_ns), duration));
}

static void draw(struct progress *progress) {
    if (progress->quiet || !progress->terminal)
        return;
    char left[64], line[320];
    format_left(progress, left);
    unsigned percent = progress->total > 0 ? (unsigned)(100 * progress->done / progress->total) : 0;
    snprintf(line, sizeof(line), "%3u%%  %s%s%s", percent > 100 ? 100 : percent, progress->step,
             left[0] ? "  " : "", left);
    erase(progress);
    fprintf(stderr, "%.*s", (int)progress->columns - 1, line);
    fflush(stderr);
    progress->line_open = true;
    progress->drawn_ns = monotonic_ns();
}

void progress_step(struct progress *progress, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(progress->step, sizeof(progress->step), format, arguments);
    va_end(arguments);
    if (progress->quiet)
        return;
    if (progress->terminal)
        draw(progress);
    else
        fprintf(stderr, "%s\n", progress->step);
}

void progress_update(struct progress *progress, double done) {
    progress->done = done;
    if (monotonic_ns() - progress->drawn_ns >= REDRAW_NS)
        draw(progress);
}

static void say(struct progress *progress, const char *prefix, const char *color,
                const char *format, va_list arguments) {
    erase(progress);
    fprintf(stderr, "%s%s%s", progress->color ? color : "", prefix,
            progress->color && *color ? "\033[0m" : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    if (progress->step[0])
        draw(progress);
}

void progress_say(struct progress *progress, const char *format, ...) {
    if (progress->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(progress, "", "", format, arguments);
    va_end(arguments);
}

void progress_warn(struct progress *progress, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(progress, "warning: ", "\033[33m", format, arguments);
    va_end(arguments);
}

void progress_end(struct progress *progress) {
    erase(progress);
    progress->step[0] = '\0';
}
