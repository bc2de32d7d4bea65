// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/verification.h"

#include "common/file.h"
#include "results/manifest.h"
#include "results/signature.h"

#include <string.h>

enum { KEY_SIGN = 256, KEY_PUBLIC, KEY_NEW };

struct verify_options {
    const char *run, *sign_key, *public_key, *new_key;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct verify_options *options = input->options;
    switch (key) {
    case KEY_SIGN:
        options->sign_key = argument;
        return 0;
    case KEY_PUBLIC:
        options->public_key = argument;
        return 0;
    case KEY_NEW:
        options->new_key = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->run) {
            error_set(input->err, ERROR_USAGE, 0, "one run at a time: \"%s\"", argument);
            return EINVAL;
        }
        options->run = argument;
        return 0;
    case ARGP_KEY_END:
        if (!options->run && !options->new_key) {
            error_set(input->err, ERROR_USAGE, 0, "which run?");
            error_advise(input->err, "give its folder; `boxmark list runs` shows them");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp verify_argp = {
    .options =
        (const struct argp_option[]){
            {"sign", KEY_SIGN, "KEY", 0, "sign the run with this private key, if it is sound", 0},
            {"key", KEY_PUBLIC, "PUBLIC", 0, "the run must be signed by the owner of this key", 0},
            {"new-key", KEY_NEW, "FILE", 0, "make a key pair: FILE (private) and FILE.pub", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "RUN",
    .doc = "Checks that a run's files are what they were when it ended and computes its figures "
           "again from its samples.\v"
           "Exit code 0: all of it holds; 5: something does not, and is named.",
};

static int check_signature(const struct verify_options *options, const char *signature_path,
                           struct verification *verification, struct error **err) {
    cleanup_free char *signature = NULL;
    size_t size = 0;
    bool good = false;
    if (!file_exists(signature_path) || !verification->manifest) {
        /* The key must be one, all the same. */
        if (signature_check(options->public_key, "", 0, NULL, 0, &good, err) < 0)
            return -1;
        return verification_add(verification, err,
                                MANIFEST_SIGNATURE_NAME ": is missing: nobody has signed this run");
    }
    if (file_read(signature_path, &signature, &size, err) < 0 ||
        signature_check(options->public_key, verification->manifest, strlen(verification->manifest),
                        (const unsigned char *)signature, size, &good, err) < 0)
        return -1;
    return good ? 0
                : verification_add(verification, err,
                                   MANIFEST_SIGNATURE_NAME ": is not a signature of these files by "
                                                           "the owner of %s",
                                   options->public_key);
}

static int sign(const struct verify_options *options, const char *signature_path,
                const struct verification *verification, struct error **err) {
    unsigned char signature[SIGNATURE_BYTES];
    if (signature_make(options->sign_key, verification->manifest, strlen(verification->manifest),
                       signature, err) < 0)
        return -1;
    return file_replace(signature_path, signature, sizeof(signature), err);
}

static int verify(const struct verify_options *options, struct error **err) {
    cleanup_verification struct verification verification = {0};
    cleanup_free char *signature_path = text_format("%s/" MANIFEST_SIGNATURE_NAME, options->run);
    if (!signature_path)
        return error_no_memory(err);
    if (verification_make(options->run, &verification, err) < 0 ||
        (options->public_key && check_signature(options, signature_path, &verification, err) < 0))
        return -1;
    for (size_t i = 0; i < verification.problem_count; i++)
        puts(verification.problems[i]);
    if (verification.problem_count > 0)
        return error_set(err, ERROR_UNTRUSTWORTHY, 0,
                         "%s is not what it should be: %zu problem%s%s", options->run,
                         verification.problem_count, verification.problem_count == 1 ? "" : "s",
                         options->sign_key ? "; it is not signed" : "");
    printf("%zu files are what they were, %zu figures follow from the samples\n",
           verification.file_count, verification.figure_count);
    puts("covered: the files that " MANIFEST_NAME " names; not covered, since they are derived: "
         "report.*, plots/ (`boxmark report` and `boxmark plot` make them anew)");
    if (options->sign_key) {
        if (sign(options, signature_path, &verification, err) < 0)
            return -1;
        puts("signed: " MANIFEST_SIGNATURE_NAME);
    } else if (options->public_key) {
        printf("these files are signed by the owner of %s; reports and figures are not\n",
               options->public_key);
    } else if (file_exists(signature_path)) {
        puts("there is a signature; --key PUBLIC checks whose it is");
    }
    return EXIT_CODE_OK;
}

int command_verify(int argc, char **argv, struct error **err) {
    struct verify_options options = {0};
    if (command_parse(&verify_argp, argc, argv, &options, err) < 0)
        return -1;
    if (options.new_key) {
        if (signature_new_key(options.new_key, err) < 0)
            return -1;
        printf("%s is the private key: keep it to yourself. %s.pub is for others.\n",
               options.new_key, options.new_key);
    }
    return options.run ? verify(&options, err) : EXIT_CODE_OK;
}
