#include "frame/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A read whose outcome is looked at and then dropped. */
typedef struct {
    kd_status status;
    kd_frame *frame;
    kd_read_report *report;
    kd_error err;
} outcome;

static outcome read_as(kd_str text, const kd_read_options *options, size_t piece_bytes)
{
    outcome got = { 0 };
    got.status = kd_frame_read_csv_pieces(text, "t.csv", options, piece_bytes, &got.frame, &got.report, &got.err);
    return got;
}

static outcome read_text(const char *text, const kd_read_options *options)
{
    return read_as(kd_str_of(text), options, 0);
}

static void drop(outcome *got)
{
    kd_frame_free(got->frame);
    kd_read_report_free(got->report);
    *got = (outcome){ 0 };
}

/* One value as text, "~" when null. */
static void show(kd_buf *out, const kd_column *column, int64_t row)
{
    char day[16];
    if (kd_column_is_null(column, row)) {
        kd_buf_char(out, '~');
        return;
    }
    switch (column->type) {
    case KD_TYPE_TEXT:
    case KD_TYPE_DICT: kd_buf_str(out, kd_column_text(column, row)); break;
    case KD_TYPE_INT64: kd_buf_int(out, column->ints[row]); break;
    case KD_TYPE_FLOAT64: kd_buf_fmt(out, "%g", column->floats[row]); break;
    case KD_TYPE_DATE: kd_buf_cstr(out, kd_day_format(column->days[row], day)); break;
    case KD_TYPE_BOOL: kd_buf_cstr(out, column->bools[row] ? "yes" : "no"); break;
    }
}

static void show_frame(kd_buf *out, const kd_frame *frame)
{
    for (int64_t row = 0; row < kd_frame_rows(frame); row++) {
        for (size_t c = 0; c < kd_frame_columns(frame); c++) {
            if (c) kd_buf_char(out, '|');
            show(out, kd_frame_column(frame, c), row);
        }
        kd_buf_char(out, '/');
    }
}

static void assert_frame_is(const kd_frame *frame, const char *wanted)
{
    kd_buf out;
    kd_buf_init(&out, 1 << 24);
    show_frame(&out, frame);
    kd_buf_char(&out, '\0');
    assert_string_equal(out.ptr, wanted);
    kd_buf_done(&out);
}

/* ---- structure ---- */

static void csv_keeps_what_quotes_hold(void **state)
{
    (void)state;
    static const struct {
        const char *text, *values;
    } cases[] = {
        { "a,b\n1,2\n3,4\n", "1|2/3|4/" },
        { "a,b\n1,2\n3,4", "1|2/3|4/" },
        { "a,b\r\n1,2\r\n3,4\r\n", "1|2/3|4/" },
        { "a,b\r1,2\r3,4\r", "1|2/3|4/" },
        { "a,b\n\n1,2\n\n\n3,4\n\n", "1|2/3|4/" },
        { "\xEF\xBB\xBF"
          "a,b\n1,2\n",
          "1|2/" },
        { "a,b\nx,\"y,z\"\n", "x|y,z/" },
        { "a,b\nx,\"y\nz\"\n", "x|y\nz/" },
        { "a,b\nx,\"y\r\nz\"\r\nv,w\r\n", "x|y\r\nz/v|w/" },
        { "a,b\nx,\"say \"\"hi\"\"\"\n", "x|say \"hi\"/" },
        { "a,b\nx,\"\"\"\"\n", "x|\"/" },
        { "a,b\nx,5\" pipe\n", "x|5\" pipe/" },
        { "a,b\nx,\n,y\n", "x|~/~|y/" },
        { "a,b\nx,\"\"\n\"\",y\n", "x|/|y/" },
        { "\"a\",\"b\"\n\"x\",\"y\"", "x|y/" },
        { "a\tb\nx,1\ty,2\n", "x,1|y,2/" },
        { "a;b\nx,1;y,2\n", "x,1|y,2/" },
        { "a|b\nx|y\nv|w\n", "x|y/v|w/" },
        { "a\nx\n\ny\n", "x/~/y/" },
        { "a,b\n", "" },
        { "a,b", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 0; piece < 6; piece++) {
            kd_read_options options = { .all_text = true, .threads = 2 };
            outcome got = read_as(kd_str_of(cases[i].text), &options, piece);
            if (got.status != KD_OK) fail_msg("case %zu: %s", i, got.err.message);
            assert_frame_is(got.frame, cases[i].values);
            assert_int_equal(kd_read_report_rejects(got.report), 0);
            drop(&got);
        }
    }
}

/* The reading of CSV said plainly: one byte at a time, one row after the other. */
typedef struct {
    kd_buf good, bad; /* "x|y/" of rows; "row:line/" of rejects */
    size_t fields;    /* of the header */
    int64_t rows;
} twin;

static size_t twin_end_of_line(kd_str text, size_t at)
{
    while (at < text.len && text.ptr[at] != '\n') at++;
    return at < text.len ? at + 1 : at;
}

