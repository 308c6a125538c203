/* Notices to offices: what the pack lists for each and nothing else; made, replaced, taken, answered (G3, R10.7). */
#include "births.h"

#include <jansson.h>
#include <string.h>

enum { NOTICES_MAX = 512, PAYLOAD_BYTES_MAX = 1 << 16, TAKE_MAX = 200 };

/* ---- what one holds ---- */

kd_status birth_place_text(kd_register *reg, const kd_birth_declaration *d, kd_arena *arena, kd_str *out, kd_error *err)
{
    const kd_divisions *divisions;
    char name[256];
    size_t len = 0;
    kd_str detail = d->institution.len ? d->institution : d->place_text;
    KD_TRY(kd_register_divisions(reg, &divisions, err));
    if (d->place_division) len = kd_division_full_name(divisions, d->place_division, name, sizeof name);
    if (d->place_kind == KD_BIRTH_ABROAD && d->place_text.len) {
        len = 0; /* the division only says where it is handled */
        detail = d->place_text;
    }
    *out = kd_arena_fmt(arena, "%.*s%s%.*s", (int)len, name, len && detail.len ? " " : "", KD_FMT(detail));
    return out->ptr ? KD_OK : birth_no_memory(err);
}

char *birth_date_format(int32_t day, kd_birth_precision precision, char buf[16])
{
    kd_day_format(day, buf);
    if (day != KD_DAY_NONE && precision == KD_BIRTH_DAY_MONTH) buf[7] = '\0';
    if (day != KD_DAY_NONE && precision == KD_BIRTH_DAY_YEAR) buf[4] = '\0';
    return buf;
}

typedef struct {
    kd_register *reg;
    const kd_births_pack *pack;
    const kd_birth *birth;
    kd_arena *arena;
    kd_str place;
    int64_t made;
    kd_error *err;
} notifying;

static void write_division(const notifying *n, kd_json *json)
{
    const kd_birth_declaration *d = &n->birth->declaration;
    char code[24];
    snprintf(code, sizeof code, "%012lld",
             (long long)(d->residence_division ? d->residence_division : n->birth->division));
    kd_json_str(json, kd_str_of(code));
}

static void write_text(kd_json *json, kd_str text)
{
    if (text.len)
        kd_json_str(json, text);
    else
        kd_json_null(json);
}

static kd_str contact_phone(const kd_birth_declaration *d)
{
    if (d->declarant_phone.len) return d->declarant_phone;
    return d->mother.phone.len ? d->mother.phone : d->father.phone;
}

static void write_carried(const notifying *n, birth_carry carry, size_t child_index, kd_json *json)
{
    const kd_birth_declaration *d = &n->birth->declaration;
    const kd_birth_child *child = &d->children[child_index];
    char day[16];
    kd_json_key(json, birth_carry_name(carry));
    switch (carry) {
    case CARRY_HANDBOOK_NUMBER: write_text(json, n->birth->children[child_index].number); break;
    case CARRY_CHILD_NAME: write_text(json, child->name); break;
    case CARRY_CHILD_SEX: kd_json_int(json, child->sex); break;
    case CARRY_BIRTH_DATE: write_text(json, kd_str_of(birth_date_format(d->birth_day, d->precision, day))); break;
    case CARRY_BIRTH_PLACE: write_text(json, n->place); break;
    case CARRY_CERTIFICATE_NO: write_text(json, child->certificate_no); break;
    case CARRY_DEATH_DATE: write_text(json, kd_str_of(kd_day_format(child->death_day, day))); break;
    case CARRY_MOTHER_NAME: write_text(json, d->mother.name); break;
    case CARRY_MOTHER_IDENTITY_NUMBER: write_text(json, d->mother.identity_number); break;
    case CARRY_FATHER_NAME: write_text(json, d->father.name); break;
    case CARRY_FATHER_IDENTITY_NUMBER: write_text(json, d->father.identity_number); break;
    case CARRY_RESIDENCE_DIVISION: write_division(n, json); break;
    case CARRY_RESIDENCE_ADDRESS: write_text(json, d->residence_address); break;
    case CARRY_CONTACT_NAME: write_text(json, d->declarant_name); break;
    case CARRY_CONTACT_PHONE: write_text(json, contact_phone(d)); break;
    case CARRIES: break;
    }
}

