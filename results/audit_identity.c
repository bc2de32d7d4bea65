// SPDX-License-Identifier: GPL-3.0-or-later
/* Was it the same program, doing the same work, and did it come through? */
#include "results/audit_checks.h"

#include <math.h>
#include <string.h>

static void examine_failures(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        unsigned failures = 0, done = 0, lost = 0;
        const char *first = NULL;
        size_t position = 0;
        for (const json_t *entry;
             (entry = audit_next(facts, "failure", environment->label, &position)); failures++)
            if (!first)
                first = fact_text(entry, "message");
        position = 0;
        for (const json_t *entry;
             (entry = audit_next(facts, "instance", environment->label, &position));) {
            const char *outcome = fact_text(entry, "outcome");
            if (outcome && strcmp(outcome, "done") == 0)
                done++;
            else
                lost++;
        }
        enum audit_state state =
            done + lost > 0 ? audit_judge("failures", (double)lost / (done + lost)) : AUDIT_NOTED;
        if (state == AUDIT_OK && failures > 0)
            state = AUDIT_NOTED;
        audit_say(facts, check, environment, "*", state,
                  "%u instance%s done, %u lost, %u failure%s recorded%s%.200s", done, plural(done),
                  lost, failures, plural(failures), first ? "; the first: " : "",
                  first ? first : "");
    }
}

static void examine_agent(struct audit_facts *facts, const struct audit_check *check) {
    const char *expected = fact_text(facts->run, "agent.sha256");
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        unsigned same = 0;
        const char *other = NULL;
        size_t position = 0;
        for (const json_t *entry;
             (entry = audit_next(facts, "instance", environment->label, &position));) {
            const char *hash = fact_text(entry, "agent_sha256");
            if (hash && expected && strcmp(hash, expected) == 0)
                same++;
            else if (hash)
                other = hash;
        }
        if (other && expected)
            audit_say(facts, check, environment, "*", AUDIT_FAILING,
                      "SHA-256 %.12s... inside, %.12s... outside", other, expected);
        else if (same)
            audit_say(facts, check, environment, "*", AUDIT_OK,
                      "SHA-256 %.12s... in all %u instance%s", expected, same, plural(same));
        else
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
    }
}

/* The digest of the first request of a workload, in any environment. */
static const char *first_digest(const struct audit_facts *facts, const char *workload) {
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "request", NULL, &position));) {
        const char *name = fact_text(entry, "workload"), *digest = fact_text(entry, "digest");
        if (name && digest && strcmp(name, workload) == 0)
            return digest;
    }
    return NULL;
}

static void examine_digests(struct audit_facts *facts, const struct audit_check *check) {
    size_t index;
    const json_t *work;
    json_array_foreach(fact(facts->run, "workloads"), index, work) {
        const char *workload = fact_text(work, "name");
        const char *expected = workload ? first_digest(facts, workload) : NULL;
        if (!expected)
            continue;
        unsigned same = 0;
        const json_t *other = NULL;
        size_t position = 0;
        for (const json_t *entry; (entry = audit_next(facts, "request", NULL, &position));) {
            const char *name = fact_text(entry, "workload"), *digest = fact_text(entry, "digest");
            if (!name || !digest || strcmp(name, workload) != 0)
                continue;
            if (strcmp(digest, expected) == 0)
                same++;
            else if (!other)
                other = entry;
        }
        char touches[160];
        snprintf(touches, sizeof(touches), "%.120s/*", workload);
        if (other)
            audit_say(facts, check, NULL, touches, AUDIT_FAILING,
                      "%s: %.40s in %s, %.40s before: not the same work", workload,
                      fact_text(other, "digest"), fact_text(other, "environment"), expected);
        else
            audit_say(facts, check, NULL, touches, AUDIT_OK, "%s: %.40s in all %u request%s",
                      workload, expected, same, plural(same));
    }
}

const struct audit_check audit_identity_checks[] = {
    {"failures", examine_failures,
     "figures from the instances that survived say little when many did not"},
    {"agent", examine_agent, "another program is another measurement"},
    {"digests", examine_digests,
     "equal work gives equal answers; another answer is other work, or a wrong one"},
    {0},
};
