/* Files into a register, on both databases: whole, once, or not at all. */
#include "exchange/exchange.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

enum { PATH_BYTES = 256, BIG_ROWS = 30000 };

typedef struct {
    const char *postgres;                                    /* NULL: SQLite */
    char folder[64], dir[PATH_BYTES], schema[64], url[1024]; /* url: of a schema of its own */
    kd_register *reg;
    kd_feed_packs *packs;
} fixture;

static const char birth_pack[] =
    "feed: test_birth\nversion: \"7\"\ntitle: {zh: 出生试验, en: Births for a test}\n"
    "supplier: {zh: 卫生, en: Health}\nrecords: [child, mother]\n"
    "columns:\n"
    "  - {name: 新生儿姓名, type: name, required: true, fills: child.name}\n"
    "  - {name: 新生儿性别, type: code, codes: sex, fills: child.sex}\n"
    "  - {name: 出生日期, type: date, required: true, fills: child.birth_day}\n"
    "  - {name: 母亲姓名, type: name, required: true, fills: mother.name}\n"
    "  - {name: 母亲身份证号, type: identity, fills: mother.identity_number}\n"
    "  - {name: 区划, type: division, fills: [child.division, mother.division]}\n"
    "codes:\n  sex: {男: 1, 女: 2}\n"
    "checks:\n  - {when_empty: child.birth_day, do: reject, zh: 没有出生日期, en: no date of birth}\n";
static const char marriage_pack[] =
    "feed: test_marriage\nversion: \"1\"\ntitle: {zh: 婚姻试验, en: Marriages for a test}\n"
    "supplier: {zh: 民政, en: Civil affairs}\nrecords: [husband, wife]\n"
    "columns:\n"
    "  - {name: 男方姓名, type: name, required: true, fills: husband.name}\n"
    "  - {name: 女方姓名, type: name, required: true, fills: wife.name}\n"
    "  - {name: 登记日期, type: date, required: true, fills: event_day}\n";

#define HEADER "新生儿姓名,新生儿性别,出生日期,母亲姓名,母亲身份证号,区划\n"
static const char small_csv[] = HEADER "王小明,男,2020-01-05,李兰,11010519491231002X,610829\n"
                                       "王小红,女,2020-02-30,李兰,11010519491231002X,610829\n"
                                       "赵强,男,2021-03-04,钱英,,610829999\n";

static void tell(const char *what, const kd_error *err)
{
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s: %s", what, text);
}

static void path_in(const fixture *f, const char *name, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", f->folder, name);
}

static void write_file(const fixture *f, const char *name, kd_str text)
{
    char path[PATH_BYTES];
    kd_error err = { 0 };
    path_in(f, name, path);
    if (kd_file_write(path, text, &err) != KD_OK) tell("write", &err);
}

static void remove_folder(const char *folder)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

static void open_register(fixture *f)
{
    kd_error err = { 0 };
    if (kd_register_open(f->dir, false, &f->reg, &err) != KD_OK) tell("open", &err);
}

static void on_server(const fixture *f, const char *verb, const char *after)
{
    kd_store *store = NULL;
    kd_error err = { 0 };
    char sql[256];
    snprintf(sql, sizeof sql, "%s schema %s %s", verb, f->schema, after);
    if (kd_store_open(f->postgres, false, &store, &err) != KD_OK) tell("server", &err);
    if (kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES) != KD_OK) tell(sql, &err);
    kd_store_close(store);
}

static int set_up(void **state, const char *postgres)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *state = f;
    f->postgres = postgres;
    setenv("KINDRED_NOW", "2026-06-15", 1);
    snprintf(f->folder, sizeof f->folder, "/tmp/kindred-import-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    path_in(f, "register", f->dir);
    char packs[PATH_BYTES];
    path_in(f, "packs", packs);
    kd_error err = { 0 };
    assert_int_equal(kd_dir_make(packs, &err), KD_OK);
    write_file(f, "packs/birth.yaml", kd_str_of(birth_pack));
    write_file(f, "packs/marriage.yaml", kd_str_of(marriage_pack));
    const char *folders[] = { packs, NULL };
    if (kd_feed_packs_open(folders, false, &f->packs, &err) != KD_OK) tell("packs", &err);
    if (postgres) {
        snprintf(f->schema, sizeof f->schema, "kindred_import_%d", (int)getpid());
        snprintf(f->url, sizeof f->url, "%s%coptions=-csearch_path%%3D%s", postgres, strchr(postgres, '?') ? '&' : '?',
                 f->schema);
        on_server(f, "create", "");
    }
    if (kd_register_init(f->dir, postgres ? f->url : NULL, NULL, &err) != KD_OK) tell("init", &err);
    open_register(f);
    return 0;
}

