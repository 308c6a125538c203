#include "frame/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

static char folder[] = "/tmp/kindred-frame-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int drop_folder(void **state)
{
    (void)state;
    static const char *const names[] = { "a.csv", "a.json", "a.xlsx", "b.xlsx" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unlink(path_of(names[i]));
    return rmdir(folder);
}

static void assert_file_is(const char *path, const char *wanted)
{
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_str bytes;
    kd_error err;
    assert_int_equal(kd_file_read(arena, path, 1 << 20, &bytes, &err), KD_OK);
    assert_string_equal(bytes.ptr, wanted);
    kd_arena_free(arena);
}

/* Six types, four rows, nulls and awkward texts. */
static kd_frame *sample(void)
{
    static const struct {
        const char *text, *area;
        int64_t count;
        double share;
        int32_t day;
        int8_t alive;
    } rows[] = { { "张三", "榆阳", -7, 0.1, 0, 1 },
                 { "a,\"b\"\nc", "榆阳", 610829, 1e300, 20780, 0 },
                 { NULL, NULL, 0, -2.5, KD_DAY_NONE, -1 },
                 { "=1+1", "", 1234567890123456789, 3, -10957, 1 } };
    kd_frame_builder *builder = kd_frame_builder_new(1 << 20);
    kd_frame_builder_column(builder, "姓名", KD_TYPE_TEXT);
    kd_frame_builder_column(builder, "area", KD_TYPE_DICT);
    kd_frame_builder_column(builder, "count", KD_TYPE_INT64);
    kd_frame_builder_column(builder, "share", KD_TYPE_FLOAT64);
    kd_frame_builder_column(builder, "day", KD_TYPE_DATE);
    kd_frame_builder_column(builder, "alive", KD_TYPE_BOOL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kd_frame_builder_text(builder, 0, kd_str_of(rows[i].text));
        kd_frame_builder_text(builder, 1, kd_str_of(rows[i].area));
        kd_frame_builder_int(builder, 2, rows[i].count);
        kd_frame_builder_float(builder, 3, rows[i].share);
        kd_frame_builder_day(builder, 4, rows[i].day);
        if (rows[i].alive < 0) kd_frame_builder_null(builder, 5);
        if (rows[i].alive >= 0) kd_frame_builder_int(builder, 5, rows[i].alive);
    }
    kd_frame *frame = NULL;
    kd_error err;
    assert_int_equal(kd_frame_builder_finish(builder, &frame, &err), KD_OK);
    kd_frame_builder_free(builder);
    return frame;
}

static void assert_same_values(const kd_frame *a, const kd_frame *b)
{
    assert_int_equal(kd_frame_rows(a), kd_frame_rows(b));
    assert_int_equal(kd_frame_columns(a), kd_frame_columns(b));
    for (size_t c = 0; c < kd_frame_columns(a); c++) {
        const kd_column *x = kd_frame_column(a, c), *y = kd_frame_column(b, c);
        assert_true(kd_str_eq(x->name, y->name));
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->missing, y->missing);
        for (int64_t row = 0; row < x->rows; row++) {
            assert_int_equal(kd_column_is_null(x, row), kd_column_is_null(y, row));
            if (kd_column_is_null(x, row)) continue;
            switch (x->type) {
            case KD_TYPE_TEXT:
            case KD_TYPE_DICT: assert_true(kd_str_eq(kd_column_text(x, row), kd_column_text(y, row))); break;
            case KD_TYPE_INT64: assert_true(x->ints[row] == y->ints[row]); break;
            case KD_TYPE_FLOAT64: assert_memory_equal(&x->floats[row], &y->floats[row], sizeof(double)); break;
            case KD_TYPE_DATE: assert_int_equal(x->days[row], y->days[row]); break;
            case KD_TYPE_BOOL: assert_int_equal(x->bools[row], y->bools[row]); break;
            }
        }
    }
}

