/*
 * A request with an Idempotency-Key is done once. Its key is written down before the handler runs and the answer after, so that
 * a crash between leaves a key whose outcome nobody knows: then a repeat is told so instead of being done twice.
 */
#include "core.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FLIGHTS_MAX = 1024, HASH_TEXT_BYTES = 65, ANSWER_KEPT_BYTES_MAX = 1 << 20 };
static const int64_t KEPT_US = INT64_C(24) * 3600 * 1000000; /* how long an answer is given again */
static const int64_t PURGE_US = INT64_C(3600) * 1000000;

typedef struct {
    int64_t account_id;
    uint64_t key_hash;
} flight;

struct kd_flights {
    pthread_mutex_t mutex; /* guards all below */
    flight flights[FLIGHTS_MAX];
    size_t count;
    int64_t purged_at;
};

kd_flights *kd_flights_new(void)
{
    kd_flights *flights = calloc(1, sizeof *flights);
    if (flights) pthread_mutex_init(&flights->mutex, NULL);
    return flights;
}

void kd_flights_free(kd_flights *flights)
{
    if (!flights) return;
    pthread_mutex_destroy(&flights->mutex);
    free(flights);
}

static flight flight_of(const kd_call *call)
{
    kd_str key = call->idempotency_key;
    return (flight){ call->who ? call->who->id : 0, kd_hash(key.ptr, key.len, 0) };
}

static bool take_off(kd_call *call)
{
    kd_flights *all = call->server->flights;
    flight f = flight_of(call);
    bool is_free = true;
    pthread_mutex_lock(&all->mutex);
    for (size_t i = 0; i < all->count; i++)
        if (all->flights[i].account_id == f.account_id && all->flights[i].key_hash == f.key_hash) is_free = false;
    is_free = is_free && all->count < FLIGHTS_MAX;
    if (is_free) all->flights[all->count++] = f;
    pthread_mutex_unlock(&all->mutex);
    return is_free;
}

static void land(kd_call *call)
{
    kd_flights *all = call->server->flights;
    flight f = flight_of(call);
    pthread_mutex_lock(&all->mutex);
    for (size_t i = 0; i < all->count; i++)
        if (all->flights[i].account_id == f.account_id && all->flights[i].key_hash == f.key_hash) {
            all->flights[i] = all->flights[--all->count];
            break;
        }
    pthread_mutex_unlock(&all->mutex);
}

static void add_hex(char *to, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = '\0';
}

/* SHA-256 over what was asked: two requests of one key must be one request. */
static kd_status hash_request(const kd_call *call, char out[HASH_TEXT_BYTES], kd_error *err)
{
    const kd_request *request = call->exchange->request;
    kd_str parts[] = { kd_str_of(request->method), request->path, request->query, kd_buf_view(&request->body) };
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool is_fine = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; is_fine && i < sizeof parts / sizeof parts[0]; i++) {
        uint64_t len = parts[i].len;
        is_fine = EVP_DigestUpdate(md, &len, sizeof len) == 1 && EVP_DigestUpdate(md, parts[i].ptr, parts[i].len) == 1;
    }
    is_fine = is_fine && EVP_DigestFinal_ex(md, digest, &digest_bytes) == 1;
    EVP_MD_CTX_free(md);
    if (!is_fine) return kd_fail(err, KD_LIMIT, "", "no memory for a hash");
    add_hex(out, digest, 32);
    return KD_OK;
}

/* "STATUS\nETAG\nLOCATION\nBODY" but for the status, which has a column. */
static void give_again(kd_call *call, int status, kd_str kept)
{
    kd_str rest = kd_arena_str(call->arena, kept), etag, location;
    if (!rest.ptr || !kd_str_next(&rest, '\n', &etag) || !kd_str_next(&rest, '\n', &location)) return;
    call->status = status;
    call->etag = etag;
    call->location = location;
    kd_buf_clear(&call->out_bytes);
    kd_buf_str(&call->out_bytes, rest);
    kd_answer_field(call->exchange, "Idempotency-Replayed", KD_STR("true"));
}