static int set_up_sqlite(void **state)
{
    return set_up(state, NULL);
}

static int set_up_postgres(void **state)
{
    const char *url = getenv("KINDRED_TEST_POSTGRES");
    if (!url || !url[0]) {
        print_error("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh\n");
        return -1;
    }
    return set_up(state, url);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (!f) return 0;
    kd_register_close(f->reg);
    kd_feed_packs_close(f->packs);
    if (f->postgres) on_server(f, "drop", "cascade");
    remove_folder(f->folder);
    free(f);
    return 0;
}

static int64_t number(fixture *f, const char *sql)
{
    int64_t value = -1;
    kd_error err = { 0 };
    if (kd_store_int(kd_register_store(f->reg), &err, &value, sql, KD_NO_VALUES) != KD_OK) tell(sql, &err);
    return value;
}

static kd_status import_with(fixture *f, const char *name, kd_import_options how, kd_arena *arena,
                             kd_import_result *out_result, kd_error *err)
{
    char path[PATH_BYTES];
    path_in(f, name, path);
    *err = (kd_error){ 0 };
    if (how.as_of_day == 0) how.as_of_day = KD_DAY_NONE;
    return kd_import_file(f->reg, f->packs, path, &how, arena, out_result, err);
}

static void a_file_is_imported_once(void **state)
{
    fixture *f = *state;
    kd_arena *arena = kd_arena_new((size_t)1 << 30);
    kd_import_result result = { 0 }, again = { 0 };
    kd_error err;
    write_file(f, "small.csv", kd_str_of(small_csv));
    write_file(f, "copy.csv", kd_str_of(small_csv));
    kd_import_options how = { .division = 610829000000, .as_of_day = 20000 };
    if (import_with(f, "small.csv", how, arena, &result, &err) != KD_OK) tell("import", &err);
    assert_false(result.already_imported);
    assert_true(result.batch_id > 0);
    assert_int_equal(result.outcome.rows_seen, 3);
    assert_int_equal(result.outcome.rows_bad, 1);
    assert_int_equal(result.outcome.records, 4);
    assert_int_equal(number(f, "select count(*) from batch"), 1);
    assert_int_equal(number(f, "select count(*) from source_record"), 4);
    assert_true(number(f, "select id from batch") == result.batch_id);
    assert_int_equal(number(f, "select rows_bad from batch"), 1);
    assert_int_equal(number(f, "select as_of_day from batch"), 20000);
    assert_true(number(f, "select division from batch") == 610829000000);
    assert_true(number(f, "select first_record from batch") == number(f, "select min(id) from source_record"));
    assert_true(number(f, "select last_record from batch") == number(f, "select max(id) from source_record"));
    assert_int_equal(number(f, "select sum(row_no) from source_record"), 1 + 1 + 3 + 3);
    assert_int_equal(number(f, "select count(*) from source_record where name = '王小明' and sex = 1 and role = 2"), 1);
    assert_int_equal(number(f, "select count(*) from source where feed = 'test_birth' and title_zh = '出生试验'"), 1);
    /* the same content under another name is the same file */
    assert_int_equal(import_with(f, "copy.csv", how, arena, &again, &err), KD_OK);
    assert_true(again.already_imported && again.batch_id == result.batch_id);
    assert_int_equal(again.outcome.records, 4);
    assert_int_equal(number(f, "select count(*) from batch"), 1);
    assert_int_equal(number(f, "select count(*) from source_record"), 4);
    kd_arena_free(arena);
}

