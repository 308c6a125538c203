#include "exchange/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char birth_pack[] =
    "feed: test_birth\n"
    "version: \"7\"\n"
    "title: {zh: 出生试验, en: Births for a test}\n"
    "supplier: {zh: 卫生, en: Health}\n"
    "records: [child, mother]\n"
    "one_per: child\n"
    "columns:\n"
    "  - {name: 编号, type: text, fills: child.certificate_no}\n"
    "  - {name: 新生儿姓名, aliases: [婴儿姓名], type: name, required: true, fills: child.name}\n"
    "  - {name: 新生儿性别, type: code, codes: sex, fills: child.sex}\n"
    "  - {name: 出生日期, type: date, required: true, fills: child.birth_day}\n"
    "  - {name: 母亲姓名, type: name, required: true, fills: mother.name}\n"
    "  - {name: 母亲身份证号, aliases: [母亲证件号码], type: identity, fills: mother.identity_number}\n"
    "  - {name: 母亲出生日期, type: date, fills: mother.birth_day}\n"
    "  - {name: 联系电话, type: phone, fills: mother.phone}\n"
    "  - {name: 区划, type: division, fills: [child.division, mother.division]}\n"
    "  - {name: 现住址, type: address, fills: [child.address, mother.address]}\n"
    "  - {name: 胎次, type: integer, fills: child.birth_order}\n"
    "  - {name: 签发日期, type: date, fills: [event_day, recorded_day]}\n"
    "  - {name: 出生体重, type: ignore}\n"
    "codes:\n"
    "  sex: {男: 1, 女: 2, A: 1, _: {to: 9, problem: true}}\n"
    "null_texts: [未填]\n"
    "checks:\n"
    "  - {when_empty: child.birth_day, do: reject, zh: 没有出生日期, en: no date of birth}\n"
    "  - {when_after_today: child.birth_day, do: reject, zh: 出生日期在今后, en: born in the future}\n"
    "  - {when_before: {field: mother.birth_day, day: 1900-01-01}, do: warn, zh: 早于1900年, en: before 1900}\n"
    "  - {when_all_empty: [mother.name, mother.identity_number], do: drop_record, zh: 没有母亲, en: no mother}\n"
    "  - {when_identity_bad: mother, do: warn, zh: 身份证号有误, en: bad identity number}\n"
    "  - {when_birth_differs_from_identity: mother, do: warn, zh: 生日不符, en: birth day differs}\n";

static const char marriage_pack[] = "feed: test_marriage\n"
                                    "version: \"1\"\n"
                                    "title: {zh: 婚姻试验, en: Marriages for a test}\n"
                                    "supplier: {zh: 民政, en: Civil affairs}\n"
                                    "records: [husband, wife]\n"
                                    "columns:\n"
                                    "  - {name: 男方姓名, type: name, required: true, fills: husband.name}\n"
                                    "  - {name: 女方姓名, type: name, required: true, fills: wife.name}\n"
                                    "  - {name: 登记日期, type: date, required: true, fills: event_day}\n";

/* The same columns: nothing in a header tells it from marriages. */
static const char verdict_pack[] = "feed: test_verdict\n"
                                   "version: \"1\"\n"
                                   "title: {zh: 判决试验, en: Verdicts for a test}\n"
                                   "supplier: {zh: 法院, en: Court}\n"
                                   "records: [husband, wife]\n"
                                   "columns:\n"
                                   "  - {name: 男方姓名, type: name, required: true, fills: husband.name}\n"
                                   "  - {name: 女方姓名, type: name, required: true, fills: wife.name}\n"
                                   "  - {name: 登记日期, type: date, required: true, fills: event_day}\n";

static const char birth_header[] =
    "编号,新生儿姓名,新生儿性别,出生日期,母亲姓名,母亲身份证号,母亲出生日期,联系电话,区划,现住址,"
    "胎次,签发日期,出生体重\n";

typedef struct {
    char folder[64];
    kd_text *text;
    kd_divisions *divisions;
    kd_feed_packs *packs;
} fixture;
static fixture shared;

static void write_file(const char *name, const char *text, size_t len, char path[128])
{
    kd_error err = { 0 };
    snprintf(path, 128, "%s/%s", shared.folder, name);
    if (kd_file_write(path, (kd_str){ text, len }, &err) != KD_OK) fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    (void)state;
    setenv("KINDRED_NOW", "2026-06-15", 1);
    snprintf(shared.folder, sizeof shared.folder, "/tmp/kindred-exchange-XXXXXX");
    assert_non_null(mkdtemp(shared.folder));
    kd_error err = { 0 };
    if (kd_text_open(&shared.text, &err) != KD_OK) fail_msg("%s", err.message);
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_str divisions, history;
    assert_int_equal(kd_data_path(arena, "packs/cn/shaanxi/yulin/divisions.csv", &divisions, &err), KD_OK);
    assert_int_equal(kd_data_path(arena, "packs/cn/shaanxi/yulin/division_history.csv", &history, &err), KD_OK);
    if (kd_divisions_open(divisions.ptr, history.ptr, &shared.divisions, &err) != KD_OK) fail_msg("%s", err.message);
    kd_arena_free(arena);
    char path[128];
    write_file("birth.yaml", birth_pack, strlen(birth_pack), path);
    write_file("marriage.yaml", marriage_pack, strlen(marriage_pack), path);
    write_file("verdict.yaml", verdict_pack, strlen(verdict_pack), path);
    const char *folders[] = { shared.folder, NULL };
    if (kd_feed_packs_open(folders, false, &shared.packs, &err) != KD_OK) fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = { "birth.yaml", "marriage.yaml", "verdict.yaml", "in.csv", "manifest.yaml" };
    kd_feed_packs_close(shared.packs);
    kd_divisions_close(shared.divisions);
    kd_text_close(shared.text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", shared.folder, names[i]);
        unlink(path);
    }
    return rmdir(shared.folder);
}

