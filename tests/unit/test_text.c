#include "base/base.h"
#include "text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static kd_text *text;

static int open_text(void **state)
{
    (void)state;
    kd_error err;
    return kd_text_open(&text, &err) == KD_OK ? 0 : -1;
}

static int close_text(void **state)
{
    (void)state;
    kd_text_close(text);
    return 0;
}

static uint32_t first_char(const char *written)
{
    size_t at = 0;
    return kd_utf8_next(kd_str_of(written), &at);
}

/* ---- UTF-8 ---- */

/* The slow twin: decodes by arithmetic and asks afterwards whether the form was the shortest. */
static uint32_t decode_slowly(const unsigned char *bytes, size_t left, size_t *out_used)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t need = bytes[0] < 0x80   ? 1
                  : bytes[0] < 0xC0 ? 0
                  : bytes[0] < 0xE0 ? 2
                  : bytes[0] < 0xF0 ? 3
                  : bytes[0] < 0xF8 ? 4
                                    : 0;
    *out_used = 1;
    if (need == 0 || need > left) return 0xFFFD;
    uint32_t code = need == 1 ? bytes[0] : bytes[0] & (0xFFu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0xFFFD;
        code = code << 6 | (bytes[i] & 0x3Fu);
    }
    if (code < least[need] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0xFFFD;
    *out_used = need;
    return code;
}

static void utf8_decoding_agrees_with_a_slow_twin(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 1);
    static const unsigned char likely[] = { 0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE4,
                                            0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF, 0x9F, 0xA0, 0x8F, 0x90 };
    for (int round = 0; round < 200000; round++) {
        size_t len = 1 + kd_rng_below(&rng, 8);
        unsigned char *bytes = malloc(len); /* its own block, so that reading past it is seen */
        assert_non_null(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = round % 2 ? likely[kd_rng_below(&rng, sizeof likely)] : (unsigned char)kd_rng_next(&rng);
        bool is_valid = true;
        for (size_t at = 0; at < len;) {
            size_t used, before = at;
            uint32_t expected = decode_slowly(bytes + at, len - at, &used);
            assert_int_equal(kd_utf8_next((kd_str){ (char *)bytes, len }, &at), expected);
            assert_int_equal(at - before, used);
            is_valid &= expected != 0xFFFD || used == 3;
        }
        assert_int_equal(kd_utf8_is_valid((kd_str){ (char *)bytes, len }), is_valid);
        free(bytes);
    }
}

static void every_code_point_survives_encoding(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        char bytes[4];
        size_t len = kd_utf8_encode(c, bytes), at = 0;
        bool is_scalar = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        assert_int_equal(len > 0, is_scalar);
        if (len && (kd_utf8_next((kd_str){ bytes, len }, &at) != c || at != len)) fail_msg("U+%04X", c);
    }
    size_t at = 0;
    assert_int_equal(kd_utf8_next((kd_str){ NULL, 0 }, &at), 0xFFFD);
}

/* ---- characters ---- */

static void forms_of_one_character_fold_together(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "張", "张" },
        { "劉", "刘" },
        { "閆", "闫" },
        { "閻", "阎" },
        { "蕭", "萧" },
        { "偉", "伟" },
        { "呂", "吕" },
        { "黃", "黄" },
        { "産", "产" },
        { "產", "产" },
        { "髙", "高" },
        { "眞", "真" },
        { "栄", "荣" },
        { "峯", "峰" },
        { "羣", "群" },
        { "Ａ", "A" },
        { "ｚ", "Z" },
        { "a", "A" },
        { "９", "9" },
        { "　", " " },
        { "（", "(" },
        { "\xEF\xA4\x8A", "金" } /* U+F90A, a compatibility form */,
        { "\xEE\xA1\xA3", "\xE4\xB6\xAE" } /* U+E863, where older fonts keep 䶮 */,
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(kd_fold_char(text, first_char(cases[i][0])), first_char(cases[i][1]));
}

static void distinct_characters_stay_distinct(void **state)
{
    (void)state;
    static const char *const kept[] = { "肖", "付", "傅", "代", "戴", "闫", "阎", "锺", "钟", "乾", "於",
                                        "著", "祐", "昇", "喆", "堃", "淼", "凃", "涂", "珮", "A",  "7" };
    for (size_t i = 0; i < COUNT(kept); i++)
        assert_int_equal(kd_fold_char(text, first_char(kept[i])), first_char(kept[i]));
    assert_int_equal(kd_fold_char(text, 0x10FFFF), 0x10FFFF);
    for (uint32_t c = 0; c <= 0x2FFFF; c++) { /* folding once is folding for good */
        uint32_t once = kd_fold_char(text, c);
        if (kd_fold_char(text, once) != once) fail_msg("U+%04X folds to U+%04X, which folds on", c, once);
    }
}

