/**
 * @file call.h
 * One request as a handler sees it. Private to the server.
 *
 * A route is a row in a table: method, path, what it needs, a handler. The handler runs on a worker thread with a register
 * connection of that worker's own. Before it runs, the server has read and checked the request: who asks (cookie or token), CSRF,
 * rate, the permission and the purpose the route names, limits of size. It reads parameters and body through the functions
 * below, answers through `out`, and returns a status; a failure becomes a problem document (RFC 9457) in the reader's language.
 *
 * A handler that fails with a status of its own choice sets `call->status` to it (409, 412, 415 …) before it returns the failure;
 * else the failure's kd_status decides.
 *
 * A person's data is reached through kd_call_open_person or kd_call_allow_division alone: they hold role, area and purpose to the
 * request and leave the audit entry (G7).
 */
#ifndef KD_SERVER_CALL_H
#define KD_SERVER_CALL_H

#include "access/access.h"
#include "register/register.h"

#include <jansson.h>

typedef struct kd_call kd_call;
typedef struct kd_server kd_server;
typedef kd_status (*kd_handler)(kd_call *call, kd_error *err);

typedef enum {
    KD_BODY_NONE, /* a body is refused */
    KD_BODY_JSON, /* an object, at most KD_JSON_BYTES_MAX */
    KD_BODY_FILE  /* streamed to a file in the register's spool folder, at most the route's bytes_max */
} kd_body_kind;
enum { KD_JSON_BYTES_MAX = 1 << 20, KD_PARAMS_MAX = 4 };

typedef struct kd_route {
    const char *method, *path; /* "/api/persons/{id}/family" */
    const char *permission;    /* name in packs/cn/access.yaml; NULL: whoever is signed in; "-": whoever asks */
    kd_body_kind body;
    bool needs_purpose;     /* a purpose that the role has must stand in Kindred-Purpose */
    bool needs_idempotency; /* Idempotency-Key must be there: the first answer is kept and given again */
    bool shows_secret;      /* the answer holds a password or a token: it is not kept, and a repeat is told so */
    bool is_stream;         /* answers with server-sent events: kd_call_watch_job */
    uint64_t bytes_max;     /* KD_BODY_FILE */
    kd_handler run;
} kd_route;

/** The tables of all routes; each file routes_NAME.c has one, ended by a NULL method, and stands in the list of routes.c. */
extern const kd_route kd_routes_session[], kd_routes_accounts[], kd_routes_audit[], kd_routes_persons[],
    kd_routes_tasks[], kd_routes_births[], kd_routes_feeds[], kd_routes_matches[], kd_routes_overview[],
    kd_routes_reference[], kd_routes_jobs[];

struct kd_call {
    kd_server *server;
    kd_arena *arena;   /* until the answer is sent */
    kd_register *reg;  /* this worker's connection */
    kd_access *access; /* this worker's */
    const kd_route *route;
    const kd_account *who; /* NULL on open routes when nobody is signed in */
    kd_str purpose;        /* empty when the route needs none */
    bool is_english;       /* Accept-Language */
    kd_str params[KD_PARAMS_MAX];
    kd_str request_id, idempotency_key, if_match;
    json_t *body;     /* KD_BODY_JSON */
    const char *file; /* KD_BODY_FILE: path of the spooled body; removed after the call unless the handler renames it */
    uint64_t file_bytes;

    /* the answer */
    int status; /* 200 unless set */
    kd_buf out_bytes;
    kd_json out;              /* writes into out_bytes */
    const char *content_type; /* application/json unless set */
    kd_str etag, location, download_name;
    const char *send_file; /* answer with this file instead of out_bytes; arena text */
    int64_t watched_job;   /* is_stream */

    /* a failure's further members */
    const char *problem; /* "csrf": urn:kindred:problem:csrf; NULL: by the status */
    int retry_after_s;   /* 0: by the status */
    kd_str holder;       /* who holds what is wanted */

    /* the server's own */
    struct kd_exchange *exchange;
    kd_session session; /* id 0: a token, or nobody */
    int64_t token_id;
    bool is_denial_told; /* its audit entry is written */
};

/* ---- what was asked ---- */

