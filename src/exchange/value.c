/* One field of a file to one value. */
#include "exchange/convert.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORDS(kind, zh, en)          \
    {                                \
        kind, KD_STR(zh), KD_STR(en) \
    }
const reason_text feed_reasons[REASONS] = {
    [REASON_TOO_LONG] = WORDS(KD_BAD_PROBLEM, "内容过长", "the value is longer than its kind can be"),
    [REASON_CONTROL] = WORDS(KD_BAD_PROBLEM, "含有控制字符", "the value holds control characters"),
    [REASON_FORMULA] = WORDS(KD_BAD_PROBLEM, "单元格是公式，不是内容", "a formula stands where a value is expected"),
    [REASON_DATE_IMPOSSIBLE] = WORDS(KD_BAD_PROBLEM, "没有这一天", "there is no such day"),
    [REASON_DATE_UNREADABLE] = WORDS(KD_BAD_PROBLEM, "日期无法读取", "the date cannot be read"),
    [REASON_CODE_UNKNOWN] = WORDS(KD_BAD_PROBLEM, "代码表中没有", "the pack's codes do not have this text"),
    [REASON_PHONE] = WORDS(KD_BAD_PROBLEM, "电话号码不可用", "this is no usable phone number"),
    [REASON_DIVISION_UNKNOWN] = WORDS(KD_BAD_PROBLEM, "没有这个行政区划", "no such division is known"),
    [REASON_DIVISION_COARSE] =
        WORDS(KD_BAD_WARN, "区划代码未知，取其上级", "the division code is unknown: the area above it is taken"),
    [REASON_INTEGER] = WORDS(KD_BAD_PROBLEM, "应为 1 至 99 的整数", "a whole number from 1 to 99 is expected"),
    [REASON_NOBODY] = WORDS(KD_BAD_REJECT, "本行未写明任何人", "the row names nobody"),
};
#undef WORDS

static const char *const null_texts[] = { "/",  "//",   "\\",   "-",    "--",   "—",   "——",  "－",
                                          "无", "不详", "NULL", "null", "Null", "N/A", "n/a", "#N/A" };
enum { NULL_TEXTS = sizeof null_texts / sizeof null_texts[0] };

static const size_t bytes_max[FEED_TYPES] = {
    [FEED_TEXT] = VALUE_TEXT_BYTES_MAX,        [FEED_NAME] = VALUE_NAME_BYTES_MAX,
    [FEED_CODE] = VALUE_CODE_BYTES_MAX,        [FEED_DATE] = VALUE_SHORT_BYTES_MAX,
    [FEED_IDENTITY] = VALUE_SHORT_BYTES_MAX,   [FEED_PHONE] = VALUE_SHORT_BYTES_MAX,
    [FEED_DIVISION] = VALUE_ADDRESS_BYTES_MAX, [FEED_ADDRESS] = VALUE_ADDRESS_BYTES_MAX,
    [FEED_INTEGER] = VALUE_SHORT_BYTES_MAX,
};

static bool is_null_text(const feed_job *job, kd_str text)
{
    if (text.len > NULL_TEXT_BYTES_MAX || !job->null_starts[(unsigned char)text.ptr[0]]) return false;
    for (size_t i = 0; i < NULL_TEXTS; i++)
        if (kd_str_is(text, null_texts[i])) return true;
    for (size_t i = 0; i < job->pack->null_count; i++)
        if (kd_str_eq(text, job->pack->null_texts[i])) return true;
    return false;
}

kd_status feed_worker_init(feed_worker *worker, const feed_job *job, kd_error *err)
{
    *worker = (feed_worker){ 0 };
    worker->text_cap = job->text_bytes_a_row * CHUNK_ROWS;
    worker->memo = calloc(MEMO_ENTRIES, sizeof *worker->memo);
    worker->texts = malloc(worker->text_cap + 1);
    worker->records = malloc(CHUNK_ROWS * job->pack->info.record_count * sizeof *worker->records);
    if (worker->memo && worker->texts && worker->records) return KD_OK;
    feed_worker_done(worker);
    return kd_fail(err, KD_LIMIT, "", "no memory to read the file");
}

