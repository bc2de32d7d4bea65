// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/protocol.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Which members a message carries, beside "type". */
enum member {
    MEMBER_ID,
    MEMBER_NUMBER,
    MEMBER_ITERATION,
    MEMBER_WARMUP,
    MEMBER_PACED,
    MEMBER_WAITED,
    MEMBER_VALUE,
    MEMBER_NAME,
    MEMBER_TEXT,
    MEMBER_OBJECT,
    MEMBERS,
};

/* A NULL key means that the message does not carry the member. */
struct message_form {
    const char *type;
    const char *keys[MEMBERS];
};

static const struct message_form forms[MESSAGE_TYPES] = {
    [MESSAGE_IDENTIFY] = {"identify", {[MEMBER_ID] = "id"}},
    [MESSAGE_RUN] = {"run",
                     {[MEMBER_ID] = "id",
                      [MEMBER_NAME] = "workload",
                      [MEMBER_PACED] = "paced",
                      [MEMBER_OBJECT] = "parameters"}},
    [MESSAGE_GO] = {"go", {[MEMBER_ID] = "id"}},
    [MESSAGE_QUIT] = {"quit", {[MEMBER_ID] = "id"}},
    [MESSAGE_HELLO] = {"hello", {[MEMBER_NUMBER] = "boxmark", [MEMBER_TEXT] = "version"}},
    [MESSAGE_IDENTITY] =
        {"identity",
         {[MEMBER_ID] = "id", [MEMBER_TEXT] = "agent_sha256", [MEMBER_OBJECT] = "facts"}},
    [MESSAGE_BEGIN] = {"begin", {[MEMBER_ID] = "id"}},
    [MESSAGE_SECTION_START] = {"start",
                               {[MEMBER_ID] = "id",
                                [MEMBER_NAME] = "section",
                                [MEMBER_ITERATION] = "iteration",
                                [MEMBER_WARMUP] = "warmup"}},
    [MESSAGE_SECTION_STOP] = {"stop",
                              {[MEMBER_ID] = "id",
                               [MEMBER_NAME] = "section",
                               [MEMBER_ITERATION] = "iteration",
                               [MEMBER_WARMUP] = "warmup",
                               [MEMBER_NUMBER] = "elapsed_ns",
                               [MEMBER_WAITED] = "waited_ns"}},
    [MESSAGE_PROGRESS] = {"progress", {[MEMBER_ID] = "id", [MEMBER_VALUE] = "fraction"}},
    [MESSAGE_SAMPLE] = {"sample",
                        {[MEMBER_ID] = "id",
                         [MEMBER_NAME] = "metric",
                         [MEMBER_ITERATION] = "iteration",
                         [MEMBER_WARMUP] = "warmup",
                         [MEMBER_VALUE] = "value"}},
    [MESSAGE_NOTE] = {"note", {[MEMBER_ID] = "id", [MEMBER_NAME] = "key", [MEMBER_TEXT] = "text"}},
    [MESSAGE_END] =
        {"end", {[MEMBER_ID] = "id", [MEMBER_NUMBER] = "elapsed_ns", [MEMBER_TEXT] = "digest"}},
    [MESSAGE_ERROR] = {"error",
                       {[MEMBER_ID] = "id", [MEMBER_NAME] = "code", [MEMBER_TEXT] = "message"}},
};

const char *message_type_name(enum message_type type) {
    return forms[type].type;
}

void message_clear(struct message *message) {
    json_decref(message->object);
    message->object = NULL;
}

static int parse_unsigned(const json_t *json, uint64_t *ret) {
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return -1;
    *ret = (uint64_t)json_integer_value(json);
    return 0;
}

static int parse_flag(const json_t *json, bool *ret) {
    *ret = json_is_true(json);
    return json_is_boolean(json) ? 0 : -1;
}

static int parse_name(const json_t *json, char name[PROTOCOL_NAME_BYTES]) {
    size_t length = json_string_length(json);
    if (!json_is_string(json) || length == 0 || length >= PROTOCOL_NAME_BYTES)
        return -1;
    const char *text = json_string_value(json);
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
            !strchr("_.-", text[i] ? text[i] : '!'))
            return -1;
    memcpy(name, text, length + 1);
    return 0;
}

