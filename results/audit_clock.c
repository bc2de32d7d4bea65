// SPDX-License-Identifier: GPL-3.0-or-later
/* Is the speed of the CPU steady, do the clocks agree, is the kernel's set-up the same? */
#include "results/audit_checks.h"

#include <math.h>
#include <string.h>

/*
 * A drift goes the same way in every instance: the median change with its sign decides whether the
 * check fails. Changes to and fro are a neighbour's doing (see "load") and widen the interval; they
 * are noted by their size alone.
 */
static void examine_calibration(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        cleanup_json_array json_t *changes = json_array();
        cleanup_json_array json_t *sizes = json_array();
        double worst = NAN;
        size_t position = 0;
        for (const json_t *entry;
             (entry = audit_next(facts, "instance", environment->label, &position));) {
            double before = fact_calibration(entry, "calibration_before");
            double after = fact_calibration(entry, "calibration_after");
            if (!(before > 0) || !(after > 0))
                continue;
            double change = log(after / before);
            json_array_append_new(changes, json_real(change));
            json_array_append_new(sizes, json_real(fabs(change)));
            worst = fmax(worst, fabs(change));
        }
        double typical = fact_median(sizes), drift = fact_median(changes);
        enum audit_state state = audit_judge("calibration", typical);
        /* One or two instances are an accident, not a machine. */
        if (state == AUDIT_FAILING &&
            (audit_judge("calibration_instances", (double)json_array_size(changes)) == AUDIT_OK ||
             audit_judge("calibration", fabs(drift)) != AUDIT_FAILING))
            state = AUDIT_NOTED;
        if (isnan(typical))
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
        else
            audit_say(facts, check, environment, "*", state,
                      "from start to end of an instance the loop's time moves by %.1f %%, at most "
                      "%.1f %%; with its sign by %+.1f %% (medians of %zu)",
                      100 * typical, 100 * worst, 100 * drift, json_array_size(changes));
    }
}

static void examine_clock_source(struct audit_facts *facts, const struct audit_check *check) {
    const char *outside = fact_text(facts->machine, "clock_source");
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const char *inside = fact_text(environment->instance, "agent_facts.clock_source");
        bool slow = inside && (strcmp(inside, "hpet") == 0 || strcmp(inside, "acpi_pm") == 0 ||
                               strcmp(inside, "jiffies") == 0);
        if (!inside)
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
        else
            audit_say(facts, check, environment, "*", slow ? AUDIT_NOTED : AUDIT_OK,
                      "%.40s inside, %.40s outside%s", inside, outside ? outside : "unknown",
                      slow ? ": reading it is slow or coarse" : "");
    }
}

/*
 * By how much the channel's delays may differ at the two ends of a piece: twice the round trip that
 * is typical, for single ones are longer. 0 where it was not recorded.
 */
static double delays_differ_s(const struct audit_facts *facts, const char *environment) {
    double largest = 0;
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "request", environment, &position));)
        largest = fmax(largest, fact_number(entry, "round_trip_ns") / 1e9);
    return 2 * largest;
}

/* (agent - host) / host, as far as the delays do not explain it. */
static double skew_of(double host_s, double agent_s, double delay_s) {
    double difference_s = agent_s - host_s;
    if (isnan(difference_s))
        return NAN;
    return copysign(fmax(0, fabs(difference_s) - delay_s), difference_s) / host_s;
}

/* Adds that of every repetition of a calibration loop. */
static void add_skews(const json_t *instance, const char *host_key, const char *agent_key,
                      double delay_s, json_t *skews) {
    const json_t *host = fact(instance, host_key), *agent = fact(instance, agent_key);
    for (size_t i = 0; i < json_array_size(host); i++) {
        double seconds = json_number_value(json_array_get(host, i));
        const json_t *inside = json_array_get(agent, i);
        if (seconds > 0 && json_is_number(inside))
            json_array_append_new(skews,
                                  json_real(skew_of(seconds, json_number_value(inside), delay_s)));
    }
}

