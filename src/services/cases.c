/* Cases: drafts kept, read and listed; what was done in each. */
#include "births.h"

#include <string.h>

enum { LIST_MAX = 200, ACTIONS_MAX = 1000, SEARCH_BYTES_MAX = 4096 };

static kd_status stale(kd_error *err)
{
    kd_fail(err, KD_CONFLICT, "version", "the registration was changed by someone else in the meantime");
    kd_hint(err, "open it again and repeat the change");
    return KD_CONFLICT;
}

kd_status birth_division(kd_register *reg, const kd_birth_declaration *declaration, const kd_case_actor *actor,
                         int64_t *out_division, kd_error *err)
{
    const int64_t wanted[] = { declaration->residence_division, declaration->place_division };
    const kd_divisions *divisions;
    KD_TRY(kd_register_divisions(reg, &divisions, err));
    *out_division = actor->division;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!wanted[i] || !kd_division_within(wanted[i], actor->division) || !kd_divisions_find(divisions, wanted[i]))
            continue;
        *out_division = wanted[i];
        return KD_OK;
    }
    return KD_OK;
}

/* ---- what a list searches in ---- */

kd_status birth_fold_name(kd_register *reg, kd_str raw, kd_arena *arena, kd_str *out, kd_error *err)
{
    const kd_text *text;
    kd_name name;
    char buf[KD_NAME_BYTES_MAX];
    *out = KD_STR("");
    KD_TRY(kd_register_text(reg, &text, err));
    kd_name_read(text, raw, &name);
    if (name.kind != KD_NAME_PERSON) return KD_OK;
    *out = kd_arena_str(arena, (kd_str){ buf, kd_name_format(&name, buf) });
    return out->ptr ? KD_OK : birth_no_memory(err);
}

static void add_folded(const kd_text *text, kd_str raw, kd_buf *out)
{
    char bytes[4];
    if (!raw.len) return;
    if (out->len) kd_buf_char(out, ' ');
    for (size_t at = 0; at < raw.len;) {
        size_t len = kd_utf8_encode(kd_fold_char(text, kd_utf8_next(raw, &at)), bytes);
        if (len) kd_buf_add(out, bytes, len);
    }
}

kd_status birth_search_text(kd_register *reg, const kd_birth *birth, kd_arena *arena, kd_str *out, kd_error *err)
{
    const kd_birth_declaration *d = &birth->declaration;
    const kd_text *text;
    kd_buf buf;
    KD_TRY(kd_register_text(reg, &text, err));
    kd_buf_init(&buf, SEARCH_BYTES_MAX * 4);
    for (size_t i = 0; i < d->child_count; i++) {
        add_folded(text, d->children[i].name, &buf);
        add_folded(text, d->children[i].certificate_no, &buf);
        add_folded(text, birth->children[i].number, &buf);
    }
    add_folded(text, d->mother.name, &buf);
    add_folded(text, d->mother.identity_number, &buf);
    add_folded(text, d->father.name, &buf);
    add_folded(text, d->father.identity_number, &buf);
    *out = kd_arena_str(arena, kd_buf_view(&buf));
    bool is_whole = buf.status == KD_OK && out->ptr;
    kd_buf_done(&buf);
    return is_whole ? KD_OK : birth_no_memory(err);
}

/* ---- actions ---- */

kd_status birth_action_add(kd_register *reg, const kd_case_actor *actor, const birth_action *action, kd_error *err)
{
    char made_up[KD_ID_TEXT_BYTES];
    int64_t id = kd_register_next_id(reg), now = kd_now_us();
    kd_str transaction = actor->transaction_id.len ? actor->transaction_id : kd_str_of(kd_id_format(id, made_up));
    return kd_store_exec(
        kd_register_store(reg), err, NULL,
        "insert into case_action (case_id, id, kind, status, transaction_id, account_id, role, division, done_at, "
        "received_at, reason, facts) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        KD_VALUES(kd_int(action->case_id), kd_int(id), kd_text_value(kd_str_of(action->kind)),
                  kd_text_value(kd_str_of(action->status)), kd_text_value(transaction),
                  actor->account_id ? kd_int(actor->account_id) : KD_NULL, kd_text_value(actor->role),
                  actor->division ? kd_int(actor->division) : KD_NULL, kd_int(actor->done_at ? actor->done_at : now),
                  kd_int(now), kd_text_value(action->reason), kd_text_value(action->facts)));
}

