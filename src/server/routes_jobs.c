/* Long work as it goes on. */
#include "core.h"

static bool covers(void *ctx, int64_t division)
{
    const kd_call *call = ctx;
    return kd_account_covers(call->who, division);
}

static kd_status find_job(kd_call *call, int64_t *out_id, kd_error *err)
{
    kd_job_glance glance;
    int64_t id;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_jobs_recall(call->server->jobs, kd_register_store(call->reg), id, err));
    if (!kd_jobs_glance(call->server->jobs, id, &glance) || !kd_account_covers(call->who, glance.division))
        return kd_fail(err, KD_NOT_FOUND, "id", "there is no such job");
    *out_id = id;
    return KD_OK;
}

static kd_status list_jobs(kd_call *call, kd_error *err)
{
    (void)err;
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    kd_jobs_list(call->server->jobs, call->is_english, covers, call, &call->out);
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status write_job(kd_call *call, int64_t id, kd_error *err)
{
    if (kd_jobs_write(call->server->jobs, id, call->is_english, &call->out)) return KD_OK;
    return kd_fail(err, KD_NOT_FOUND, "id", "there is no such job");
}

static kd_status get_job(kd_call *call, kd_error *err)
{
    int64_t id;
    KD_TRY(find_job(call, &id, err));
    return write_job(call, id, err);
}

static kd_status watch_job(kd_call *call, kd_error *err)
{
    return find_job(call, &call->watched_job, err);
}

static kd_status cancel_job(kd_call *call, kd_error *err)
{
    int64_t id;
    char text[KD_ID_TEXT_BYTES];
    KD_TRY(find_job(call, &id, err));
    kd_str object = kd_arena_fmt(call->arena, "job/%s", kd_id_format(id, text));
    KD_TRY(kd_call_audit(call, "job.cancel", 0, 0, object, err));
    KD_TRY(kd_jobs_cancel(call->server->jobs, kd_register_store(call->reg), id, err));
    call->status = 202;
    return write_job(call, id, err);
}

const kd_route kd_routes_jobs[] = {
    { .method = "GET", .path = "/api/jobs", .permission = "job.read", .run = list_jobs },
    { .method = "GET", .path = "/api/jobs/{id}", .permission = "job.read", .run = get_job },
    { .method = "DELETE", .path = "/api/jobs/{id}", .permission = "job.run", .run = cancel_job },
    { .method = "GET", .path = "/api/jobs/{id}/events", .permission = "job.read", .is_stream = true, .run = watch_job },
    { .method = NULL },
};