static void bad_rows_and_the_archive_stand_beside_it(void **state)
{
    fixture *f = *state;
    kd_arena *arena = kd_arena_new((size_t)1 << 30);
    kd_import_result result = { 0 };
    kd_error err;
    write_file(f, "small.csv", kd_str_of(small_csv));
    assert_int_equal(import_with(f, "small.csv", (kd_import_options){ 0 }, arena, &result, &err), KD_OK);
    static const char wanted[] =
        "\xEF\xBB\xBF行号 line,列号 column,列名 name,类别 kind,原因,reason,原文 row\n"
        "3,3,出生日期,problem,没有这一天,there is no such day,\"王小红,女,2020-02-30,李兰,11010519491231002X,610829\"\n"
        "3,3,出生日期,reject,没有出生日期,no date of birth,\"王小红,女,2020-02-30,李兰,11010519491231002X,610829\"\n"
        "4,6,区划,warn,区划代码未知，取其上级,the division code is unknown: the area above it is taken,"
        "\"赵强,男,2021-03-04,钱英,,610829999\"\n";
    kd_str text = { NULL, 0 };
    char path[PATH_BYTES];
    path_in(f, "small.bad.csv", path);
    assert_true(kd_str_is(result.bad_path, path));
    assert_int_equal(kd_file_read(arena, path, 1 << 20, &text, &err), KD_OK);
    assert_string_equal(text.ptr, wanted);
    path_in(f, "back.csv", path);
    if (kd_archive_fetch(f->dir, result.content_hash, path, &err) != KD_OK) tell("fetch", &err);
    assert_int_equal(kd_file_read(arena, path, 1 << 20, &text, &err), KD_OK);
    assert_string_equal(text.ptr, small_csv);
    /* a folder that cannot be written: the register's own takes them */
    write_file(f, "other.csv", KD_STR(HEADER "王小明,男,2020-01-05,李兰,,火星\n"));
    write_file(f, "no_folder", KD_STR("a file"));
    path_in(f, "no_folder", path);
    kd_import_options how = { .bad_dir = path };
    if (import_with(f, "other.csv", how, arena, &result, &err) != KD_OK) tell("import", &err);
    assert_true(result.bad_elsewhere);
    assert_true(kd_str_starts(result.bad_path, kd_str_of(f->dir)));
    assert_true(kd_file_exists(result.bad_path.ptr));
    kd_arena_free(arena);
}

static void a_dry_run_changes_nothing(void **state)
{
    fixture *f = *state;
    kd_arena *arena = kd_arena_new((size_t)1 << 30);
    kd_import_result result = { 0 };
    kd_error err;
    write_file(f, "small.csv", kd_str_of(small_csv));
    kd_import_options how = { .is_dry_run = true };
    assert_int_equal(import_with(f, "small.csv", how, arena, &result, &err), KD_OK);
    assert_int_equal(result.outcome.records, 4);
    assert_int_equal(result.outcome.sample_count, 4);
    assert_true(kd_str_is(result.outcome.samples[0].name, "王小明"));
    assert_int_equal(result.outcome.problem_count, 3);
    assert_int_equal(number(f, "select count(*) from batch"), 0);
    assert_int_equal(number(f, "select count(*) from source"), 0);
    char path[PATH_BYTES];
    path_in(f, "small.bad.csv", path);
    assert_false(kd_file_exists(path));
    kd_str archived = kd_archive_path(arena, kd_str_of(f->dir), result.content_hash);
    assert_false(kd_file_exists(archived.ptr));
    kd_arena_free(arena);
}

/* ---- what people and machines do to files ---- */

static kd_str long_line(kd_arena *arena)
{
    enum { LINE_BYTES = 100 << 20 };
    char *text = kd_arena_alloc(arena, LINE_BYTES + 512);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, 256, "%s王明,男,2020-01-05,", HEADER);
    memset(text + len, 'x', LINE_BYTES);
    len += LINE_BYTES;
    len += (size_t)snprintf(text + len, 128, ",,610829\n王红,女,2020-01-06,李兰,,610829\n");
    return (kd_str){ text, len };
}