kd_status birth_action_is_done(kd_register *reg, const kd_case_actor *actor, int64_t case_id, const char *kind,
                               bool *out_is_done, kd_error *err)
{
    int64_t id;
    *out_is_done = false;
    if (!actor->transaction_id.len) return KD_OK;
    kd_status status =
        kd_store_int(kd_register_store(reg), err, &id,
                     "select id from case_action where case_id = $1 and transaction_id = $2 and kind = $3",
                     KD_VALUES(kd_int(case_id), kd_text_value(actor->transaction_id), kd_text_value(kd_str_of(kind))));
    if (status == KD_OK) *out_is_done = true;
    return status == KD_NOT_FOUND ? KD_OK : status;
}

kd_status kd_case_actions(kd_register *reg, int64_t case_id, kd_arena *arena, kd_case_action **out_actions,
                          size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    kd_case_action *actions = kd_arena_array(arena, ACTIONS_MAX, sizeof *actions);
    if (!actions) return birth_no_memory(err);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select a.id, a.done_at, a.received_at, a.account_id, a.division, a.kind, a.status, a.role, "
                          "a.reason, account.name from case_action a left join account on account.id = a.account_id "
                          "where a.case_id = $1 order by a.id limit $2",
                          KD_VALUES(kd_int(case_id), kd_int(ACTIONS_MAX))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < ACTIONS_MAX)
        actions[count++] = (kd_case_action){ .id = kd_rows_int(rows, 0),
                                             .at = kd_rows_int(rows, 1),
                                             .received_at = kd_rows_int(rows, 2),
                                             .account_id = kd_rows_int(rows, 3),
                                             .division = kd_rows_int(rows, 4),
                                             .kind = kd_arena_str(arena, kd_rows_text(rows, 5)),
                                             .status = kd_arena_str(arena, kd_rows_text(rows, 6)),
                                             .role = kd_arena_str(arena, kd_rows_text(rows, 7)),
                                             .reason = kd_arena_str(arena, kd_rows_text(rows, 8)),
                                             .name = kd_arena_str(arena, kd_rows_text(rows, 9)) };
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_actions = actions;
    *out_count = count;
    return KD_OK;
}

/* ---- one case ---- */

static kd_status read_case(const kd_rows *rows, kd_arena *arena, kd_birth *birth, birth_made *made, kd_error *err)
{
    *birth = (kd_birth){ .id = kd_rows_int(rows, 0),
                         .state = kd_arena_str(arena, kd_rows_text(rows, 1)),
                         .division = kd_rows_int(rows, 2),
                         .notice_record_id = kd_rows_int(rows, 3),
                         .created_by = kd_rows_int(rows, 4),
                         .created_at = kd_rows_int(rows, 5),
                         .changed_at = kd_rows_int(rows, 6),
                         .version = kd_rows_int(rows, 7) };
    if (!birth->state.ptr) return birth_no_memory(err);
    return birth_facts_read(kd_rows_text(rows, 8), arena, birth, made, err);
}

kd_status birth_load(kd_register *reg, int64_t id, kd_arena *arena, kd_birth *out_birth, birth_made *out_made,
                     kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_birth birth;
    birth_made made;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select id, state, division, notice_record_id, created_by, created_at, changed_at, version, "
                          "facts from case_file where id = $1 and kind = 'birth_registration'",
                          KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && !has_row) status = kd_fail(err, KD_NOT_FOUND, "id", "there is no such registration");
    if (status == KD_OK) status = read_case(rows, arena, &birth, &made, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_birth = birth;
    *out_made = made;
    return KD_OK;
}

kd_status kd_birth_get(kd_register *reg, int64_t id, kd_arena *arena, kd_birth *out_birth, kd_error *err)
{
    birth_made made;
    return birth_load(reg, id, arena, out_birth, &made, err);
}

/* ---- drafts ---- */

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    const kd_case_actor *actor;
    const kd_birth *birth;
    kd_buf facts;
    kd_str search;
    int64_t division;
} draft;

static kd_value or_null(int64_t value)
{
    return value ? kd_int(value) : KD_NULL;
}

