/* The audit log: who did what, and whether it is whole. Reading it is in it, too. */
#include "core.h"

enum { ACTION_CHARS_MAX = 64, QUERY_CHARS_MAX = 100 };
static const int64_t SECOND_US = 1000000, DAY_SECONDS = 86400, CHINA_OFFSET_SECONDS = 8 * 3600;

/* The instant at which a day begins in China. */
static int64_t start_of(int32_t day)
{
    return (day * DAY_SECONDS - CHINA_OFFSET_SECONDS) * SECOND_US;
}

static kd_status read_filter(kd_call *call, kd_audit_filter *filter, kd_error *err)
{
    int32_t from, to;
    KD_TRY(kd_call_query_id(call, "account", &filter->account_id, err));
    KD_TRY(kd_call_query_id(call, "person", &filter->person_id, err));
    KD_TRY(kd_call_query_text(call, "action", false, ACTION_CHARS_MAX, &filter->action, err));
    KD_TRY(kd_call_query_text(call, "q", false, QUERY_CHARS_MAX, &filter->text, err));
    KD_TRY(kd_call_query_day(call, "from", &from, err));
    KD_TRY(kd_call_query_day(call, "to", &to, err));
    KD_TRY(kd_call_limit(call, &filter->limit, err));
    if (from != KD_DAY_NONE) filter->from = start_of(from);
    if (to != KD_DAY_NONE) filter->to = start_of(to + 1);
    filter->areas = call->who->areas;
    filter->area_count = call->who->area_count;
    filter->cursor = kd_call_query(call, "cursor");
    return KD_OK;
}

static void put_row(kd_call *call, const kd_audit_row *row)
{
    kd_json *json = &call->out;
    const kd_audit_entry *entry = &row->entry;
    kd_json_object(json);
    kd_json_kint(json, "seq", row->seq);
    kd_out_instant(json, "at", entry->at);
    kd_json_kstr(json, "login", entry->login);
    kd_out_id(json, "account_id", entry->account_id);
    kd_json_kstr(json, "role", entry->role);
    kd_out_text(json, "action", entry->action);
    kd_json_kstr(json, "purpose", entry->purpose);
    kd_json_kstr(json, "object", entry->object);
    kd_out_id(json, "person_id", entry->person_id);
    kd_out_division(call, "division", entry->division);
    kd_json_kbool(json, "is_allowed", entry->is_allowed);
    kd_json_kstr(json, "request_id", entry->request_id);
    kd_json_kstr(json, "address", entry->address);
    kd_json_kstr(json, "detail", entry->detail);
    kd_out_text(json, "hash", row->hash);
    kd_json_object_end(json);
}

static kd_status list_audit(kd_call *call, kd_error *err)
{
    kd_audit_filter filter = { .limit = 0 };
    kd_audit_page page;
    KD_TRY(read_filter(call, &filter, err));
    KD_TRY(kd_call_audit(call, "audit.read", filter.person_id, 0, (kd_str){ NULL, 0 }, err));
    KD_TRY(kd_audit_list(call->access, &filter, call->arena, &page, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < page.count; i++) put_row(call, &page.rows[i]);
    kd_json_array_end(&call->out);
    kd_json_kstr(&call->out, "next", page.next);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status run_verify(kd_register *reg, void *ctx, const kd_progress *progress, kd_json *result, kd_error *err)
{
    enum { VERDICT_BYTES_MAX = 1 << 16 };
    (void)ctx;
    kd_audit_verdict verdict;
    kd_arena *arena = kd_arena_new(VERDICT_BYTES_MAX);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory");
    kd_status status = kd_audit_verify(reg, progress, arena, &verdict, err);
    if (status == KD_OK) {
        kd_json_object(result);
        kd_json_kbool(result, "is_whole", verdict.first_bad_seq == 0);
        kd_json_kint(result, "entries", verdict.entries);
        kd_json_kint(result, "first_bad_seq", verdict.first_bad_seq);
        kd_json_kstr(result, "fault_zh", verdict.fault_zh);
        kd_json_kstr(result, "fault_en", verdict.fault_en);
        kd_json_kstr(result, "head_hash", verdict.head_hash);
        kd_json_object_end(result);
    }
    kd_arena_free(arena);
    return status;
}

/* The job is seen by those whose areas hold its division: it is made in the first area of who asks. */
static kd_status verify_audit(kd_call *call, kd_error *err)
{
    int64_t id;
    KD_TRY(kd_call_audit(call, "audit.verify", 0, 0, (kd_str){ NULL, 0 }, err));
    const kd_job_spec spec = { .kind = "verify",
                               .run = run_verify,
                               .account_id = call->who->id,
                               .division = call->who->area_count ? call->who->areas[0] : 0,
                               .title_zh = KD_STR("核验审计日志"),
                               .title_en = KD_STR("Checking the audit log") };
    KD_TRY(kd_call_start_job(call, &spec, &id, err));
    call->status = 202;
    if (kd_jobs_write(call->server->jobs, id, call->is_english, &call->out)) return KD_OK;
    return kd_fail(err, KD_NOT_FOUND, "id", "there is no such job");
}

const kd_route kd_routes_audit[] = {
    { .method = "GET", .path = "/api/audit", .permission = "audit.read", .run = list_audit },
    { .method = "POST", .path = "/api/audit/verify", .permission = "audit.verify", .run = verify_audit },
    { .method = NULL },
};