static kd_str gb18030(kd_arena *arena, bool is_cut)
{
    static const unsigned char bytes[] = /* 新生儿姓名,出生日期,母亲姓名 / 王明,2020-01-05,李兰 */
        "\xD0\xC2\xC9\xFA\xB6\xF9\xD0\xD5\xC3\xFB,\xB3\xF6\xC9\xFA\xC8\xD5\xC6\xDA,\xC4\xB8\xC7\xD7\xD0\xD5\xC3\xFB\n"
        "\xCD\xF5\xC3\xF7,2020-01-05,\xC0\xEE\xC0\xBC\n\xCD\xF5\xBA\xEC,2020-01-06,\xC0\xEE";
    size_t len = sizeof bytes - 1;
    return kd_arena_str(arena, (kd_str){ (const char *)bytes, is_cut ? len - 1 : len });
}

static void bad_files_are_told_and_lose_nothing(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *name, *text;
        size_t len; /* 0: strlen */
        kd_status status;
        int64_t records, bad;
    } cases[] = {
        { "empty.csv", "", 0, KD_INVALID, 0, 0 },
        { "header_only.csv", HEADER, 0, KD_OK, 0, 0 },
        { "binary.csv",
          "\x7F"
          "ELF\0\0\0\x01\0\0\x02\0\0\0",
          14, KD_INVALID, 0, 0 },
        { "broken.xlsx",
          "PK\x03\x04"
          "not really",
          0, KD_INVALID, 0, 0 },
        { "delimiter.csv", "新生儿姓名#出生日期#母亲姓名\n王明#2020-01-05#李兰\n", 0, KD_INVALID, 0, 0 },
        { "semicolon.csv", "新生儿姓名;出生日期;母亲姓名\n王明;2020-01-05;李兰\n", 0, KD_OK, 2, 0 },
        { "tab.csv", "新生儿姓名\t出生日期\t母亲姓名\n王明\t2020-01-05\t李兰\n", 0, KD_OK, 2, 0 },
        { "missing.csv", "新生儿姓名,出生日期\n王明,2020-01-05\n", 0, KD_INVALID, 0, 0 },
        { "doubled.csv", "新生儿姓名,出生日期,母亲姓名,母亲姓名\n王明,2020-01-05,李兰,李兰\n", 0, KD_INVALID, 0, 0 },
        { "extra.csv", "新生儿姓名,备注,出生日期,母亲姓名\n王明,好,2020-01-05,李兰\n", 0, KD_OK, 2, 0 },
        { "reordered.csv", "母亲姓名,出生日期,新生儿姓名\n李兰,2020-01-05,王明\n", 0, KD_OK, 2, 0 },
        { "other_feed.csv", "男方姓名,女方姓名,登记日期\n王明,李兰,2020-01-05\n", 0, KD_INVALID, 0, 0 },
        { "short_row.csv", HEADER "王明,男\n王红,女,2020-01-06,李兰,,610829\n", 0, KD_OK, 2, 1 },
        { "truncated.csv", HEADER "王红,女,2020-01-06,李兰,,610829\n王明,男,2020-01-0", 0, KD_OK, 2, 1 },
        { "february.csv", HEADER "王明,男,2020-02-30,李兰,,610829\n王红,女,2020-01-06,李兰,,610829\n", 0, KD_OK, 2, 1 },
        { "all_bad.csv", HEADER "王明,男,2020-02-30,李兰,,610829\n", 0, KD_INVALID, 0, 0 },
        { "division.csv", HEADER "王明,男,2020-02-03,李兰,,990000\n", 0, KD_OK, 2, 0 },
        { "formula.csv", HEADER "\"=HYPERLINK(1)\",男,2020-02-03,李兰,,610829\n", 0, KD_OK, 2, 0 },
    };
    int64_t records = 0, batches = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_arena *arena = kd_arena_new((size_t)1 << 30);
        kd_import_result result = { 0 };
        kd_error err;
        write_file(f, cases[i].name, (kd_str){ cases[i].text, cases[i].len ? cases[i].len : strlen(cases[i].text) });
        kd_import_options how = { .feed = KD_STR("test_birth") };
        kd_status status = import_with(f, cases[i].name, how, arena, &result, &err);
        if (status != cases[i].status) {
            char text[1200];
            kd_error_text(&err, text, sizeof text);
            fail_msg("%s: %s: %s", cases[i].name, kd_status_name(status), text);
        }
        if (status != KD_OK && (!err.message[0] || !strstr(err.file, cases[i].name)))
            fail_msg("%s: no word of what is wrong", cases[i].name);
        if (result.outcome.records != cases[i].records || result.outcome.rows_bad != cases[i].bad)
            fail_msg("%s: %lld records, %lld bad", cases[i].name, (long long)result.outcome.records,
                     (long long)result.outcome.rows_bad);
        batches += status == KD_OK;
        records += cases[i].records;
        if (number(f, "select count(*) from batch") != batches ||
            number(f, "select count(*) from source_record") != records)
            fail_msg("%s: something else was changed", cases[i].name);
        kd_arena_free(arena);
    }
}