static kd_status insert_draft(draft *d, int64_t id, kd_error *err)
{
    const kd_birth_declaration *declaration = &d->birth->declaration;
    int64_t now = kd_now_us();
    return kd_store_exec(
        kd_register_store(d->reg), err, NULL,
        "insert into case_file (id, kind, state, division, notice_record_id, facts, search, event_day, "
        "created_by, created_at, changed_at, version) values ($1, 'birth_registration', 'draft', $2, $3, "
        "$4, $5, $6, $7, $8, $8, 1)",
        KD_VALUES(kd_int(id), kd_int(d->division), or_null(declaration->notice_record_id),
                  kd_text_value(kd_buf_view(&d->facts)), kd_text_value(d->search), kd_day_value(declaration->birth_day),
                  kd_int(d->actor->account_id), kd_int(now)));
}

static kd_status update_draft(draft *d, int64_t id, int64_t version, kd_error *err)
{
    const kd_birth_declaration *declaration = &d->birth->declaration;
    int64_t changed = 0;
    kd_birth before;
    KD_TRY(kd_birth_get(d->reg, id, d->arena, &before, err));
    if (!kd_str_is(before.state, "draft")) {
        kd_fail(err, KD_CONFLICT, "state", "the birth is registered already");
        kd_hint(err, "correct it, with a reason");
        return KD_CONFLICT;
    }
    KD_TRY(
        kd_store_exec(kd_register_store(d->reg), err, &changed,
                      "update case_file set division = $3, notice_record_id = $4, facts = $5, search = $6, "
                      "event_day = $7, changed_at = $8, version = version + 1 where id = $1 and version = $2",
                      KD_VALUES(kd_int(id), kd_int(version), kd_int(d->division),
                                or_null(declaration->notice_record_id), kd_text_value(kd_buf_view(&d->facts)),
                                kd_text_value(d->search), kd_day_value(declaration->birth_day), kd_int(kd_now_us()))));
    return changed ? KD_OK : stale(err);
}

static kd_status save(draft *d, int64_t *id, int64_t version, kd_error *err)
{
    static const birth_made nothing = { .record_count = 0 };
    KD_TRY(birth_facts_write(d->birth, &nothing, &d->facts, err));
    KD_TRY(birth_search_text(d->reg, d->birth, d->arena, &d->search, err));
    KD_TRY(birth_division(d->reg, &d->birth->declaration, d->actor, &d->division, err));
    KD_TRY(kd_store_begin(kd_register_store(d->reg), err));
    kd_status status;
    if (*id) {
        status = update_draft(d, *id, version, err);
    } else {
        *id = kd_register_next_id(d->reg);
        status = insert_draft(d, *id, err);
        birth_action action = { .case_id = *id, .kind = "drafted", .status = "accepted" };
        if (status == KD_OK) status = birth_action_add(d->reg, d->actor, &action, err);
    }
    return kd_store_end(kd_register_store(d->reg), status, err);
}

kd_status kd_birth_save(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                        const kd_birth_declaration *declaration, const kd_case_actor *actor, int64_t *out_id,
                        int64_t *out_version, kd_error *err)
{
    kd_birth birth = { .declaration = *declaration };
    (void)pack;
    if (birth.declaration.child_count == 0) birth.declaration.child_count = 1;
    if (birth.declaration.child_count > KD_BIRTH_CHILDREN_MAX)
        return kd_fail(err, KD_LIMIT, "/children", "at most eight children are declared together");
    draft d = { .reg = reg, .arena = kd_arena_new(1 << 20), .actor = actor, .birth = &birth };
    if (!d.arena) return birth_no_memory(err);
    kd_buf_init(&d.facts, BIRTH_FACTS_BYTES_MAX);
    int64_t saved = id;
    kd_status status = save(&d, &saved, version, err);
    kd_buf_done(&d.facts);
    kd_arena_free(d.arena);
    if (status != KD_OK) return status;
    *out_id = saved;
    *out_version = id ? version + 1 : 1;
    return KD_OK;
}

/* ---- the list ---- */

static bool read_cursor(kd_str cursor, int64_t *out_changed, int64_t *out_id)
{
    kd_str changed;
    return kd_str_next(&cursor, '.', &changed) && kd_str_int(changed, out_changed) && kd_str_int(cursor, out_id);
}