/* One row from `at`; returns where the next begins. `*out_fields` is 0 for a blank line, -1 for a bad row. */
static size_t twin_row(kd_str text, size_t at, kd_buf *out, int *out_fields)
{
    size_t row_from = at;
    int fields = 0;
    bool has_nul = false;
    for (;;) {
        if (fields++) kd_buf_char(out, '|');
        if (at < text.len && text.ptr[at] == '"') {
            for (at++;; at++) {
                if (at == text.len) {
                    *out_fields = -1;
                    return twin_end_of_line(text, row_from);
                }
                if (text.ptr[at] == '"' && at + 1 < text.len && text.ptr[at + 1] == '"') {
                    at++;
                } else if (text.ptr[at] == '"') {
                    break;
                }
                has_nul |= text.ptr[at] == 0;
                kd_buf_char(out, text.ptr[at]);
            }
            at++;
            if (at < text.len && text.ptr[at] == '\r' && (at + 1 == text.len || text.ptr[at + 1] == '\n')) at++;
            if (at < text.len && text.ptr[at] != ',' && text.ptr[at] != '\n') {
                *out_fields = -1;
                return twin_end_of_line(text, at);
            }
        } else {
            size_t from = at;
            while (at < text.len && text.ptr[at] != ',' && text.ptr[at] != '\n') has_nul |= text.ptr[at++] == 0;
            size_t to = at;
            if ((at == text.len || text.ptr[at] == '\n') && to > from && text.ptr[to - 1] == '\r') to--;
            if (to == from) kd_buf_char(out, '~');
            kd_buf_add(out, text.ptr + from, to - from);
            if (fields == 1 && to == from && (at == text.len || text.ptr[at] == '\n')) fields = 0;
        }
        if (at < text.len && text.ptr[at] == ',') {
            at++;
            continue;
        }
        *out_fields = has_nul ? -1 : fields;
        return at < text.len ? at + 1 : at;
    }
}

static uint64_t twin_lines(kd_str text, size_t to)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < to; i++) lines += text.ptr[i] == '\n';
    return lines;
}

static void twin_read(twin *t, kd_str text)
{
    kd_buf row;
    kd_buf_init(&row, 1 << 20);
    bool has_header = false;
    for (size_t at = 0; at < text.len;) {
        int fields;
        size_t from = at;
        kd_buf_clear(&row);
        at = twin_row(text, at, &row, &fields);
        if (fields == 0 && !(has_header && t->fields == 1)) continue;
        if (fields == 0) fields = 1;
        if (!has_header) {
            has_header = true;
            t->fields = fields > 0 ? (size_t)fields : 0;
            if (!t->fields) break;
            continue;
        }
        t->rows++;
        if (fields == (int)t->fields) {
            kd_buf_str(&t->good, kd_buf_view(&row));
            kd_buf_char(&t->good, '/');
        } else {
            kd_buf_fmt(&t->bad, "%lld:%llu/", (long long)t->rows, (unsigned long long)twin_lines(text, from) + 1);
        }
    }
    kd_buf_done(&row);
}

static void compare_with_twin(kd_str text, size_t piece_bytes, unsigned threads)
{
    twin t = { 0 };
    kd_buf_init(&t.good, 1 << 20);
    kd_buf_init(&t.bad, 1 << 20);
    twin_read(&t, text);
    kd_read_options options = { .all_text = true, .threads = threads, .delimiter = ',', .encoding = KD_ENCODING_UTF8 };
    outcome got = read_as(text, &options, piece_bytes);
    if (t.fields) {
        if (got.status != KD_OK) fail_msg("%s in <%.*s>", got.err.message, KD_FMT(text));
        kd_buf shown, bad;
        kd_buf_init(&shown, 1 << 20);
        kd_buf_init(&bad, 1 << 20);
        show_frame(&shown, got.frame);
        for (size_t i = 0; i < kd_read_report_rejects(got.report); i++) {
            const kd_reject *reject = kd_read_report_reject(got.report, i);
            kd_buf_fmt(&bad, "%lld:%llu/", (long long)reject->row, (unsigned long long)reject->line);
        }
        if (!kd_str_eq(kd_buf_view(&shown), kd_buf_view(&t.good)) || !kd_str_eq(kd_buf_view(&bad), kd_buf_view(&t.bad)))
            fail_msg("pieces of %zu in <%.*s>: <%.*s> <%.*s>", piece_bytes, KD_FMT(text), KD_FMT(kd_buf_view(&shown)),
                     KD_FMT(kd_buf_view(&bad)));
        assert_int_equal(kd_read_report_rows_seen(got.report), t.rows);
        kd_buf_done(&shown);
        kd_buf_done(&bad);
    } else {
        assert_int_not_equal(got.status, KD_OK);
    }
    drop(&got);
    kd_buf_done(&t.good);
    kd_buf_done(&t.bad);
}

static void csv_agrees_with_a_plain_reader_at_every_piece_edge(void **state)
{
    (void)state;
    static const char alphabet[] = "a,b\n\"x\r\n,\"\"1,\n";
    kd_rng rng;
    kd_rng_init(&rng, 20261123);
    for (int round = 0; round < 6000; round++) {
        char text[200] = "h,i\n";
        size_t header = kd_rng_below(&rng, 4) ? 4 : 0, len = header + 1 + kd_rng_below(&rng, 60);
        for (size_t i = header; i < len; i++) text[i] = alphabet[kd_rng_below(&rng, sizeof alphabet - 1)];
        if (!header) text[0] = 'q';
        if (memchr(text, '\n', len) == NULL) text[len - 1] = '\n'; /* else '\r' may be taken for the line end */
        size_t first = 0;
        while (text[first] != '\n' && text[first] != '"') first++;
        if (text[first] == '"') continue;
        bool has_doubled_name = !header;
        size_t piece_bytes = 1 + kd_rng_below(&rng, 20);
        unsigned threads = 1 + (unsigned)kd_rng_below(&rng, 3);
        if (!has_doubled_name) compare_with_twin((kd_str){ text, len }, piece_bytes, threads);
    }
}

