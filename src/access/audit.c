/*
 * The writer of the audit log: many threads hand in entries, one thread commits all that wait together.
 *
 * An entry belongs to the writer once it is queued. A caller that waits too long leaves: an entry not yet begun is then dropped,
 * for what it tells of is not done; one under way may still come into the log, which then tells of a look that was refused.
 * While SQLite's one writer is at work, entries wait in a file beside the register (waiting.h): they are durable there.
 */
#include "waiting.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_S = 10,
    QUEUE_MAX = 10000,
    BATCH_MAX = 256,
    LOCK_WAIT_MS = 250,
    LOCK_WAIT_SQLITE_MS = 50, /* then it goes beside the register */
    SETTLE_EVERY_MS = 250,
    REOPEN_WAIT_MIN_MS = 50,
    REOPEN_WAIT_MAX_MS = 2000,
    TEXTS = 8
};

typedef struct waiting waiting;
struct waiting {
    waiting *next;
    kd_audit_entry entry; /* its texts stand behind the struct */
    bool is_done, has_left;
    kd_status status;
    kd_error err;
};

struct kd_audit {
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below but `reg`, which is the thread's */
    pthread_cond_t has_work, has_result;
    waiting *first, **last;
    size_t count;
    bool is_stopping;
    double away_until; /* kd_seconds(): the database was away */
    int reopen_wait_ms;
    char *dir;
    kd_register *reg;          /* NULL while the database is away */
    kd_audit_waiting *waiting; /* the thread's; NULL: PostgreSQL */
};

/* ---- entries ---- */

/* No NUL and UTF-8, or the database would refuse the entry and all that are committed with it. */
static kd_str mended(char *to, kd_str text)
{
    size_t len = text.len;
    if (len > KD_AUDIT_TEXT_MAX) {
        len = KD_AUDIT_TEXT_MAX;
        while (len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80) len--;
    }
    if (len) memcpy(to, text.ptr, len);
    bool is_text = kd_utf8_is_valid((kd_str){ to, len });
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)to[i] < ' ' || to[i] == 0x7F || (!is_text && (unsigned char)to[i] >= 0x80)) to[i] = '?';
    return (kd_str){ to, len };
}

static waiting *copy(const kd_audit_entry *entry)
{
    waiting *w = calloc(1, sizeof *w + TEXTS * KD_AUDIT_TEXT_MAX);
    if (!w) return NULL;
    char *room = (char *)(w + 1);
    w->entry = *entry;
    kd_str *texts[TEXTS] = { &w->entry.login,  &w->entry.role,       &w->entry.action,  &w->entry.purpose,
                             &w->entry.object, &w->entry.request_id, &w->entry.address, &w->entry.detail };
    for (size_t i = 0; i < TEXTS; i++) {
        *texts[i] = mended(room, *texts[i]);
        room += KD_AUDIT_TEXT_MAX;
    }
    if (!w->entry.at) w->entry.at = kd_now_us();
    return w;
}

/* ---- the thread ---- */

static kd_status append(kd_audit *audit, kd_store *store, const kd_audit_entry *const *entries, size_t count,
                        kd_error *err)
{
    if (kd_audit_waiting_has_any(audit->waiting)) KD_TRY(kd_audit_waiting_take(audit->waiting, store, err));
    return count ? kd_audit_append(store, entries, count, err) : KD_OK;
}

/* KD_CONFLICT: another writer is at work, and nothing has been written. */
static kd_status write_batch(kd_audit *audit, waiting *const *batch, size_t count, kd_error *err)
{
    const kd_audit_entry *entries[BATCH_MAX];
    kd_store *store = kd_register_store(audit->reg);
    for (size_t i = 0; i < count; i++) entries[i] = &batch[i]->entry;
    bool had_waiting = kd_audit_waiting_has_any(audit->waiting);
    int wait_ms = !audit->waiting ? LOCK_WAIT_MS : had_waiting ? 1 : LOCK_WAIT_SQLITE_MS;
    kd_status status = kd_store_begin_beside(store, wait_ms, err);
    if (status == KD_CONFLICT && audit->waiting && count) {
        kd_error why;
        if (kd_audit_waiting_add(audit->waiting, store, entries, count, &why) == KD_OK) return KD_OK;
        kd_log(KD_LOG_WARN, "entries of the audit log cannot wait beside the register: %s", why.message);
    }
    KD_TRY(status);
    KD_TRY(kd_store_end(store, append(audit, store, entries, count, err), err));
    if (had_waiting) kd_audit_waiting_forget(audit->waiting, store);
    return KD_OK;
}