kd_status birth_like_pattern(kd_register *reg, kd_str query, kd_arena *arena, kd_str *out, kd_error *err)
{
    const kd_text *text;
    kd_buf buf, folded;
    KD_TRY(kd_register_text(reg, &text, err));
    kd_buf_init(&folded, SEARCH_BYTES_MAX);
    kd_buf_init(&buf, SEARCH_BYTES_MAX);
    add_folded(text, kd_str_trim(query), &folded);
    kd_buf_char(&buf, '%');
    for (size_t i = 0; i < folded.len; i++) {
        if (strchr("%_!", folded.ptr[i])) kd_buf_char(&buf, '!');
        kd_buf_char(&buf, folded.ptr[i]);
    }
    kd_buf_char(&buf, '%');
    bool is_whole = buf.status == KD_OK && folded.status == KD_OK;
    *out = kd_arena_str(arena, kd_buf_view(&buf));
    kd_buf_done(&buf);
    kd_buf_done(&folded);
    return is_whole && out->ptr ? KD_OK : kd_fail(err, KD_LIMIT, "q", "the text to search for is too long");
}

/* In the order of the placeholders; one statement serves every filter. */
#define LIST_SELECT                                                                                                        \
    "select id, division, created_at, changed_at, state, number, event_day, facts from case_file "                         \
    "where kind = 'birth_registration' and (changed_at < $1 or (changed_at = $1 and id < $2)) and (state = $3 or $3 = '')" \
    " and (search like $4 escape '!' or $4 = '%%') "
#define LIST_ORDER "order by changed_at desc, id desc limit $5"

static kd_status read_brief(const kd_rows *rows, kd_arena *arena, kd_birth_brief *out, kd_error *err)
{
    kd_birth birth = { .id = 0 };
    birth_made made;
    KD_TRY(birth_facts_read(kd_rows_text(rows, 7), arena, &birth, &made, err));
    *out = (kd_birth_brief){ .id = kd_rows_int(rows, 0),
                             .division = kd_rows_int(rows, 1),
                             .created_at = kd_rows_int(rows, 2),
                             .changed_at = kd_rows_int(rows, 3),
                             .state = kd_arena_str(arena, kd_rows_text(rows, 4)),
                             .number = kd_arena_str(arena, kd_rows_text(rows, 5)),
                             .birth_day = kd_rows_day(rows, 6),
                             .child_name = birth.declaration.children[0].name,
                             .mother_name = birth.declaration.mother.name };
    return out->state.ptr ? KD_OK : birth_no_memory(err);
}

kd_status kd_birth_list(kd_register *reg, const kd_birth_filter *filter, kd_arena *arena, kd_birth_page *out_page,
                        kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t changed = INT64_MAX, id = INT64_MAX;
    kd_str like;
    if (filter->limit < 1 || filter->limit > LIST_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page brings 1 to %d registrations", LIST_MAX);
    if (filter->cursor.len && !read_cursor(filter->cursor, &changed, &id))
        return kd_fail(err, KD_INVALID, "cursor", "no page gave this cursor");
    KD_TRY(birth_like_pattern(reg, filter->query, arena, &like, err));
    kd_birth_page page = { .births = kd_arena_array(arena, filter->limit, sizeof *page.births) };
    if (!page.births) return birth_no_memory(err);
    const kd_value values[] = { kd_int(changed),
                                kd_int(id),
                                kd_text_value(filter->state.len ? filter->state : KD_STR("")),
                                kd_text_value(like),
                                kd_int((int64_t)filter->limit + 1),
                                kd_int(filter->division),
                                kd_int(kd_area_last_code(filter->division)) };
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          filter->division ? LIST_SELECT "and division between $6 and $7 " LIST_ORDER
                                           : LIST_SELECT LIST_ORDER,
                          values, filter->division ? 7 : 5));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        if (page.count == filter->limit) {
            const kd_birth_brief *last = &page.births[page.count - 1];
            page.next = kd_arena_fmt(arena, "%lld.%lld", (long long)last->changed_at, (long long)last->id);
            break;
        }
        if ((status = read_brief(rows, arena, &page.births[page.count], err)) != KD_OK) break;
        page.count++;
    }
    kd_rows_close(rows);
    if (status == KD_OK) *out_page = page;
    return status;
}