/* A withdrawal tells only whose number it is. */
static kd_status make_payload(const notifying *n, const birth_office *office, size_t child, const char *kind,
                              kd_str number, kd_str *out)
{
    kd_buf buf;
    kd_json json;
    kd_buf_init(&buf, PAYLOAD_BYTES_MAX);
    kd_json_init(&json, &buf);
    kd_json_object(&json);
    kd_json_kstr(&json, "notice", kd_str_of(kind));
    if (number.len) kd_json_kstr(&json, birth_carry_name(CARRY_HANDBOOK_NUMBER), number);
    for (size_t i = 0; office && i < office->carry_count; i++)
        write_carried(n, (birth_carry)office->carries[i], child, &json);
    kd_json_object_end(&json);
    *out = kd_arena_str(n->arena, kd_buf_view(&buf));
    bool is_whole = buf.status == KD_OK && out->ptr;
    kd_buf_done(&buf);
    return is_whole ? KD_OK : birth_no_memory(n->err);
}

/* Payloads are alike when all after the kind is. */
static bool same_content(kd_str a, kd_str b)
{
    ptrdiff_t from_a = kd_str_find(a, KD_STR(",")), from_b = kd_str_find(b, KD_STR(","));
    return from_a >= 0 && from_b >= 0 &&
           kd_str_eq(kd_str_sub(a, (size_t)from_a, a.len), kd_str_sub(b, (size_t)from_b, b.len));
}

/* ---- making them ---- */

typedef struct {
    kd_office_notice *list;
    size_t count;
} notices;

static kd_str text_of(kd_str payload, const char *member, kd_arena *arena)
{
    kd_str text = { NULL, 0 };
    json_t *root = json_loadb(payload.ptr ? payload.ptr : "", payload.len, 0, NULL);
    const char *value = json_string_value(json_object_get(root, member));
    if (value) text = kd_arena_str(arena, kd_str_of(value));
    json_decref(root);
    return text;
}

static kd_status set_state(const notifying *n, int64_t id, const char *state)
{
    return kd_store_exec(kd_register_store(n->reg), n->err, NULL, "update notice set state = $2 where id = $1",
                         KD_VALUES(kd_int(id), kd_text_value(kd_str_of(state))));
}

static kd_status insert(notifying *n, kd_str office, kd_str payload)
{
    n->made++;
    return kd_store_exec(kd_register_store(n->reg), n->err, NULL,
                         "insert into notice (id, case_id, office, state, payload, created_at) values ($1, $2, $3, "
                         "'waiting', $4, $5)",
                         KD_VALUES(kd_int(kd_register_next_id(n->reg)), kd_int(n->birth->id), kd_text_value(office),
                                   kd_text_value(payload), kd_int(kd_now_us())));
}

/* The newest notice of an office about a number that still stands. */
static const kd_office_notice *standing(const notifying *n, const notices *had, kd_str office, kd_str number)
{
    const kd_office_notice *newest = NULL;
    for (size_t i = 0; i < had->count; i++)
        if (kd_str_eq(had->list[i].office, office) && !kd_str_is(had->list[i].state, "withdrawn") &&
            kd_str_eq(text_of(had->list[i].payload, "handbook_number", n->arena), number))
            newest = &had->list[i];
    return newest;
}

static kd_status tell(notifying *n, const birth_office *office, size_t child, const kd_office_notice *before)
{
    const char *kind = "registration";
    kd_str payload;
    if (before &&
        (!kd_str_is(before->state, "waiting") || kd_str_is(text_of(before->payload, "notice", n->arena), "correction")))
        kind = "correction";
    KD_TRY(make_payload(n, office, child, kind, KD_STR(""), &payload));
    if (before && same_content(before->payload, payload)) return KD_OK;
    if (before && kd_str_is(before->state, "waiting")) KD_TRY(set_state(n, before->id, "withdrawn"));
    return insert(n, office->name, payload);
}

/* An office that has seen the notice is told that it no longer holds; one that has not never sees it. */
static kd_status untell(notifying *n, const kd_office_notice *before, bool is_cancelled)
{
    kd_str payload, number = text_of(before->payload, "handbook_number", n->arena);
    bool is_withdrawal = kd_str_is(text_of(before->payload, "notice", n->arena), "withdrawal");
    if (is_withdrawal || kd_str_is(before->state, "rejected")) return KD_OK;
    if (kd_str_is(before->state, "waiting")) return set_state(n, before->id, "withdrawn");
    if (is_cancelled && kd_str_is(before->state, "sent")) KD_TRY(set_state(n, before->id, "withdrawn"));
    KD_TRY(make_payload(n, NULL, 0, "withdrawal", number, &payload));
    return insert(n, before->office, payload);
}