/** Query parameter, percent-decoded; empty when absent. */
kd_str kd_call_query(const kd_call *call, const char *name);
KD_CHECKED kd_status kd_call_query_int(const kd_call *call, const char *name, int64_t otherwise, int64_t min,
                                       int64_t max, int64_t *out_value, kd_error *err);
/** Id in 13 characters of base 32 from the path; KD_NOT_FOUND when it is none. */
KD_CHECKED kd_status kd_call_id(const kd_call *call, size_t param, int64_t *out_id, kd_error *err);
KD_CHECKED kd_status kd_call_query_id(const kd_call *call, const char *name, int64_t *out_id,
                                      kd_error *err); /* 0 when absent */
KD_CHECKED kd_status kd_call_query_bool(const kd_call *call, const char *name, bool otherwise, bool *out_value,
                                        kd_error *err);
KD_CHECKED kd_status kd_call_query_day(const kd_call *call, const char *name, int32_t *out_day, kd_error *err);
/** Text of 1 to `chars_max` characters; empty when absent, unless required. */
KD_CHECKED kd_status kd_call_query_text(const kd_call *call, const char *name, bool is_required, size_t chars_max,
                                        kd_str *out_text, kd_error *err);
/** `?limit=` of 1 to 200, 50 when absent. */
KD_CHECKED kd_status kd_call_limit(const kd_call *call, size_t *out_limit, kd_error *err);
/** A division's code of twelve digits, zeros for 0; KD_INVALID for anything else. */
KD_CHECKED kd_status kd_division_read(kd_str text, const char *field, int64_t *out_division, kd_error *err);
/** Header by lower-case name; empty when absent. */
kd_str kd_call_header(const kd_call *call, const char *name);

/*
 * Typed members of a JSON object. `where` is the JSON Pointer of the object ("" for the body); a wrong or a missing member fails with
 * the pointer of the member in err->field, so that the problem document names it.
 */
typedef struct {
    kd_call *call;
    const json_t *object;
    const char *where;
} kd_in;
static inline kd_in kd_call_body(kd_call *call)
{
    return (kd_in){ call, call->body, "" };
}
/** KD_INVALID naming the first member that is not in the NULL-ended list. */
KD_CHECKED kd_status kd_in_only(kd_in in, const char *const *names, kd_error *err);
/** Text of at most `bytes_max`; absent or null gives an empty text unless `is_required`. Control characters are refused but \n and \t. */
KD_CHECKED kd_status kd_in_text(kd_in in, const char *name, bool is_required, size_t bytes_max, kd_str *out,
                                kd_error *err);
KD_CHECKED kd_status kd_in_int(kd_in in, const char *name, bool is_required, int64_t min, int64_t max,
                               int64_t otherwise, int64_t *out, kd_error *err);
KD_CHECKED kd_status kd_in_bool(kd_in in, const char *name, bool otherwise, bool *out, kd_error *err);
/** YYYY-MM-DD; absent gives KD_DAY_NONE unless required. */
KD_CHECKED kd_status kd_in_day(kd_in in, const char *name, bool is_required, int32_t *out, kd_error *err);
/** 13 characters; absent gives 0 unless required. */
KD_CHECKED kd_status kd_in_id(kd_in in, const char *name, bool is_required, int64_t *out, kd_error *err);
/** Member object; `out->object` NULL when absent and not required. */
KD_CHECKED kd_status kd_in_object(kd_in in, const char *name, bool is_required, kd_in *out, kd_error *err);
/** Member list; count 0 when absent. Elements with kd_in_at. */
KD_CHECKED kd_status kd_in_list(kd_in in, const char *name, size_t max, kd_in *out_list, size_t *out_count,
                                kd_error *err);
KD_CHECKED kd_status kd_in_at(kd_in list, size_t index, kd_in *out_object, kd_error *err);
/** Element that is a text. */
KD_CHECKED kd_status kd_in_text_at(kd_in list, size_t index, size_t bytes_max, kd_str *out, kd_error *err);
/** A division's code; absent gives 0 unless required, and `*out_is_there` (may be NULL) tells that from the whole register. */
KD_CHECKED kd_status kd_in_division(kd_in in, const char *name, bool is_required, int64_t *out, bool *out_is_there,
                                    kd_error *err);