static void other_encodings_and_endless_lines_are_read(void **state)
{
    fixture *f = *state;
    kd_arena *arena = kd_arena_new((size_t)1 << 30);
    kd_import_result result = { 0 };
    kd_error err;
    kd_import_options how = { .feed = KD_STR("test_birth") };
    write_file(f, "gb.csv", gb18030(arena, false));
    if (import_with(f, "gb.csv", how, arena, &result, &err) != KD_OK) tell("gb18030", &err);
    assert_int_equal(result.outcome.encoding, KD_ENCODING_GB18030);
    assert_int_equal(number(f, "select count(*) from source_record where name in ('王明', '王红', '李兰')"), 3);
    /* cut in the middle of a character: that row goes back, the others stay */
    write_file(f, "cut.csv", gb18030(arena, true));
    if (import_with(f, "cut.csv", how, arena, &result, &err) == KD_OK) {
        assert_int_equal(result.outcome.rows_seen, 2);
    } else {
        assert_non_null(strstr(err.file, "cut.csv"));
    }
    int64_t before = number(f, "select count(*) from source_record");
    write_file(f, "long.csv", long_line(arena));
    if (import_with(f, "long.csv", how, arena, &result, &err) != KD_OK) tell("long line", &err);
    assert_int_equal(result.outcome.rows_bad, 1);
    assert_int_equal(result.outcome.records, 2);
    assert_true(result.outcome.bad_rows.len < (size_t)4 * KD_REJECT_RAW_MAX);
    assert_int_equal(number(f, "select count(*) from source_record"), before + 2);
    kd_arena_free(arena);
}

static void write_workbook(const fixture *f, const char *name)
{
    static const char *const rows[][4] = { { "王明", "男", "2020-01-05", "李兰" },
                                           { "王红", "女", "2020-02-30", "钱英" } };
    static const char *const headers[] = { "新生儿姓名", "新生儿性别", "出生日期", "母亲姓名" };
    char path[PATH_BYTES];
    path_in(f, name, path);
    kd_error err = { 0 };
    kd_frame *frame = NULL;
    kd_frame_builder *builder = kd_frame_builder_new(1 << 20);
    for (size_t c = 0; c < 4; c++) {
        size_t column = kd_frame_builder_column(builder, headers[c], KD_TYPE_TEXT);
        for (size_t r = 0; r < 2; r++) kd_frame_builder_text(builder, column, kd_str_of(rows[r][c]));
    }
    if (kd_frame_builder_finish(builder, &frame, &err) != KD_OK) tell("frame", &err);
    kd_frame_builder_free(builder);
    if (kd_frame_write_xlsx(frame, path, "登记", &err) != KD_OK) tell("xlsx", &err);
    kd_frame_free(frame);
}

static void add_part(zip_t *archive, const char *name, const char *bytes, size_t len)
{
    zip_source_t *source = zip_source_buffer(archive, bytes, len, 0);
    assert_non_null(source);
    assert_true(zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8) >= 0);
}