static void csv_agrees_with_a_plain_reader_on_longer_files(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 7);
    for (int round = 0; round < 20; round++) {
        kd_buf text;
        kd_buf_init(&text, 1 << 20);
        kd_buf_cstr(&text, "h,i,j\n");
        for (int row = 0; row < 300; row++) {
            for (int c = 0; c < 3; c++) {
                if (c) kd_buf_char(&text, ',');
                switch (kd_rng_below(&rng, 6)) {
                case 0: kd_buf_cstr(&text, "\"榆阳区,\n人民路 \"\"3\"\" 号\""); break;
                case 1: kd_buf_cstr(&text, "\"\""); break;
                case 2: break;
                case 3: kd_buf_cstr(&text, kd_rng_below(&rng, 40) ? "x\"y" : "\"x\"y"); break;
                default: kd_buf_int(&text, (int64_t)kd_rng_below(&rng, 100000)); break;
                }
            }
            kd_buf_cstr(&text, kd_rng_below(&rng, 50) ? "\r\n" : ",extra\n");
        }
        compare_with_twin(kd_buf_view(&text), 1 + kd_rng_below(&rng, 3000), 2);
        kd_buf_done(&text);
    }
}

/* ---- types ---- */

static void types_are_recognised_from_all_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        kd_type type;
        const char *values;
    } cases[] = {
        { "a,b\n1,\n2,\n-3,\n", KD_TYPE_INT64, "1|~/2|~/-3|~/" },
        { "a,b\n1,\n2.5,\n", KD_TYPE_FLOAT64, "1|~/2.5|~/" },
        { "a,b\n1,\n1e3,\n", KD_TYPE_FLOAT64, "1|~/1000|~/" },
        { "a,b\n1,\nx,\n", KD_TYPE_TEXT, "1|~/x|~/" },
        { "a,b\n007,\n008,\n", KD_TYPE_TEXT, "007|~/008|~/" },
        { "a,b\n9223372036854775807,\n", KD_TYPE_INT64, "9223372036854775807|~/" },
        { "a,b\n9223372036854775808,\n", KD_TYPE_TEXT, "9223372036854775808|~/" },
        { "a,b\n2024-02-29,\n,\n", KD_TYPE_DATE, "2024-02-29|~/~|~/" },
        { "a,b\n2023-02-29,\n", KD_TYPE_TEXT, "2023-02-29|~/" },
        { "a,b\n2024-02-29,\n7,\n", KD_TYPE_TEXT, "2024-02-29|~/7|~/" },
        { "a,b\ntrue,\nFALSE,\n", KD_TYPE_BOOL, "yes|~/no|~/" },
        { "a,b\ntrue,\n1,\n", KD_TYPE_TEXT, "true|~/1|~/" },
        { "a,b\n,\n,\n", KD_TYPE_TEXT, "~|~/~|~/" },
        { "a,b\n\"\",1\n,1\n", KD_TYPE_DICT, "|1/~|1/" },
        { "a,b\n\"\",1\nx,1\n", KD_TYPE_TEXT, "|1/x|1/" },
        { "a,b\n\"\",1\n5,1\n", KD_TYPE_INT64, "~|1/5|1/" },
        { "a,b\nx,\nx,\nx,\ny,\n", KD_TYPE_DICT, "x|~/x|~/x|~/y|~/" },
        { "a,b\n1.0,\n12345678901234567,\n", KD_TYPE_FLOAT64, "1|~/1.23457e+16|~/" },
        { "a,b\n12345678901234567,\n1.0,\n", KD_TYPE_FLOAT64, "1.23457e+16|~/1|~/" },
        { "a,b\nnan,\ninf,\n", KD_TYPE_TEXT, "nan|~/inf|~/" },
        { "a,b\n+1,\n", KD_TYPE_TEXT, "+1|~/" },
        { "a,b\n0,\n-0.5,\n", KD_TYPE_FLOAT64, "0|~/-0.5|~/" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 0; piece < 24; piece++) {
            outcome got = read_as(kd_str_of(cases[i].text), &(kd_read_options){ .threads = 2 }, piece);
            assert_int_equal(got.status, KD_OK);
            if (kd_frame_column(got.frame, 0)->type != cases[i].type)
                fail_msg("case %zu in pieces of %zu: type %d", i, piece, (int)kd_frame_column(got.frame, 0)->type);
            assert_frame_is(got.frame, cases[i].values);
            drop(&got);
        }
    }
}