/* The median skew of single pieces: the calibration's repetitions and the requests. */
static double typical_skew(const struct audit_facts *facts, const char *environment) {
    cleanup_json_array json_t *skews = json_array();
    double delay_s = delays_differ_s(facts, environment);
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "instance", environment, &position));) {
        add_skews(entry, "calibration_before", "calibration_before_agent", delay_s, skews);
        add_skews(entry, "calibration_after", "calibration_after_agent", delay_s, skews);
    }
    position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "request", environment, &position));) {
        double skew = skew_of(fact_number(entry, "host_elapsed_ns") / 1e9,
                              fact_number(entry, "agent_elapsed_ns") / 1e9, delay_s);
        if (isfinite(skew))
            json_array_append_new(skews, json_real(skew));
    }
    return fact_median(skews);
}

/*
 * Two looks at the same: over all requests together, where the channel's delays weigh little but
 * one long delay (a host that was busy elsewhere) is in the sum; and the median of single pieces,
 * which no single delay moves. A clock that is wrong shows in both, so the smaller one counts.
 */
static void examine_guest_clock(struct audit_facts *facts, const struct audit_check *check) {
    double latency = audit_threshold_find("guest_clock_latency")->noted;
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double host = 0, agent = 0, slack = 0;
        size_t position = 0;
        for (const json_t *entry;
             (entry = audit_next(facts, "request", environment->label, &position));) {
            host += fact_number(entry, "host_elapsed_ns") / 1e9;
            agent += fact_number(entry, "agent_elapsed_ns") / 1e9;
            slack += latency;
        }
        double skew = (agent - host) / host;
        double typical = typical_skew(facts, environment->label);
        if (isnan(skew) || isnan(typical)) {
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
            continue;
        }
        double unexplained = fmax(0, fabs(agent - host) - slack) / host;
        unexplained = skew * typical > 0 ? fmin(unexplained, fabs(typical)) : 0;
        enum audit_state state = audit_judge("guest_clock", unexplained);
        bool vague = audit_judge("guest_clock_resolution", slack / host) != AUDIT_OK;
        if (vague && state == AUDIT_OK)
            state = AUDIT_NOTED;
        audit_say(
            facts, check, environment, "*", state,
            "the clock inside counts %.2f %% %s than the host's over %.2f s (median of single "
            "pieces: %.2f %% %s)%s",
            fabs(100 * skew), skew < 0 ? "less" : "more", host, fabs(100 * typical),
            typical < 0 ? "less" : "more", vague ? "; too short to tell more" : "");
    }
}

/* The word in brackets of "always [madvise] never"; "" if there is none. */
static void chosen_word(const char *text, char word[32]) {
    const char *open = text ? strchr(text, '[') : NULL;
    snprintf(word, 32, "%.*s", open ? (int)strcspn(open + 1, "]") : 0, open ? open + 1 : "");
}

static void examine_huge_pages(struct audit_facts *facts, const struct audit_check *check) {
    char outside[32], inside[32];
    chosen_word(fact_text(facts->machine, "transparent_huge_pages"), outside);
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        chosen_word(fact_text(environment->instance, "agent_facts.transparent_huge_pages"), inside);
        const char *used = NULL;
        size_t position = 0;
        for (const json_t *entry;
             !used && (entry = audit_next(facts, "request", environment->label, &position));)
            used = fact_text(entry, "notes.anon_huge_pages");
        bool equal = *inside && strcmp(inside, outside) == 0;
        audit_say(facts, check, environment, "stream/*", equal ? AUDIT_OK : AUDIT_NOTED,
                  "transparent huge pages: %s inside, %s outside; in use: %.40s",
                  *inside ? inside : "unknown", *outside ? outside : "unknown",
                  used ? used : "not recorded");
    }
}

