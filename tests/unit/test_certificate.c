#include "births_place.h"

#include <sys/stat.h>
#include <sys/wait.h>

enum { PDF_BYTES_MAX = 8 << 20 };

/* Fontconfig keeps its fonts to the end behind pointers that it encodes, which a leak checker cannot follow. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

/* ---- a code to work with ---- */

static void remove_keys(place *p)
{
    char path[128];
    snprintf(path, sizeof path, "%s/keys", p->dir);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

static kd_str keys_of(place *p)
{
    kd_error err;
    must(kd_keys_ensure(p->dir, &err), &err);
    return kd_arena_fmt(p->arena, "%s/keys", p->dir);
}

static kd_code_verdict verdict_of(place *p, kd_str code)
{
    kd_error err;
    kd_code_verdict verdict;
    must(kd_code_verify(code, keys_of(p).ptr, p->arena, &verdict, &err), &err);
    return verdict;
}

static kd_buf pdf_of(place *p, const kd_birth *birth, size_t child, bool is_english)
{
    kd_error err;
    kd_buf pdf;
    kd_buf_init(&pdf, PDF_BYTES_MAX);
    must(kd_birth_confirmation(p->reg, pack, birth, child, is_english, &pdf, &err), &err);
    return pdf;
}

static kd_str code_of(place *p, const kd_birth *birth)
{
    kd_error err;
    kd_buf code;
    kd_buf_init(&code, 4096);
    must(kd_birth_code(p->reg, birth, 0, kd_today(), &code, &err), &err);
    kd_str text = kd_arena_str(p->arena, kd_buf_view(&code));
    kd_buf_done(&code);
    return text;
}

/* ---- keys ---- */

FACT(keys_are_made_once_and_are_the_owners_alone)
{
    kd_error err;
    struct stat before, after;
    char path[128];
    keys_of(p);
    snprintf(path, sizeof path, "%s/keys/signing.key", p->dir);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    must(kd_keys_ensure(p->dir, &err), &err);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    remove_keys(p);
}

FACT(a_damaged_key_is_told_and_not_replaced)
{
    kd_error err;
    char path[128];
    keys_of(p);
    snprintf(path, sizeof path, "%s/keys/signing.key", p->dir);
    must(kd_file_write(path, KD_STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), &err), &err);
    assert_int_equal(kd_keys_ensure(p->dir, &err), KD_INVALID);
    assert_string_equal(err.file, path);
    remove_keys(p);
}

/* ---- codes ---- */

FACT(a_code_says_number_day_and_county_and_no_more)
{
    char today[16];
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d);
    kd_str code = code_of(p, &birth);
    kd_code_verdict verdict = verdict_of(p, code);
    assert_true(verdict.is_right);
    assert_true(kd_str_eq(verdict.number, birth.children[0].number));
    assert_true(kd_str_is(verdict.issued_by, "610829"));
    assert_int_equal(verdict.birth_day, d.birth_day);
    assert_int_equal(verdict.issued_day, kd_today());
    assert_true(kd_str_is(verdict.birth_date, kd_day_format(d.birth_day, today)));
    assert_true(code.len < 240);
    d.precision = KD_BIRTH_DAY_MONTH;
    birth.declaration.precision = KD_BIRTH_DAY_MONTH;
    assert_int_equal(verdict_of(p, code_of(p, &birth)).birth_date.len, 7);
    remove_keys(p);
}

FACT(no_altered_code_is_believed)
{
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d);
    kd_str code = code_of(p, &birth);
    for (size_t i = 0; i < code.len; i++)
        for (int k = 0; k < 3; k++) {
            kd_str wrong = kd_arena_str(p->arena, code);
            char *at = (char *)(uintptr_t)&wrong.ptr[i];
            char other = k == 0 ? 'A' : k == 1 ? '7' : (char)(*at ^ 1);
            if (other == *at) continue;
            *at = other;
            kd_code_verdict verdict = verdict_of(p, wrong);
            assert_false(verdict.is_right);
            assert_true(verdict.fault_zh.len > 0 && verdict.fault_en.len > 0);
        }
    for (size_t len = 0; len < code.len; len++)
        assert_false(verdict_of(p, kd_arena_str(p->arena, kd_str_sub(code, 0, len))).is_right);
    assert_false(verdict_of(p, kd_arena_fmt(p->arena, "%.*sA", KD_FMT(code))).is_right);
    assert_true(verdict_of(p, kd_arena_fmt(p->arena, " %.*s\n", KD_FMT(code))).is_right);
    remove_keys(p);
}