static void surnames_have_their_own_readings(void **state)
{
    (void)state;
    static const struct {
        const char *surname, *as_surname, *ordinary;
    } cases[] = { { "单", "shan", "dan" },  { "仇", "qiu", "chou" }, { "解", "xie", "jie" },
                  { "曾", "zeng", "ceng" }, { "任", "ren", "ren" },  { "区", "ou", "qu" },
                  { "查", "zha", "cha" },   { "吕", "lv", "lv" },    { "張", "zhang", "zhang" } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t c = first_char(cases[i].surname);
        assert_string_equal(kd_syllable_name(text, kd_syllable_surname(text, c)), cases[i].as_surname);
        if (c != first_char("曾")) assert_string_equal(kd_syllable_name(text, kd_syllable(text, c)), cases[i].ordinary);
    }
    assert_int_equal(kd_syllable(text, 'A'), 0);
    assert_string_equal(kd_syllable_name(text, 0), "");
    assert_string_equal(kd_syllable_name(text, 511), "");
}

static uint16_t syllable_of(const char *written)
{
    return kd_syllable(text, first_char(written));
}

static void dialect_mergers_sound_alike(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        uint8_t least, most;
    } cases[] = { { "张", "张", 255, 255 }, { "张", "章", 255, 255 }, { "金", "京", 235, 254 },
                  { "陈", "程", 235, 254 }, { "张", "脏", 225, 254 }, { "石", "斯", 225, 254 },
                  { "李", "尼", 215, 254 }, { "胡", "福", 225, 254 }, { "春", "冲", 215, 254 },
                  { "君", "炯", 225, 254 }, { "王", "李", 0, 60 },    { "张", "马", 0, 60 },
                  { "刘", "牛", 215, 254 } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t likeness = kd_syllable_likeness(text, syllable_of(cases[i].a), syllable_of(cases[i].b));
        if (likeness < cases[i].least || likeness > cases[i].most)
            fail_msg("%s and %s: %d", cases[i].a, cases[i].b, likeness);
    }
    assert_int_equal(kd_syllable_likeness(text, 0, 3), 0);
    assert_int_equal(kd_syllable_likeness(text, 512, 512), 0);
}

static void sound_likeness_is_symmetric_and_full_only_on_itself(void **state)
{
    (void)state;
    for (uint16_t a = 1; kd_syllable_name(text, a)[0]; a++)
        for (uint16_t b = 1; kd_syllable_name(text, b)[0]; b++) {
            uint8_t likeness = kd_syllable_likeness(text, a, b);
            if (likeness != kd_syllable_likeness(text, b, a) || (likeness == 255) != (a == b))
                fail_msg("%s and %s: %d", kd_syllable_name(text, a), kd_syllable_name(text, b), likeness);
        }
}

static uint8_t shape_of_pair(const char *a, const char *b)
{
    return kd_shape_likeness(text, first_char(a), first_char(b));
}

static void lookalikes_score_above_strangers(void **state)
{
    (void)state;
    static const char *const alike[][2] = { { "伟", "炜" }, { "伟", "玮" }, { "未", "末" }, { "己", "已" },
                                            { "王", "玉" }, { "晴", "睛" }, { "莉", "利" }, { "芬", "芳" },
                                            { "杨", "扬" }, { "洋", "样" }, { "辛", "幸" }, { "子", "孑" },
                                            { "娟", "捐" } };
    static const char *const strange[][2] = {
        { "王", "赵" }, { "李", "麟" }, { "一", "鑫" }, { "张", "国" }, { "强", "小" }
    };
    for (size_t i = 0; i < COUNT(alike); i++)
        if (shape_of_pair(alike[i][0], alike[i][1]) < 125)
            fail_msg("%s %s: %d", alike[i][0], alike[i][1], shape_of_pair(alike[i][0], alike[i][1]));
    for (size_t i = 0; i < COUNT(strange); i++)
        if (shape_of_pair(strange[i][0], strange[i][1]) > 90)
            fail_msg("%s %s: %d", strange[i][0], strange[i][1], shape_of_pair(strange[i][0], strange[i][1]));
    assert_int_equal(shape_of_pair("王", "王"), 255);
    assert_int_equal(kd_shape_likeness(text, 'A', 'B'), 0);
    kd_rng rng;
    kd_rng_init(&rng, 3);
    uint64_t sum = 0;
    for (int i = 0; i < 100000; i++) {
        uint32_t a = 0x4E00 + (uint32_t)kd_rng_below(&rng, 0x5200), b = 0x4E00 + (uint32_t)kd_rng_below(&rng, 0x5200);
        uint8_t likeness = kd_shape_likeness(text, a, b);
        assert_int_equal(likeness, kd_shape_likeness(text, b, a));
        if (a != b) assert_true(likeness < 255);
        sum += likeness;
    }
    assert_true(sum / 100000 < 70);
}

