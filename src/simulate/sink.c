#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

enum { BUFFER_BYTES = 1 << 20, FIELD_BYTES_MAX = 4096 };

struct sim_sink {
    char path[1024];
    char delimiter;
    sim_sinks *sinks;
    bool is_gb18030; /* else UTF-8 as it is */
    int fd;          /* -1 for XLSX */
    char *buffer;
    size_t used;
    bool has_field, has_crlf;
    int failure; /* errno of the first write that failed */
    int64_t bytes;
    lxw_workbook *workbook;
    lxw_worksheet *sheet;
    lxw_row_t row;
    lxw_col_t column;
    lxw_error sheet_error;
};

static kd_status fill_gb18030(sim_sinks *out, kd_error *err)
{
    iconv_t converter = iconv_open("GB18030", "UTF-8");
    if (converter == (iconv_t)-1) return kd_fail(err, KD_UNSUPPORTED, "", "this system's iconv knows no GB18030");
    for (uint32_t code_point = 0; code_point < 65536; code_point++) {
        char text[4], bytes[4];
        size_t text_left = kd_utf8_encode(code_point, text), bytes_left = sizeof bytes;
        char *in = text, *to = bytes;
        uint8_t *entry = out->gb18030[code_point];
        bool is_fine = text_left && iconv(converter, &in, &text_left, &to, &bytes_left) != (size_t)-1;
        if (!is_fine) {
            entry[0] = 1;
            entry[1] = '?';
            iconv(converter, NULL, NULL, NULL, NULL);
            continue;
        }
        entry[0] = (uint8_t)(sizeof bytes - bytes_left);
        memcpy(entry + 1, bytes, entry[0]);
    }
    iconv_close(converter);
    return KD_OK;
}

kd_status sim_sinks_init(sim_sinks *out, kd_error *err)
{
    KD_TRY(fill_gb18030(out, err));
    pthread_mutex_init(&out->workbooks, NULL);
    return KD_OK;
}

void sim_sinks_done(sim_sinks *sinks)
{
    pthread_mutex_destroy(&sinks->workbooks);
}

/* The file's own time of making would differ between two runs. */
static void fix_properties(lxw_workbook *workbook)
{
    lxw_doc_properties properties = { .created = 1 };
    workbook_set_properties(workbook, &properties);
}

static kd_status open_xlsx(sim_sink *sink, kd_error *err)
{
    lxw_workbook_options options = { .constant_memory = LXW_TRUE };
    sink->workbook = workbook_new_opt(sink->path, &options);
    sink->sheet = sink->workbook ? workbook_add_worksheet(sink->workbook, NULL) : NULL;
    if (!sink->sheet) return kd_fail_at(err, KD_LIMIT, sink->path, 0, 0, "no memory for a workbook");
    fix_properties(sink->workbook);
    return KD_OK;
}

static kd_status open_csv(sim_sink *sink, bool has_bom, kd_error *err)
{
    sink->buffer = malloc(BUFFER_BYTES);
    if (!sink->buffer) return kd_fail(err, KD_LIMIT, "", "no memory for a file's buffer");
    sink->fd = open(sink->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (sink->fd < 0) return kd_fail_errno(err, sink->path, "create");
    if (has_bom) {
        memcpy(sink->buffer, "\xEF\xBB\xBF", 3);
        sink->used = 3;
    }
    return KD_OK;
}

kd_status sim_sink_open(const char *path, sim_format format, char delimiter, sim_sinks *sinks, sim_sink **out,
                        kd_error *err)
{
    sim_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return kd_fail(err, KD_LIMIT, "", "no memory for a file");
    sink->fd = -1;
    sink->delimiter = delimiter;
    sink->has_crlf = format != FORMAT_UTF8;
    sink->sinks = sinks;
    sink->is_gb18030 = format == FORMAT_GB18030;
    size_t len = strlen(path);
    kd_status status = KD_OK;
    if (len >= sizeof sink->path)
        status = kd_fail(err, KD_LIMIT, "out", "the path is longer than %zu bytes", len);
    else
        memcpy(sink->path, path, len + 1);
    if (status == KD_OK)
        status = format == FORMAT_XLSX ? open_xlsx(sink, err) : open_csv(sink, format == FORMAT_UTF8_BOM, err);
    if (status == KD_OK)
        *out = sink;
    else
        sim_sink_abandon(sink);
    return status;
}

static void flush(sim_sink *sink)
{
    size_t done = 0;
    while (done < sink->used && !sink->failure) {
        ssize_t written = write(sink->fd, sink->buffer + done, sink->used - done);
        if (written > 0)
            done += (size_t)written;
        else if (errno != EINTR)
            sink->failure = errno;
    }
    sink->bytes += (int64_t)done;
    sink->used = 0;
}

static kd_status tell_failure(const sim_sink *sink, kd_error *err)
{
    if (!sink->failure) return KD_OK;
    errno = sink->failure;
    return kd_fail_errno(err, sink->path, "write");
}

static void put_gb18030(sim_sink *sink, kd_str text)
{
    char *to = sink->buffer + sink->used;
    for (size_t at = 0; at < text.len;) {
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x80) {
            *to++ = (char)c;
            at++;
            continue;
        }
        uint32_t code_point = kd_utf8_next(text, &at);
        const uint8_t *entry = sink->sinks->gb18030[code_point > 0xFFFF ? 0xFFFD : code_point];
        memcpy(to, entry + 1, 4); /* the table has room for four bytes in every entry */
        to += entry[0];
    }
    sink->used = (size_t)(to - sink->buffer);
}