static const kd_column_want sample_wants[] = {
    { "姓名", NULL, KD_TYPE_TEXT, true },   { "area", NULL, KD_TYPE_DICT, true },
    { "count", NULL, KD_TYPE_INT64, true }, { "share", NULL, KD_TYPE_FLOAT64, true },
    { "day", NULL, KD_TYPE_DATE, true },    { "alive", NULL, KD_TYPE_BOOL, true },
};
static const kd_read_options as_sample = { .wants = sample_wants, .want_count = 6 };

/* ---- writing ---- */

static void csv_comes_back_as_it_went(void **state)
{
    (void)state;
    static const kd_write_options ways[] = {
        { 0 },
        { .bom = true, .crlf = true },
        { .encoding = KD_ENCODING_GB18030, .crlf = true },
        { .delimiter = '\t' },
        { .delimiter = '|', .encoding = KD_ENCODING_GB18030 },
        { .encoding = KD_ENCODING_UTF16LE },
        { .encoding = KD_ENCODING_UTF16BE },
    };
    kd_frame *frame = sample();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        kd_error err = { 0 };
        kd_frame *back;
        assert_int_equal(kd_frame_write_csv(frame, path_of("a.csv"), &ways[i], &err), KD_OK);
        if (kd_frame_read(path_of("a.csv"), &as_sample, &back, NULL, &err) != KD_OK)
            fail_msg("%zu: %s", i, err.message);
        assert_same_values(frame, back);
        kd_frame_free(back);
    }
    kd_frame_free(frame);
}

static void csv_is_quoted_and_guarded_where_needed(void **state)
{
    (void)state;
    kd_error err;
    kd_frame *frame = sample();
    assert_int_equal(kd_frame_write_csv(frame, path_of("a.csv"), &(kd_write_options){ .guard_formulas = true }, &err),
                     KD_OK);
    assert_file_is(path_of("a.csv"), "姓名,area,count,share,day,alive\n"
                                     "张三,榆阳,-7,0.1,1970-01-01,true\n"
                                     "\"a,\"\"b\"\"\nc\",榆阳,610829,1e+300,2026-11-23,false\n"
                                     ",,0,-2.5,,\n"
                                     "'=1+1,\"\",1234567890123456789,3,1940-01-02,true\n");
    kd_frame_free(frame);
}

static void gb18030_holds_every_character(void **state)
{
    (void)state;
    kd_frame_builder *builder = kd_frame_builder_new(1 << 20);
    kd_frame_builder_column(builder, "a", KD_TYPE_TEXT);
    static const char *const texts[] = { "䶮", "𠀀", "é", "ᠠ", "བོད", "😀", "·", "€" };
    for (size_t i = 0; i < 8; i++) kd_frame_builder_text(builder, 0, kd_str_of(texts[i]));
    kd_frame *frame, *back;
    kd_error err;
    assert_int_equal(kd_frame_builder_finish(builder, &frame, &err), KD_OK);
    kd_frame_builder_free(builder);
    kd_write_options options = { .encoding = KD_ENCODING_GB18030 };
    assert_int_equal(kd_frame_write_csv(frame, path_of("a.csv"), &options, &err), KD_OK);
    kd_read_options read = { .encoding = KD_ENCODING_GB18030, .all_text = true };
    assert_int_equal(kd_frame_read(path_of("a.csv"), &read, &back, NULL, &err), KD_OK);
    assert_same_values(frame, back);
    kd_frame_free(back);
    kd_frame_free(frame);
}

