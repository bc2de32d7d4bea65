// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/signature.h"

#include "common/file.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_BYTES = 32, PREFIX_MAX = 16 };

/* The DER around an Ed25519 key is the same for every key (RFC 8410, sections 4 and 7). */
static const struct key_form {
    const char *begin, *end;
    const char *what;
    size_t prefix_size;
    unsigned char prefix[PREFIX_MAX];
} private_form = {"-----BEGIN PRIVATE KEY-----\n",
                  "\n-----END PRIVATE KEY-----\n",
                  "private",
                  16,
                  {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04,
                   0x22, 0x04, 0x20}},
  public_form = {"-----BEGIN PUBLIC KEY-----\n",
                 "\n-----END PUBLIC KEY-----\n",
                 "public",
                 12,
                 {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}};

static int parse_key(const char *text, const char *name, const struct key_form *form,
                     unsigned char key[KEY_BYTES], struct error **err) {
    unsigned char der[PREFIX_MAX + KEY_BYTES + 1];
    size_t size = 0, length = strlen(form->begin);
    const char *end = NULL;
    bool good = strncmp(text, form->begin, length) == 0 &&
                sodium_base642bin(der, sizeof(der), text + length, strlen(text + length), "\r\n",
                                  &size, &end, sodium_base64_VARIANT_ORIGINAL) == 0 &&
                size == form->prefix_size + KEY_BYTES &&
                memcmp(der, form->prefix, form->prefix_size) == 0 &&
                strncmp(end, form->end + 1, strlen(form->end) - 2) == 0;
    if (good)
        memcpy(key, der + form->prefix_size, KEY_BYTES);
    sodium_memzero(der, sizeof(der));
    if (good)
        return 0;
    error_set(err, ERROR_USAGE, 0, "%s: not a %s Ed25519 key in PEM", name, form->what);
    return error_advise(err, "`boxmark verify --new-key FILE' makes a pair: FILE is private, "
                             "FILE.pub is public");
}

int signature_parse_public(const char *text, const char *name,
                           unsigned char ret_key[SIGNATURE_PUBLIC_BYTES], struct error **err) {
    return parse_key(text, name, &public_form, ret_key, err);
}

static int load_key(const char *path, const struct key_form *form, unsigned char key[KEY_BYTES],
                    struct error **err) {
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (file_read(path, &text, &size, err) < 0) {
        error_blame_usage(err);
        return -1;
    }
    int result = parse_key(text, path, form, key, err);
    sodium_memzero(text, size);
    return result;
}

static int write_key(const char *path, mode_t mode, const struct key_form *form,
                     const unsigned char *key, struct error **err) {
    unsigned char der[PREFIX_MAX + KEY_BYTES];
    char base64[sodium_base64_ENCODED_LEN(sizeof(der), sodium_base64_VARIANT_ORIGINAL)];
    memcpy(der, form->prefix, form->prefix_size);
    memcpy(der + form->prefix_size, key, KEY_BYTES);
    sodium_bin2base64(base64, sizeof(base64), der, form->prefix_size + KEY_BYTES,
                      sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *text = text_format("%s%s%s", form->begin, base64, form->end);
    sodium_memzero(der, sizeof(der));
    sodium_memzero(base64, sizeof(base64));
    if (!text)
        return error_no_memory(err);
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int result = fd < 0 ? error_set(err, ERROR_USAGE, errno, "cannot make the key %s", path)
                        : file_write_all(fd, text, strlen(text), path, err);
    if (result == 0 && fsync(fd) < 0)
        result = error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
    sodium_memzero(text, strlen(text));
    return result;
}

int signature_new_key(const char *path, struct error **err) {
    unsigned char seed[crypto_sign_SEEDBYTES], secret[crypto_sign_SECRETKEYBYTES];
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    cleanup_free char *public_path = text_format("%s.pub", path);
    if (!public_path)
        return error_no_memory(err);
    if (file_exists(public_path))
        return error_set(err, ERROR_USAGE, EEXIST, "cannot make the key %s", public_path);
    randombytes_buf(seed, sizeof(seed));
    crypto_sign_seed_keypair(public, secret, seed);
    int result = write_key(path, 0600, &private_form, seed, err);
    if (result == 0 && (result = write_key(public_path, 0644, &public_form, public, err)) < 0)
        unlink(path);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(secret, sizeof(secret));
    return result;
}

int signature_make(const char *private_key_path, const void *data, size_t size,
                   unsigned char signature[SIGNATURE_BYTES], struct error **err) {
    struct stat status;
    if (stat(private_key_path, &status) < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot open the key %s", private_key_path);
    if (S_ISREG(status.st_mode) && (status.st_mode & 077)) {
        error_set(err, ERROR_USAGE, 0, "others may read the private key %s", private_key_path);
        return error_advise(err, "chmod 600 %s; if somebody did read it, make another",
                            private_key_path);
    }
    unsigned char seed[crypto_sign_SEEDBYTES], secret[crypto_sign_SECRETKEYBYTES];
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    if (load_key(private_key_path, &private_form, seed, err) < 0)
        return -1;
    crypto_sign_seed_keypair(public, secret, seed);
    crypto_sign_detached(signature, NULL, data, size, secret);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(secret, sizeof(secret));
    return 0;
}

int signature_check(const char *public_key_path, const void *data, size_t size,
                    const unsigned char *signature, size_t signature_size, bool *ret_good,
                    struct error **err) {
    unsigned char public[SIGNATURE_PUBLIC_BYTES];
    if (load_key(public_key_path, &public_form, public, err) < 0)
        return -1;
    *ret_good = signature_size == SIGNATURE_BYTES &&
                crypto_sign_verify_detached(signature, data, size, public) == 0;
    return 0;
}