static void types_do_not_depend_on_pieces(void **state)
{
    (void)state;
    kd_buf text;
    kd_buf_init(&text, 1 << 24);
    kd_buf_cstr(&text, "id,county,name,when,late\n");
    for (int i = 0; i < 20000; i++)
        kd_buf_fmt(&text, "%d,%s,P%d,2024-01-%02d,%s\n", i, i % 3 ? "榆阳" : "神木", i * 7919 % 19997, i % 28 + 1,
                   i == 19998   ? "1.5"
                   : i == 19999 ? "x"
                                : "3");
    static const kd_type wanted[] = { KD_TYPE_INT64, KD_TYPE_DICT, KD_TYPE_TEXT, KD_TYPE_DATE, KD_TYPE_DICT };
    static const size_t sizes[] = { 0, 1000, 77777 };
    for (size_t i = 0; i < 3; i++) {
        outcome got = read_as(kd_buf_view(&text), &(kd_read_options){ .threads = 3 }, sizes[i]);
        assert_int_equal(got.status, KD_OK);
        assert_int_equal(kd_frame_rows(got.frame), 20000);
        for (size_t c = 0; c < 5; c++) assert_int_equal(kd_frame_column(got.frame, c)->type, wanted[c]);
        assert_int_equal(kd_frame_find(got.frame, "county")->dict_count, 2);
        assert_true(kd_str_is(kd_column_text(kd_frame_find(got.frame, "late"), 19998), "1.5"));
        assert_true(kd_str_is(kd_column_text(kd_frame_find(got.frame, "county"), 1), "榆阳"));
        drop(&got);
    }
    kd_buf_done(&text);
}

static void floats_are_read_to_the_last_bit(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 5);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        double value = (kd_rng_unit(&rng) - 0.5) * (i % 3 ? 1e5 : 1e-3);
        snprintf(text, sizeof text, "a\n%.*f\n", (int)kd_rng_below(&rng, 18) + 1, value);
        outcome got = read_text(text, NULL);
        assert_int_equal(got.status, KD_OK);
        double wanted = strtod(text + 2, NULL);
        const kd_column *column = kd_frame_column(got.frame, 0);
        assert_int_equal(column->type, KD_TYPE_FLOAT64);
        if (memcmp(column->floats, &wanted, sizeof wanted) != 0) fail_msg("%s", text);
        drop(&got);
    }
}

/* ---- wants ---- */

static const char *const name_aliases[] = { "姓名", "孕妇姓名", NULL };
static const kd_column_want wants[] = {
    { "name", name_aliases, KD_TYPE_TEXT, true }, { "born", NULL, KD_TYPE_DATE, false },
    { "count", NULL, KD_TYPE_INT64, false },      { "area", NULL, KD_TYPE_DICT, false },
    { "share", NULL, KD_TYPE_FLOAT64, false },    { "alive", NULL, KD_TYPE_BOOL, false },
};

static void wanted_columns_come_by_name_in_any_order(void **state)
{
    (void)state;
    kd_read_options options = { .wants = wants, .want_count = 6 };
    outcome got = read_text("other,count, 孕妇姓名 ,born\nx, 007 ,张三,2020-01-02\ny,,李四,\n", &options);
    assert_int_equal(got.status, KD_OK);
    assert_int_equal(kd_frame_columns(got.frame), 3);
    assert_frame_is(got.frame, "张三|2020-01-02|7/李四|~|~/");
    assert_null(kd_frame_find(got.frame, "other"));
    drop(&got);
    options.keep_others = true;
    got = read_text("other,count,姓名\n1,2,张三\n", &options);
    assert_int_equal(got.status, KD_OK);
    assert_frame_is(got.frame, "张三|2|1/");
    assert_int_equal(kd_frame_find(got.frame, "other")->type, KD_TYPE_TEXT);
    drop(&got);
}

static void values_not_of_their_type_are_rejected_with_place(void **state)
{
    (void)state;
    kd_read_options options = { .wants = wants, .want_count = 6 };
    outcome got = read_text("name,born,count,area,share,alive\n"
                            "a,2020-02-30,1,x,0.5,true\n"
                            "b,2020-02-28,1.5,x,0.5,true\n"
                            "\"c\nc\",2020-02-28,1,x,0.5,1\n"
                            "d,2020-02-28,1,x,half,0\n"
                            "e,2020-02-28,1,x,0.5,maybe\n"
                            "f,2020-02-28,1,x\n"
                            "g,2020-02-28,1,x,0.5,false,,\n"
                            "h,,,,,\n",
                            &options);
    assert_int_equal(got.status, KD_OK);
    assert_frame_is(got.frame, "c\nc|2020-02-28|1|x|0.5|yes/h|~|~|~|~|~/");
    static const struct {
        int64_t row;
        uint64_t line;
        uint32_t column;
        const char *name, *reason, *raw;
    } bad[] = {
        { 1, 2, 2, "born", "not a date of the form YYYY-MM-DD", "a,2020-02-30,1,x,0.5,true" },
        { 2, 3, 3, "count", "not a whole number", "b,2020-02-28,1.5,x,0.5,true" },
        { 4, 6, 5, "share", "not a number", "d,2020-02-28,1,x,half,0" },
        { 5, 7, 6, "alive", "neither true nor false", "e,2020-02-28,1,x,0.5,maybe" },
        { 6, 8, 0, "", "4 fields where the header has 6", "f,2020-02-28,1,x" },
        { 7, 9, 0, "", "8 fields where the header has 6", "g,2020-02-28,1,x,0.5,false,," },
    };
    assert_int_equal(kd_read_report_rejects(got.report), sizeof bad / sizeof bad[0]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const kd_reject *reject = kd_read_report_reject(got.report, i);
        assert_int_equal(reject->row, bad[i].row);
        assert_int_equal(reject->line, bad[i].line);
        assert_int_equal(reject->column, bad[i].column);
        assert_true(kd_str_is(reject->name, bad[i].name));
        assert_string_equal(reject->reason, bad[i].reason);
        assert_true(kd_str_is(reject->raw, bad[i].raw));
    }
    assert_int_equal(kd_read_report_rows_seen(got.report), 8);
    assert_int_equal(kd_read_report_file_row(got.report, 0), 3);
    assert_int_equal(kd_read_report_file_line(got.report, 0), 4);
    assert_int_equal(kd_read_report_file_row(got.report, 1), 8);
    assert_int_equal(kd_read_report_file_line(got.report, 1), 10);
    drop(&got);
}