void feed_worker_done(feed_worker *worker)
{
    free(worker->memo);
    free(worker->texts);
    free(worker->records);
    free(worker->bad);
    *worker = (feed_worker){ 0 };
}

/* `text` as part of `raw` when it is, else a copy that lives until the chunk is written. */
static kd_str keep(feed_worker *worker, kd_str raw, const char *text, size_t len)
{
    if (len == raw.len && memcmp(raw.ptr, text, len) == 0) return raw;
    assert(worker->text_len + len <= worker->text_cap);
    char *copy = worker->texts + worker->text_len;
    memcpy(copy, text, len);
    worker->text_len += len;
    return (kd_str){ copy, len };
}

/* What spreadsheets put around a text that looks like a number: ="0123", '0123. False for a formula. */
static bool unwrap(kd_str *text)
{
    if (text->ptr[0] == '\'' || text->ptr[0] == '`') {
        *text = kd_str_trim(kd_str_sub(*text, 1, text->len));
        return true;
    }
    if (text->ptr[0] != '=') return true;
    if (text->len < 3 || text->ptr[1] != '"' || text->ptr[text->len - 1] != '"') return false;
    *text = kd_str_trim(kd_str_sub(*text, 2, text->len - 1));
    return text->len == 0 || !memchr(text->ptr, '"', text->len);
}

static bool has_control(kd_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t' && text.ptr[i] != '\r' && text.ptr[i] != '\n')
            return true;
    return false;
}

static void read_name(const feed_job *job, feed_worker *worker, const column_plan *plan, kd_str raw, feed_value *out)
{
    bool is_known;
    memo_entry *entry = feed_memo(worker, raw, plan->memo_seed, &is_known);
    char buf[KD_NAME_BYTES_MAX];
    const char *folded = entry->text;
    size_t len = entry->text_len;
    if (!is_known) {
        kd_name name;
        kd_name_read(job->text, raw, &name);
        entry->kind = (uint8_t)name.kind;
        entry->sex = name.placeholder_sex;
        len = name.kind == KD_NAME_PERSON ? kd_name_format(&name, buf) : 0;
        folded = buf;
        if (len > sizeof entry->text) {
            entry->hash = 0;
        } else if (len) {
            memcpy(entry->text, buf, len);
            entry->text_len = (uint8_t)len;
        }
    }
    out->kind = entry->kind;
    out->is_empty = entry->kind == KD_NAME_EMPTY;
    if (out->is_empty) return;
    if (entry->kind == KD_NAME_PLACEHOLDER) {
        out->sex = entry->sex;
        out->written = raw;
        return;
    }
    out->text = keep(worker, raw, folded, len);
    if (!kd_str_eq(out->text, raw)) out->written = raw;
}

static int by_text(const void *key, const void *code)
{
    return kd_str_cmp(*(const kd_str *)key, ((const feed_code *)code)->text);
}

static void read_code(const feed_job *job, feed_worker *worker, const column_plan *plan, kd_str raw, feed_value *out)
{
    const feed_codes *codes = &job->pack->codes[plan->column->codes];
    bool is_known;
    memo_entry *entry = feed_memo(worker, raw, plan->memo_seed, &is_known);
    if (!is_known) {
        char buf[VALUE_CODE_BYTES_MAX];
        kd_str folded = { buf, feed_fold(raw, false, buf) };
        const feed_code *hit = bsearch(&folded, codes->codes, codes->count, sizeof *codes->codes, by_text);
        entry->number = hit ? hit - codes->codes : codes->has_other ? -1 : -2;
    }
    const feed_code *code = entry->number >= 0 ? &codes->codes[entry->number] : &codes->other;
    if (entry->number == -2 || code->is_problem) out->reason = REASON_CODE_UNKNOWN;
    out->is_empty = entry->number == -2 || code->code.len == 0;
    if (out->is_empty) return;
    out->text = code->code;
    int64_t number = 0;
    out->number = kd_str_int(code->code, &number) ? number : 0;
}