static void put(sim_sink *sink, kd_str text)
{
    if (sink->is_gb18030) {
        put_gb18030(sink, text);
    } else if (text.len) {
        memcpy(sink->buffer + sink->used, text.ptr, text.len);
        sink->used += text.len;
    }
}

static void put_quoted(sim_sink *sink, kd_str text)
{
    put(sink, KD_STR("\""));
    for (size_t at = 0; at < text.len; at++) {
        size_t from = at;
        while (at < text.len && text.ptr[at] != '"') at++;
        put(sink, kd_str_sub(text, from, at));
        if (at < text.len) put(sink, KD_STR("\"\""));
    }
    put(sink, KD_STR("\""));
}

void sim_sink_field(sim_sink *sink, kd_str text)
{
    if (text.len > FIELD_BYTES_MAX) text.len = FIELD_BYTES_MAX;
    if (sink->sheet) {
        char cell[FIELD_BYTES_MAX + 1];
        if (text.len) memcpy(cell, text.ptr, text.len);
        cell[text.len] = '\0';
        lxw_error error =
            text.len ? worksheet_write_string(sink->sheet, sink->row, sink->column, cell, NULL) : LXW_NO_ERROR;
        if (error != LXW_NO_ERROR) sink->sheet_error = error;
        sink->column++;
        return;
    }
    if (BUFFER_BYTES - sink->used < FIELD_BYTES_MAX * 4) flush(sink);
    if (sink->has_field) sink->buffer[sink->used++] = sink->delimiter;
    sink->has_field = true;
    bool needs_quotes = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        needs_quotes |= c == sink->delimiter || c == '"' || c == '\n' || c == '\r';
    }
    if (needs_quotes)
        put_quoted(sink, text);
    else
        put(sink, text);
}

kd_status sim_sink_end_row(sim_sink *sink, kd_error *err)
{
    if (sink->sheet) {
        sink->row++;
        sink->column = 0;
        if (sink->sheet_error == LXW_NO_ERROR) return KD_OK;
        return kd_fail_at(err, KD_LIMIT, sink->path, sink->row, 0, "%s", lxw_strerror(sink->sheet_error));
    }
    if (sink->has_crlf) sink->buffer[sink->used++] = '\r';
    sink->buffer[sink->used++] = '\n';
    sink->has_field = false;
    return tell_failure(sink, err);
}

static lxw_error close_workbook(sim_sink *sink)
{
    pthread_mutex_lock(&sink->sinks->workbooks);
    lxw_error error = workbook_close(sink->workbook);
    pthread_mutex_unlock(&sink->sinks->workbooks);
    sink->workbook = NULL;
    return error;
}

static kd_status close_xlsx(sim_sink *sink, kd_error *err)
{
    lxw_error error = close_workbook(sink);
    if (error != LXW_NO_ERROR) return kd_fail_at(err, KD_IO, sink->path, 0, 0, "%s", lxw_strerror(error));
    struct stat facts;
    if (stat(sink->path, &facts) != 0) return kd_fail_errno(err, sink->path, "look at");
    sink->bytes = facts.st_size;
    return KD_OK;
}

static kd_status close_csv(sim_sink *sink, kd_error *err)
{
    flush(sink);
    kd_status status = tell_failure(sink, err);
    int fd = sink->fd;
    sink->fd = -1;
    if (close(fd) != 0 && status == KD_OK) status = kd_fail_errno(err, sink->path, "close");
    return status;
}

kd_status sim_sink_close(sim_sink *sink, int64_t *out_bytes, kd_error *err)
{
    kd_status status = sink->workbook ? close_xlsx(sink, err) : close_csv(sink, err);
    if (status == KD_OK) *out_bytes = sink->bytes;
    sim_sink_abandon(sink);
    return status;
}

void sim_sink_abandon(sim_sink *sink)
{
    if (!sink) return;
    if (sink->workbook) (void)close_workbook(sink); /* the library frees only here */
    if (sink->fd >= 0) close(sink->fd);
    free(sink->buffer);
    free(sink);
}
