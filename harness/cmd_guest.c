// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/interrupt.h"

#include "bench/protocol.h"
#include "common/units.h"
#include "environments/vm/guest.h"
#include "harness/agent_path.h"

#include <string.h>

enum { KEY_LEAN = 256, KEY_KERNEL, KEY_SOURCE, KEY_JSON };

struct guest_options {
    const char *action;
    struct guest_build_options build;
    bool json, quiet;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct guest_options *options = input->options;
    switch (key) {
    case KEY_LEAN:
        options->build.lean = true;
        return 0;
    case KEY_KERNEL:
        options->build.kernel = argument;
        return 0;
    case KEY_SOURCE:
        options->build.source = argument;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->action) {
            error_set(input->err, ERROR_USAGE, 0, "one action at a time: \"%s\"", argument);
            return EINVAL;
        }
        options->action = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp guest_argp = {
    .options =
        (const struct argp_option[]){
            {"lean", KEY_LEAN, NULL, 0, "build: a small kernel from the distribution's source", 0},
            {"kernel", KEY_KERNEL, "FILE", 0, "build: lean, cloud, host, or a kernel's file", 0},
            {"source", KEY_SOURCE, "FILE", 0, "build --lean: an archive of the kernel's source", 0},
            {"json", KEY_JSON, NULL, 0, "info: as one JSON object", 0},
            {"quiet", 'q', NULL, 0, "no progress", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "build|info|clean",
    .doc = "Prepares, shows or removes the virtual machine's kernel and image in the user's cache.",
};

static void say(void *cookie, const char *text) {
    (void)cookie;
    fprintf(stderr, "%s\n", text);
}

static int build(struct guest_options *options, struct error **err) {
    cleanup_free char *agent = NULL;
    cleanup_guest_image struct guest_image image = {0};
    if (interrupt_install(err) < 0 || agent_path_find(&agent, err) < 0)
        return -1;
    options->build.agent_path = agent;
    options->build.progress =
        (struct guest_progress){.say = options->quiet ? NULL : say, .cancel_fd = interrupt_fd()};
    if (guest_build(&options->build, &image, err) < 0)
        return -1;
    char kernel[32], initramfs[32];
    printf("kernel     %s (%s, %s)\n", image.origin, image.release,
           format_size(image.kernel_bytes, kernel));
    printf("           %s\n           SHA-256 %s\n", image.kernel_path, image.kernel_sha256);
    printf("initramfs  %s, modules: %s\n", format_size(image.initramfs_bytes, initramfs),
           image.modules && *image.modules ? image.modules : "none");
    printf("           %s\n           SHA-256 %s\n", image.initramfs_path, image.initramfs_sha256);
    return EXIT_CODE_OK;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int info(struct guest_options *options, struct error **err) {
    cleanup_json json_t *found = NULL;
    if (guest_info(&found, err) < 0)
        return -1;
    if (options->json) {
        json_dumpf(found, stdout, JSON_INDENT(2));
        putchar('\n');
        return EXIT_CODE_OK;
    }
    char size[32];
    printf("%s, %s\n", text_of(found, "folder"),
           format_size((uint64_t)json_integer_value(json_object_get(found, "bytes")), size));
    size_t index;
    json_t *kernel;
    json_array_foreach(json_object_get(found, "kernels"), index, kernel) {
        const char *problem = text_of(kernel, "error");
        printf("%-6s %s %s%s\n", text_of(kernel, "name"),
               json_is_true(json_object_get(kernel, "default")) ? "*" : " ",
               *problem ? "not here: " : text_of(kernel, "origin"), problem);
    }
    puts("* used by default");
    return EXIT_CODE_OK;
}

static int clean(struct guest_options *options, struct error **err) {
    (void)options;
    uint64_t bytes = 0;
    char size[32];
    if (guest_clean(&bytes, err) < 0)
        return -1;
    printf("%s freed\n", format_size(bytes, size));
    return EXIT_CODE_OK;
}

static const struct {
    const char *name;
    int (*act)(struct guest_options *options, struct error **err);
} actions[] = {{"build", build}, {"info", info}, {"clean", clean}};

int command_guest(int argc, char **argv, struct error **err) {
    struct guest_options options = {0};
    if (command_parse(&guest_argp, argc, argv, &options, err) < 0)
        return -1;
    enum { ACTIONS = sizeof(actions) / sizeof(*actions) };
    const char *names[ACTIONS + 1] = {NULL};
    for (unsigned i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (options.action && strcmp(options.action, names[i]) == 0)
            return actions[i].act(&options, err);
    }
    return error_unknown_name("action", options.action ? options.action : "", names, err);
}
