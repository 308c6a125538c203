#include "xlsx.h"

#include <string.h>

enum { READ_BYTES = 1 << 16 };

kd_status xlsx_fail(workbook *book, const char *what)
{
    kd_fail_at(book->err, KD_INVALID, book->path, 0, 0, "this workbook cannot be read: %s", what);
    kd_hint(book->err, "open it in a spreadsheet program and save it again as .xlsx, or as CSV");
    return KD_INVALID;
}

static const char *local(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

const char *xml_attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(local(attributes[0]), name) == 0) return attributes[1];
    return NULL;
}

static void settle(xml_walk *walk, kd_status status)
{
    if (status != KD_OK && walk->status == KD_OK) walk->status = status;
    if (walk->status != KD_OK || walk->is_done) XML_StopParser(walk->parser, XML_FALSE);
}

static void on_start(void *ctx, const char *name, const char **attributes)
{
    xml_walk *walk = ctx;
    if (walk->status != KD_OK || walk->is_done) return;
    if (++walk->depth > SHEET_DEPTH_MAX) {
        settle(walk, xlsx_fail(walk->book, "its elements are nested too deeply"));
        return;
    }
    settle(walk, walk->reader->start(walk, local(name), attributes));
}

static void on_end(void *ctx, const char *name)
{
    xml_walk *walk = ctx;
    if (walk->status != KD_OK || walk->is_done) return;
    walk->depth--;
    if (walk->reader->end) settle(walk, walk->reader->end(walk, local(name)));
}

static void on_text(void *ctx, const char *text, int len)
{
    xml_walk *walk = ctx;
    if (walk->status != KD_OK || walk->is_done || !walk->reader->text) return;
    settle(walk, walk->reader->text(walk, (kd_str){ text, (size_t)len }));
}

/* No honest workbook declares a document type; those that do mean to blow up or to fetch what they should not. */
static void on_doctype(void *ctx, const char *name, const char *system, const char *public, int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    xml_walk *walk = ctx;
    settle(walk, xlsx_fail(walk->book, "it declares a document type (DOCTYPE), which is refused"));
}

static kd_status check_size(workbook *book, uint64_t inflated, uint64_t deflated)
{
    if (inflated > SHEET_PART_BYTES_MAX) {
        kd_fail_at(book->err, KD_LIMIT, book->path, 0, 0, "a part of the workbook is larger than %llu bytes",
                   (unsigned long long)SHEET_PART_BYTES_MAX);
        kd_hint(book->err, "save the table as CSV");
        return KD_LIMIT;
    }
    if (inflated > SHEET_RATIO_FREE_BYTES && inflated / SHEET_RATIO_MAX > deflated) {
        kd_fail_at(book->err, KD_LIMIT, book->path, 0, 0,
                   "a part of the workbook grows more than %d-fold when unpacked, as a ZIP bomb does", SHEET_RATIO_MAX);
        kd_hint(book->err, "if the file is honest, save the table as CSV");
        return KD_LIMIT;
    }
    return KD_OK;
}

static kd_status feed(xml_walk *walk, zip_file_t *file, const zip_stat_t *info)
{
    workbook *book = walk->book;
    uint64_t done = 0;
    for (;;) {
        if (kd_progress_cancelled(book->progress)) return kd_fail(book->err, KD_CANCELLED, "", "reading was stopped");
        void *room = XML_GetBuffer(walk->parser, READ_BYTES);
        if (!room) return kd_fail(book->err, KD_LIMIT, "", "no memory for the workbook");
        zip_int64_t len = zip_fread(file, room, READ_BYTES);
        if (len < 0) return xlsx_fail(book, "its ZIP archive is damaged or cut off");
        done += (uint64_t)len;
        KD_TRY(check_size(book, done, info->comp_size)); /* the directory may lie */
        kd_progress_report(book->progress, "unpack", done, info->size);
        enum XML_Status parsed = XML_ParseBuffer(walk->parser, (int)len, len == 0);
        if (walk->status != KD_OK) return walk->status;
        if (walk->is_done || (len == 0 && parsed == XML_STATUS_OK)) return KD_OK;
        if (parsed != XML_STATUS_OK) return xlsx_fail(book, XML_ErrorString(XML_GetErrorCode(walk->parser)));
    }
}

kd_status xlsx_walk(workbook *book, kd_str part, const xml_reader *reader, void *ctx)
{
    zip_stat_t info;
    kd_str name = kd_arena_str(book->arena, part);
    if (!name.ptr) return kd_fail(book->err, KD_LIMIT, "", "no memory for the workbook");
    if (zip_stat(book->zip, name.ptr, 0, &info) != 0) return xlsx_fail(book, "a part of it is missing");
    KD_TRY(check_size(book, info.size, info.comp_size));
    if (info.encryption_method != ZIP_EM_NONE) return xlsx_fail(book, "it is locked with a password");
    xml_walk walk = { .book = book, .reader = reader, .ctx = ctx, .part = name, .parser = XML_ParserCreate(NULL) };
    if (!walk.parser) return kd_fail(book->err, KD_LIMIT, "", "no memory for the workbook");
    XML_SetUserData(walk.parser, &walk);
    XML_SetElementHandler(walk.parser, on_start, on_end);
    XML_SetCharacterDataHandler(walk.parser, on_text);
    XML_SetStartDoctypeDeclHandler(walk.parser, on_doctype);
    zip_file_t *file = zip_fopen(book->zip, name.ptr, 0);
    kd_status status = file ? feed(&walk, file, &info) : xlsx_fail(book, "its ZIP archive is damaged");
    if (file) zip_fclose(file);
    XML_ParserFree(walk.parser);
    return status;
}
