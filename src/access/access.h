/**
 * @file access.h
 * Who may see and do what, for what purpose, and who did: accounts, sessions, tokens, roles over areas, the audit log.
 *
 * Roles, what each may do, the purposes and every limit (lock-out, lengths of sessions, of passwords) stand in
 * packs/cn/access.yaml. A kd_access is one thread's: it uses the store of the register it was opened on.
 */
#ifndef KD_ACCESS_H
#define KD_ACCESS_H

#include "register/register.h"

/* ---- the pack ---- */

/** packs/cn/access.yaml, read and checked. Immutable; may be read from any thread. */
typedef struct kd_access_pack kd_access_pack;
KD_CHECKED kd_status kd_access_pack_load(const char *path, kd_access_pack **out_pack,
                                         kd_error *err); /* NULL: the shipped one */
void kd_access_pack_free(kd_access_pack *pack);

typedef struct {
    kd_str name, title_zh, title_en; /* "township_clerk" */
    const kd_str *permissions;       /* "person.read" … */
    size_t permission_count;
    const kd_str *purposes; /* "registration" … */
    size_t purpose_count;
    bool gives_roles; /* the administrator: may give roles that it has not itself */
    bool is_alone;    /* an account with it has no other role: separation of duties */
} kd_role_info;
size_t kd_access_pack_roles(const kd_access_pack *pack);
const kd_role_info *kd_access_pack_role_at(const kd_access_pack *pack, size_t index);
const kd_role_info *kd_access_pack_role(const kd_access_pack *pack, kd_str name); /* NULL: none */
typedef struct {
    kd_str name, title_zh, title_en;
} kd_purpose_info;
size_t kd_access_pack_purposes(const kd_access_pack *pack);
const kd_purpose_info *kd_access_pack_purpose_at(const kd_access_pack *pack, size_t index);
const kd_purpose_info *kd_access_pack_purpose(const kd_access_pack *pack, kd_str name); /* NULL: none */
int64_t kd_access_pack_claim_us(const kd_access_pack *pack);  /* how long a claim on a task or match lasts */
int64_t kd_access_pack_upload_us(const kd_access_pack *pack); /* how long a file waits to be imported */
int64_t kd_access_pack_job_us(const kd_access_pack *pack);    /* how long a job's end and its bad rows are kept */

/* ---- access on one register ---- */

typedef struct kd_access kd_access;
KD_CHECKED kd_status kd_access_open(kd_register *reg, const kd_access_pack *pack, kd_access **out_access,
                                    kd_error *err);
void kd_access_close(kd_access *access);
/** Let time stand at `now_us` for this access alone, for tests; 0 is the real clock again. */
void kd_access_set_now(kd_access *access, int64_t now_us);

/* ---- accounts ---- */

enum { KD_ROLES_MAX = 8, KD_AREAS_MAX = 32 };

/** A person who signs in, or a system with a token. Texts live in the arena they were read into. */
typedef struct {
    int64_t id;
    kd_str login, name, phone; /* phone may be empty */
    bool is_system, is_active, must_change_password;
    kd_str roles[KD_ROLES_MAX];
    size_t role_count;
    int64_t areas[KD_AREAS_MAX]; /* divisions with what lies in them; 0 is the whole register */
    size_t area_count;
    kd_str scopes; /* of a token: its permissions, by spaces; empty: all its roles give */
    int64_t created_at, last_seen_at, locked_until; /* µs; 0 never, not locked */
    int64_t version;
} kd_account;

/** Who makes or changes an account or a token, and from where: what the audit entry of it says. */
typedef struct {
    const kd_account *who; /* NULL: who runs the program on the register's folder; may everything */
    kd_str request_id, address;
} kd_actor;

/** Whether one of the account's roles (and its token's scopes) gives the permission. */
bool kd_account_may(const kd_access_pack *pack, const kd_account *account, kd_str permission);
bool kd_account_has_purpose(const kd_access_pack *pack, const kd_account *account, kd_str purpose);
/** Whether one of its areas holds the division: equal to it or above it in the tree. 0 needs the whole register. */
bool kd_account_covers(const kd_account *account, int64_t division);