/* ---- names ---- */

static void names_are_read_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *formatted, *pinyin, *initials;
        uint8_t count, surname;
    } cases[] = {
        { "王小明", "王小明", "wang xiaoming", "wxm", 3, 1 },
        { "  王 小　明 ", "王小明", "wang xiaoming", "wxm", 3, 1 },
        { "張偉（大）", "张伟", "zhang wei", "zw", 2, 1 },
        { "张伟(小", "张伟", "zhang wei", "zw", 2, 1 },
        { "张伟【曾用名张大伟】", "张伟", "zhang wei", "zw", 2, 1 },
        { "（张伟）", "张伟", "zhang wei", "zw", 2, 1 },
        { "张伟2", "张伟", "zhang wei", "zw", 2, 1 },
        { "张伟、李娜", "张伟", "zhang wei", "zw", 2, 1 },
        { "张伟／李娜", "张伟", "zhang wei", "zw", 2, 1 },
        { "单雄信", "单雄信", "shan xiongxin", "sxx", 3, 1 },
        { "欧阳娜娜", "欧阳娜娜", "ouyang nana", "oynn", 4, 2 },
        { "歐陽修", "欧阳修", "ouyang xiu", "oyx", 3, 2 },
        { "欧阳", "欧阳", "ou yang", "oy", 2, 1 },
        { "尉迟恭", "尉迟恭", "yuchi gong", "ycg", 3, 2 },
        { "司马光", "司马光", "sima guang", "smg", 3, 2 },
        { "单于平", "单于平", "shan yuping", "syp", 3, 1 },
        { "买买提·艾力", "买买提·艾力", "maimaiti aili", "mmtal", 5, 0 },
        { "买买提•艾力", "买买提·艾力", "maimaiti aili", "mmtal", 5, 0 },
        { "买买提・艾力", "买买提·艾力", "maimaiti aili", "mmtal", 5, 0 },
        { "买买提．艾力", "买买提·艾力", "maimaiti aili", "mmtal", 5, 0 },
        { "买买提.艾力", "买买提·艾力", "maimaiti aili", "mmtal", 5, 0 },
        { "买买提 · 艾力·", "买买提·艾力", "maimaiti aili", "mmtal", 5, 0 },
        { "John  Smith", "JOHN·SMITH", "john smith", "johnsmith", 9, 0 },
        { "李", "李", "li", "l", 1, 1 },
        { "吕布", "吕布", "lv bu", "lb", 2, 1 },
        { "\xFF王\xE4伟\xE4\xBC", "王伟", "wang wei", "ww", 2, 1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kd_name name;
        kd_name_read(text, kd_str_of(cases[i].raw), &name);
        char buf[KD_NAME_BYTES_MAX + 1];
        buf[kd_name_format(&name, buf)] = '\0';
        assert_string_equal(buf, cases[i].formatted);
        buf[kd_name_pinyin(text, &name, buf, 64)] = '\0';
        assert_string_equal(buf, cases[i].pinyin);
        buf[kd_name_initials(text, &name, buf, 64)] = '\0';
        assert_string_equal(buf, cases[i].initials);
        assert_int_equal(name.kind, KD_NAME_PERSON);
        assert_int_equal(name.count, cases[i].count);
        assert_int_equal(name.surname_count, cases[i].surname);
    }
}