static void json_is_one_array_of_objects(void **state)
{
    (void)state;
    kd_error err;
    kd_frame *frame = sample();
    assert_int_equal(kd_frame_write_json(frame, path_of("a.json"), &err), KD_OK);
    assert_file_is(path_of("a.json"),
                   "[{\"姓名\":\"张三\",\"area\":\"榆阳\",\"count\":-7,\"share\":0.10000000000000001,"
                   "\"day\":\"1970-01-01\",\"alive\":true},"
                   "{\"姓名\":\"a,\\\"b\\\"\\nc\",\"area\":\"榆阳\",\"count\":610829,\"share\":1.0000000000000001e+300,"
                   "\"day\":\"2026-11-23\",\"alive\":false},"
                   "{\"姓名\":null,\"area\":null,\"count\":0,\"share\":-2.5,\"day\":null,\"alive\":null},"
                   "{\"姓名\":\"=1+1\",\"area\":\"\",\"count\":1234567890123456789,\"share\":3,"
                   "\"day\":\"1940-01-02\",\"alive\":true}]\n");
    kd_frame_free(frame);
}

static void writing_where_there_is_no_folder_says_so(void **state)
{
    (void)state;
    kd_frame *frame = sample();
    kd_error err = { 0 };
    assert_int_not_equal(kd_frame_write_csv(frame, path_of("no/such/a.csv"), NULL, &err), KD_OK);
    assert_true(err.message[0]);
    assert_int_not_equal(kd_frame_write_xlsx(frame, path_of("no/such/a.xlsx"), NULL, &err), KD_OK);
    assert_true(err.message[0]);
    kd_frame_free(frame);
}

static void peeking_reads_the_first_rows_as_text(void **state)
{
    (void)state;
    kd_error err;
    kd_frame *frame = sample(), *seen;
    assert_int_equal(kd_frame_write_csv(frame, path_of("a.csv"), NULL, &err), KD_OK);
    assert_int_equal(kd_frame_write_xlsx(frame, path_of("a.xlsx"), NULL, &err), KD_OK);
    static const char *const names[] = { "a.csv", "a.xlsx" };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(kd_frame_peek(path_of(names[i]), 2, &seen, &err), KD_OK);
        assert_int_equal(kd_frame_rows(seen), 2);
        assert_int_equal(kd_frame_find(seen, "count")->type, KD_TYPE_TEXT);
        assert_true(kd_str_is(kd_column_text(kd_frame_find(seen, "count"), 1), "610829"));
        kd_frame_free(seen);
    }
    kd_frame_free(frame);
}

/* ---- Arrow ---- */

static void arrow_comes_back_as_it_went(void **state)
{
    (void)state;
    struct ArrowArray array;
    struct ArrowSchema schema;
    kd_error err;
    kd_frame *frame = sample(), *wanted = sample(), *back;
    assert_int_equal(kd_frame_export(frame, &array, &schema, &err), KD_OK);
    assert_string_equal(schema.format, "+s");
    assert_string_equal(schema.children[1]->format, "i");
    assert_string_equal(schema.children[1]->dictionary->format, "U");
    assert_int_equal(kd_frame_import(&array, &schema, &back, &err), KD_OK);
    assert_same_values(wanted, back);
    kd_frame_free(back);
    array.offset = 1; /* a slice of the parent */
    array.length = 2;
    assert_int_equal(kd_frame_import(&array, &schema, &back, &err), KD_OK);
    assert_int_equal(kd_frame_rows(back), 2);
    assert_int_equal(kd_frame_find(back, "count")->ints[0], 610829);
    assert_true(kd_column_is_null(kd_frame_find(back, "area"), 1));
    kd_frame_free(back);
    array.children[2]->offset = 1; /* and of a child */
    array.children[2]->length = 3;
    assert_int_equal(kd_frame_import(&array, &schema, &back, &err), KD_OK);
    assert_int_equal(kd_frame_find(back, "count")->ints[0], 0);
    assert_true(kd_frame_find(back, "count")->ints[1] == 1234567890123456789);
    kd_frame_free(back);
    array.length = 3;
    assert_int_equal(kd_frame_import(&array, &schema, &back, &err), KD_INVALID);
    array.release(&array);
    schema.release(&schema);
    assert_null(array.release);
    kd_frame_free(wanted);
}