typedef struct {
    kd_str login, name, phone;
    const kd_str *roles;
    size_t role_count;
    const int64_t *areas;
    size_t area_count;
    bool is_system;
    kd_str password;       /* empty: one is made */
    bool is_password_kept; /* it need not be changed: for accounts of demonstrations and tests */
} kd_account_new;
/**
 * Make an account; `out_password` (arena) is its first password, to be changed at the first sign-in; none for a system. KD_INVALID
 * names the field, KD_CONFLICT a login that is taken. Nobody gives an area outside their own, nor a role that they have not, but the
 * administrator: KD_DENIED. This and every other change of accounts and tokens stands in the audit log by the same commit.
 */
KD_CHECKED kd_status kd_account_create(kd_access *access, const kd_account_new *account, const kd_actor *actor,
                                       kd_arena *arena, int64_t *out_id, kd_str *out_password, kd_error *err);
KD_CHECKED kd_status kd_account_get(kd_access *access, int64_t id, kd_arena *arena, kd_account *out_account,
                                    kd_error *err);
/** By its login, in any case of letters; KD_NOT_FOUND also for what can be no login. */
KD_CHECKED kd_status kd_account_find(kd_access *access, kd_str login, kd_arena *arena, kd_account *out_account,
                                     kd_error *err);
typedef struct {
    kd_account *accounts; /* by login */
    size_t count;
    kd_str next; /* cursor; empty at the end */
} kd_account_page;
/** `query` is found in login and name. */
KD_CHECKED kd_status kd_account_list(kd_access *access, kd_str query, kd_str cursor, size_t limit, kd_arena *arena,
                                     kd_account_page *out_page, kd_error *err);
/**
 * Change name, phone, roles, areas, is_active; `account->version` must be the present one (KD_CONFLICT). Ends its sessions when it
 * may less than before. The last active administrator cannot be taken away (KD_CONFLICT). Nobody changes their own roles or
 * areas, or an account with an area outside theirs (KD_DENIED).
 */
KD_CHECKED kd_status kd_account_change(kd_access *access, const kd_account *account, const kd_actor *actor,
                                       kd_error *err);
/** A new first password; all sessions end; lock-out is lifted. */
KD_CHECKED kd_status kd_account_reset(kd_access *access, int64_t id, const kd_actor *actor, kd_arena *arena,
                                      kd_str *out_password, kd_error *err);

/* ---- signing in ---- */

enum { KD_SECRET_TEXT_BYTES = 64 };
/** What a browser holds: the cookie's value, of which only a hash is stored, and the token it sends back in Kindred-CSRF. */
typedef struct {
    char cookie[KD_SECRET_TEXT_BYTES], csrf[KD_SECRET_TEXT_BYTES];
    int64_t expires_at;
} kd_session_secrets;
/**
 * KD_DENIED for a wrong login or password, told alike and in like time; KD_LIMIT while locked out, with the time in the hint.
 * `address` counts failures from one place. `out_account` lives in the arena.
 */
KD_CHECKED kd_status kd_session_begin(kd_access *access, kd_str login, kd_str password, kd_str address, kd_arena *arena,
                                      kd_session_secrets *out_secrets, kd_account *out_account, kd_error *err);
typedef struct {
    int64_t id;
    bool is_csrf_right;       /* the CSRF token given belongs to the session */
    bool is_rotated;          /* `fresh.cookie` replaces the cookie */
    kd_session_secrets fresh; /* csrf and expires_at always: they last as long as the session */
} kd_session;
/**
 * The account of a cookie; KD_DENIED when it is unknown, expired or ended. A used cookie is replaced from time to time; the old value
 * is good for a short while, later use ends the session (it was stolen).
 */
KD_CHECKED kd_status kd_session_check(kd_access *access, kd_str cookie, kd_str csrf, kd_arena *arena,
                                      kd_session *out_session, kd_account *out_account, kd_error *err);
KD_CHECKED kd_status kd_session_end(kd_access *access, int64_t session_id, kd_error *err);
/** KD_INVALID with field "new" when it is too short, too common, or has the login in it; other sessions of the account end. */
KD_CHECKED kd_status kd_password_change(kd_access *access, int64_t account_id, int64_t session_id, kd_str old_password,
                                        kd_str new_password, kd_error *err);

/* ---- tokens for systems ---- */