static void names_that_name_nobody_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        kd_name_kind kind;
        int8_t sex;
        uint8_t parent;
    } cases[] = {
        { "", KD_NAME_EMPTY, 0, 0 },
        { "/", KD_NAME_EMPTY, 0, 0 },
        { "无", KD_NAME_EMPTY, 0, 0 },
        { "不详", KD_NAME_EMPTY, 0, 0 },
        { "（不详）", KD_NAME_EMPTY, 0, 0 },
        { "无名氏", KD_NAME_EMPTY, 0, 0 },
        { "—", KD_NAME_EMPTY, 0, 0 },
        { "N/A", KD_NAME_EMPTY, 0, 0 },
        { "null", KD_NAME_EMPTY, 0, 0 },
        { "张丽之子", KD_NAME_PLACEHOLDER, 1, 2 },
        { "张丽之女", KD_NAME_PLACEHOLDER, 2, 2 },
        { "某某之子", KD_NAME_PLACEHOLDER, 1, 2 },
        { "欧阳晓丽之女", KD_NAME_PLACEHOLDER, 2, 4 },
        { "王某女", KD_NAME_PLACEHOLDER, 2, 1 },
        { "李某某之长子", KD_NAME_PLACEHOLDER, 1, 3 },
        { "李丽之次女", KD_NAME_PLACEHOLDER, 2, 2 },
        { "李丽之双胎之大", KD_NAME_PLACEHOLDER, 0, 2 },
        { "李丽之双胎大", KD_NAME_PLACEHOLDER, 0, 2 },
        { "李丽之子（大）", KD_NAME_PLACEHOLDER, 1, 2 },
        { "李麗之儿", KD_NAME_PLACEHOLDER, 1, 2 },
        { "未取名", KD_NAME_PLACEHOLDER, 0, 0 },
        { "待取名", KD_NAME_PLACEHOLDER, 0, 0 },
        { "李某某", KD_NAME_PLACEHOLDER, 0, 1 },
        { "张**", KD_NAME_PLACEHOLDER, 0, 1 },
        { "女婴", KD_NAME_PLACEHOLDER, 2, 0 },
        { "王之女", KD_NAME_PLACEHOLDER, 2, 1 },
        { "王三女", KD_NAME_PERSON, 0, 0 },
        { "王宝宝", KD_NAME_PERSON, 0, 0 },
        { "李长子", KD_NAME_PERSON, 0, 0 },
        { "王子", KD_NAME_PERSON, 0, 0 },
        { "李之宝", KD_NAME_PERSON, 0, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kd_name name;
        kd_name_read(text, kd_str_of(cases[i].raw), &name);
        if (name.kind != cases[i].kind || name.placeholder_sex != cases[i].sex || name.parent_count != cases[i].parent)
            fail_msg("%s: kind %d sex %d parent %d", cases[i].raw, (int)name.kind, name.placeholder_sex,
                     name.parent_count);
        assert_int_equal(name.count > 0, cases[i].kind != KD_NAME_EMPTY);
    }
}

static void long_names_are_cut_at_their_limit(void **state)
{
    (void)state;
    char raw[1024] = "";
    size_t len = 0;
    for (int i = 0; i < 60; i++) {
        memcpy(raw + len, "艾·", 5);
        len += 5;
    }
    kd_name name;
    kd_name_read(text, (kd_str){ raw, len }, &name);
    assert_int_equal(name.count, KD_NAME_CHARS_MAX);
    char buf[KD_NAME_BYTES_MAX];
    size_t written = kd_name_format(&name, buf);
    assert_true(written <= sizeof buf && kd_utf8_is_valid((kd_str){ buf, written }));
    for (size_t room = 0; room < 40; room++) {
        char *exact = malloc(room + 1);
        assert_non_null(exact);
        assert_true(kd_name_pinyin(text, &name, exact, room) <= room);
        assert_true(kd_name_initials(text, &name, exact, room) <= room);
        free(exact);
    }
}

static void common_surnames_have_a_share(void **state)
{
    (void)state;
    uint32_t wang = first_char("王"), rare = first_char("鬱"), ouyang[2] = { first_char("欧"), first_char("阳") };
    assert_true(kd_surname_share(text, &wang, 1) > 0.06 && kd_surname_share(text, &wang, 1) < 0.08);
    assert_true(kd_surname_share(text, ouyang, 2) > 0.0001);
    assert_true(kd_surname_share(text, &rare, 1) == 0 && kd_surname_share(text, &wang, 0) == 0);
}

/* ---- identity numbers ---- */