static void rejects_and_lines_do_not_depend_on_pieces(void **state)
{
    (void)state;
    kd_buf text;
    kd_buf_init(&text, 1 << 20);
    kd_buf_cstr(&text, "name,count\n");
    for (int i = 1; i <= 500; i++)
        kd_buf_cstr(&text, i % 7 == 0 ? "x,bad\n" : i % 11 == 0 ? "\"y\nz\",5\n\n" : "w,1\n");
    kd_read_options options = { .wants = wants, .want_count = 6, .threads = 2 };
    outcome whole = read_as(kd_buf_view(&text), &options, 0);
    for (size_t piece = 1; piece < 200; piece += 7) {
        outcome got = read_as(kd_buf_view(&text), &options, piece);
        assert_int_equal(kd_frame_rows(got.frame), kd_frame_rows(whole.frame));
        assert_int_equal(kd_read_report_rejects(got.report), 500 / 7);
        for (size_t i = 0; i < 500 / 7; i++) {
            const kd_reject *a = kd_read_report_reject(whole.report, i), *b = kd_read_report_reject(got.report, i);
            assert_int_equal(a->row, (int64_t)(i + 1) * 7);
            assert_true(a->row == b->row && a->line == b->line && a->column == b->column);
        }
        for (int64_t row = 0; row < kd_frame_rows(whole.frame); row++) {
            assert_int_equal(kd_read_report_file_row(got.report, row), kd_read_report_file_row(whole.report, row));
            assert_int_equal(kd_read_report_file_line(got.report, row), kd_read_report_file_line(whole.report, row));
        }
        drop(&got);
    }
    drop(&whole);
    kd_buf_done(&text);
}

static void null_texts_are_nothing(void **state)
{
    (void)state;
    static const char *const nulls[] = { "NULL", "无", NULL };
    kd_read_options options = { .null_texts = nulls };
    outcome got = read_text("a,b\nNULL,1\n无,NULL\nx,3\n", &options);
    assert_int_equal(got.status, KD_OK);
    assert_frame_is(got.frame, "~|1/~|~/x|3/");
    drop(&got);
    options.encoding = KD_ENCODING_GB18030;
    got = read_text("a,b\nNULL,1\n\xCE\xDE,NULL\nx,3\n", &options);
    assert_int_equal(got.status, KD_OK);
    assert_frame_is(got.frame, "~|1/~|~/x|3/");
    drop(&got);
}

/* ---- encodings ---- */

