// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/archive.h"
#include "common/file.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { SIZE = 700001 };

struct fixture {
    char folder[64];
    struct blob *corpus, *archive;
    struct archive_source source;
};

static void fill(struct blob *corpus) {
    for (unsigned i = 0; i < SIZE; i++) {
        char byte = (char)('a' + (i / 7 * 2654435761u >> 24) % 26);
        assert_int_equal(blob_write_at(corpus, i, &byte, 1), 1);
    }
}

static int set_up(void **state, bool in_file) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct error *err = NULL;
    const char *base = getenv("TMPDIR");
    snprintf(fixture->folder, sizeof(fixture->folder), "%.40s/boxmark-archive.XXXXXX",
             base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture->folder));
    if (in_file) {
        blob_new_in_file(fixture->folder, "corpus.txt", false, &fixture->corpus, &err);
        assert_no_error(err);
        blob_new_in_file(fixture->folder, "corpus.zip", true, &fixture->archive, &err);
        assert_no_error(err);
    } else {
        blob_new_in_memory("corpus", SIZE, &fixture->corpus, &err);
        assert_no_error(err);
        /* Too small, so that it has to grow. */
        blob_new_in_memory("archive", 100, &fixture->archive, &err);
        assert_no_error(err);
    }
    fill(fixture->corpus);
    fixture->source =
        (struct archive_source){.blob = fixture->corpus, .offset = 1, .size = SIZE - 1};
    *state = fixture;
    return 0;
}

static int set_up_memory(void **state) {
    return set_up(state, false);
}

static int set_up_files(void **state) {
    return set_up(state, true);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    blob_free(fixture->corpus);
    blob_free(fixture->archive);
    file_remove_tree(fixture->folder, NULL);
    free(fixture);
    return 0;
}

static void pack(struct fixture *fixture) {
    struct error *err = NULL;
    archive_pack(fixture->archive, "entry.txt", &fixture->source, 6, NULL, NULL, &err);
    assert_no_error(err);
}

static int compare(struct fixture *fixture, struct error **err) {
    return archive_compare(fixture->archive, "entry.txt", &fixture->source, NULL, NULL, err);
}

static void unpacks_to_what_was_packed(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    pack(fixture);
    assert_in_range(fixture->archive->size, 1000, SIZE / 2);
    compare(fixture, &err);
    assert_no_error(err);
    /* Again, shorter, with the memory of before. */
    fixture->source.size = 1000;
    blob_clear(fixture->archive, &err);
    pack(fixture);
    compare(fixture, &err);
    assert_no_error(err);
}

static void is_empty_for_nothing(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    fixture->source.size = 0;
    pack(fixture);
    compare(fixture, &err);
    assert_no_error(err);
}

static void count_bytes(void *cookie, uint64_t more_bytes) {
    *(uint64_t *)cookie += more_bytes;
}

static void progress_adds_up(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    uint64_t done = 0;
    archive_pack(fixture->archive, "e", &fixture->source, 1, count_bytes, &done, &err);
    assert_no_error(err);
    assert_int_equal(done, fixture->source.size);
    archive_compare(fixture->archive, "e", &fixture->source, count_bytes, &done, &err);
    assert_no_error(err);
    assert_int_equal(done, 2 * fixture->source.size);
}