/* A connection that was good before may have been cut since: it is opened again once before anyone is told. */
static kd_status write_somehow(kd_audit *audit, waiting *const *batch, size_t count, kd_error *err)
{
    for (int tries = 0;; tries++) {
        bool is_fresh = !audit->reg;
        if (is_fresh) KD_TRY(kd_register_open(audit->dir, false, &audit->reg, err));
        kd_status status = write_batch(audit, batch, count, err);
        if (status != KD_IO) return status;
        kd_register_close(audit->reg);
        audit->reg = NULL;
        if (is_fresh || tries > 0) return status;
    }
}

/* Those at the front, without those whose callers have left; the mutex is held. */
static size_t take(kd_audit *audit, waiting *batch[BATCH_MAX])
{
    size_t count = 0;
    while (audit->first && count < BATCH_MAX) {
        waiting *w = audit->first;
        audit->first = w->next;
        audit->count--;
        w->next = NULL;
        if (w->has_left) {
            free(w);
        } else {
            batch[count++] = w;
        }
    }
    if (!audit->first) audit->last = &audit->first;
    return count;
}

/* Another writer holds the log: they stand at the front again; the mutex is held. */
static void put_back(kd_audit *audit, waiting *const *batch, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        batch[i]->next = audit->first;
        if (!audit->first) audit->last = &batch[i]->next;
        audit->first = batch[i];
        audit->count++;
    }
}

static void settle(waiting *const *batch, size_t count, kd_status status, const kd_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (batch[i]->has_left) {
            free(batch[i]);
            continue;
        }
        batch[i]->status = status;
        if (status != KD_OK) batch[i]->err = *err;
        batch[i]->is_done = true;
    }
}

static void note_away(kd_audit *audit, kd_status status)
{
    bool is_away = status == KD_IO || (status != KD_OK && !audit->reg);
    if (!is_away) {
        audit->away_until = 0;
        audit->reopen_wait_ms = REOPEN_WAIT_MIN_MS;
        return;
    }
    audit->away_until = kd_seconds() + audit->reopen_wait_ms / 1000.0;
    if (audit->reopen_wait_ms < REOPEN_WAIT_MAX_MS) audit->reopen_wait_ms *= 2;
}

/* Until there are entries or it stops; for a while only when some wait beside the register. The mutex is held. */
static void wait_for_work(kd_audit *audit)
{
    bool has_waiting = kd_audit_waiting_has_any(audit->waiting);
    struct timespec until = kd_deadline(SETTLE_EVERY_MS);
    while (!audit->first && !audit->is_stopping) {
        if (!has_waiting)
            pthread_cond_wait(&audit->has_work, &audit->mutex);
        else if (pthread_cond_timedwait(&audit->has_work, &audit->mutex, &until) != 0)
            return;
    }
}

static void *run(void *ctx)
{
    kd_audit *audit = ctx;
    waiting *batch[BATCH_MAX];
    pthread_mutex_lock(&audit->mutex);
    for (bool is_last = false; !is_last;) {
        wait_for_work(audit);
        is_last = audit->is_stopping && !audit->first; /* what waits beside the register is tried once more */
        size_t count = take(audit, batch);
        if (count == 0 && !kd_audit_waiting_has_any(audit->waiting)) continue;
        pthread_mutex_unlock(&audit->mutex);
        kd_error err;
        kd_status status = write_somehow(audit, batch, count, &err);
        pthread_mutex_lock(&audit->mutex);
        note_away(audit, status);
        if (status == KD_CONFLICT) {
            put_back(audit, batch, count);
        } else {
            settle(batch, count, status, &err);
            pthread_cond_broadcast(&audit->has_result);
        }
    }
    pthread_mutex_unlock(&audit->mutex);
    return NULL;
}