static void encodings_are_recognised(void **state)
{
    (void)state;
    static const struct {
        kd_str bytes;
        kd_encoding encoding;
    } cases[] = {
        { KD_STR("a,b\n张三,榆林\n"), KD_ENCODING_UTF8 },
        { KD_STR("\xEF\xBB\xBF"
                 "a,b\n张三,榆林\n"),
          KD_ENCODING_UTF8 },
        { KD_STR("a,b\n\xD5\xC5\xC8\xFD,\xD3\xDC\xC1\xD6\n"), KD_ENCODING_GB18030 },
        { KD_STR("\x84\x31\x95\x33"
                 "a,b\n\xD5\xC5\xC8\xFD,\xD3\xDC\xC1\xD6\n"),
          KD_ENCODING_GB18030 },
        { KD_STR("\xFF\xFE"
                 "a\0,\0b\0\n\0\x20\x5F\x09\x4E,\0\x86\x69\x97\x67\n\0"),
          KD_ENCODING_UTF16LE },
        { KD_STR("a\0,\0b\0\n\0\x20\x5F\x09\x4E,\0\x86\x69\x97\x67\n\0"), KD_ENCODING_UTF16LE },
        { KD_STR("\xFE\xFF"
                 "\0a\0,\0b\0\n\x5F\x20\x4E\x09\0,\x69\x86\x67\x97\0\n"),
          KD_ENCODING_UTF16BE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        outcome got = read_as(cases[i].bytes, NULL, 0);
        if (got.status != KD_OK) fail_msg("case %zu: %s", i, got.err.message);
        assert_int_equal(kd_read_report_encoding(got.report), cases[i].encoding);
        assert_frame_is(got.frame, "张三|榆林/");
        drop(&got);
    }
}

/* Pinned: where converters differ, and where the two-, four-byte and upper ranges begin and end. */
static void gb18030_follows_its_standard(void **state)
{
    (void)state;
    static const struct {
        const char *gb, *utf8;
    } cases[] = {
        { "\x81\x40", "丂" },         { "\xFE\x4F", "﨩" },
        { "\xA2\xE3", "€" },          { "\x81\x30\x81\x30", "\xC2\x80" },
        { "\x82\x35\x8F\x33", "龦" }, { "\x84\x31\xA4\x39", "\xEF\xBF\xBF" },
        { "\x95\x32\x82\x36", "𠀀" }, { "\xE3\x32\x9A\x35", "\xF4\x8F\xBF\xBF" },
        { "\xA3\xAC", "，" },         { "\x8D\x7C", "峾" },
        { "\x81\x39\xEE\x39", "㐀" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        int len = snprintf(text, sizeof text, "a,b\n\"%s,\",x%s\n", cases[i].gb, cases[i].gb);
        kd_read_options options = { .encoding = KD_ENCODING_GB18030, .delimiter = ',' };
        outcome got = read_as((kd_str){ text, (size_t)len }, &options, 0);
        assert_int_equal(got.status, KD_OK);
        assert_int_equal(kd_frame_rows(got.frame), 1);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%s,|x%s/", cases[i].utf8, cases[i].utf8);
        assert_frame_is(got.frame, wanted);
        drop(&got);
    }
}

static void gb18030_with_bars_is_not_cut_inside_a_character(void **state)
{
    (void)state;
    kd_read_options options = { .encoding = KD_ENCODING_GB18030 };
    outcome got = read_text("a|b\n\x8D\x7C|y\nx|\x8D\x7C\n", &options); /* the second byte of the character is '|' */
    assert_int_equal(got.status, KD_OK);
    assert_int_equal(kd_read_report_delimiter(got.report), '|');
    assert_frame_is(got.frame, "峾|y/x|峾/");
    drop(&got);
}

static void wrong_bytes_spoil_their_row_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        kd_encoding encoding;
        const char *values;
        uint32_t column;
    } cases[] = {
        { "a,b\n张三,1\n李\xFF,2\n王五,3\n赵六,4\n", KD_ENCODING_AUTO, "张三|1/王五|3/赵六|4/", 1 },
        { "a,b\nx,\xC0\x80\ny,2\n", KD_ENCODING_UTF8, "y|2/", 2 },
        { "a,b\nx,\xED\xA0\x80\ny,2\n", KD_ENCODING_UTF8, "y|2/", 2 },
        { "a,b\nx,1\xE5\xBC\ny,2\n", KD_ENCODING_UTF8, "y|2/", 2 },
        { "a,b\nx,\xFF\ny,2\n", KD_ENCODING_GB18030, "y|2/", 2 },
        { "a,b\nx,\xD5\ny,2\n", KD_ENCODING_GB18030, "y|2/", 2 },
        { "a,b\nx,u\nx,\xFF\xFE\nx,\xFF\xFE\nx,u\n", KD_ENCODING_UTF8, "x|u/x|u/", 2 }, /* the same again */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        outcome got = read_text(cases[i].text, &(kd_read_options){ .encoding = cases[i].encoding });
        assert_int_equal(got.status, KD_OK);
        assert_frame_is(got.frame, cases[i].values);
        assert_true(kd_read_report_rejects(got.report) >= 1);
        const kd_reject *reject = kd_read_report_reject(got.report, 0);
        assert_int_equal(reject->column, cases[i].column);
        assert_string_equal(reject->reason, "bytes that are not in the file's encoding");
        drop(&got);
    }
}

/* ---- bad files ---- */

static void what_is_no_table_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        kd_str bytes;
        const char *says;
    } cases[] = {
        { KD_STR(""), "empty" },
        { KD_STR("\xEF\xBB\xBF"), "empty" },
        { KD_STR("\n\n\n"), "no column names" },
        { KD_STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0"), ".xls" },
        { KD_STR("%PDF-1.7\n"), "PDF" },
        { KD_STR("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"), "picture" },
        { KD_STR("\xFF\xD8\xFF\xE0\0\x10JFIF"), "picture" },
        { KD_STR("BM\x36\0\0\0"), "picture" },
        { KD_STR("\x1F\x8B\x08\0\0\0"), "gzip" },
        { KD_STR("PK\x03\x04\0\0\0"), "ZIP" },
        { KD_STR("<html><table><tr><td>1</td></tr></table>"), "web page" },
        { KD_STR("a,b\n1,\0\0\0\x01\x02\x03\n2,3\n"), "binary" },
        { KD_STR("\x01\x02\x03\x04\x05\x06\x07\x08"), "binary" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        outcome got = read_as(cases[i].bytes, NULL, 0);
        assert_int_equal(got.status, KD_INVALID);
        if (!strstr(got.err.message, cases[i].says)) fail_msg("case %zu: %s", i, got.err.message);
        assert_string_equal(got.err.file, "t.csv");
        assert_true(got.err.hint[0] || i == 2);
        drop(&got);
    }
}

static void headers_in_disorder_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool has_wants;
        const char *says, *hint;
    } cases[] = {
        { "a,b,a\n1,2,3\n", false, "columns 1 and 3 are both named 'a'", "the file has: a, b, a" },
        { "a,,c\n1,2,3\n", false, "column 2 has no name", "the file has: a, , c" },
        { "a,b\n1,2\n", true, "the column '姓名' is missing", "the file has: a, b" },
        { "name,x,name\n1,2,3\n", true, "columns 1 and 3 are both named 'name'", "the file has: name, x, name" },
        { "a,\"b\n1,2\n", false, "the line of column names: a quote is opened and never closed", "a table begins" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_read_options options = { .wants = cases[i].has_wants ? wants : NULL, .want_count = 6 };
        outcome got = read_text(cases[i].text, &options);
        assert_int_equal(got.status, KD_INVALID);
        assert_string_equal(got.err.message, cases[i].says);
        assert_non_null(strstr(got.err.hint, cases[i].hint));
        drop(&got);
    }
}