static bool is_told(const notifying *n, const birth_office *office, kd_str number, bool is_cancelled)
{
    const kd_birth *birth = n->birth;
    for (size_t i = 0; !is_cancelled && office && i < birth->declaration.child_count; i++)
        if (kd_str_eq(birth->children[i].number, number))
            return !office->is_alive_only || birth->declaration.children[i].death_day == KD_DAY_NONE;
    return false;
}

static kd_status notify(notifying *n, const notices *had, bool is_cancelled)
{
    for (size_t i = 0; i < had->count; i++) {
        kd_str office = had->list[i].office, number = text_of(had->list[i].payload, "handbook_number", n->arena);
        if (&had->list[i] != standing(n, had, office, number)) continue;
        if (!is_told(n, birth_office_find(n->pack, office), number, is_cancelled))
            KD_TRY(untell(n, &had->list[i], is_cancelled));
    }
    for (size_t o = 0; o < n->pack->office_count; o++)
        for (size_t i = 0; i < n->birth->declaration.child_count; i++) {
            const birth_office *office = &n->pack->offices[o];
            kd_str number = n->birth->children[i].number;
            if (is_told(n, office, number, is_cancelled))
                KD_TRY(tell(n, office, i, standing(n, had, office->name, number)));
        }
    return KD_OK;
}

kd_status birth_notify(kd_register *reg, const kd_births_pack *pack, const kd_birth *birth, bool is_cancelled,
                       int64_t *out_made, kd_error *err)
{
    notifying n = { .reg = reg, .pack = pack, .birth = birth, .arena = kd_arena_new(4 << 20), .err = err };
    notices had;
    if (!n.arena) return birth_no_memory(err);
    kd_status status = birth_place_text(reg, &birth->declaration, n.arena, &n.place, err);
    if (status == KD_OK) status = kd_notice_of_case(reg, pack, birth->id, n.arena, &had.list, &had.count, err);
    if (status == KD_OK) status = notify(&n, &had, is_cancelled);
    kd_arena_free(n.arena);
    if (status == KD_OK) *out_made = n.made;
    return status;
}

/* ---- reading, taking, answering ---- */

#define NOTICE_SELECT \
    "select n.id, n.case_id, n.created_at, n.sent_at, n.answered_at, n.office, n.state, n.payload, n.answer from notice n "

static kd_status read_notices(kd_rows *rows, const kd_births_pack *pack, size_t max, kd_arena *arena,
                              kd_office_notice **out_notices, size_t *out_count, kd_error *err)
{
    bool has_row = false;
    size_t count = 0;
    kd_status status = KD_OK;
    kd_office_notice *list = kd_arena_array(arena, max + 1, sizeof *list);
    if (!list) {
        kd_rows_close(rows);
        return birth_no_memory(err);
    }
    while (status == KD_OK && (status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < max) {
        kd_office_notice *notice = &list[count++];
        *notice = (kd_office_notice){ .id = kd_rows_int(rows, 0),
                                      .case_id = kd_rows_int(rows, 1),
                                      .created_at = kd_rows_int(rows, 2),
                                      .sent_at = kd_rows_int(rows, 3),
                                      .answered_at = kd_rows_int(rows, 4),
                                      .office = kd_arena_str(arena, kd_rows_text(rows, 5)),
                                      .state = kd_arena_str(arena, kd_rows_text(rows, 6)),
                                      .payload = kd_arena_str(arena, kd_rows_text(rows, 7)),
                                      .answer = kd_arena_str(arena, kd_rows_text(rows, 8)) };
        if (!notice->payload.ptr) status = birth_no_memory(err);
        const birth_office *office = birth_office_find(pack, notice->office);
        notice->title_zh = office ? office->title.zh : notice->office;
        notice->title_en = office ? office->title.en : notice->office;
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_notices = list;
    *out_count = count;
    return KD_OK;
}

kd_status kd_notice_of_case(kd_register *reg, const kd_births_pack *pack, int64_t case_id, kd_arena *arena,
                            kd_office_notice **out_notices, size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          NOTICE_SELECT "where n.case_id = $1 order by n.id limit $2",
                          KD_VALUES(kd_int(case_id), kd_int(NOTICES_MAX))));
    return read_notices(rows, pack, NOTICES_MAX, arena, out_notices, out_count, err);
}