typedef struct {
    int64_t id, account_id;
    kd_str title, scopes;
    int64_t created_at, expires_at, last_used_at, revoked_at;
    int32_t rate_per_minute;
} kd_token;
/** The token's text is given once. Scopes must be permissions of the account's roles. */
KD_CHECKED kd_status kd_token_create(kd_access *access, const kd_token *token, const kd_actor *actor,
                                     char out_secret[KD_SECRET_TEXT_BYTES], int64_t *out_id, kd_error *err);
/** A new secret; the old one is good until `grace_us` from now. */
KD_CHECKED kd_status kd_token_rotate(kd_access *access, int64_t id, int64_t grace_us, const kd_actor *actor,
                                     char out_secret[KD_SECRET_TEXT_BYTES], kd_error *err);
KD_CHECKED kd_status kd_token_revoke(kd_access *access, int64_t id, const kd_actor *actor, kd_error *err);
KD_CHECKED kd_status kd_token_get(kd_access *access, int64_t id, kd_arena *arena, kd_token *out_token, kd_error *err);
KD_CHECKED kd_status kd_token_list(kd_access *access, int64_t account_id, kd_arena *arena, kd_token **out_tokens,
                                   size_t *out_count, kd_error *err); /* account 0: all */
/** Account and rate of a bearer token; KD_DENIED when it is none. */
KD_CHECKED kd_status kd_token_check(kd_access *access, kd_str secret, kd_arena *arena, kd_token *out_token,
                                    kd_account *out_account, kd_error *err);

/* ---- the audit log ---- */

/** What happened. Texts are borrowed; no identity number and no value of a person stands in one. */
typedef struct {
    int64_t at;                                          /* µs; 0: now */
    int64_t account_id;                                  /* 0: nobody signed in */
    kd_str login, role;                                  /* role: names by commas */
    kd_str action, purpose, object, request_id, address; /* action: "person.read" */
    int64_t person_id, division;                         /* 0: none */
    bool is_allowed;
    kd_str detail; /* short, may be empty */
} kd_audit_entry;

/**
 * The one writer of the log in this process: a thread with a connection of its own that gathers what many threads hand it into one
 * commit, each entry chained to the one before by SHA-256. Survives the database's going and coming.
 */
typedef struct kd_audit kd_audit;
KD_CHECKED kd_status kd_audit_start(const char *register_dir, kd_audit **out_audit, kd_error *err);
void kd_audit_stop(kd_audit *audit); /* what was handed in is written first */
/**
 * Returns when the entry is durable. KD_IO when the log could not be written within ten seconds, at once while the database is known
 * to be away: then what the entry tells of must not be done. Thread-safe. A text that is no UTF-8 or too long is mended.
 */
KD_CHECKED kd_status kd_audit_add(kd_audit *audit, const kd_audit_entry *entry, kd_error *err);

typedef struct {
    int64_t seq;
    kd_audit_entry entry;
    kd_str hash; /* hexadecimal */
} kd_audit_row;
typedef struct {
    int64_t account_id, person_id; /* 0: any */
    kd_str action;                 /* prefix; empty: any */
    kd_str text;                   /* in login, object or detail; empty: any */
    int64_t from, to;              /* µs; 0: open */
    int64_t division;              /* 0: everywhere; else this area */
    const int64_t *areas;          /* only entries in one of them; none, or 0 among them: everywhere */
    size_t area_count;
    kd_str cursor;
    size_t limit;
} kd_audit_filter;
typedef struct {
    kd_audit_row *rows; /* newest first */
    size_t count;
    kd_str next;
} kd_audit_page;
KD_CHECKED kd_status kd_audit_list(kd_access *access, const kd_audit_filter *filter, kd_arena *arena,
                                   kd_audit_page *out_page, kd_error *err);

typedef struct {
    int64_t entries, first_bad_seq; /* 0: the chain is whole */
    kd_str fault_zh, fault_en;      /* what is wrong there: altered, removed before, inserted, the end is missing */
    kd_str head_hash;
} kd_audit_verdict;
/** Walk the whole chain. `head_hash` may be compared with one noted elsewhere. */
KD_CHECKED kd_status kd_audit_verify(kd_register *reg, const kd_progress *progress, kd_arena *arena,
                                     kd_audit_verdict *out_verdict, kd_error *err);

/** How many entries have this hash: 1 while the log still holds the end that was noted elsewhere, 0 when it was written anew. */
KD_CHECKED kd_status kd_audit_holds(kd_register *reg, kd_str hash, int64_t *out_count, kd_error *err);

#endif