static void a_row_with_a_nul_is_rejected(void **state)
{
    (void)state;
    kd_buf text;
    kd_buf_init(&text, 1 << 20);
    kd_buf_cstr(&text, "a,b\n");
    for (int i = 0; i < 2000; i++) kd_buf_cstr(&text, "x,y\n");
    kd_buf_add(&text, "x,y\0z\nu,v\n", 10);
    outcome got = read_as(kd_buf_view(&text), NULL, 0);
    assert_int_equal(got.status, KD_OK);
    assert_int_equal(kd_frame_rows(got.frame), 2001);
    assert_int_equal(kd_read_report_rejects(got.report), 1);
    assert_string_equal(kd_read_report_reject(got.report, 0)->reason, "the row holds a NUL byte");
    assert_int_equal(kd_read_report_reject(got.report, 0)->row, 2001);
    assert_int_equal(kd_read_report_reject(got.report, 0)->column, 2);
    drop(&got);
    kd_buf_done(&text);
}

static void a_quote_never_closed_loses_one_line(void **state)
{
    (void)state;
    kd_buf text;
    kd_buf_init(&text, 1 << 26);
    kd_buf_cstr(&text, "a,b\n1,2\n3,\"4\n");
    for (int i = 0; i < 3000000; i++) kd_buf_cstr(&text, "12345,6\n"); /* beyond KD_ROW_BYTES_MAX */
    outcome got = read_as(kd_buf_view(&text), &(kd_read_options){ .threads = 2 }, 0);
    assert_int_equal(got.status, KD_OK);
    assert_int_equal(kd_frame_rows(got.frame), 3000001);
    assert_int_equal(kd_read_report_rejects(got.report), 1);
    const kd_reject *reject = kd_read_report_reject(got.report, 0);
    assert_int_equal(reject->row, 2);
    assert_int_equal(reject->line, 3);
    assert_true(kd_str_is(reject->raw, "3,\"4"));
    drop(&got);
    kd_buf_done(&text);
}

static void a_line_of_100_mb_is_one_reject(void **state)
{
    (void)state;
    size_t len = (size_t)100 << 20;
    char *text = malloc(len + 32);
    assert_non_null(text);
    memset(text, 'x', len + 32);
    memcpy(text, "a,b\n1,2\n", 8);
    memcpy(text + len, "\n3,4\n", 5);
    outcome got = read_as((kd_str){ text, len + 5 }, &(kd_read_options){ .threads = 2 }, 0);
    assert_int_equal(got.status, KD_OK);
    assert_frame_is(got.frame, "1|2/3|4/");
    assert_int_equal(kd_read_report_rejects(got.report), 1);
    const kd_reject *reject = kd_read_report_reject(got.report, 0);
    assert_string_equal(reject->reason, "the row is longer than 16 MB");
    assert_int_equal(reject->raw.len, KD_REJECT_RAW_MAX);
    assert_int_equal(kd_read_report_file_line(got.report, 1), 4);
    drop(&got);
    free(text);
}

static void reading_stops_when_asked(void **state)
{
    (void)state;
    static const volatile int stop = 1;
    kd_progress progress = { .cancelled = &stop };
    outcome got = read_text("a,b\n1,2\n", &(kd_read_options){ .progress = &progress });
    assert_int_equal(got.status, KD_CANCELLED);
    assert_null(got.frame);
}

static void every_memory_limit_gives_a_table_or_says_so(void **state)
{
    (void)state;
    kd_buf text;
    kd_buf_init(&text, 1 << 20);
    kd_buf_cstr(&text, "id,name,county,late\n");
    for (int i = 0; i < 1200; i++)
        kd_buf_fmt(&text, "%d,\"N\"\"%d\",%s,%s\n%s", i, i, i % 2 ? "榆阳" : "", i < 1100 ? "1" : "x",
                   i % 100 ? "" : "bad\n");
    size_t good = 0;
    for (size_t bytes_max = 1; bytes_max < 400000; bytes_max += bytes_max / 40 + 1) {
        outcome got = read_as(kd_buf_view(&text), &(kd_read_options){ .bytes_max = bytes_max, .threads = 2 }, 3000);
        assert_true(got.status == KD_OK || got.status == KD_LIMIT);
        assert_int_equal(got.status == KD_OK, got.frame != NULL);
        if (got.status == KD_OK) assert_int_equal(kd_frame_rows(got.frame), 1200);
        good += got.status == KD_OK;
        drop(&got);
    }
    assert_true(good > 1);
    kd_buf_done(&text);
}

