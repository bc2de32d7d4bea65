// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Signatures of a run's manifest: Ed25519 (RFC 8032) by libsodium. Keys are PEM files as of
 * RFC 8410 and a signature is its 64 bytes, so that openssl can make and check them as well.
 */
#ifndef BOXMARK_RESULTS_SIGNATURE_H
#define BOXMARK_RESULTS_SIGNATURE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SIGNATURE_BYTES 64
#define SIGNATURE_PUBLIC_BYTES 32

/*
 * Makes a key pair: the private key in `path` (mode 0600; a file that exists is never replaced),
 * the public one in `path`.pub.
 */
int signature_new_key(const char *path, struct error **err);

/* Signs with the private key of a file that nobody else may read. */
int signature_make(const char *private_key_path, const void *data, size_t size,
                   unsigned char signature[SIGNATURE_BYTES], struct error **err);

/* *ret_good: the signature is over these data, by the owner of this public key. */
int signature_check(const char *public_key_path, const void *data, size_t size,
                    const unsigned char *signature, size_t signature_size, bool *ret_good,
                    struct error **err);

/* Reads the text of a PEM public key; ERROR_USAGE when it is none. `name` stands in messages. */
int signature_parse_public(const char *text, const char *name,
                           unsigned char ret_key[SIGNATURE_PUBLIC_BYTES], struct error **err);

#endif