/* A sheet of a few kilobytes that unpacks to a great many bytes. */
static void write_bomb(const fixture *f, const char *name)
{
    enum { BOMB_BYTES = 256 << 20 };
    static const char types[] =
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    static const char relations[] =
        "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
        "<Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" "
        "Target=\"worksheets/sheet1.xml\"/></Relationships>";
    static const char book[] =
        "<?xml version=\"1.0\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
        "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"a\" "
        "sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";
    static const char start[] =
        "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>"
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>新生儿姓名</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>"
        "出生日期</t></is></c><c r=\"C1\" t=\"inlineStr\"><is><t>母亲姓名</t></is></c></row><row r=\"2\"><c r=\"A2\" "
        "t=\"inlineStr\"><is><t>";
    char path[PATH_BYTES];
    path_in(f, name, path);
    char *sheet = malloc(BOMB_BYTES);
    assert_non_null(sheet);
    memset(sheet, 'A', BOMB_BYTES);
    memcpy(sheet, start, sizeof start - 1);
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(archive);
    add_part(archive, "[Content_Types].xml", types, sizeof types - 1);
    add_part(archive, "xl/workbook.xml", book, sizeof book - 1);
    add_part(archive, "xl/_rels/workbook.xml.rels", relations, sizeof relations - 1);
    add_part(archive, "xl/worksheets/sheet1.xml", sheet, BOMB_BYTES);
    assert_int_equal(zip_close(archive), 0);
    free(sheet);
}

static void workbooks_are_read_and_bombs_refused(void **state)
{
    fixture *f = *state;
    kd_arena *arena = kd_arena_new((size_t)1 << 30);
    kd_import_result result = { 0 };
    kd_error err;
    write_workbook(f, "book.xlsx");
    if (import_with(f, "book.xlsx", (kd_import_options){ 0 }, arena, &result, &err) != KD_OK) tell("xlsx", &err);
    assert_int_equal(result.outcome.records, 2);
    assert_int_equal(result.outcome.rows_bad, 1);
    assert_true(kd_str_find(result.outcome.bad_rows, KD_STR("\n3,3,出生日期,reject,没有出生日期,no date of birth,")) >
                0);
    write_bomb(f, "bomb.xlsx");
    uint64_t before = kd_memory_peak_bytes();
    kd_status status = import_with(f, "bomb.xlsx", (kd_import_options){ 0 }, arena, &result, &err);
    assert_true(status == KD_INVALID || status == KD_LIMIT);
    assert_non_null(strstr(err.file, "bomb.xlsx"));
    assert_true(kd_memory_peak_bytes() - before < UINT64_C(256) << 20);
    assert_int_equal(number(f, "select count(*) from batch"), 1);
    kd_arena_free(arena);
}

/* ---- disks, crashes, neighbours ---- */

static void write_big(fixture *f, const char *name, const char *mother)
{
    kd_buf csv;
    kd_buf_init(&csv, 1 << 28);
    kd_buf_cstr(&csv, HEADER);
    for (int i = 0; i < BIG_ROWS; i++) kd_buf_fmt(&csv, "王%d,男,2020-01-05,%s,11010519491231002X,610829\n", i, mother);
    write_file(f, name, kd_buf_view(&csv));
    kd_buf_done(&csv);
}

/* The import in a process of its own: its exit code is the status. */
static pid_t import_apart(fixture *f, const char *name, uint64_t file_bytes_max)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) return child;
    fixture own = *f;
    kd_error err = { 0 };
    if (kd_register_open(own.dir, false, &own.reg, &err) != KD_OK) _exit(99);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = { file_bytes_max, file_bytes_max };
    if (file_bytes_max && setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(98);
    kd_arena *arena = kd_arena_new((size_t)1 << 30);
    kd_import_result result = { 0 };
    kd_status status = import_with(&own, name, (kd_import_options){ .threads = 2 }, arena, &result, &err);
    _exit((int)status + (result.already_imported ? 50 : 0));
}

static int wait_for(pid_t child)
{
    int code = 0;
    assert_int_equal(waitpid(child, &code, 0), child);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -WTERMSIG(code);
}

static void close_register(fixture *f)
{
    kd_register_close(f->reg); /* a connection does not survive a fork */
    f->reg = NULL;
}