static void a_kept_arrow_column_outlives_the_rest(void **state)
{
    (void)state;
    struct ArrowArray array, kept;
    struct ArrowSchema schema;
    kd_error err;
    assert_int_equal(kd_frame_export(sample(), &array, &schema, &err), KD_OK);
    kept = *array.children[2];
    array.children[2]->release = NULL; /* moved out, as the interface allows */
    array.release(&array);
    schema.release(&schema);
    assert_int_equal(((const int64_t *)kept.buffers[1])[1], 610829);
    kept.release(&kept);
}

static void arrow_types_are_widened(void **state)
{
    (void)state;
    static const int8_t small[] = { -1, 2, 3 };
    static const uint16_t wide[] = { 65535, 2, 3 };
    static const float reals[] = { 0.5F, 2, 3 };
    static const int32_t ends[] = { 0, 1, 1, 4 };
    static const uint8_t validity[] = { 5 }, parent_validity[] = { 6 }, truths[] = { 3 };
    static const uint8_t codes[] = { 1, 9, 0 };
    const void *buffers[][3] = { { NULL, small, NULL }, { NULL, wide, NULL },   { validity, reals, NULL },
                                 { NULL, ends, "a榆" }, { NULL, truths, NULL }, { validity, codes, NULL },
                                 { NULL, ends, "a榆" } };
    static const char *const formats[] = { "c", "S", "f", "u", "b", "C" };
    struct ArrowArray arrays[7], *children[6];
    struct ArrowSchema schemas[7], *schema_children[6];
    for (int i = 0; i < 7; i++) {
        arrays[i] = (struct ArrowArray){ .length = 3, .n_buffers = 3, .buffers = buffers[i] };
        schemas[i] = (struct ArrowSchema){ .format = i < 6 ? formats[i] : "u", .name = "x" };
        if (i < 6) children[i] = &arrays[i];
        if (i < 6) schema_children[i] = &schemas[i];
    }
    arrays[5].dictionary = &arrays[6];
    schemas[5].dictionary = &schemas[6];
    const void *parent_buffers[] = { parent_validity };
    struct ArrowArray array = {
        .length = 3, .n_buffers = 1, .buffers = parent_buffers, .n_children = 6, .children = children
    };
    struct ArrowSchema schema = { .format = "+s", .n_children = 6, .children = schema_children };
    kd_frame *frame;
    kd_error err;
    assert_int_equal(kd_frame_import(&array, &schema, &frame, &err), KD_OK);
    for (size_t c = 0; c < 6; c++) assert_true(kd_column_is_null(kd_frame_column(frame, c), 0)); /* by the parent */
    assert_true(kd_column_is_null(kd_frame_column(frame, 2), 1));                                /* by the child */
    assert_int_equal(kd_frame_column(frame, 0)->ints[1], 2);
    assert_int_equal(kd_frame_column(frame, 1)->ints[2], 3);
    assert_true(kd_str_is(kd_column_text(kd_frame_column(frame, 3), 2), "榆"));
    assert_int_equal(kd_frame_column(frame, 4)->bools[1], 1);
    assert_true(kd_str_is(kd_column_text(kd_frame_column(frame, 5), 2), "a"));
    kd_frame_free(frame);
    schemas[0].format = "tss:";
    assert_int_equal(kd_frame_import(&array, &schema, &frame, &err), KD_UNSUPPORTED);
    assert_non_null(strstr(err.message, "tss:"));
}

/* ---- XLSX ---- */