/* ---- packs ---- */

#define HEAD "feed: f\nversion: \"1\"\ntitle: {zh: 甲, en: A}\nsupplier: {zh: 乙, en: B}\nrecords: [subject]\n"
#define COLUMN "columns:\n  - {name: 姓名, type: name, required: true, fills: subject.name}\n"

static void pack_errors_name_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t line, column;
        const char *part;
    } cases[] = {
        { "", 1, 1, "empty" },
        { "feed: f\nfeed: g\n", 2, 0, "twice" },
        { "- a\n", 1, 1, "map" },
        { "feed: Bad Name\n", 1, 7, "small letters" },
        { HEAD, 1, 1, "'columns' is missing" },
        { HEAD "colums:\n  - {name: 姓名}\n", 7, 3, "'colums' is not known" },
        { HEAD "columns: 3\n", 6, 10, "list" },
        { HEAD "columns:\n  - {name: 姓名, type: nom, fills: subject.name}\n", 7, 22, "'nom' is not known" },
        { HEAD "columns:\n  - {name: 姓名, type: name}\n", 7, 5, "'fills' is missing" },
        { HEAD "columns:\n  - {name: 姓名, type: name, fills: subject.nam}\n", 7, 35, "'nam' is no canonical field" },
        { HEAD "columns:\n  - {name: 姓名, type: name, fills: mother.name}\n", 7, 35, "'mother' is none of the roles" },
        { HEAD "columns:\n  - {name: 姓名, type: text, fills: subject.name}\n", 7, 35, "cannot fill 'name'" },
        { HEAD "columns:\n  - {name: 姓名, type: name, fills: subject.name}\n", 7, 3, "none is required" },
        { HEAD COLUMN "  - {name: \" 姓 名 \", type: ignore}\n", 8, 12, "already a header of column '姓名'" },
        { HEAD COLUMN "  - {name: 性别, type: code, fills: subject.sex}\n", 8, 5, "'codes' is missing" },
        { HEAD COLUMN "  - {name: 性别, type: code, codes: s, fills: subject.sex}\n", 8, 35, "no map 's'" },
        { HEAD COLUMN "  - {name: 性别, type: code, codes: s, fills: subject.sex}\ncodes: {s: {男: 3}}\n", 8, 45,
          "give '3' to sex" },
        { HEAD COLUMN "  - {name: 族, type: code, codes: s, fills: subject.ethnicity}\ncodes: {s: {汉: 1}}\n", 8, 44,
          "two digits" },
        { HEAD COLUMN "codes: {s: {男: 1, ' 男': 2}}\n", 8, 12, "stands twice" },
        { HEAD COLUMN "checks:\n  - {when_empty: subject.name, zh: 无, en: none}\n", 9, 5, "do:" },
        { HEAD COLUMN "checks:\n  - {when_empty: subject.name, do: reject, zh: 无}\n", 9, 5, "'zh' and 'en'" },
        { HEAD COLUMN "checks:\n  - {do: reject, zh: 无, en: none}\n", 9, 5, "condition is missing" },
        { HEAD COLUMN "checks:\n  - {when_before: {field: subject.birth_day, day: soon}, do: warn, zh: 无, en: n}\n", 9,
          51, "a date such as" },
        { HEAD COLUMN "checks:\n  - {when_after_today: subject.name, do: warn, zh: 无, en: n}\n", 9, 24, "is no day" },
        { HEAD COLUMN "checks:\n  - {when_identity_bad: wife, do: warn, zh: 无, en: n}\n", 9, 25, "one of the roles" },
        { HEAD COLUMN "one_per: mother\n", 8, 10, "one_per" },
        { "feed: f\nversion: \"1\"\ntitle: {zh: 甲, en: A}\nsupplier: {zh: 乙, en: B}\nrecords: [aunt]\n", 5, 11,
          "'aunt' is no role" },
        { "feed: f\nversion: \"1\"\ntitle: {zh: 甲}\n", 3, 8, "'en' is missing" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_feed_pack *pack = NULL;
        kd_error err = { 0 };
        if (kd_feed_pack_parse(kd_str_of(cases[i].text), "p.yaml", &pack, &err) != KD_INVALID || pack)
            fail_msg("case %zu is taken", i);
        if (err.line != cases[i].line || (cases[i].column && err.column != cases[i].column) ||
            !strstr(err.message, cases[i].part))
            fail_msg("case %zu: %llu:%llu: %s", i, (unsigned long long)err.line, (unsigned long long)err.column,
                     err.message);
        assert_string_equal(err.file, "p.yaml");
    }
}

