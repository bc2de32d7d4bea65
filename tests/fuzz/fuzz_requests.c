// SPDX-License-Identifier: GPL-3.0-or-later
/* What a harness says to an agent: one line, read as the agent reads it, and written again. */
#include "tests/fuzz/fuzz.h"

#include "bench/parameters.h"
#include "bench/protocol.h"

/* What can be read can be written, in one line, and reads as the same. */
static void check_round_trip(const struct message *message) {
    cleanup_error struct error *err = NULL;
    cleanup_free char *line = NULL;
    size_t length;
    struct message again = {0};
    fuzz_check(message_format(message, &line, &length, &err) == 0);
    fuzz_check(line[length - 1] == '\n' && strlen(line) == length);
    fuzz_check(message_parse(line, length - 1, &again, &err) == 0);
    fuzz_check(again.type == message->type && again.id == message->id &&
               again.number == message->number && again.iteration == message->iteration &&
               again.warmup == message->warmup && again.paced == message->paced &&
               again.waited_ns == message->waited_ns && again.value == message->value &&
               strcmp(again.name, message->name) == 0 && strcmp(again.text, message->text) == 0);
    fuzz_check(again.object == message->object || json_equal(again.object, message->object));
    message_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *line = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    cleanup_message struct message message = {0};
    int result = message_parse(line, size, &message, &err);
    fuzz_check_result(result, err);
    if (result < 0)
        return 0;
    check_round_trip(&message);
    const struct workload_description *workload =
        message.type == MESSAGE_RUN ? workload_find(message.name) : NULL;
    if (workload) {
        result = parameters_check(workload, message.object, &err);
        fuzz_check_result(result, err);
    }
    return 0;
}