static void xlsx_comes_back_as_it_went(void **state)
{
    (void)state;
    kd_error err = { 0 };
    kd_frame_builder *builder = kd_frame_builder_new(1 << 20);
    kd_frame_builder_column(builder, "姓名", KD_TYPE_TEXT);
    kd_frame_builder_column(builder, "area", KD_TYPE_DICT);
    kd_frame_builder_column(builder, "count", KD_TYPE_INT64);
    kd_frame_builder_column(builder, "share", KD_TYPE_FLOAT64);
    kd_frame_builder_column(builder, "day", KD_TYPE_DATE);
    kd_frame_builder_column(builder, "alive", KD_TYPE_BOOL);
    for (int i = 0; i < 300; i++) {
        kd_frame_builder_text(builder, 0, i % 4 ? KD_STR("张\"三\",\n<&> 丰") : (kd_str){ NULL, 0 });
        kd_frame_builder_text(builder, 1, i % 2 ? KD_STR("榆阳") : KD_STR("神木"));
        kd_frame_builder_int(builder, 2, i % 5 ? i * INT64_C(7919) : INT64_C(610829199001011234));
        kd_frame_builder_float(builder, 3, i * 0.25); /* the sheet's writer gives 16 digits */
        kd_frame_builder_day(builder, 4, i % 3 ? -25600 + i * 200 : KD_DAY_NONE);
        kd_frame_builder_int(builder, 5, i % 2);
    }
    kd_frame *frame, *back;
    assert_int_equal(kd_frame_builder_finish(builder, &frame, &err), KD_OK);
    kd_frame_builder_free(builder);
    assert_int_equal(kd_frame_write_xlsx(frame, path_of("a.xlsx"), "人口", &err), KD_OK);
    if (kd_frame_read(path_of("a.xlsx"), &as_sample, &back, NULL, &err) != KD_OK) fail_msg("%s", err.message);
    assert_same_values(frame, back);
    kd_frame_free(back);
    kd_read_options missing = { .sheet = "none" };
    assert_int_equal(kd_frame_read(path_of("a.xlsx"), &missing, &back, NULL, &err), KD_NOT_FOUND);
    assert_string_equal(err.hint, "it has: 人口");
    kd_frame_free(frame);
}

static const char CONTENT_TYPES[] = "<?xml version=\"1.0\"?><Types/>";
static const char RELS[] = "<?xml version=\"1.0\"?><Relationships><Relationship Id=\"r1\" "
                           "Type=\"http://x/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
static const char WORKBOOK[] = "<?xml version=\"1.0\"?><workbook xmlns:r=\"x\"><sheets><sheet name=\"S\" sheetId=\"1\" "
                               "r:id=\"r1\"/></sheets></workbook>";
static const char BOOK_RELS[] =
    "<?xml version=\"1.0\"?><Relationships><Relationship Id=\"r1\" Type=\"http://x/worksheet\" Target=\"s.xml\"/>"
    "<Relationship Id=\"r2\" Type=\"http://x/sharedStrings\" Target=\"/xl/t.xml\"/>"
    "<Relationship Id=\"r3\" Type=\"http://x/styles\" Target=\"y.xml\"/></Relationships>";
static const char SHARED[] = "<sst><si><t>编号</t></si><si><r><t>张</t></r><r><t>三</t></r><rPh><t>zhang</t></rPh></si>"
                             "<si><t>a_x000D_\nb</t></si><si><t/></si></sst>";
static const char STYLES[] =
    "<styleSheet><numFmts><numFmt numFmtId=\"170\" formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;\"/>"
    "<numFmt numFmtId=\"171\" formatCode=\"#,##0&quot;days&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/>"
    "</cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"170\"/><xf numFmtId=\"171\"/>"
    "<xf numFmtId=\"22\"/></cellXfs></styleSheet>";

static void add_part(zip_t *zip, const char *name, const char *bytes, size_t len)
{
    zip_source_t *source = zip_source_buffer(zip, bytes, len, 0);
    assert_non_null(source);
    assert_true(zip_file_add(zip, name, source, ZIP_FL_OVERWRITE) >= 0);
}