/* Control characters would reach terminals and logs: each becomes a space. */
static int parse_text(const json_t *json, char text[PROTOCOL_TEXT_BYTES]) {
    size_t length = json_string_length(json);
    if (!json_is_string(json) || length >= PROTOCOL_TEXT_BYTES)
        return -1;
    memcpy(text, json_string_value(json), length + 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    return 0;
}

static int parse_member(enum member member, json_t *json, struct message *message) {
    switch (member) {
    case MEMBER_ID:
        return parse_unsigned(json, &message->id);
    case MEMBER_NUMBER:
        return parse_unsigned(json, &message->number);
    case MEMBER_ITERATION:
        return parse_unsigned(json, &message->iteration);
    case MEMBER_WARMUP:
        return parse_flag(json, &message->warmup);
    case MEMBER_PACED:
        return parse_flag(json, &message->paced);
    case MEMBER_WAITED:
        return parse_unsigned(json, &message->waited_ns);
    case MEMBER_VALUE:
        message->value = json_number_value(json);
        return json_is_number(json) && isfinite(message->value) ? 0 : -1;
    case MEMBER_NAME:
        return parse_name(json, message->name);
    case MEMBER_TEXT:
        return parse_text(json, message->text);
    case MEMBER_OBJECT:
        if (!json_is_object(json))
            return -1;
        message->object = json_incref(json);
        return 0;
    case MEMBERS:
        break;
    }
    return -1;
}

int message_parse(const char *line, size_t length, struct message *ret_message,
                  struct error **err) {
    json_error_t problem;
    cleanup_json json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &problem);
    if (!json)
        return error_set(err, ERROR_CLOSED, 0, "not a protocol line (%s)", problem.text);
    const char *type = json_string_value(json_object_get(json, "type"));
    if (!type)
        return error_set(err, ERROR_CLOSED, 0, "not a protocol line (no type)");
    unsigned index = 0;
    while (index < MESSAGE_TYPES && strcmp(forms[index].type, type) != 0)
        index++;
    if (index == MESSAGE_TYPES)
        return error_set(err, ERROR_CLOSED, 0, "protocol message of unknown type \"%.40s\"", type);

    cleanup_message struct message message = {.type = (enum message_type)index};
    for (unsigned member = 0; member < MEMBERS; member++) {
        const char *key = forms[index].keys[member];
        if (key && parse_member((enum member)member, json_object_get(json, key), &message) < 0)
            return error_set(err, ERROR_CLOSED, 0, "protocol message \"%s\": bad member \"%s\"",
                             type, key);
    }
    *ret_message = message;
    message.object = NULL;
    return 0;
}

/* json_string refuses text that is not UTF-8; such bytes (from /proc, say) become '?'. */
static json_t *string_json(const char *text) {
    json_t *json = json_string(text);
    if (json)
        return json;
    cleanup_free char *ascii = strdup(text);
    for (char *at = ascii; at && *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return ascii ? json_string(ascii) : NULL;
}

static json_t *format_member(enum member member, const struct message *message) {
    switch (member) {
    case MEMBER_ID:
        return json_integer((json_int_t)message->id);
    case MEMBER_NUMBER:
        return json_integer((json_int_t)message->number);
    case MEMBER_ITERATION:
        return json_integer((json_int_t)message->iteration);
    case MEMBER_WARMUP:
        return json_boolean(message->warmup);
    case MEMBER_PACED:
        return json_boolean(message->paced);
    case MEMBER_WAITED:
        return json_integer((json_int_t)message->waited_ns);
    case MEMBER_VALUE:
        return json_real(message->value);
    case MEMBER_NAME:
        return string_json(message->name);
    case MEMBER_TEXT:
        return string_json(message->text);
    case MEMBER_OBJECT:
        return message->object ? json_incref(message->object) : json_object();
    case MEMBERS:
        break;
    }
    return NULL;
}

int message_format(const struct message *message, char **ret_line, size_t *ret_length,
                   struct error **err) {
    const struct message_form *form = &forms[message->type];
    cleanup_json json_t *json = json_object();
    if (!json || json_object_set_new(json, "type", json_string(form->type)) < 0)
        return error_no_memory(err);
    for (unsigned member = 0; member < MEMBERS; member++)
        if (form->keys[member] &&
            json_object_set_new(json, form->keys[member],
                                format_member((enum member)member, message)) < 0)
            return error_set(err, ERROR_INTERNAL, 0, "cannot write \"%s\" of a protocol message",
                             form->keys[member]);
    size_t length = json_dumpb(json, NULL, 0, JSON_COMPACT);
    char *line = malloc(length + 2);
    if (length == 0 || !line) {
        free(line);
        return error_no_memory(err);
    }
    json_dumpb(json, line, length, JSON_COMPACT);
    line[length] = '\n';
    line[length + 1] = '\0';
    *ret_line = line;
    *ret_length = length + 1;
    return 0;
}
