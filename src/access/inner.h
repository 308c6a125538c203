/**
 * @file inner.h
 * What the files of this folder share. Private.
 */
#ifndef KD_ACCESS_INNER_H
#define KD_ACCESS_INNER_H

#include "access.h"

enum {
    KD_PACK_BYTES_MAX = 4 << 20,
    KD_PACK_ROLES_MAX = 32,
    KD_PACK_PERMISSIONS_MAX = 64,
    KD_PACK_PURPOSES_MAX = 32,
    KD_LOGIN_MIN = 2,
    KD_LOGIN_MAX = 40,
    KD_TITLE_MAX = 80, /* characters of a name or a title */
    KD_PHONE_MAX = 40,
    KD_PASSWORD_BYTES_MAX = 200,
    KD_SCOPES_BYTES_MAX = 2000,
    KD_ADDRESS_MAX = 64,
    KD_HASH_TEXT_BYTES = 65,
    KD_PASSWORD_HASH_BYTES = 128,
    KD_CHANGE_WAIT_MS = 5000, /* of a sign-in or a change for another writer */
    KD_TOUCH_WAIT_MS = 20,    /* of what may as well be written with the next request */
};
#define KD_SECOND_US INT64_C(1000000)
#define KD_MINUTE_US (60 * KD_SECOND_US)

typedef struct {
    int64_t failures, lock_us, lock_us_max, address_failures, address_us;
    int64_t idle_us, session_us, rotation_us, rotation_grace_us, claim_us, upload_us, job_us;
    int64_t password_length_min, memory_bytes, passes;
} kd_access_limits;

struct kd_access_pack {
    kd_arena *arena;
    kd_role_info roles[KD_PACK_ROLES_MAX];
    size_t role_count;
    kd_purpose_info purposes[KD_PACK_PURPOSES_MAX];
    size_t purpose_count;
    kd_str *common; /* passwords, lower case */
    size_t common_count;
    kd_access_limits limits;
};

struct kd_access {
    kd_register *reg;
    kd_store *store;
    const kd_access_pack *pack;
    int64_t fixed_now; /* 0: the clock */
};
int64_t kd_access_now(const kd_access *access);
/** Whole minutes to wait, for a hint; at least one. */
int64_t kd_access_minutes(int64_t us);
kd_status kd_access_no_memory(kd_error *err);
/** Texts that begin with `text`, or have it anywhere, as a value for `lower(c) like ? escape '!'`. */
KD_CHECKED kd_status kd_like_pattern(kd_arena *arena, kd_str text, bool is_anywhere, kd_value *out_pattern,
                                     kd_error *err);

/* ---- secret.c ---- */

/** 32 random bytes as base64url. */
void kd_secret_make(char out[KD_SECRET_TEXT_BYTES]);
/** SHA-256 in hexadecimal: what is stored of a secret. */
void kd_secret_hash(kd_str secret, char out_hex[KD_HASH_TEXT_BYTES]);
bool kd_secret_is_plausible(kd_str text); /* could have been made by kd_secret_make */
/** The CSRF token that belongs to the seed stored with a session. */
void kd_csrf_of(kd_str seed, char out[KD_SECRET_TEXT_BYTES]);
bool kd_secret_eq(kd_str a, kd_str b); /* in a time that does not tell where they differ */

/* ---- password.c ---- */

/** KD_INVALID with `field` when a password is too short, too common, or holds the login. */
KD_CHECKED kd_status kd_password_check(const kd_access_pack *pack, kd_str password, kd_str login, const char *field,
                                       kd_error *err);
/** A first password of 80 random bits in groups that can be read out. */
KD_CHECKED kd_status kd_password_make(kd_arena *arena, kd_str *out_password, kd_error *err);
KD_CHECKED kd_status kd_password_hash(const kd_access_pack *pack, kd_str password, char out[KD_PASSWORD_HASH_BYTES],
                                      kd_error *err);
/** An empty `hash` is never right, and is found so in the time a wrong password takes. */
KD_CHECKED kd_status kd_password_verify(const kd_access_pack *pack, kd_str hash, kd_str password, bool *out_is_right,
                                        kd_error *err);
bool kd_password_is_outdated(const kd_access_pack *pack, kd_str hash); /* made with other costs than the pack's */

/* ---- account.c, account_read.c ---- */

#define KD_ACCOUNT_COLUMNS                                                                                    \
    "a.id, a.login, a.name, a.phone, a.is_system, a.is_active, a.must_change, a.created_at, a.last_seen_at, " \
    "a.locked_until, a.version"
enum { KD_ACCOUNT_COLUMN_COUNT = 11 };
/** From the columns beginning at `first`; without roles and areas. */
KD_CHECKED kd_status kd_account_read(const kd_rows *rows, size_t first, kd_arena *arena, kd_account *out,
                                     kd_error *err);
KD_CHECKED kd_status kd_account_grants(kd_access *access, kd_arena *arena, kd_account *account, kd_error *err);
/** Lower-case copy of a login that is well formed; KD_INVALID else. */
KD_CHECKED kd_status kd_login_fold(kd_str login, char out[KD_LOGIN_MAX + 1], kd_error *err);
/** KD_INVALID naming the field unless it is UTF-8 of `min` to `max` characters without control characters. */
KD_CHECKED kd_status kd_words_check(kd_str text, size_t min, size_t max, const char *field, kd_error *err);
/** KD_DENIED when the account has an area outside those of who acts. */
KD_CHECKED kd_status kd_actor_covers(const kd_actor *actor, const int64_t *areas, size_t count, kd_error *err);
/** Sessions of an account end, but the one of `but_id`. Within a transaction. */
KD_CHECKED kd_status kd_session_end_all(kd_access *access, int64_t account_id, int64_t but_id, kd_error *err);

/* ---- audit_chain.c ---- */

enum { KD_AUDIT_COLUMN_COUNT = 14, KD_AUDIT_TEXT_MAX = 500 };
/** Columns of the log in the order in which they are hashed; `hash` stands after them. */
#define KD_AUDIT_COLUMNS                                                                                       \
    "seq, at, account_id, login, role, action, purpose, object, person_id, division, is_allowed, request_id, " \
    "address, detail"
/** Take the log's end for the open transaction: whoever else writes to it waits. Before anything is looked at that two may change. */
KD_CHECKED kd_status kd_audit_lock(kd_store *store, kd_error *err);
/** Chain entries to the log within the open transaction. */
KD_CHECKED kd_status kd_audit_append(kd_store *store, const kd_audit_entry *const *entries, size_t count,
                                     kd_error *err);
/** One entry about what `actor` does. */
KD_CHECKED kd_status kd_audit_note(kd_access *access, const kd_actor *actor, const char *action, kd_str object,
                                   kd_str detail, kd_error *err);

#endif