static void make_workbook(const char *sheet, size_t sheet_len)
{
    int code;
    zip_t *zip = zip_open(path_of("b.xlsx"), ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(zip);
    add_part(zip, "[Content_Types].xml", CONTENT_TYPES, sizeof CONTENT_TYPES - 1);
    add_part(zip, "_rels/.rels", RELS, sizeof RELS - 1);
    add_part(zip, "xl/workbook.xml", WORKBOOK, sizeof WORKBOOK - 1);
    add_part(zip, "xl/_rels/workbook.xml.rels", BOOK_RELS, sizeof BOOK_RELS - 1);
    add_part(zip, "xl/t.xml", SHARED, sizeof SHARED - 1);
    add_part(zip, "xl/y.xml", STYLES, sizeof STYLES - 1);
    add_part(zip, "xl/s.xml", sheet, sheet_len);
    assert_int_equal(zip_close(zip), 0);
}

static void xlsx_cells_of_every_kind_are_read(void **state)
{
    (void)state;
    static const char sheet[] =
        "<worksheet><sheetData>"
        "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\" t=\"inlineStr\"><is><t>b</t></is></c><c r=\"C2\" "
        "t=\"str\"><f>\"c\"</f><v>c</v></c></row>"
        "<row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c><c r=\"B3\" s=\"1\"><v>45000</v></c><c r=\"C3\"><f>1+1</f><v>2</v></c></row>"
        "<row r=\"6\"><c r=\"A6\" t=\"s\"><v>2</v></c><c r=\"B6\" s=\"2\"><v>59</v></c><c r=\"C6\"><v>1.3812345678E10</v></c></row>"
        "<row r=\"7\"><c r=\"A7\" t=\"s\"><v>3</v></c><c r=\"B7\" s=\"3\"><v>61</v></c></row>"
        "<row r=\"8\"><c r=\"A8\" t=\"b\"><v>1</v></c><c r=\"B8\" s=\"4\"><v>45000.5</v></c><c r=\"C8\"><f>A1</f></c></row>"
        "<row r=\"9\"><c r=\"A9\" t=\"e\"><v>#N/A</v></c></row>"
        "<row r=\"10\"><c r=\"B10\"><v>0.10000000000000001</v></c><c r=\"E10\" t=\"inlineStr\"><is><t>far</t></is></c></row>"
        "<row><c><v>7</v></c><c r=\"D11\"/></row>"
        "</sheetData></worksheet>";
    make_workbook(sheet, sizeof sheet - 1);
    kd_read_options options = { .all_text = true };
    kd_frame *frame;
    kd_read_report *report;
    kd_error err = { 0 };
    if (kd_frame_read(path_of("b.xlsx"), &options, &frame, &report, &err) != KD_OK) fail_msg("%s", err.message);
    static const char *const wanted[][3] = { { "张三", "2023-03-15", "2" },
                                             { "a\r\nb", "1900-02-28", "13812345678" },
                                             { "", "61", "" },
                                             { "true", "2023-03-15 12:00:00", "" },
                                             { "7", "", "" } };
    static const uint64_t lines[] = { 3, 6, 7, 8, 11 };
    assert_int_equal(kd_frame_rows(frame), 5);
    assert_true(kd_str_is(kd_frame_column(frame, 0)->name, "编号"));
    for (int64_t row = 0; row < 5; row++) {
        for (size_t c = 0; c < 3; c++)
            if (!kd_str_is(kd_column_text(kd_frame_column(frame, c), row), wanted[row][c]))
                fail_msg("row %d column %zu: %.*s", (int)row, c,
                         KD_FMT(kd_column_text(kd_frame_column(frame, c), row)));
        assert_int_equal(kd_read_report_file_line(report, row), lines[row]);
    }
    assert_int_equal(kd_read_report_rejects(report), 2);
    assert_string_equal(kd_read_report_reject(report, 0)->reason, "the cell shows an error");
    assert_int_equal(kd_read_report_reject(report, 0)->line, 9);
    assert_true(kd_str_is(kd_read_report_reject(report, 0)->raw, "#N/A,,"));
    assert_string_equal(kd_read_report_reject(report, 1)->reason, "5 fields where the header has 3");
    assert_int_equal(kd_read_report_reject(report, 1)->line, 10);
    kd_read_report_free(report);
    kd_frame_free(frame);
}

static void xlsx_that_is_not_sound_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *sheet, *says;
    } cases[] = {
        { "<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>",
          "DOCTYPE" },
        { "<worksheet><sheetData><row><c><v>1</v></c>", "no element found" },
        { "<worksheet><sheetData/></worksheet>", "empty" },
        { "<worksheet><sheetData><row r=\"5\"><c t=\"s\"><v>99</v></c></row></sheetData></worksheet>", "not there" },
        { "<worksheet><sheetData><row r=\"5\"/><row r=\"4\"/></sheetData></worksheet>", "out of order" },
        { "<worksheet><sheetData><row r=\"2000000\"/></sheetData></worksheet>", "outside the sheet" },
        { "<worksheet><sheetData><row><c r=\"ZZZ1\"><v>1</v></c></row></sheetData></worksheet>", "outside the sheet" },
        { "<worksheet><c><v>1</v></c></worksheet>", "outside a row" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_workbook(cases[i].sheet, strlen(cases[i].sheet));
        kd_frame *frame = NULL;
        kd_error err = { 0 };
        assert_int_equal(kd_frame_read(path_of("b.xlsx"), NULL, &frame, NULL, &err), KD_INVALID);
        if (!strstr(err.message, cases[i].says)) fail_msg("case %zu: %s", i, err.message);
        assert_null(frame);
    }
}