static void identity_numbers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        kd_identity_kind kind;
        const char *number, *birth;
        int8_t sex;
        int32_t area;
    } cases[] = {
        { "612727197912310024", KD_IDENTITY_OK, "612727197912310024", "1979-12-31", 2, 612727 },
        { "11010519491231002X", KD_IDENTITY_OK, "11010519491231002X", "1949-12-31", 2, 110105 },
        { " 1101051949 1231002x ", KD_IDENTITY_OK, "11010519491231002X", "1949-12-31", 2, 110105 },
        { "'610802199001010018", KD_IDENTITY_OK, "610802199001010018", "1990-01-01", 1, 610802 },
        { "６１０８８１２０２６０２２８１２３５", KD_IDENTITY_OK, "610881202602281235", "2026-02-28", 1, 610881 },
        { "11010519491231002Ｘ", KD_IDENTITY_OK, "11010519491231002X", "1949-12-31", 2, 110105 },
        { "612727791231002", KD_IDENTITY_OLD, "612727197912310024", "1979-12-31", 2, 612727 },
        { "612727950101999", KD_IDENTITY_OLD, NULL, "1895-01-01", 1, 612727 },
        { "612727197912310025", KD_IDENTITY_BAD_CHECK, "612727197912310025", "", 0, 0 },
        { "612727197902300024", KD_IDENTITY_BAD_DATE, "612727197902300024", "", 0, 0 },
        { "612727790230002", KD_IDENTITY_BAD_DATE, "612727790230002", "", 0, 0 },
        { "61272719791231002", KD_IDENTITY_BAD_SHAPE, "61272719791231002", "", 0, 0 },
        { "6127271979123100244", KD_IDENTITY_BAD_SHAPE, "612727197912310024", "", 0, 0 },
        { "6127**********0024", KD_IDENTITY_BAD_SHAPE, "6127**********0024", "", 0, 0 },
        { "61272719791231OO24", KD_IDENTITY_BAD_SHAPE, "61272719791231OO24", "", 0, 0 },
        { "E12345678", KD_IDENTITY_OTHER, "E12345678", "", 0, 0 },
        { "h1234567(8)", KD_IDENTITY_OTHER, "H12345678", "", 0, 0 },
        { "", KD_IDENTITY_EMPTY, "", "", 0, 0 },
        { "无", KD_IDENTITY_EMPTY, "", "", 0, 0 },
        { "--", KD_IDENTITY_EMPTY, "", "", 0, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kd_identity identity;
        char birth[16];
        kd_identity_read(kd_str_of(cases[i].raw), &identity);
        if (identity.kind != cases[i].kind) fail_msg("%s: kind %d", cases[i].raw, (int)identity.kind);
        if (cases[i].number) assert_string_equal(identity.number, cases[i].number);
        assert_string_equal(kd_day_format(identity.birth_day, birth), cases[i].birth);
        assert_int_equal(identity.sex, cases[i].sex);
        assert_int_equal(identity.area, cases[i].area);
    }
}

/* The slow twin: the recursive form of ISO 7064, trying every check character. */
static char check_by_trial(const char digits[17])
{
    for (unsigned check = 0; check <= 10; check++) {
        unsigned rest = 0;
        for (size_t i = 0; i < 17; i++) rest = (rest + (unsigned)(digits[i] - '0')) * 2 % 11;
        if ((rest + check) % 11 == 1) return check == 10 ? 'X' : (char)('0' + check);
    }
    return 0;
}

static void identity_check_agrees_with_a_slow_twin(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 2);
    for (int round = 0; round < 100000; round++) {
        char digits[17];
        for (size_t i = 0; i < 17; i++) digits[i] = (char)('0' + kd_rng_below(&rng, 10));
        assert_int_equal(kd_identity_check(digits), check_by_trial(digits));
    }
    assert_int_equal(kd_identity_check("6127271979123100A"), 0);
}

static void every_single_slip_in_an_identity_number_is_caught(void **state)
{
    (void)state;
    static const char *const numbers[] = { "612727197912310024", "610802199001010018", "610881202602281235",
                                           "11010519491231002X" };
    kd_identity identity;
    for (size_t n = 0; n < COUNT(numbers); n++)
        for (size_t i = 0; i < 18; i++) {
            char wrong[19];
            for (const char *digit = "0123456789X"; *digit; digit++) {
                memcpy(wrong, numbers[n], 19);
                if (wrong[i] == *digit) continue;
                wrong[i] = *digit;
                kd_identity_read(kd_str_of(wrong), &identity);
                if (identity.kind == KD_IDENTITY_OK || identity.kind == KD_IDENTITY_OLD) fail_msg("%s", wrong);
            }
            memcpy(wrong, numbers[n], 19);
            if (i == 17 || wrong[i] == wrong[i + 1]) continue;
            wrong[i] = numbers[n][i + 1];
            wrong[i + 1] = numbers[n][i];
            kd_identity_read(kd_str_of(wrong), &identity);
            if (identity.kind == KD_IDENTITY_OK) fail_msg("%s", wrong);
        }
}