/* True when `word` stands in the list of words. */
static bool has_word(const char *list, const char *word, size_t length) {
    for (const char *at = list; (at = strstr(at, word)); at++)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

static void examine_cpu_flags(struct audit_facts *facts, const struct audit_check *check) {
    const char *outside = fact_text(facts->machine, "cpu_flags");
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const char *inside = fact_text(environment->instance, "agent_facts.cpu_flags");
        if (!outside || !inside) {
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
            continue;
        }
        char missing[200] = "";
        size_t used = 0;
        unsigned count = 0;
        for (const char *at = outside; *at;) {
            size_t length = strcspn(at, " ");
            char word[40];
            snprintf(word, sizeof(word), "%.*s", (int)length, at);
            if (length && length < sizeof(word) && !has_word(inside, word, length)) {
                count++;
                if (used + length + 2 < sizeof(missing))
                    used += (size_t)snprintf(missing + used, sizeof(missing) - used, " %s", word);
            }
            at += length + (at[length] == ' ');
        }
        if (count)
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "%u missing inside:%s%s", count,
                      missing, used + 48 > sizeof(missing) ? " ..." : "");
        else
            audit_say(facts, check, environment, "*", AUDIT_OK, "none is missing inside");
    }
}

static void examine_speculation(struct audit_facts *facts, const struct audit_check *check) {
    const char *outside = fact_text(facts->machine, "speculation_store_bypass");
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const char *inside =
            fact_text(environment->instance, "agent_facts.speculation_store_bypass");
        const char *seccomp = fact_text(environment->instance, "agent_facts.seccomp");
        bool equal = inside && outside && strcmp(inside, outside) == 0;
        audit_say(facts, check, environment, "*", equal ? AUDIT_OK : AUDIT_NOTED,
                  "store bypass: %.60s inside, %.60s outside; seccomp mode inside: %.10s",
                  inside ? inside : "not recorded", outside ? outside : "not recorded",
                  seccomp ? seccomp : "unknown");
    }
}

static void examine_mitigations(struct audit_facts *facts, const struct audit_check *check) {
    const json_t *outside = fact(facts->machine, "mitigations");
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const json_t *inside = fact(environment->instance, "agent_facts.mitigations");
        if (!json_is_object(outside) || !json_is_object(inside)) {
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
            continue;
        }
        char names[300] = "";
        size_t used = 0;
        unsigned differ = 0;
        const char *key;
        const json_t *value;
        json_object_foreach((json_t *)outside, key, value) {
            if (json_equal(value, json_object_get(inside, key)))
                continue;
            differ++;
            if (used + strlen(key) + 2 < sizeof(names))
                used += (size_t)snprintf(names + used, sizeof(names) - used, " %s", key);
        }
        if (differ)
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "%u of %zu differ inside:%s",
                      differ, json_object_size(outside), names);
        else
            audit_say(facts, check, environment, "*", AUDIT_OK, "the same %zu inside and outside",
                      json_object_size(outside));
    }
}

const struct audit_check audit_clock_checks[] = {
    {"calibration", examine_calibration,
     "the same loop, timed at both ends: heat, frequency and neighbours show in it"},
    {"clock_source", examine_clock_source,
     "a clock that is slow to read costs time wherever a program measures itself"},
    {"guest_clock", examine_guest_clock,
     "figures that the agent takes by its own clock are wrong by as much as that clock is"},
    {"huge_pages", examine_huge_pages,
     "without huge pages memory-bound work pays for more address translation, in a guest twice"},
    {"cpu_flags", examine_cpu_flags,
     "a guest without the host's vector instructions runs other code paths"},
    {"speculation", examine_speculation,
     "a mitigation switched on by seccomp (kernels before 5.16) made pure CPU code up to 1.9 times "
     "slower"},
    {"mitigations", examine_mitigations,
     "a kernel inside that defends itself otherwise pays another price for every entry"},
    {0},
};
