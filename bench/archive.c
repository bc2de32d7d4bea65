// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/archive.h"

#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <string.h>

/* One read, one call of deflate, one report of progress. */
#define CHUNK_BYTES ((size_t)256 * 1024)

/* From this size on an entry gets the wide fields of ZIP64; some room for what does not shrink. */
#define ZIP64_FROM_BYTES UINT64_C(0xff000000)

/* 1 January 1980, 00:00, the first moment that the format knows. */
#define FIXED_DOS_DATE ((1u << 21) | (1u << 16))

/* minizip's view of a blob: the opaque pointer and the stream are both the blob. */
static voidpf open_stream(voidpf opaque, const void *name, int mode) {
    (void)name;
    (void)mode;
    ((struct blob *)opaque)->position = 0;
    return opaque;
}

static uLong read_stream(voidpf opaque, voidpf stream, void *data, uLong size) {
    (void)opaque;
    struct blob *blob = stream;
    size_t done = blob_read_at(blob, blob->position, data, size);
    blob->position += done;
    return done;
}

static uLong write_stream(voidpf opaque, voidpf stream, const void *data, uLong size) {
    (void)opaque;
    struct blob *blob = stream;
    size_t done = blob_write_at(blob, blob->position, data, size);
    blob->position += done;
    return done;
}

static ZPOS64_T tell_stream(voidpf opaque, voidpf stream) {
    (void)opaque;
    return ((struct blob *)stream)->position;
}

static long seek_stream(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin) {
    (void)opaque;
    struct blob *blob = stream;
    uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? blob->position
                    : origin == ZLIB_FILEFUNC_SEEK_END ? blob->size
                                                       : 0;
    blob->position = base + offset;
    return blob->position <= blob->size ? 0 : -1;
}

static int close_stream(voidpf opaque, voidpf stream) {
    (void)opaque;
    (void)stream;
    return 0;
}

static int stream_error(voidpf opaque, voidpf stream) {
    (void)opaque;
    return ((struct blob *)stream)->errnum;
}

static zlib_filefunc64_def stream_functions(struct blob *blob) {
    return (zlib_filefunc64_def){.zopen64_file = open_stream,
                                 .zread_file = read_stream,
                                 .zwrite_file = write_stream,
                                 .ztell64_file = tell_stream,
                                 .zseek64_file = seek_stream,
                                 .zclose_file = close_stream,
                                 .zerror_file = stream_error,
                                 .opaque = blob};
}

static size_t next_chunk(const struct archive_source *source, uint64_t done) {
    uint64_t left = source->size - done;
    return left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
}

static int cannot_pack(const struct blob *archive, int code, struct error **err) {
    if (archive->errnum)
        return blob_error(archive, "write", err);
    return error_set(err, ERROR_INTERNAL, code == ZIP_INTERNALERROR ? 0 : ENOMEM,
                     "cannot compress into the %s (minizip: %d)", archive->name, code);
}

static int pack_entry(zipFile zip, const struct archive_source *source, struct blob *archive,
                      archive_progress *progress, void *cookie, struct error **err) {
    cleanup_free unsigned char *buffer = source->blob->memory ? NULL : malloc(CHUNK_BYTES);
    if (!source->blob->memory && !buffer)
        return error_no_memory(err);
    for (uint64_t done = 0; done < source->size;) {
        size_t size = next_chunk(source, done);
        const unsigned char *chunk = blob_view(source->blob, source->offset + done, size, buffer);
        if (!chunk)
            return blob_error(source->blob, "read", err);
        int code = zipWriteInFileInZip(zip, chunk, (unsigned)size);
        if (code != ZIP_OK)
            return cannot_pack(archive, code, err);
        done += size;
        if (progress)
            progress(cookie, size);
    }
    return 0;
}

int archive_pack(struct blob *archive, const char *entry, const struct archive_source *source,
                 int level, archive_progress *progress, void *cookie, struct error **err) {
    zlib_filefunc64_def functions = stream_functions(archive);
    zipFile zip = zipOpen2_64(archive->name, APPEND_STATUS_CREATE, NULL, &functions);
    if (!zip)
        return cannot_pack(archive, ZIP_ERRNO, err);
    zip_fileinfo info = {.dosDate = FIXED_DOS_DATE};
    int code = zipOpenNewFileInZip64(zip, entry, &info, NULL, 0, NULL, 0, NULL, Z_DEFLATED, level,
                                     source->size >= ZIP64_FROM_BYTES);
    int result = code == ZIP_OK ? pack_entry(zip, source, archive, progress, cookie, err)
                                : cannot_pack(archive, code, err);
    /* Closing frees, also after a failure; it closes an open entry by itself. */
    code = zipClose(zip, NULL);
    if (result == 0 && (code != ZIP_OK || archive->errnum))
        result = cannot_pack(archive, code, err);
    return result;
}

static int differs(const struct blob *archive, const char *why, struct error **err) {
    return error_set(err, ERROR_UNTRUSTWORTHY, 0, "the %s does not unpack to what was packed: %s",
                     archive->name, why);
}

static int compare_entry(unzFile zip, const struct archive_source *source, struct blob *archive,
                         archive_progress *progress, void *cookie, struct error **err) {
    cleanup_free unsigned char *unpacked = malloc(CHUNK_BYTES);
    cleanup_free unsigned char *buffer = source->blob->memory ? NULL : malloc(CHUNK_BYTES);
    if (!unpacked || (!source->blob->memory && !buffer))
        return error_no_memory(err);
    for (uint64_t done = 0; done < source->size;) {
        size_t size = next_chunk(source, done);
        int count = unzReadCurrentFile(zip, unpacked, (unsigned)size);
        if (archive->errnum)
            return blob_error(archive, "read", err);
        if (count < 0 || (size_t)count != size)
            return differs(archive, "it is damaged or too short", err);
        const unsigned char *chunk = blob_view(source->blob, source->offset + done, size, buffer);
        if (!chunk)
            return blob_error(source->blob, "read", err);
        if (memcmp(unpacked, chunk, size) != 0)
            return differs(archive, "other bytes", err);
        done += size;
        if (progress)
            progress(cookie, size);
    }
    if (unzReadCurrentFile(zip, unpacked, 1) != 0)
        return differs(archive, "it goes on", err);
    return 0;
}

int archive_compare(struct blob *archive, const char *entry, const struct archive_source *source,
                    archive_progress *progress, void *cookie, struct error **err) {
    zlib_filefunc64_def functions = stream_functions(archive);
    unzFile zip = unzOpen2_64(archive->name, &functions);
    if (!zip)
        return archive->errnum ? blob_error(archive, "read", err)
                               : differs(archive, "it is not an archive", err);
    int result = 0;
    if (unzLocateFile(zip, entry, 1) != UNZ_OK || unzOpenCurrentFile(zip) != UNZ_OK) {
        result = differs(archive, "its entry is missing", err);
    } else {
        result = compare_entry(zip, source, archive, progress, cookie, err);
        if (unzCloseCurrentFile(zip) == UNZ_CRCERROR && result == 0)
            result = differs(archive, "wrong CRC-32", err);
    }
    unzClose(zip);
    return result;
}
