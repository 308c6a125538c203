#include "base/base.h"
#include "text/text.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static kd_text *text;
static kd_divisions *divisions;

static void open_tables(void)
{
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_str csv, history;
    kd_error err;
    if (!arena || kd_text_open(&text, &err) != KD_OK ||
        kd_data_path(arena, "packs/cn/shaanxi/yulin/divisions.csv", &csv, &err) != KD_OK ||
        kd_data_path(arena, "packs/cn/shaanxi/yulin/division_history.csv", &history, &err) != KD_OK ||
        kd_divisions_open(csv.ptr, history.ptr, &divisions, &err) != KD_OK)
        abort();
    kd_arena_free(arena);
}

static void read_name(kd_str raw)
{
    kd_name name;
    char buf[KD_NAME_BYTES_MAX], letters[32];
    kd_name_read(text, raw, &name);
    assert(name.count <= KD_NAME_CHARS_MAX && name.surname_count <= name.count && name.parent_count <= name.count);
    size_t written = kd_name_format(&name, buf);
    assert(kd_utf8_is_valid((kd_str){ buf, written }));
    assert(kd_name_pinyin(text, &name, letters, sizeof letters) <= sizeof letters);
    assert(kd_name_initials(text, &name, letters, sizeof letters) <= sizeof letters);
    kd_name again; /* what was read is read the same once more, but for what a note in brackets hid */
    kd_name_read(text, (kd_str){ buf, written }, &again);
    assert(again.count <= name.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!text) open_tables();
    kd_str raw = { (const char *)data, size };
    kd_identity identity;
    kd_date date;
    kd_address address;
    char phone[KD_PHONE_BYTES_MAX];
    read_name(raw);
    kd_identity_read(raw, &identity);
    assert((identity.kind == KD_IDENTITY_OK || identity.kind == KD_IDENTITY_OLD) ==
           (identity.birth_day != KD_DAY_NONE));
    assert(kd_phone_read(raw, phone) <= sizeof phone);
    kd_date_read(text, raw, &date);
    assert((date.day != KD_DAY_NONE) ==
           (date.kind == KD_DATE_DAY || date.kind == KD_DATE_MONTH || date.kind == KD_DATE_YEAR));
    int64_t within = size ? kd_divisions_at(divisions, data[0] * 13u)->code : 0;
    kd_address_read(divisions, raw, within, &address);
    assert(address.code == 0 || kd_divisions_find(divisions, address.code));
    assert(address.rest.len <= size);
    int64_t code = kd_division_code_read(divisions, raw, true);
    assert(code == 0 || kd_divisions_find(divisions, code));
    return 0;
}