static void read_date(const feed_job *job, feed_worker *worker, const column_plan *plan, kd_str raw, feed_value *out)
{
    bool is_known;
    memo_entry *entry = feed_memo(worker, raw, plan->memo_seed, &is_known);
    if (!is_known) {
        kd_date date;
        kd_date_read(job->text, raw, &date);
        entry->kind = (uint8_t)date.kind;
        entry->number = date.day;
        entry->reason = (int16_t)(date.kind == KD_DATE_IMPOSSIBLE   ? REASON_DATE_IMPOSSIBLE
                                  : date.kind == KD_DATE_UNREADABLE ? REASON_DATE_UNREADABLE
                                                                    : REASON_NONE);
    }
    out->kind = entry->kind;
    out->reason = entry->reason;
    out->number = entry->number;
    out->is_empty = entry->number == KD_DAY_NONE || entry->reason != REASON_NONE || entry->kind == KD_DATE_EMPTY;
}

int64_t feed_address_division(const feed_job *job, feed_worker *worker, kd_str address, int64_t within)
{
    bool is_known;
    memo_entry *entry = feed_memo(worker, address, (uint64_t)within ^ 0x5851F42D4C957F2Du, &is_known);
    if (!is_known) {
        kd_address read;
        kd_address_read(job->divisions, address, within, &read);
        entry->number = read.code;
        if (!read.is_certain) {
            /* two villages answer alike: what they share is what is known */
            int64_t township = kd_division_at_level(read.code, KD_LEVEL_TOWNSHIP);
            if (township) entry->number = township;
        }
    }
    return entry->number;
}

/* The county of a well-formed code of which the tree has not even the prefecture: people come from elsewhere too. */
static int64_t county_elsewhere(kd_str raw, int64_t nearest)
{
    enum { COUNTY_FIRST = 110000, COUNTY_LAST = 829999, COUNTIES_A_PREFECTURE = 100 }; /* GB/T 2260 */
    int64_t county = 0;
    bool is_code = (raw.len == 6 || raw.len == 9 || raw.len == 12) && kd_str_int(kd_str_sub(raw, 0, 6), &county);
    for (size_t i = 0; i < raw.len && is_code; i++) is_code = raw.ptr[i] >= '0' && raw.ptr[i] <= '9';
    if (!is_code || kd_division_at_level(nearest, KD_LEVEL_PREFECTURE)) return 0;
    if (county < COUNTY_FIRST || county > COUNTY_LAST || county % COUNTIES_A_PREFECTURE == 0) return 0;
    return county * 1000000;
}

static void read_division(const feed_job *job, feed_worker *worker, const column_plan *plan, kd_str raw,
                          feed_value *out)
{
    bool is_code = raw.ptr[0] >= '0' && raw.ptr[0] <= '9';
    if (!is_code) {
        out->number = feed_address_division(job, worker, raw, job->within);
        if (!out->number) out->reason = REASON_DIVISION_UNKNOWN;
    } else {
        bool is_known;
        memo_entry *entry = feed_memo(worker, raw, plan->memo_seed, &is_known);
        if (!is_known) {
            entry->number = kd_division_code_read(job->divisions, raw, false);
            if (!entry->number) {
                int64_t nearest = kd_division_code_read(job->divisions, raw, true);
                int64_t elsewhere = county_elsewhere(raw, nearest);
                entry->number = elsewhere ? elsewhere : nearest;
                entry->reason = (int16_t)(elsewhere ? REASON_NONE
                                          : nearest ? REASON_DIVISION_COARSE
                                                    : REASON_DIVISION_UNKNOWN);
            }
        }
        out->number = entry->number;
        out->reason = entry->reason;
    }
    out->is_empty = out->number == 0;
}