/* ---- building ---- */

static void builders_keep_order_and_nulls(void **state)
{
    (void)state;
    kd_frame_builder *builder = kd_frame_builder_new(1 << 20);
    static const kd_type types[] = { KD_TYPE_TEXT,    KD_TYPE_DICT, KD_TYPE_INT64,
                                     KD_TYPE_FLOAT64, KD_TYPE_DATE, KD_TYPE_BOOL };
    static const char *const names[] = { "t", "d", "i", "f", "day", "b" };
    for (size_t c = 0; c < 6; c++) assert_int_equal(kd_frame_builder_column(builder, names[c], types[c]), c);
    for (int i = 0; i < 200; i++) {
        bool is_null = i % 3 == 2;
        kd_frame_builder_text(builder, 0, is_null ? (kd_str){ NULL, 0 } : KD_STR("亲"));
        kd_frame_builder_text(builder, 1, i % 2 ? KD_STR("x") : KD_STR(""));
        kd_frame_builder_int(builder, 2, i);
        kd_frame_builder_float(builder, 3, i * 0.5);
        kd_frame_builder_day(builder, 4, is_null ? KD_DAY_NONE : i);
        kd_frame_builder_int(builder, 5, i % 2);
    }
    kd_frame *frame;
    kd_error err;
    assert_int_equal(kd_frame_builder_finish(builder, &frame, &err), KD_OK);
    kd_frame_builder_free(builder);
    assert_int_equal(kd_frame_rows(frame), 200);
    assert_int_equal(kd_frame_find(frame, "t")->missing, 66);
    assert_int_equal(kd_frame_find(frame, "d")->dict_count, 2);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(kd_column_is_null(kd_frame_column(frame, 0), i), i % 3 == 2);
        assert_true(kd_str_is(kd_column_text(kd_frame_column(frame, 1), i), i % 2 ? "x" : ""));
        assert_int_equal(kd_frame_column(frame, 2)->ints[i], i);
        assert_int_equal(kd_frame_column(frame, 5)->bools[i], i % 2);
    }
    kd_frame_free(frame);
}

static void builders_tell_their_first_failure(void **state)
{
    (void)state;
    kd_frame *frame = NULL;
    kd_error err;
    kd_frame_builder *builder = kd_frame_builder_new(1 << 20);
    kd_frame_builder_column(builder, "a", KD_TYPE_INT64);
    kd_frame_builder_column(builder, "b", KD_TYPE_INT64);
    kd_frame_builder_int(builder, 0, 1);
    assert_int_equal(kd_frame_builder_finish(builder, &frame, &err), KD_INVALID);
    assert_string_equal(err.field, "b");
    kd_frame_builder_free(builder);
    size_t good = 0;
    for (size_t bytes_max = 1; bytes_max < 60000; bytes_max += 97) {
        builder = kd_frame_builder_new(bytes_max);
        kd_frame_builder_column(builder, "a", KD_TYPE_TEXT);
        kd_frame_builder_column(builder, "b", KD_TYPE_DICT);
        for (int i = 0; i < 500; i++) {
            kd_frame_builder_text(builder, 0, KD_STR("some text"));
            kd_frame_builder_text(builder, 1, i % 5 ? KD_STR("y") : (kd_str){ NULL, 0 });
        }
        kd_status status = kd_frame_builder_finish(builder, &frame, &err);
        assert_true(status == KD_OK || status == KD_LIMIT);
        good += status == KD_OK;
        if (status == KD_OK) kd_frame_free(frame);
        kd_frame_builder_free(builder);
    }
    assert_true(good > 0 && good < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_keeps_what_quotes_hold),
        cmocka_unit_test(csv_agrees_with_a_plain_reader_at_every_piece_edge),
        cmocka_unit_test(csv_agrees_with_a_plain_reader_on_longer_files),
        cmocka_unit_test(types_are_recognised_from_all_values),
        cmocka_unit_test(types_do_not_depend_on_pieces),
        cmocka_unit_test(floats_are_read_to_the_last_bit),
        cmocka_unit_test(wanted_columns_come_by_name_in_any_order),
        cmocka_unit_test(values_not_of_their_type_are_rejected_with_place),
        cmocka_unit_test(rejects_and_lines_do_not_depend_on_pieces),
        cmocka_unit_test(null_texts_are_nothing),
        cmocka_unit_test(encodings_are_recognised),
        cmocka_unit_test(gb18030_follows_its_standard),
        cmocka_unit_test(gb18030_with_bars_is_not_cut_inside_a_character),
        cmocka_unit_test(wrong_bytes_spoil_their_row_only),
        cmocka_unit_test(what_is_no_table_is_refused_by_name),
        cmocka_unit_test(headers_in_disorder_are_named),
        cmocka_unit_test(a_row_with_a_nul_is_rejected),
        cmocka_unit_test(a_quote_never_closed_loses_one_line),
        cmocka_unit_test(a_line_of_100_mb_is_one_reject),
        cmocka_unit_test(reading_stops_when_asked),
        cmocka_unit_test(every_memory_limit_gives_a_table_or_says_so),
        cmocka_unit_test(builders_keep_order_and_nulls),
        cmocka_unit_test(builders_tell_their_first_failure),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