static void assert_differs(struct fixture *fixture) {
    struct error *err = NULL;
    assert_int_equal(compare(fixture, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "does not unpack to what was packed");
}

static void flip(struct blob *blob, uint64_t offset) {
    unsigned char byte;
    assert_int_equal(blob_read_at(blob, offset, &byte, 1), 1);
    byte ^= 0x10;
    assert_int_equal(blob_write_at(blob, offset, &byte, 1), 1);
}

static void another_source_shows(void **state) {
    struct fixture *fixture = *state;
    pack(fixture);
    flip(fixture->corpus, SIZE / 2);
    assert_differs(fixture);
}

static void a_longer_or_shorter_source_shows(void **state) {
    struct fixture *fixture = *state;
    fixture->source.size -= 10;
    pack(fixture);
    fixture->source.size += 5;
    assert_differs(fixture);
    fixture->source.size -= 10;
    assert_differs(fixture);
}

static void a_damaged_archive_shows(void **state) {
    struct fixture *fixture = *state;
    pack(fixture);
    for (uint64_t offset = 60; offset < fixture->archive->size / 2; offset += 1009) {
        flip(fixture->archive, offset);
        assert_differs(fixture);
        flip(fixture->archive, offset);
    }
}

static void a_cut_archive_shows(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    pack(fixture);
    fixture->archive->size /= 2;
    if (fixture->archive->fd >= 0)
        assert_int_equal(ftruncate(fixture->archive->fd, (off_t)fixture->archive->size), 0);
    assert_differs(fixture);
    blob_clear(fixture->archive, &err);
    assert_differs(fixture);
}

static void put(unsigned char *at, uint64_t value, unsigned count) {
    for (; count > 0; count--, value >>= 8)
        *at++ = (unsigned char)value;
}

/*
 * Rewrites the central directory as ZIP64 wants it for an entry of more than 4 GiB: 32-bit sizes
 * of all ones, the true ones in an extra field.
 */
static void make_wide(struct blob *archive, uint64_t size_error, uint64_t packed_size_error) {
    enum { HEADER = 46, NAME = 9, EXTRA = 20, END = 22 };
    unsigned char tail[HEADER + NAME + EXTRA + END], end[END];
    uint64_t at = archive->size - END - NAME - HEADER;
    assert_int_equal(blob_read_at(archive, at, tail, HEADER + NAME), HEADER + NAME);
    assert_int_equal(blob_read_at(archive, archive->size - END, end, END), END);
    assert_memory_equal(tail, "PK\1\2", 4);
    assert_memory_equal(end, "PK\5\6", 4);
    uint64_t packed_size = tail[20] | tail[21] << 8 | tail[22] << 16 | (uint64_t)tail[23] << 24;
    uint64_t size = tail[24] | tail[25] << 8 | tail[26] << 16 | (uint64_t)tail[27] << 24;
    put(tail + 20, UINT32_MAX, 4);
    put(tail + 24, UINT32_MAX, 4);
    put(tail + 30, EXTRA, 2);
    unsigned char *extra = tail + HEADER + NAME;
    put(extra, 1, 2);
    put(extra + 2, 16, 2);
    put(extra + 4, size + size_error, 8);
    put(extra + 12, packed_size + packed_size_error, 8);
    put(end + 12, HEADER + NAME + EXTRA, 4);
    memcpy(extra + EXTRA, end, END);
    assert_int_equal(blob_write_at(archive, at, tail, sizeof(tail)), sizeof(tail));
    /* The local header says so, too; its own extra field nobody reads. */
    unsigned char ones[8];
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(blob_write_at(archive, 18, ones, sizeof(ones)), sizeof(ones));
}

static void wide_sizes_are_understood(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    pack(fixture);
    make_wide(fixture->archive, 0, 0);
    compare(fixture, &err);
    assert_no_error(err);
}

static void wrong_wide_sizes_show(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    for (unsigned i = 0; i < 4; i++) {
        blob_clear(fixture->archive, &err);
        pack(fixture);
        make_wide(fixture->archive,
                  i == 0   ? UINT64_C(1) << 32
                  : i == 1 ? 1
                           : 0,
                  i == 2   ? UINT64_C(1) << 32
                  : i == 3 ? UINT64_MAX
                           : 0);
        assert_differs(fixture);
    }
}

/* A size that stands nowhere is no size. */
static void missing_wide_sizes_show(void **state) {
    struct fixture *fixture = *state;
    pack(fixture);
    make_wide(fixture->archive, 0, 0);
    unsigned char length = 8;
    assert_int_equal(blob_write_at(fixture->archive, fixture->archive->size - 22 - 18, &length, 1),
                     1);
    assert_differs(fixture);
}

/* Another program reads it. */
static void info_zip_finds_it_sound(void **state) {
    struct fixture *fixture = *state;
    if (system("command -v unzip >/dev/null 2>&1") != 0)
        skip_because("unzip is not installed");
    pack(fixture);
    cleanup_free char *command =
        text_format("unzip -tqq %s/corpus.zip >/dev/null 2>&1", fixture->folder);
    assert_int_equal(system(command), 0);
    flip(fixture->archive, fixture->archive->size / 2);
    assert_int_not_equal(system(command), 0);
}

/* In a child, because a limit on file sizes cannot be taken back by everyone. */
static void a_failing_write_says_why(void **state) {
    struct fixture *fixture = *state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct error *err = NULL;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){500, 500});
        int result = archive_pack(fixture->archive, "entry", &fixture->source, 6, NULL, NULL, &err);
        _exit(result == -1 && err && err->errnum == EFBIG && strstr(err->message, "corpus.zip")
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void nameless_files_leave_nothing(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    cleanup_free char *corpus = text_format("%s/corpus.txt", fixture->folder);
    cleanup_free char *archive = text_format("%s/corpus.zip", fixture->folder);
    assert_false(file_exists(corpus));
    assert_true(file_exists(archive));
    struct blob *blob = NULL;
    assert_int_equal(blob_new_in_file("/nowhere/at/all", "x", false, &blob, &err), -1);
    assert_int_equal(err->errnum, ENOENT);
    assert_error(err, ERROR_INTERNAL, "/nowhere/at/all/x");
    assert_null(blob);
}

#define IN_MEMORY(name) cmocka_unit_test_setup_teardown(name, set_up_memory, tear_down)
#define IN_FILES(name)                                                                             \
    { "files: " #name, name, set_up_files, tear_down, NULL }

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_MEMORY(unpacks_to_what_was_packed),
        IN_MEMORY(is_empty_for_nothing),
        IN_MEMORY(progress_adds_up),
        IN_MEMORY(another_source_shows),
        IN_MEMORY(a_longer_or_shorter_source_shows),
        IN_MEMORY(a_damaged_archive_shows),
        IN_MEMORY(a_cut_archive_shows),
        IN_MEMORY(wide_sizes_are_understood),
        IN_MEMORY(wrong_wide_sizes_show),
        IN_MEMORY(missing_wide_sizes_show),
        IN_FILES(unpacks_to_what_was_packed),
        IN_FILES(is_empty_for_nothing),
        IN_FILES(progress_adds_up),
        IN_FILES(another_source_shows),
        IN_FILES(a_longer_or_shorter_source_shows),
        IN_FILES(a_damaged_archive_shows),
        IN_FILES(a_cut_archive_shows),
        IN_FILES(wide_sizes_are_understood),
        IN_FILES(info_zip_finds_it_sound),
        IN_FILES(a_failing_write_says_why),
        IN_FILES(nameless_files_leave_nothing),
    };
    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