static void read_identity(feed_worker *worker, kd_str raw, feed_value *out)
{
    kd_identity identity;
    kd_identity_read(raw, &identity);
    out->is_empty = identity.kind == KD_IDENTITY_EMPTY;
    if (out->is_empty) return;
    out->kind = (uint8_t)identity.kind;
    out->sex = identity.sex;
    out->day = identity.birth_day;
    out->text = keep(worker, raw, identity.number, strlen(identity.number));
}

static void read_phone(feed_worker *worker, kd_str raw, feed_value *out)
{
    char buf[KD_PHONE_BYTES_MAX];
    size_t len = kd_phone_read(raw, buf);
    out->is_empty = len == 0;
    if (len == 0) {
        out->reason = REASON_PHONE;
        return;
    }
    out->text = keep(worker, raw, buf, len);
}

/* Numbers of papers are compared as they stand: full-width and small letters, and spaces, must not part them. */
static void read_text(feed_worker *worker, kd_str raw, feed_value *out)
{
    char buf[VALUE_TEXT_BYTES_MAX];
    bool is_clean = true;
    for (size_t i = 0; i < raw.len && is_clean; i++) {
        char c = raw.ptr[i];
        is_clean = c > ' ' && c < 0x7F && !(c >= 'a' && c <= 'z');
    }
    out->text = raw;
    if (is_clean) return;
    size_t len = 0;
    for (size_t at = 0; at < raw.len;) {
        size_t start = at;
        uint32_t c = kd_utf8_next(raw, &at);
        if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
        if (c == 0x3000 || c == ' ' || c == 0xA0 || c == '\t') continue;
        if (c < 0x80) {
            buf[len++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        } else {
            memcpy(buf + len, raw.ptr + start, at - start);
            len += at - start;
        }
    }
    out->is_empty = len == 0;
    out->text = keep(worker, raw, buf, len);
}

static void read_integer(kd_str raw, feed_value *out)
{
    int64_t number = 0;
    bool is_right = kd_str_int(raw, &number) && number >= 1 && number <= 99;
    out->is_empty = !is_right;
    out->number = number;
    if (!is_right) out->reason = REASON_INTEGER;
}

void feed_value_read(const feed_job *job, feed_worker *worker, const column_plan *plan, kd_str raw, feed_value *out)
{
    *out = (feed_value){ .is_empty = true, .reason = REASON_NONE, .day = KD_DAY_NONE };
    feed_type type = plan->column->type;
    raw = kd_str_trim(raw);
    if (raw.len == 0 || is_null_text(job, raw)) return;
    if (!unwrap(&raw)) {
        out->reason = REASON_FORMULA;
        return;
    }
    if (raw.len == 0) return;
    if (raw.len > bytes_max[type] || has_control(raw)) {
        out->reason = raw.len > bytes_max[type] ? REASON_TOO_LONG : REASON_CONTROL;
        return;
    }
    out->is_empty = false;
    switch (type) {
    case FEED_NAME: read_name(job, worker, plan, raw, out); return;
    case FEED_CODE: read_code(job, worker, plan, raw, out); return;
    case FEED_DATE: read_date(job, worker, plan, raw, out); return;
    case FEED_DIVISION: read_division(job, worker, plan, raw, out); return;
    case FEED_IDENTITY: read_identity(worker, raw, out); return;
    case FEED_PHONE: read_phone(worker, raw, out); return;
    case FEED_TEXT: read_text(worker, raw, out); return;
    case FEED_INTEGER: read_integer(raw, out); return;
    default: out->text = raw; return; /* an address stays as it is written */
    }
}

void feed_job_null_starts(feed_job *job)
{
    for (size_t i = 0; i < NULL_TEXTS; i++) job->null_starts[(unsigned char)null_texts[i][0]] = true;
    for (size_t i = 0; i < job->pack->null_count; i++)
        if (job->pack->null_texts[i].len) job->null_starts[(unsigned char)job->pack->null_texts[i].ptr[0]] = true;
}