FACT(a_code_of_another_register_is_not_believed)
{
    kd_error err;
    kd_code_verdict verdict;
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d);
    kd_str code = code_of(p, &birth);
    remove_keys(p);
    assert_false(verdict_of(p, code).is_right); /* with keys made anew */
    assert_int_equal(kd_code_verify(code, "/nonexistent", p->arena, &verdict, &err), KD_NOT_FOUND);
    remove_keys(p);
}

/* ---- the page ---- */

static size_t count_of(kd_str text, const char *word)
{
    size_t count = 0;
    for (ptrdiff_t at; (at = kd_str_find(text, kd_str_of(word))) >= 0; count++)
        text = kd_str_sub(text, (size_t)at + strlen(word), text.len);
    return count;
}

static kd_birth_declaration declaration_of(place *p, int which)
{
    kd_birth_declaration d = which == 0 ? bare(p, 10) : usual(p, 10 + 400 * which);
    d.children[0].certificate_no = (kd_str){ NULL, 0 };
    if (which == 2) {
        d.child_count = 2;
        d.children[1] = d.children[0];
    }
    if (which == 3) d.children[0].death_day = d.birth_day + 1;
    if (which == 4) {
        d.children[0].name = KD_STR("阿不都热合曼·买买提·吐尔逊江·艾合买提·阿卜杜拉·热西提·库尔班江·依明");
        d.mother.name = d.father.name = d.children[0].name;
        d.place_text = KD_STR(
            "一条写得很长很长的出生地点，从县城沿着黄河边的公路往北走二十里，过了桥以后第二个路口左拐，再走三里山路到村口老槐树下第三孔窑洞里");
        d.declarant_relation = KD_STR("孩子姑姑家的邻居，代为申报");
        d.precision = KD_BIRTH_DAY_ABOUT;
    }
    return d;
}

FACT(every_confirmation_is_one_page_in_both_languages)
{
    for (int which = 0; which < 5; which++) {
        kd_birth_declaration d = declaration_of(p, which);
        kd_birth birth = enter(p, &d);
        for (size_t i = 0; i < 2 * d.child_count; i++) {
            kd_buf pdf = pdf_of(p, &birth, i / 2, i % 2);
            assert_true(kd_str_starts(kd_buf_view(&pdf), KD_STR("%PDF-1.")));
            assert_int_equal(count_of(kd_buf_view(&pdf), "/Type /Page %"), 1);
            assert_true(pdf.len < 400000);
            kd_buf_done(&pdf);
        }
    }
    remove_keys(p);
}

FACT(only_what_is_registered_is_confirmed)
{
    kd_error err;
    kd_buf pdf;
    kd_birth birth;
    kd_case_actor actor = clerk("x");
    kd_birth_declaration d = usual(p, 10);
    kd_buf_init(&pdf, PDF_BYTES_MAX);
    must(kd_birth_get(p->reg, draft(p, &d), p->arena, &birth, &err), &err);
    assert_int_equal(kd_birth_confirmation(p->reg, pack, &birth, 0, false, &pdf, &err), KD_CONFLICT);
    birth = enter(p, &d);
    assert_int_equal(kd_birth_confirmation(p->reg, pack, &birth, 1, false, &pdf, &err), KD_NOT_FOUND);
    must(kd_birth_cancel(p->reg, pack, birth.id, 2, KD_STR("误"), &actor, &err), &err);
    must(kd_birth_get(p->reg, birth.id, p->arena, &birth, &err), &err);
    assert_int_equal(kd_birth_confirmation(p->reg, pack, &birth, 0, false, &pdf, &err), KD_CONFLICT);
    kd_buf_init(&pdf, 64); /* no room: told, not cut */
    birth = enter(p, &d);
    assert_int_equal(kd_birth_confirmation(p->reg, pack, &birth, 0, false, &pdf, &err), KD_LIMIT);
    kd_buf_done(&pdf);
    remove_keys(p);
}

#define TEST(name) cmocka_unit_test(name##_)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_made_once_and_are_the_owners_alone),   TEST(a_damaged_key_is_told_and_not_replaced),
        TEST(a_code_says_number_day_and_county_and_no_more), TEST(no_altered_code_is_believed),
        TEST(a_code_of_another_register_is_not_believed),    TEST(every_confirmation_is_one_page_in_both_languages),
        TEST(only_what_is_registered_is_confirmed),
    };
    return cmocka_run_group_tests_name("certificate", tests, load_pack, free_pack);
}