static kd_status look_up(kd_call *call, const char *hash, bool *out_is_answered, kd_error *err)
{
    kd_rows *rows;
    bool has_row;
    KD_TRY(kd_store_query(kd_register_store(call->reg), err, &rows,
                          "select request_hash, status, answer from idempotency where account_id = $1 and key = $2",
                          KD_VALUES(kd_int(call->who->id), kd_text_value(call->idempotency_key))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && !has_row) {
        status = kd_fail(err, KD_CONFLICT, "Idempotency-Key", "a request with this key is being done");
    } else if (status == KD_OK && !kd_str_is(kd_rows_text(rows, 0), hash)) {
        status = kd_fail(err, KD_INVALID, "Idempotency-Key", "the key belongs to another request");
        kd_hint(err, "make a new key for each thing done");
    } else if (status == KD_OK && kd_rows_int(rows, 1) == 0) {
        status = kd_fail(err, KD_CONFLICT, "Idempotency-Key", "how the first request with this key ended is not known");
        kd_hint(err, "look whether it was done; if not, repeat it with a new key");
    } else if (status == KD_OK && call->route->shows_secret) {
        status =
            kd_fail(err, KD_CONFLICT, "Idempotency-Key", "this was done; the secret it answered is shown only once");
        kd_hint(err, "make a new secret");
    } else if (status == KD_OK) {
        give_again(call, (int)kd_rows_int(rows, 1), kd_rows_text(rows, 2));
        *out_is_answered = true;
    }
    kd_rows_close(rows);
    return status;
}

/* Once an hour, what is too old to be asked for again. */
static kd_status purge(kd_call *call, kd_error *err)
{
    kd_flights *all = call->server->flights;
    int64_t now = kd_now_us();
    pthread_mutex_lock(&all->mutex);
    bool is_due = now - all->purged_at > PURGE_US;
    if (is_due) all->purged_at = now;
    pthread_mutex_unlock(&all->mutex);
    if (!is_due) return KD_OK;
    return kd_store_exec(kd_register_store(call->reg), err, NULL, "delete from idempotency where at < $1",
                         KD_VALUES(kd_int(now - KEPT_US)));
}

static kd_status reserve(kd_call *call, bool *out_is_answered, kd_error *err)
{
    char hash[HASH_TEXT_BYTES];
    int64_t changed = 0;
    KD_TRY(hash_request(call, hash, err));
    KD_TRY(purge(call, err));
    KD_TRY(kd_store_exec(kd_register_store(call->reg), err, &changed,
                         "insert into idempotency (account_id, key, request_hash, status, answer, at) "
                         "values ($1, $2, $3, 0, '', $4) on conflict (account_id, key) do nothing",
                         KD_VALUES(kd_int(call->who->id), kd_text_value(call->idempotency_key),
                                   kd_text_value(kd_str_of(hash)), kd_int(kd_now_us()))));
    return changed ? KD_OK : look_up(call, hash, out_is_answered, err);
}

kd_status kd_idempotency_begin(kd_call *call, bool *out_is_answered, kd_error *err)
{
    *out_is_answered = false;
    if (!take_off(call)) return kd_fail(err, KD_CONFLICT, "Idempotency-Key", "a request with this key is being done");
    kd_status status = reserve(call, out_is_answered, err);
    if (status != KD_OK || *out_is_answered) land(call);
    return status;
}

static kd_status keep(kd_call *call, kd_error *err)
{
    kd_buf kept;
    kd_buf_init(&kept, ANSWER_KEPT_BYTES_MAX);
    kd_buf_str(&kept, call->etag);
    kd_buf_char(&kept, '\n');
    kd_buf_str(&kept, call->location);
    kd_buf_char(&kept, '\n');
    if (!call->route->shows_secret) kd_buf_str(&kept, kd_buf_view(&call->out_bytes));
    kd_status status = kept.status;
    if (status == KD_OK)
        status = kd_store_exec(kd_register_store(call->reg), err, NULL,
                               "update idempotency set status = $3, answer = $4 where account_id = $1 and key = $2",
                               KD_VALUES(kd_int(call->who->id), kd_text_value(call->idempotency_key),
                                         kd_int(call->status), kd_text_value(kd_buf_view(&kept))));
    kd_buf_done(&kept);
    return status;
}

void kd_idempotency_end(kd_call *call, kd_status status)
{
    kd_error err;
    kd_status ended;
    if (status == KD_OK)
        ended = keep(call, &err);
    else
        ended = kd_store_exec(kd_register_store(call->reg), &err, NULL,
                              "delete from idempotency where account_id = $1 and key = $2",
                              KD_VALUES(kd_int(call->who->id), kd_text_value(call->idempotency_key)));
    if (ended != KD_OK) kd_log(KD_LOG_WARN, "the answer for an idempotency key could not be kept: %s", err.message);
    land(call);
}