/** One of a NULL-ended list of words; absent gives `otherwise` (-1: required). */
KD_CHECKED kd_status kd_in_word(kd_in in, const char *name, const char *const *words, int otherwise, int *out,
                                kd_error *err);

/* ---- may they ---- */

/** KD_DENIED when the account's areas do not hold the division. 0 is everywhere: only for accounts of the whole register. */
KD_CHECKED kd_status kd_call_allow_division(kd_call *call, int64_t division, kd_error *err);
/** Area for a list: the one asked for in `?division=` when allowed, else the account's own first. */
KD_CHECKED kd_status kd_call_area(kd_call *call, int64_t *out_division, kd_error *err);
/** Whether the account may, without failing. */
bool kd_call_may(const kd_call *call, const char *permission);
/**
 * Before a person's data is shown: role, area of the person, purpose; KD_NOT_FOUND for no such person (and for one outside
 * the area when the role may not know it is there). Leaves the audit entry `action`, durable before it returns.
 */
KD_CHECKED kd_status kd_call_open_person(kd_call *call, int64_t person_id, const char *action, kd_error *err);
/** Audit entry for anything else; `object` is what it was done to ("task/01H…"). Durable before it returns. */
KD_CHECKED kd_status kd_call_audit(kd_call *call, const char *action, int64_t person_id, int64_t division,
                                   kd_str object, kd_error *err);
/** KD_DENIED, with an audit entry of what was refused. Other KD_DENIED failures of a handler leave one without an object. */
KD_CHECKED kd_status kd_call_deny(kd_call *call, const char *action, int64_t person_id, int64_t division, kd_str object,
                                  kd_error *err);

/* ---- answering ---- */

void kd_out_id(kd_json *json, const char *key, int64_t id);             /* null for 0 */
void kd_out_instant(kd_json *json, const char *key, int64_t us);        /* RFC 3339; null for 0 */
void kd_out_division(kd_call *call, const char *key, int64_t division); /* {"code","name","path"}; null for 0 */
void kd_out_area(kd_call *call, const char *key, int64_t division);     /* the same; 0 is the whole register */
void kd_out_area_members(kd_call *call, int64_t division);              /* its three members, within an object */
/** {"code","zh","en"}; `key` NULL within a list. */
void kd_out_word(kd_json *json, const char *key, kd_str code, kd_str zh, kd_str en);
void kd_out_raw(kd_json *json, kd_str value); /* after kd_json_key: text that is JSON already; null when empty */
/** Text even when empty, where kd_json_kstr writes null. */
void kd_out_text(kd_json *json, const char *key, kd_str text);
/** Set the session's cookie with this answer, or take it away (NULL). */
void kd_call_set_cookie(kd_call *call, const kd_session_secrets *secrets);
/** Text by the reader's language. */
kd_str kd_call_words(const kd_call *call, kd_str zh, kd_str en);
/** Strong ETag of a version number; KD_CONFLICT (412) when If-Match is there and differs; 428 when `is_required` and absent. */
KD_CHECKED kd_status kd_call_match_version(kd_call *call, int64_t version, bool is_required, kd_error *err);
void kd_call_set_version(kd_call *call, int64_t version);

/* ---- jobs: long work, one at a time a kind ---- */

typedef enum { KD_JOB_WAITING, KD_JOB_RUNNING, KD_JOB_DONE, KD_JOB_FAILED, KD_JOB_CANCELLED } kd_job_state;
/** Runs on a job thread with a register of its own. `result` becomes the job's result (a JSON value). */
typedef kd_status (*kd_job_work)(kd_register *reg, void *ctx, const kd_progress *progress, kd_json *result,
                                 kd_error *err);
typedef struct {
    const char *kind; /* "import", "link" */
    kd_job_work run;
    void *ctx;
    void (*free_ctx)(void *ctx);
    int64_t account_id, division;
    kd_str title_zh, title_en; /* copied */
} kd_job_spec;
KD_CHECKED kd_status kd_call_start_job(kd_call *call, const kd_job_spec *spec, int64_t *out_job_id, kd_error *err);

#endif