static void packs_tell_their_facts(void **state)
{
    (void)state;
    const kd_feed_pack *pack = kd_feed_packs_find(shared.packs, KD_STR("test_birth"));
    assert_non_null(pack);
    kd_feed_info info = kd_feed_pack_info(pack);
    assert_true(kd_str_is(info.version, "7"));
    assert_true(kd_str_is(info.title_zh, "出生试验"));
    assert_int_equal(info.record_count, 2);
    assert_int_equal(info.records[1], KD_ROLE_MOTHER);
    assert_int_equal(info.one_per, 0);
    assert_int_equal(info.columns, 13);
    assert_int_equal(info.required_columns, 3);
    assert_int_equal(kd_feed_packs_count(shared.packs), 3);
    assert_null(kd_feed_packs_find(shared.packs, KD_STR("none")));
}

static void a_later_folder_stands_in_for_an_earlier_one(void **state)
{
    (void)state;
    static const char own[] = "feed: birth_certificate\nversion: \"own\"\ntitle: {zh: 甲, en: A}\n"
                              "supplier: {zh: 乙, en: B}\nrecords: [child]\n"
                              "columns:\n  - {name: 姓名, type: name, required: true, fills: child.name}\n";
    static const char config[] = "database: register.db\npacks: own\n";
    char folder[128], path[128];
    kd_error err = { 0 };
    snprintf(folder, sizeof folder, "%s/own", shared.folder);
    assert_int_equal(kd_dir_make(folder, &err), KD_OK);
    write_file("own/birth.yaml", own, strlen(own), path);
    write_file("kindred.yaml", config, strlen(config), path);
    kd_feed_packs *packs = NULL;
    if (kd_feed_packs_of_register(shared.folder, NULL, &packs, &err) != KD_OK) fail_msg("%s", err.message);
    const kd_feed_pack *pack = kd_feed_packs_find(packs, KD_STR("birth_certificate"));
    assert_true(kd_str_is(kd_feed_pack_info(pack).version, "own"));
    assert_non_null(kd_feed_packs_find(packs, KD_STR("marriage")));
    kd_feed_packs_close(packs);
    /* two of one folder are a mistake */
    write_file("own/twice.yaml", own, strlen(own), path);
    packs = NULL;
    assert_int_equal(kd_feed_packs_of_register(shared.folder, NULL, &packs, &err), KD_INVALID);
    assert_null(packs);
    assert_non_null(strstr(err.message, "described twice"));
    assert_non_null(strstr(err.file, "twice.yaml"));
    static const char *const names[] = { "own/twice.yaml", "own/birth.yaml", "kindred.yaml" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", shared.folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* ---- recognising ---- */

static kd_status recognise(const char *feed, const char *header, const kd_feed_pack **out_pack, kd_error *err)
{
    kd_str headers[32], rest = kd_str_of(header);
    size_t count = 0;
    while (count < 32 && kd_str_next(&rest, ',', &headers[count])) count++;
    return kd_feed_recognise(shared.packs, kd_str_of(feed), headers, count, "in.csv", out_pack, err);
}

static void headers_are_recognised_however_they_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *feed, *header, *found, *part, *hint;
    } cases[] = {
        { "", "新生儿姓名,出生日期,母亲姓名", "test_birth", NULL, NULL },
        { "", "母亲姓名,多余,出生日期,婴儿姓名", "test_birth", NULL, NULL },
        { "", " 新生儿 姓名*,出生日期（必填）,【母亲姓名】", "test_birth", NULL, NULL },
        { "test_marriage", "男方姓名,女方姓名,登记日期(年月日)", "test_marriage", NULL, NULL },
        { "test_birth", "新生儿姓名,出生日期,母亲姓名", "test_birth", NULL, NULL },
        { "test_birth", "男方姓名,女方姓名,登记日期", NULL, "'新生儿姓名', '出生日期', '母亲姓名'",
          "--feed test_marriage" },
        { "test_birth", "新生儿姓名,出生日期", NULL, "'母亲姓名'", "新生儿姓名 | 出生日期" },
        { "test_birth", "新生儿姓名,出生日期,母亲姓名,婴儿姓名", NULL, "columns 1 and 4", "" },
        { "", "新生儿姓名,出生日期", NULL, "feed 'test_birth' needs: '母亲姓名'", "" },
        { "", "甲,乙", NULL, "no known feed", "甲 | 乙" },
        { "", "男方姓名,女方姓名,登记日期", NULL, "feed 'test_marriage' and feed 'test_verdict' alike", "--feed" },
        { "no_such", "新生儿姓名", NULL, "no feed is called 'no_such'", "--list-feeds" },
        { "test_marriage",
          "男方姓名,女方姓名,登记日期,新生儿姓名,新生儿性别,出生日期,母亲姓名,母亲身份证号,母亲出生日期,联系电话,"
          "区划,现住址,胎次,签发日期,出生体重,编号",
          NULL, "hardly a file of feed 'test_marriage'", "--feed test_birth" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kd_feed_pack *pack = NULL;
        kd_error err = { 0 };
        kd_status status = recognise(cases[i].feed, cases[i].header, &pack, &err);
        if (cases[i].found) {
            if (status != KD_OK) fail_msg("case %zu: %s", i, err.message);
            assert_true(kd_str_is(kd_feed_pack_info(pack).feed, cases[i].found));
            continue;
        }
        if (status == KD_OK || pack) fail_msg("case %zu is taken", i);
        if (!strstr(err.message, cases[i].part) || !strstr(err.hint, cases[i].hint))
            fail_msg("case %zu: %s (%s)", i, err.message, err.hint);
    }
}

/* ---- values ---- */

typedef struct {
    kd_buf text;
    size_t count;
} told;

static void tell_text(kd_buf *out, const char *name, kd_str text)
{
    if (text.len) kd_buf_fmt(out, " %s=%.*s", name, KD_FMT(text));
}

static void tell_day(kd_buf *out, const char *name, int32_t day)
{
    char buf[16];
    if (day != KD_DAY_NONE) kd_buf_fmt(out, " %s=%s", name, kd_day_format(day, buf));
}

/* "child name=… sex=1 …; " for each record, in the order of the row. */
static kd_status tell(void *ctx, kd_source_record *records, size_t count, kd_error *err)
{
    (void)err;
    told *t = ctx;
    for (size_t i = 0; i < count; i++, t->count++) {
        const kd_source_record *r = &records[i];
        kd_buf *out = &t->text;
        kd_buf_fmt(out, "%lld %s", (long long)r->row_no, kd_role_name(r->role));
        tell_text(out, "name", r->name);
        tell_text(out, "written", r->name_written);
        if (r->sex >= 0) kd_buf_fmt(out, " sex=%d", r->sex);
        tell_day(out, "born", r->birth_day);
        if (r->birth_kind) kd_buf_fmt(out, "~%d", r->birth_kind);
        tell_text(out, "id", r->identity_number);
        if (r->identity_kind) kd_buf_fmt(out, "~%d", r->identity_kind);
        tell_text(out, "phone", r->phone);
        if (r->division) kd_buf_fmt(out, " at=%lld", (long long)r->division);
        tell_text(out, "address", r->address);
        tell_text(out, "certificate", r->certificate_no);
        if (r->birth_order) kd_buf_fmt(out, " order=%d", r->birth_order);
        tell_day(out, "event", r->event_day);
        tell_day(out, "recorded", r->recorded_day);
        kd_buf_cstr(out, "; ");
    }
    return KD_OK;
}

typedef struct {
    told records;
    kd_feed_outcome outcome;
    kd_arena *arena;
} reading;

static kd_status read_csv(kd_str csv, unsigned threads, size_t arena_bytes, reading *out, kd_error *err)
{
    char path[128];
    write_file("in.csv", csv.ptr, csv.len, path);
    *out = (reading){ .arena = kd_arena_new(arena_bytes) };
    kd_buf_init(&out->records.text, SIZE_MAX);
    kd_feed_read_options options = { .text = shared.text,
                                     .divisions = shared.divisions,
                                     .division = 610829000000,
                                     .today = KD_DAY_NONE,
                                     .threads = threads };
    const kd_feed_pack *pack = kd_feed_packs_find(shared.packs, KD_STR("test_birth"));
    return kd_feed_read(pack, path, &options, tell, &out->records, out->arena, &out->outcome, err);
}

static void reading_done(reading *r)
{
    kd_buf_done(&r->records.text);
    kd_arena_free(r->arena);
}

static void values_of_every_type_are_converted(void **state)
{
    (void)state;
    static const struct {
        const char *row, *records, *problem;
    } cases[] = {
        { ",王小明,男,2020-1-5,李兰,,,,,,,,", "1 child name=王小明 sex=1 born=2020-01-05; 1 mother name=李兰; ", NULL },
        /* names: folded, what was written kept; a placeholder names nobody but tells the sex */
        { ",王　小明,女,2020-01-05,/,,,,,,,,", "1 child name=王小明 written=王　小明 sex=2 born=2020-01-05; ", NULL },
        { ",李兰之子,,2020-01-05,李兰,,,,,,,,", "1 child written=李兰之子 sex=1 born=2020-01-05; 1 mother name=李兰; ",
          NULL },
        { ",李兰之女,男,2020-01-05,无,,,,,,,,", "1 child written=李兰之女 sex=1 born=2020-01-05; ", NULL },
        /* codes: listed, folded, any other */
        { ",王明,a,2020-01-05,,,,,,,,,", "1 child name=王明 sex=1 born=2020-01-05; ", NULL },
        { ",王明,Ａ ,2020-01-05,,,,,,,,,", "1 child name=王明 sex=1 born=2020-01-05; ", NULL },
        { ",王明,公,2020-01-05,,,,,,,,,", "1 child name=王明 sex=9 born=2020-01-05; ",
          "the pack's codes do not have this text" },
        { ",王明,未填,2020-01-05,不详,,,,,,,,—", "1 child name=王明 born=2020-01-05; ", NULL },
        /* dates */
        { ",王明,男,20200105,,,,,,,,2020年2月,",
          "1 child name=王明 sex=1 born=2020-01-05 event=2020-02-01 recorded=2020-02-01; ", NULL },
        { ",王明,男,2020年,,,,,,,,,", "1 child name=王明 sex=1 born=2020-01-01~3; ", NULL },
        { ",王明,男,农历二〇二〇年腊月初八,,,,,,,,,", "1 child name=王明 sex=1 born=2021-01-20; ", NULL },
        { ",王明,男,2020-01-05,,,,,,,,2020-02-30,", "1 child name=王明 sex=1 born=2020-01-05; ",
          "there is no such day" },
        { ",王明,男,2020-01-05,,,,,,,,前年,", "1 child name=王明 sex=1 born=2020-01-05; ", "the date cannot be read" },
        { ",王明,男,,李兰,,,,,,,,", "", "no date of birth" },
        { ",王明,男,2026-06-16,李兰,,,,,,,,", "", "born in the future" },
        /* identity numbers of both lengths; what cannot be right is kept and marked */
        { ",王明,男,2020-01-05,李兰,61272919900307002X,,,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; 1 mother name=李兰 id=61272919900307002X~3; ",
          "bad identity number" },
        { ",王明,男,2020-01-05,李兰,11010519491231002x,,,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; 1 mother name=李兰 id=11010519491231002X; ", NULL },
        { ",王明,男,2020-01-05,,110105491231002,,,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; 1 mother id=11010519491231002X~2; ", NULL },
        { ",王明,男,2020-01-05,李兰,11010519491231002X,1949-12-30,,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; 1 mother name=李兰 born=1949-12-30 id=11010519491231002X; ",
          "birth day differs" },
        { ",王明,男,2020-01-05,李兰,,1899-12-31,,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; 1 mother name=李兰 born=1899-12-31; ", "before 1900" },
        /* phones, numbers of papers, whole numbers */
        { ",王明,男,2020-01-05,李兰,,,+86 139-1234-5678,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; 1 mother name=李兰 phone=13912345678; ", NULL },
        { ",王明,男,2020-01-05,李兰,,,12,,,,,", "1 child name=王明 sex=1 born=2020-01-05; 1 mother name=李兰; ",
          "this is no usable phone number" },
        { "ｇ 610 001,王明,男,2020-01-05,,,,,,,,,", "1 child name=王明 sex=1 born=2020-01-05 certificate=G610001; ",
          NULL },
        { "\"=\"\"007\"\"\",王明,男,2020-01-05,,,,,,,2,,",
          "1 child name=王明 sex=1 born=2020-01-05 certificate=007 order=2; ", NULL },
        { "=SUM(A1),王明,男,2020-01-05,,,,,,,,,", "1 child name=王明 sex=1 born=2020-01-05; ",
          "a formula stands where a value is expected" },
        { "'0071,王明,男,2020-01-05,,,,,,,0,,", "1 child name=王明 sex=1 born=2020-01-05 certificate=0071; ",
          "a whole number from 1 to 99 is expected" },
        { "a\x01"
          "b,王明,男,2020-01-05,,,,,,,,,",
          "1 child name=王明 sex=1 born=2020-01-05; ", "the value holds control characters" },
        /* divisions */
        { ",王明,男,2020-01-05,,,,,610829,,,,", "1 child name=王明 sex=1 born=2020-01-05 at=610829000000; ", NULL },
        { ",王明,男,2020-01-05,,,,,610829999,,,,", "1 child name=王明 sex=1 born=2020-01-05 at=610829000000; ",
          "the division code is unknown: the area above it is taken" },
        { ",王明,男,2020-01-05,,,,,410122001002,,,,", "1 child name=王明 sex=1 born=2020-01-05 at=410122000000; ",
          NULL },
        { ",王明,男,2020-01-05,,,,,610102,,,,", "1 child name=王明 sex=1 born=2020-01-05 at=610102000000; ", NULL },
        { ",王明,男,2020-01-05,,,,,990101,,,,", "1 child name=王明 sex=1 born=2020-01-05; ",
          "no such division is known" },
        /* nobody */
        { ",/,男,,无,,,,610829,,,,", "", "no date of birth" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_buf csv;
        kd_buf_init(&csv, 1 << 16);
        kd_buf_fmt(&csv, "%s%s\n", birth_header, cases[i].row);
        reading r;
        kd_error err = { 0 };
        if (read_csv(kd_buf_view(&csv), 1, 1 << 24, &r, &err) != KD_OK) fail_msg("case %zu: %s", i, err.message);
        kd_buf_char(&r.records.text, '\0');
        if (strcmp(r.records.text.ptr, cases[i].records) != 0) fail_msg("case %zu: %s", i, r.records.text.ptr);
        assert_int_equal(r.outcome.problem_count, cases[i].problem ? 1 : 0);
        if (cases[i].problem && !kd_str_is(r.outcome.problems[0].en, cases[i].problem))
            fail_msg("case %zu: %.*s", i, KD_FMT(r.outcome.problems[0].en));
        assert_int_equal(r.outcome.rows_bad, cases[i].records[0] ? 0 : 1);
        reading_done(&r);
        kd_buf_done(&csv);
    }
}

static void addresses_deepen_the_division_and_never_contradict_it(void **state)
{
    (void)state;
    const kd_division *village = NULL;
    for (size_t i = 0; i < kd_divisions_count(shared.divisions) && !village; i++) {
        const kd_division *at = kd_divisions_at(shared.divisions, i);
        if (at->level == KD_LEVEL_VILLAGE && kd_division_within(at->code, 610829000000)) village = at;
    }
    if (!village) {
        fail_msg("no village stands in the county");
        return;
    }
    char name[256];
    size_t len = kd_division_full_name(shared.divisions, village->code, name, sizeof name);
    static const struct {
        const char *division;
        bool is_village;
    } cases[] = { { "", true }, { "610829", true }, { "610802", false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_buf csv, wanted;
        kd_buf_init(&csv, 1 << 16);
        kd_buf_init(&wanted, 1 << 16);
        kd_buf_fmt(&csv, "%s,王明,男,2020-01-05,,,,,%s,%.*s12号,,,\n", birth_header, cases[i].division, (int)len, name);
        kd_buf_fmt(&wanted, " at=%lld ", (long long)(cases[i].is_village ? village->code : 610802000000));
        reading r;
        kd_error err = { 0 };
        assert_int_equal(read_csv(kd_buf_view(&csv), 1, 1 << 24, &r, &err), KD_OK);
        if (kd_str_find(kd_buf_view(&r.records.text), kd_buf_view(&wanted)) < 0)
            fail_msg("case %zu: %.*s", i, KD_FMT(kd_buf_view(&r.records.text)));
        reading_done(&r);
        kd_buf_done(&wanted);
        kd_buf_done(&csv);
    }
}

static void bad_rows_are_handed_back_as_they_stood(void **state)
{
    (void)state;
    static const char csv[] = "新生儿姓名,出生日期,母亲姓名,签发日期,备注\n"
                              "王明,2020-01-05,李兰,2020-01-09,\n"
                              "赵大,2020-02-30,李兰,某日,\"a,b\"\n"
                              "=王,2020-01-05\n"
                              "王红,2020-03-01,李兰,2020-13-01,\"两\n行\"\n"
                              "=1+1,2020-01-05,李兰,2020-01-09,x\n";
    reading r;
    kd_error err = { 0 };
    assert_int_equal(read_csv(kd_str_of(csv), 2, 1 << 24, &r, &err), KD_OK);
    assert_int_equal(r.outcome.rows_seen, 5);
    assert_int_equal(r.outcome.rows_bad, 2);
    assert_int_equal(r.outcome.records, 6);
    kd_str rows = kd_arena_fmt(r.arena, "%.*s", KD_FMT(r.outcome.bad_rows));
    static const char *const parts[] = {
        "\xEF\xBB\xBF行号 line,列号 column,列名 name,类别 kind,原因,reason,原文 row\n3,",
        "3,2,出生日期,problem,没有这一天,there is no such day,\"赵大,2020-02-30,李兰,某日,\"\"a,b\"\"\"\n",
        "3,4,签发日期,problem,日期无法读取,the date cannot be read,",
        "3,2,出生日期,reject,没有出生日期,no date of birth,",
        "\n4,",
        "\n5,4,签发日期,problem,没有这一天,there is no such day,\"王红,2020-03-01,李兰,2020-13-01,\"\"两\n行\"\"\"\n",
        "\n7,1,新生儿姓名,problem,单元格是公式，不是内容,a formula stands where a value is expected,\"'=1+1,2020-01-05,",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (kd_str_find(rows, kd_str_of(parts[i])) < 0) fail_msg("'%s' is not in\n%s", parts[i], rows.ptr);
    /* the column that the pack does not know is told, not refused */
    assert_int_equal(r.outcome.column_count, 5);
    assert_int_equal(r.outcome.columns[4].column.len, 0);
    assert_true(kd_str_is(r.outcome.columns[3].fills, "event_day, recorded_day"));
    reading_done(&r);
}

/* ---- many rows ---- */

static const char *any(kd_rng *rng, const char *const *texts, size_t count)
{
    return texts[kd_rng_below(rng, count)];
}
#define ANY(texts) any(rng, texts, sizeof(texts) / sizeof(texts)[0])

static void random_row(kd_rng *rng, kd_buf *out)
{
    static const char *const names[] = { "王明", "李　红", "张伟", "赵某之女", "无", "阿依古丽·买买提",
                                         "",     "欧阳春", "=1" };
    static const char *const sexes[] = { "男", "女", "a", "?", "" };
    static const char *const days[] = { "2020-01-05", "20190301",  "2020-02-30", "2031-01-01",
                                        "",           "2018年3月", "1988/5/6" };
    static const char *const numbers[] = { "", "11010519491231002X", "110105491231002", "123", "610829199001011234" };
    static const char *const areas[] = { "", "610829", "610829999", "吴堡县", "612729", "火星" };
    static const char *const places[] = { "", "陕西省榆林市吴堡县宋家川街道", "榆林吴堡", "北京市" };
    kd_buf_fmt(out, "N%llu,%s,%s,%s,%s,%s,%s,1391234%04llu,%s,%s,%llu,%s,%llu\n",
               (unsigned long long)kd_rng_below(rng, 50), ANY(names), ANY(sexes), ANY(days), ANY(names), ANY(numbers),
               ANY(days), (unsigned long long)kd_rng_below(rng, 10000), ANY(areas), ANY(places),
               (unsigned long long)kd_rng_below(rng, 3), ANY(days), (unsigned long long)kd_rng_below(rng, 5000));
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 7);
    kd_buf csv;
    kd_buf_init(&csv, 1 << 28);
    kd_buf_cstr(&csv, birth_header);
    for (int i = 0; i < 30000; i++) random_row(&rng, &csv);
    reading first;
    kd_error err = { 0 };
    assert_int_equal(read_csv(kd_buf_view(&csv), 1, SIZE_MAX, &first, &err), KD_OK);
    assert_int_equal(first.outcome.rows_seen, 30000);
    assert_true(first.outcome.rows_bad > 100 && first.outcome.records > 1000);
    for (unsigned threads = 2; threads <= 5; threads++) {
        reading r;
        assert_int_equal(read_csv(kd_buf_view(&csv), threads, SIZE_MAX, &r, &err), KD_OK);
        assert_true(kd_str_eq(kd_buf_view(&first.records.text), kd_buf_view(&r.records.text)));
        assert_true(kd_str_eq(first.outcome.bad_rows, r.outcome.bad_rows));
        assert_int_equal(first.outcome.rows_bad, r.outcome.rows_bad);
        reading_done(&r);
    }
    reading_done(&first);
    kd_buf_done(&csv);
}

/* The twin: each row in a file of its own, so that nothing remembered can be used. */
static void remembered_values_are_those_read_afresh(void **state)
{
    (void)state;
    enum { ROWS = 400 };
    kd_rng rng;
    kd_rng_init(&rng, 11);
    kd_buf all, one, alone;
    kd_buf_init(&all, 1 << 24);
    kd_buf_init(&one, 1 << 16);
    kd_buf_init(&alone, 1 << 24);
    kd_buf_cstr(&all, birth_header);
    kd_error err = { 0 };
    for (int i = 0; i < ROWS; i++) {
        kd_buf_clear(&one);
        kd_buf_cstr(&one, birth_header);
        size_t start = one.len;
        random_row(&rng, &one);
        kd_buf_add(&all, one.ptr + start, one.len - start);
        reading r;
        assert_int_equal(read_csv(kd_buf_view(&one), 1, 1 << 24, &r, &err), KD_OK);
        kd_str rest = kd_buf_view(&r.records.text), record;
        while (rest.len && kd_str_next(&rest, ';', &record) && record.len > 2)
            kd_buf_fmt(&alone, "%.*s;", KD_FMT(kd_str_sub(record, record.ptr[0] == ' ' ? 3 : 2, record.len)));
        reading_done(&r);
    }
    reading r;
    assert_int_equal(read_csv(kd_buf_view(&all), 1, 1 << 28, &r, &err), KD_OK);
    kd_buf together;
    kd_buf_init(&together, 1 << 24);
    kd_str rest = kd_buf_view(&r.records.text), record;
    while (rest.len && kd_str_next(&rest, ';', &record) && record.len > 2) {
        kd_str trimmed = kd_str_trim(record);
        kd_str row;
        assert_true(kd_str_next(&trimmed, ' ', &row));
        kd_buf_fmt(&together, "%.*s;", KD_FMT(trimmed));
    }
    assert_true(r.records.count > ROWS / 2);
    assert_true(kd_str_eq(kd_buf_view(&alone), kd_buf_view(&together)));
    reading_done(&r);
    kd_buf_done(&together);
    kd_buf_done(&alone);
    kd_buf_done(&one);
    kd_buf_done(&all);
}

static void a_full_arena_is_told_at_every_limit(void **state)
{
    (void)state;
    static const char row[] = ",王明,公,2020-01-05,李兰,123,,12,,,,2020-02-30,\n";
    kd_buf csv;
    kd_buf_init(&csv, 1 << 16);
    kd_buf_fmt(&csv, "%s%s", birth_header, row);
    bool is_done = false;
    for (size_t limit = 0; !is_done; limit += 64) {
        assert_true(limit < 1 << 20);
        reading r;
        kd_error err = { 0 };
        kd_status status = read_csv(kd_buf_view(&csv), 1, limit, &r, &err);
        is_done = status == KD_OK;
        if (!is_done && (status != KD_LIMIT || err.status != KD_LIMIT || r.outcome.rows_seen != 0))
            fail_msg("%zu bytes: %d %s", limit, (int)status, err.message);
        reading_done(&r);
    }
    kd_buf_done(&csv);
}

static kd_status stop_at_once(void *ctx, kd_source_record *records, size_t count, kd_error *err)
{
    (void)records;
    (void)count;
    (*(int *)ctx)++;
    return kd_fail(err, KD_IO, "", "the disk is gone");
}

static void the_first_failure_of_the_sink_is_told_and_ends_the_work(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 3);
    kd_buf csv;
    kd_buf_init(&csv, 1 << 28);
    kd_buf_cstr(&csv, birth_header);
    for (int i = 0; i < 20000; i++) random_row(&rng, &csv);
    char path[128];
    write_file("in.csv", csv.ptr, csv.len, path);
    kd_arena *arena = kd_arena_new(1 << 28);
    kd_feed_read_options options = {
        .text = shared.text, .divisions = shared.divisions, .today = KD_DAY_NONE, .threads = 4
    };
    kd_feed_outcome outcome = { .records = -1 };
    kd_error err = { 0 };
    int calls = 0;
    const kd_feed_pack *pack = kd_feed_packs_find(shared.packs, KD_STR("test_birth"));
    assert_int_equal(kd_feed_read(pack, path, &options, stop_at_once, &calls, arena, &outcome, &err), KD_IO);
    assert_string_equal(err.message, "the disk is gone");
    assert_int_equal(calls, 1);
    assert_int_equal(outcome.records, -1);
    int cancelled = 1;
    kd_progress progress = { .cancelled = &cancelled };
    options.progress = &progress;
    assert_int_equal(kd_feed_read(pack, path, &options, stop_at_once, &calls, arena, &outcome, &err), KD_CANCELLED);
    assert_int_equal(calls, 1);
    kd_arena_free(arena);
    kd_buf_done(&csv);
}

static void manifests_are_read_beside_themselves(void **state)
{
    (void)state;
    static const char text[] = "seed: 5\ndivision: 610829\nas_of: 2026-01-01\nfeeds:\n"
                               "  - {file: a.csv, feed: test_birth, rows: 3}\n"
                               "  - {file: /b.csv, division: 610802000000, as_of: 2025-12-31}\n"
                               "  - c.csv\n";
    char path[128];
    write_file("manifest.yaml", text, strlen(text), path);
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_manifest manifest;
    kd_error err = { 0 };
    assert_int_equal(kd_manifest_load(arena, path, &manifest, &err), KD_OK);
    assert_int_equal(manifest.count, 3);
    assert_true(kd_str_starts(manifest.files[0].path, kd_str_of(shared.folder)));
    assert_true(kd_str_ends(manifest.files[2].path, KD_STR("/c.csv")));
    assert_true(kd_str_is(manifest.files[1].path, "/b.csv"));
    assert_true(kd_str_is(manifest.files[0].feed, "test_birth"));
    assert_true(manifest.files[0].division == 610829000000 && manifest.files[1].division == 610802000000);
    char day[16];
    assert_string_equal(kd_day_format(manifest.files[1].as_of_day, day), "2025-12-31");
    assert_string_equal(kd_day_format(manifest.files[2].as_of_day, day), "2026-01-01");
    static const struct {
        const char *text;
        uint64_t line;
    } wrong[] = {
        { "a: 1\n", 1 }, { "feeds:\n  - {feed: x}\n", 2 }, { "feeds: []\n", 1 }, { "feeds: [a]\nas_of: now\n", 2 }
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_file("manifest.yaml", wrong[i].text, strlen(wrong[i].text), path);
        assert_int_equal(kd_manifest_load(arena, path, &manifest, &err), KD_INVALID);
        assert_int_equal(err.line, wrong[i].line);
        assert_int_equal(manifest.count, 3);
    }
    kd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pack_errors_name_line_and_column),
        cmocka_unit_test(packs_tell_their_facts),
        cmocka_unit_test(a_later_folder_stands_in_for_an_earlier_one),
        cmocka_unit_test(headers_are_recognised_however_they_are_written),
        cmocka_unit_test(values_of_every_type_are_converted),
        cmocka_unit_test(addresses_deepen_the_division_and_never_contradict_it),
        cmocka_unit_test(bad_rows_are_handed_back_as_they_stood),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(remembered_values_are_those_read_afresh),
        cmocka_unit_test(a_full_arena_is_told_at_every_limit),
        cmocka_unit_test(the_first_failure_of_the_sink_is_told_and_ends_the_work),
        cmocka_unit_test(manifests_are_read_beside_themselves),
    };
    return cmocka_run_group_tests_name("exchange", tests, set_up, tear_down);
}