static void a_full_disk_leaves_everything_as_it_was(void **state)
{
    fixture *f = *state;
    write_big(f, "big.csv", "李兰");
    close_register(f);
    for (uint64_t limit = 1024; limit <= 256 << 10; limit *= 16) {
        int code = wait_for(import_apart(f, "big.csv", limit));
        /* a server's files are not this process's: there only the archive feels the limit */
        if (code != KD_IO && !(f->postgres && code == KD_OK))
            fail_msg("limit %llu: %d", (unsigned long long)limit, code);
        open_register(f);
        int64_t batches = number(f, "select count(*) from batch");
        assert_int_equal(batches, code == KD_OK ? 1 : 0);
        assert_int_equal(number(f, "select count(*) from source_record"), INT64_C(2) * BIG_ROWS * batches);
        close_register(f);
        if (code == KD_OK) return;
    }
    assert_true(wait_for(import_apart(f, "big.csv", 0)) == KD_OK);
    open_register(f);
    assert_int_equal(number(f, "select count(*) from source_record"), INT64_C(2) * BIG_ROWS);
}

static void two_imports_at_once_are_both_right(void **state)
{
    fixture *f = *state;
    write_big(f, "same.csv", "李兰");
    write_big(f, "other.csv", "钱英");
    close_register(f);
    pid_t first = import_apart(f, "same.csv", 0), second = import_apart(f, "same.csv", 0),
          third = import_apart(f, "other.csv", 0);
    int codes[] = { wait_for(first), wait_for(second), wait_for(third) };
    /* each is imported, told as imported already, or refused whole because another was writing */
    int64_t imported = 0;
    for (size_t i = 0; i < 3; i++) {
        if (codes[i] != KD_OK && codes[i] != KD_CONFLICT && codes[i] != 50) fail_msg("import %zu: %d", i, codes[i]);
        imported += codes[i] == KD_OK;
    }
    assert_true(imported >= 1 && imported <= 2);
    assert_false(codes[0] == KD_OK && codes[1] == KD_OK);
    open_register(f);
    assert_int_equal(number(f, "select count(*) from batch"), imported);
    assert_int_equal(number(f, "select count(*) from source_record"), INT64_C(2) * BIG_ROWS * imported);
}

static void a_killed_import_is_whole_or_absent(void **state)
{
    fixture *f = *state;
    write_big(f, "big.csv", "李兰");
    close_register(f);
    kd_rng rng;
    kd_rng_init(&rng, 5);
    for (int i = 0; i < 12; i++) {
        pid_t child = import_apart(f, "big.csv", 0);
        usleep((useconds_t)kd_rng_below(&rng, 400000));
        kill(child, SIGKILL);
        int code = wait_for(child);
        open_register(f);
        int64_t batches = number(f, "select count(*) from batch");
        assert_true(batches == 0 || batches == 1);
        assert_int_equal(number(f, "select count(*) from source_record"), INT64_C(2) * BIG_ROWS * batches);
        close_register(f);
        if (code == 50) break;
    }
    int code = wait_for(import_apart(f, "big.csv", 0));
    assert_true(code == KD_OK || code == 50);
    open_register(f);
    assert_int_equal(number(f, "select count(*) from source_record"), INT64_C(2) * BIG_ROWS);
}

#define ON_BOTH(test)                                                \
    cmocka_unit_test_setup_teardown(test, set_up_sqlite, tear_down), \
    {                                                                \
#test "_postgresql", test, set_up_postgres, tear_down, NULL  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_file_is_imported_once),
        ON_BOTH(bad_rows_and_the_archive_stand_beside_it),
        ON_BOTH(a_dry_run_changes_nothing),
        ON_BOTH(bad_files_are_told_and_lose_nothing),
        ON_BOTH(other_encodings_and_endless_lines_are_read),
        ON_BOTH(workbooks_are_read_and_bombs_refused),
        ON_BOTH(a_full_disk_leaves_everything_as_it_was),
        ON_BOTH(two_imports_at_once_are_both_right),
        ON_BOTH(a_killed_import_is_whole_or_absent),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