static kd_status take(kd_register *reg, const kd_births_pack *pack, kd_str office, int64_t division, size_t limit,
                      kd_arena *arena, kd_office_notice **out_notices, size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    kd_store *store = kd_register_store(reg);
    int64_t now = kd_now_us();
    KD_TRY(
        kd_store_query(store, err, &rows,
                       NOTICE_SELECT "join case_file c on c.id = n.case_id where n.office = $1 and n.state = 'waiting' "
                                     "and c.division between $2 and $3 order by n.created_at, n.id limit $4",
                       KD_VALUES(kd_text_value(office), kd_int(division),
                                 kd_int(division ? kd_area_last_code(division) : INT64_MAX), kd_int((int64_t)limit))));
    KD_TRY(read_notices(rows, pack, limit, arena, out_notices, out_count, err));
    for (size_t i = 0; i < *out_count; i++) {
        int64_t changed = 0;
        kd_office_notice *notice = &(*out_notices)[i];
        KD_TRY(kd_store_exec(store, err, &changed,
                             "update notice set state = 'sent', sent_at = $2 where id = $1 and state = 'waiting'",
                             KD_VALUES(kd_int(notice->id), kd_int(now))));
        if (!changed) return kd_fail(err, KD_CONFLICT, "state", "another took these notices at the same time");
        notice->state = KD_STR("sent");
        notice->sent_at = now;
    }
    return KD_OK;
}

kd_status kd_notice_take(kd_register *reg, const kd_births_pack *pack, kd_str office, int64_t division, size_t limit,
                         kd_arena *arena, kd_office_notice **out_notices, size_t *out_count, kd_error *err)
{
    kd_office_notice *list = NULL;
    size_t count = 0;
    if (!birth_office_find(pack, office)) return kd_fail(err, KD_INVALID, "office", "there is no such office");
    if (limit < 1 || limit > TAKE_MAX)
        return kd_fail(err, KD_INVALID, "limit", "1 to %d notices are taken at once", TAKE_MAX);
    KD_TRY(kd_store_begin(kd_register_store(reg), err));
    kd_status status = take(reg, pack, office, division, limit, arena, &list, &count, err);
    KD_TRY(kd_store_end(kd_register_store(reg), status, err));
    *out_notices = list;
    *out_count = count;
    return KD_OK;
}

kd_status kd_notice_division(kd_register *reg, int64_t id, int64_t *out_division, kd_error *err)
{
    kd_status status = kd_store_int(
        kd_register_store(reg), err, out_division,
        "select c.division from notice n join case_file c on c.id = n.case_id where n.id = $1", KD_VALUES(kd_int(id)));
    return status == KD_NOT_FOUND ? kd_fail(err, KD_NOT_FOUND, "id", "there is no such notice") : status;
}

static kd_status answer_notice(kd_register *reg, int64_t id, const char *state, kd_str answer,
                               const kd_case_actor *actor, kd_error *err)
{
    int64_t changed = 0, case_id;
    bool is_done;
    kd_store *store = kd_register_store(reg);
    kd_status status =
        kd_store_int(store, err, &case_id, "select case_id from notice where id = $1", KD_VALUES(kd_int(id)));
    if (status == KD_NOT_FOUND) return kd_fail(err, KD_NOT_FOUND, "id", "there is no such notice");
    KD_TRY(status);
    KD_TRY(birth_action_is_done(reg, actor, case_id, "answered", &is_done, err));
    if (is_done) return KD_OK;
    KD_TRY(kd_store_exec(
        store, err, &changed,
        "update notice set state = $2, answer = $3, answered_at = $4 where id = $1 and state in "
        "('waiting', 'sent')",
        KD_VALUES(kd_int(id), kd_text_value(kd_str_of(state)), kd_text_value(answer), kd_int(kd_now_us()))));
    if (!changed) return kd_fail(err, KD_CONFLICT, "state", "the notice was answered or withdrawn before");
    birth_action action = { .case_id = case_id, .kind = "answered", .status = state, .reason = answer };
    return birth_action_add(reg, actor, &action, err);
}

kd_status kd_notice_answer(kd_register *reg, int64_t id, bool is_accepted, kd_str answer, const kd_case_actor *actor,
                           kd_error *err)
{
    KD_TRY(kd_store_begin(kd_register_store(reg), err));
    return kd_store_end(kd_register_store(reg),
                        answer_notice(reg, id, is_accepted ? "accepted" : "rejected", answer, actor, err), err);
}