/* ---- the face ---- */

static kd_status fail_away(kd_error *err)
{
    kd_fail(err, KD_IO, "", "the audit log cannot be written now");
    kd_hint(err, "what would have been looked at or done is refused; try again in a moment");
    return KD_IO;
}

static kd_status enqueue(kd_audit *audit, waiting *w, kd_error *err)
{
    if (audit->is_stopping || audit->count >= QUEUE_MAX || kd_seconds() < audit->away_until) {
        free(w);
        return fail_away(err);
    }
    *audit->last = w;
    audit->last = &w->next;
    audit->count++;
    pthread_cond_signal(&audit->has_work);
    return KD_OK;
}

static kd_status await(kd_audit *audit, waiting *w, kd_error *err)
{
    struct timespec until = kd_deadline(WAIT_S * 1000);
    while (!w->is_done && pthread_cond_timedwait(&audit->has_result, &audit->mutex, &until) == 0) {
    }
    if (!w->is_done) {
        w->has_left = true;
        return fail_away(err);
    }
    kd_status status = w->status;
    free(w);
    return status == KD_OK ? KD_OK : fail_away(err);
}

kd_status kd_audit_add(kd_audit *audit, const kd_audit_entry *entry, kd_error *err)
{
    waiting *w = copy(entry);
    if (!w) return kd_access_no_memory(err);
    pthread_mutex_lock(&audit->mutex);
    kd_status status = enqueue(audit, w, err);
    if (status == KD_OK) status = await(audit, w, err);
    pthread_mutex_unlock(&audit->mutex);
    return status;
}

static bool init_waits(kd_audit *audit)
{
    pthread_condattr_t attributes;
    bool is_fine = pthread_condattr_init(&attributes) == 0;
    is_fine = is_fine && pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0;
    is_fine = is_fine && pthread_mutex_init(&audit->mutex, NULL) == 0;
    is_fine = is_fine && pthread_cond_init(&audit->has_work, &attributes) == 0;
    is_fine = is_fine && pthread_cond_init(&audit->has_result, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_fine;
}

static void release(kd_audit *audit)
{
    kd_audit_waiting_close(audit->waiting);
    kd_register_close(audit->reg);
    free(audit->dir);
    free(audit);
}

kd_status kd_audit_start(const char *register_dir, kd_audit **out_audit, kd_error *err)
{
    kd_audit *audit = calloc(1, sizeof *audit);
    if (!audit) return kd_access_no_memory(err);
    audit->last = &audit->first;
    audit->reopen_wait_ms = REOPEN_WAIT_MIN_MS;
    audit->dir = strdup(register_dir);
    kd_status status = audit->dir ? KD_OK : kd_access_no_memory(err);
    if (status == KD_OK && (sodium_init() < 0 || !init_waits(audit)))
        status = kd_fail(err, KD_UNSUPPORTED, "", "the writer of the audit log cannot be started");
    if (status == KD_OK) status = kd_register_open(register_dir, false, &audit->reg, err);
    if (status == KD_OK && kd_store_kind_of(kd_register_store(audit->reg)) == KD_STORE_SQLITE)
        status = kd_audit_waiting_open(audit->reg, &audit->waiting, err);
    if (status == KD_OK && pthread_create(&audit->thread, NULL, run, audit) != 0)
        status = kd_fail(err, KD_LIMIT, "", "the writer of the audit log cannot be started");
    if (status != KD_OK) {
        release(audit);
        return status;
    }
    *out_audit = audit;
    return KD_OK;
}

void kd_audit_stop(kd_audit *audit)
{
    if (!audit) return;
    pthread_mutex_lock(&audit->mutex);
    audit->is_stopping = true;
    pthread_cond_signal(&audit->has_work);
    pthread_mutex_unlock(&audit->mutex);
    pthread_join(audit->thread, NULL);
    pthread_cond_destroy(&audit->has_result);
    pthread_cond_destroy(&audit->has_work);
    pthread_mutex_destroy(&audit->mutex);
    release(audit);
}