static void a_zip_bomb_is_refused_before_it_unfolds(void **state)
{
    (void)state;
    size_t len = (size_t)120 << 20;
    char *zeros = calloc(len, 1);
    assert_non_null(zeros);
    memset(zeros, ' ', len);
    memcpy(zeros, "<worksheet>", 11);
    make_workbook(zeros, len);
    free(zeros);
    kd_frame *frame = NULL;
    kd_error err = { 0 };
    double start = kd_seconds();
    assert_int_equal(kd_frame_read(path_of("b.xlsx"), NULL, &frame, NULL, &err), KD_LIMIT);
    assert_non_null(strstr(err.message, "ZIP bomb"));
    assert_true(kd_seconds() - start < 1);
}

static void zip_archives_without_a_workbook_are_refused(void **state)
{
    (void)state;
    int code;
    zip_t *zip = zip_open(path_of("b.xlsx"), ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(zip);
    add_part(zip, "readme.txt", "hello", 5);
    assert_int_equal(zip_close(zip), 0);
    kd_frame *frame;
    kd_error err = { 0 };
    assert_int_equal(kd_frame_read(path_of("b.xlsx"), NULL, &frame, NULL, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "without a workbook"));
    assert_int_equal(kd_file_write(path_of("b.xlsx"), KD_STR("PK\x03\x04 cut off"), &err), KD_OK);
    assert_int_equal(kd_frame_read(path_of("b.xlsx"), NULL, &frame, NULL, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "damaged"));
    assert_int_equal(kd_frame_read(path_of("none.csv"), NULL, &frame, NULL, &err), KD_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_comes_back_as_it_went),
        cmocka_unit_test(csv_is_quoted_and_guarded_where_needed),
        cmocka_unit_test(gb18030_holds_every_character),
        cmocka_unit_test(json_is_one_array_of_objects),
        cmocka_unit_test(writing_where_there_is_no_folder_says_so),
        cmocka_unit_test(peeking_reads_the_first_rows_as_text),
        cmocka_unit_test(arrow_comes_back_as_it_went),
        cmocka_unit_test(a_kept_arrow_column_outlives_the_rest),
        cmocka_unit_test(arrow_types_are_widened),
        cmocka_unit_test(xlsx_comes_back_as_it_went),
        cmocka_unit_test(xlsx_cells_of_every_kind_are_read),
        cmocka_unit_test(xlsx_that_is_not_sound_is_refused),
        cmocka_unit_test(a_zip_bomb_is_refused_before_it_unfolds),
        cmocka_unit_test(zip_archives_without_a_workbook_are_refused),
    };
    return cmocka_run_group_tests_name("frame_files", tests, make_folder, drop_folder);
}