/* ---- phones ---- */

static void phones_are_cleaned(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "13812345678", "13812345678" },
        { "138-1234-5678", "13812345678" },
        { "+86 138 1234 5678", "13812345678" },
        { "0086-13812345678", "13812345678" },
        { "8613812345678", "13812345678" },
        { "１３８１２３４５６７８", "13812345678" },
        { "13812345678/13987654321", "13812345678" },
        { "13812345678 13987654321", "13812345678" },
        { "13812345678（妈妈）", "13812345678" },
        { "013812345678", "13812345678" },
        { "0912-8881234", "09128881234" },
        { "(0912)8881234", "09128881234" },
        { "0912-8881234-801", "09128881234" },
        { "0912-8881234转801", "09128881234" },
        { "+86 912 8881234", "09128881234" },
        { "010-62345678", "01062345678" },
        { "8881234", "8881234" },
        { "电话：13812345678", "13812345678" },
        { "11111111111", "" },
        { "00000000", "" },
        { "123456", "" },
        { "1.38E+10", "" },
        { "138****5678", "" },
        { "无", "" },
        { "", "" },
        { "12345678901", "" },
        { "138123456789", "" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buf[KD_PHONE_BYTES_MAX + 1];
        buf[kd_phone_read(kd_str_of(cases[i][0]), buf)] = '\0';
        assert_string_equal(buf, cases[i][1]);
    }
}

/* ---- tables ---- */

static void broken_tables_are_refused_with_their_line(void **state)
{
    (void)state;
    char dir[] = "/tmp/kd-text-XXXXXX";
    assert_non_null(mkdtemp(dir));
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_str path = kd_path_join(arena, kd_str_of(dir), KD_STR("pinyin.csv"));
    static const struct {
        const char *content;
        kd_status status;
        uint64_t line;
    } cases[] = {
        { NULL, KD_NOT_FOUND, 0 },
        { "", KD_INVALID, 1 },
        { "wrong,header\n", KD_INVALID, 1 },
        { "syllable,initial,final,chars\na,-,a\n", KD_INVALID, 2 },
        { "syllable,initial,final,chars\na,-,a,x,y\n", KD_INVALID, 2 },
        { "syllable,initial,final,chars\nb,-,a,阿\n\na,-,a,啊\n", KD_INVALID, 4 },
        { "syllable,initial,final,chars\nfartoolong,-,a,阿\n", KD_INVALID, 2 },
        { "syllable,initial,final,chars\na,-,a,阿\n", KD_NOT_FOUND, 0 }, /* good, but the next table is missing */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kd_error err = { 0 };
        kd_text *none = NULL;
        if (cases[i].content) assert_int_equal(kd_file_write(path.ptr, kd_str_of(cases[i].content), &err), KD_OK);
        assert_int_equal(kd_text_open_from(dir, &none, &err), cases[i].status);
        assert_null(none);
        assert_int_equal(err.line, cases[i].line);
    }
    unlink(path.ptr);
    rmdir(dir);
    kd_arena_free(arena);
    kd_text_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_decoding_agrees_with_a_slow_twin),
        cmocka_unit_test(every_code_point_survives_encoding),
        cmocka_unit_test(forms_of_one_character_fold_together),
        cmocka_unit_test(distinct_characters_stay_distinct),
        cmocka_unit_test(surnames_have_their_own_readings),
        cmocka_unit_test(dialect_mergers_sound_alike),
        cmocka_unit_test(sound_likeness_is_symmetric_and_full_only_on_itself),
        cmocka_unit_test(lookalikes_score_above_strangers),
        cmocka_unit_test(names_are_read_as_written),
        cmocka_unit_test(names_that_name_nobody_are_told_apart),
        cmocka_unit_test(long_names_are_cut_at_their_limit),
        cmocka_unit_test(common_surnames_have_a_share),
        cmocka_unit_test(identity_numbers_are_read),
        cmocka_unit_test(identity_check_agrees_with_a_slow_twin),
        cmocka_unit_test(every_single_slip_in_an_identity_number_is_caught),
        cmocka_unit_test(phones_are_cleaned),
        cmocka_unit_test(broken_tables_are_refused_with_their_line),
    };
    return cmocka_run_group_tests_name("text", tests, open_text, close_text);
}
