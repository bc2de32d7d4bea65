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

/* Where an entry's deflated bytes are and what they must give. */
struct entry {
    uint64_t position, packed_size, size;
    uint32_t crc;
};

static uint64_t little_endian(const unsigned char *bytes, unsigned count) {
    uint64_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

/* A size of 32 bits with all of them set stands in the next 8 bytes of the ZIP64 field instead. */
static bool widen(uint64_t *size, const unsigned char **at, const unsigned char *end) {
    if (*size != UINT32_MAX)
        return true;
    if (end - *at < 8)
        return false;
    *size = little_endian(*at, 8);
    *at += 8;
    return true;
}

/*
 * minizip 1.1 takes the 32-bit sizes of a ZIP64 entry as they stand where a long has 64 bits (it
 * looks for all 64 bits set), so that it cannot read an entry of more than 4 GiB. It does find the
 * entry, so the rest is done here; where minizip has widened them itself nothing is left to do.
 */
static bool widen_sizes(struct entry *entry, const unsigned char *extra, size_t extra_size) {
    const unsigned char *at = extra, *end = extra + extra_size;
    while (end - at >= 4) {
        size_t size = little_endian(at + 2, 2);
        if ((size_t)(end - at) < 4 + size)
            return false;
        if (little_endian(at, 2) == 1) {
            const unsigned char *field = at + 4, *field_end = field + size;
            return widen(&entry->size, &field, field_end) &&
                   widen(&entry->packed_size, &field, field_end);
        }
        at += 4 + size;
    }
    return true;
}

static bool find_entry(unzFile zip, const char *name, struct entry *ret_entry) {
    unsigned char extra[256];
    unz_file_info64 info;
    if (unzLocateFile(zip, name, 1) != UNZ_OK ||
        unzGetCurrentFileInfo64(zip, &info, NULL, 0, extra, sizeof(extra), NULL, 0) != UNZ_OK ||
        info.compression_method != Z_DEFLATED || info.size_file_extra > sizeof(extra) ||
        unzOpenCurrentFile(zip) != UNZ_OK)
        return false;
    *ret_entry = (struct entry){
        .position = unzGetCurrentFileZStreamPos64(zip),
        .packed_size = info.compressed_size,
        .size = info.uncompressed_size,
        .crc = (uint32_t)info.crc,
    };
    /* Nothing was read through it: its word on the CRC is about no bytes. */
    (void)unzCloseCurrentFile(zip);
    return widen_sizes(ret_entry, extra, info.size_file_extra);
}

/* The state of one comparison. */
struct comparison {
    struct blob *archive;
    const struct archive_source *source;
    struct entry entry;
    z_stream stream;
    uint64_t packed_done;                        /* bytes of the entry given to the stream */
    unsigned char *packed, *unpacked, *original; /* buffers of CHUNK_BYTES; those of files only */
    uint32_t crc;
};

/* More deflated bytes for the stream. */
static int refill(struct comparison *comparison, struct error **err) {
    uint64_t left = comparison->entry.packed_size - comparison->packed_done;
    size_t size = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    const unsigned char *chunk =
        blob_view(comparison->archive, comparison->entry.position + comparison->packed_done, size,
                  comparison->packed);
    if (!chunk && comparison->archive->errnum)
        return blob_error(comparison->archive, "read", err);
    if (!chunk || size == 0)
        return differs(comparison->archive, "it is too short", err);
    comparison->stream.next_in = (Bytef *)chunk;
    comparison->stream.avail_in = (uInt)size;
    comparison->packed_done += size;
    return 0;
}

/* Unpacks exactly `size` bytes. */
static int unpack(struct comparison *comparison, size_t size, struct error **err) {
    z_stream *stream = &comparison->stream;
    stream->next_out = comparison->unpacked;
    stream->avail_out = (uInt)size;
    while (stream->avail_out > 0) {
        if (stream->avail_in == 0 && refill(comparison, err) < 0)
            return -1;
        int code = inflate(stream, Z_SYNC_FLUSH);
        if (code == Z_STREAM_END && stream->avail_out > 0)
            return differs(comparison->archive, "it ends too early", err);
        if (code != Z_OK && code != Z_STREAM_END)
            return differs(comparison->archive, "it is damaged", err);
    }
    return 0;
}

/* The stream must end here, with the archive's own idea of sizes and checksum. */
static int finish(struct comparison *comparison, struct error **err) {
    z_stream *stream = &comparison->stream;
    unsigned char more;
    stream->next_out = &more;
    stream->avail_out = 1;
    int code;
    while ((code = inflate(stream, Z_SYNC_FLUSH)) == Z_OK || code == Z_BUF_ERROR) {
        if (stream->avail_out == 0)
            return differs(comparison->archive, "it goes on", err);
        if (stream->avail_in == 0 && refill(comparison, err) < 0)
            return -1;
    }
    if (code != Z_STREAM_END || stream->avail_out == 0)
        return differs(comparison->archive, "it does not end", err);
    if (comparison->packed_done != comparison->entry.packed_size || stream->avail_in > 0)
        return differs(comparison->archive, "another size", err);
    if (comparison->crc != comparison->entry.crc)
        return differs(comparison->archive, "wrong CRC-32", err);
    return 0;
}

static int compare_entry(struct comparison *comparison, archive_progress *progress, void *cookie,
                         struct error **err) {
    const struct archive_source *source = comparison->source;
    if (comparison->entry.size != source->size)
        return differs(comparison->archive, "another size", err);
    for (uint64_t done = 0; done < source->size;) {
        size_t size = next_chunk(source, done);
        if (unpack(comparison, size, err) < 0)
            return -1;
        const unsigned char *original =
            blob_view(source->blob, source->offset + done, size, comparison->original);
        if (!original)
            return blob_error(source->blob, "read", err);
        if (memcmp(comparison->unpacked, original, size) != 0)
            return differs(comparison->archive, "other bytes", err);
        comparison->crc = (uint32_t)crc32_z(comparison->crc, comparison->unpacked, size);
        done += size;
        if (progress)
            progress(cookie, size);
    }
    return finish(comparison, err);
}

static void comparison_cleanup(struct comparison *comparison) {
    (void)inflateEnd(&comparison->stream);
    free(comparison->packed);
    free(comparison->unpacked);
    free(comparison->original);
}

int archive_compare(struct blob *archive, const char *entry, const struct archive_source *source,
                    archive_progress *progress, void *cookie, struct error **err) {
    CLEANUP(comparison)
    struct comparison comparison = {.archive = archive, .source = source};
    comparison.unpacked = malloc(CHUNK_BYTES);
    comparison.packed = archive->memory ? NULL : malloc(CHUNK_BYTES);
    comparison.original = source->blob->memory ? NULL : malloc(CHUNK_BYTES);
    if (!comparison.unpacked || (!archive->memory && !comparison.packed) ||
        (!source->blob->memory && !comparison.original) ||
        inflateInit2(&comparison.stream, -MAX_WBITS) != Z_OK)
        return error_no_memory(err);
    zlib_filefunc64_def functions = stream_functions(archive);
    unzFile zip = unzOpen2_64(archive->name, &functions);
    bool found = zip && find_entry(zip, entry, &comparison.entry);
    if (zip)
        unzClose(zip);
    if (!found)
        return archive->errnum ? blob_error(archive, "read", err)
                               : differs(archive, "its entry is not to be found", err);
    return compare_entry(&comparison, progress, cookie, err);
}
