/*
 * How entries are chained: hash = SHA-256 over every column and the hash before it, each value with its kind and its length, so that
 * no two entries have the same bytes.
 */
#include "chain.h"

#include <sodium.h>
#include <string.h>

const char KD_AUDIT_FIRST_HASH[KD_HASH_TEXT_BYTES] = "0000000000000000000000000000000000000000000000000000000000000000";

static void add_number(crypto_hash_sha256_state *state, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 7; i >= 0; i--, number >>= 8) bytes[i] = (unsigned char)number;
    crypto_hash_sha256_update(state, bytes, sizeof bytes);
}

static void add_text(crypto_hash_sha256_state *state, kd_str text)
{
    add_number(state, text.len);
    if (text.len) crypto_hash_sha256_update(state, (const unsigned char *)text.ptr, text.len);
}

void kd_audit_hash(const kd_value values[KD_AUDIT_COLUMN_COUNT], kd_str before, char out_hex[KD_HASH_TEXT_BYTES])
{
    static const unsigned char label[] = "kindred audit 1";
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, label, sizeof label);
    for (size_t i = 0; i < KD_AUDIT_COLUMN_COUNT; i++) {
        unsigned char kind = (unsigned char)values[i].kind;
        crypto_hash_sha256_update(&state, &kind, 1);
        if (values[i].kind == KD_VALUE_INT) add_number(&state, (uint64_t)values[i].i);
        if (values[i].kind == KD_VALUE_TEXT) add_text(&state, values[i].text);
    }
    add_text(&state, before);
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(out_hex, KD_HASH_TEXT_BYTES, digest, sizeof digest);
}

/* ---- writing ---- */

/* The row is made before it is locked: two processes that begin a log at once must meet in it. */
kd_status kd_audit_lock(kd_store *store, kd_error *err)
{
    int64_t seq;
    KD_TRY(kd_store_exec(store, err, NULL,
                         "insert into audit_head (id, seq, hash) values (1, 0, $1) on conflict (id) do nothing",
                         KD_VALUES(kd_text_value(kd_str_of(KD_AUDIT_FIRST_HASH)))));
    bool is_postgres = kd_store_kind_of(store) == KD_STORE_POSTGRESQL;
    return kd_store_int(store, err, &seq,
                        is_postgres ? "select seq from audit_head where id = 1 for update"
                                    : "select seq from audit_head where id = 1",
                        KD_NO_VALUES);
}

kd_status kd_audit_head_read(kd_store *store, int64_t *out_seq, char out_hash[KD_HASH_TEXT_BYTES], kd_error *err)
{
    kd_rows *rows;
    bool has_row = false, is_fine = true;
    *out_seq = 0;
    memcpy(out_hash, KD_AUDIT_FIRST_HASH, KD_HASH_TEXT_BYTES);
    KD_TRY(kd_store_query(store, err, &rows, "select seq, hash from audit_head where id = 1", KD_NO_VALUES));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        kd_str hash = kd_rows_text(rows, 1);
        *out_seq = kd_rows_int(rows, 0);
        is_fine = hash.len == KD_HASH_TEXT_BYTES - 1;
        if (is_fine) memcpy(out_hash, hash.ptr, hash.len);
    }
    kd_rows_close(rows);
    if (status == KD_OK && !is_fine) memset(out_hash, 'x', KD_HASH_TEXT_BYTES - 1); /* no entry can have it */
    return status;
}

static kd_value text_or_null(kd_str text)
{
    return text.len ? kd_text_value(text) : KD_NULL;
}

static kd_value id_or_null(int64_t id)
{
    return id ? kd_int(id) : KD_NULL;
}

void kd_audit_values_of_row(const kd_rows *rows, kd_value values[KD_AUDIT_COLUMN_COUNT])
{
    static const bool is_number[KD_AUDIT_COLUMN_COUNT] = {
        [0] = true, [1] = true, [2] = true, [8] = true, [9] = true, [10] = true
    };
    for (size_t i = 0; i < KD_AUDIT_COLUMN_COUNT; i++) {
        if (kd_rows_is_null(rows, i)) {
            values[i] = KD_NULL;
        } else if (is_number[i]) {
            values[i] = kd_int(kd_rows_int(rows, i));
        } else {
            values[i] = kd_text_value(kd_rows_text(rows, i));
        }
    }
}

void kd_audit_values_of(const kd_audit_entry *entry, int64_t seq, kd_value out_values[KD_AUDIT_COLUMN_COUNT])
{
    const kd_value values[KD_AUDIT_COLUMN_COUNT] = {
        kd_int(seq),
        kd_int(entry->at ? entry->at : kd_now_us()),
        id_or_null(entry->account_id),
        text_or_null(entry->login),
        text_or_null(entry->role),
        kd_text_value(entry->action.len ? entry->action : KD_STR("other")),
        text_or_null(entry->purpose),
        text_or_null(entry->object),
        id_or_null(entry->person_id),
        id_or_null(entry->division),
        kd_int(entry->is_allowed),
        text_or_null(entry->request_id),
        text_or_null(entry->address),
        text_or_null(entry->detail),
    };
    memcpy(out_values, values, sizeof values);
}

kd_status kd_audit_insert(kd_store *store, const char *sql, const kd_value values[KD_AUDIT_COLUMN_COUNT],
                          char hash[KD_HASH_TEXT_BYTES], kd_error *err)
{
    kd_value row[KD_AUDIT_COLUMN_COUNT + 1];
    char before[KD_HASH_TEXT_BYTES];
    memcpy(before, hash, sizeof before);
    memcpy(row, values, KD_AUDIT_COLUMN_COUNT * sizeof *row);
    kd_audit_hash(values, kd_str_of(before), hash);
    row[KD_AUDIT_COLUMN_COUNT] = kd_text_value(kd_str_of(hash));
    return kd_store_exec(store, err, NULL, sql, row, KD_AUDIT_COLUMN_COUNT + 1);
}

static kd_status append_one(kd_store *store, const kd_audit_entry *entry, int64_t seq, char hash[KD_HASH_TEXT_BYTES],
                            kd_error *err)
{
    kd_value values[KD_AUDIT_COLUMN_COUNT];
    kd_audit_values_of(entry, seq, values);
    return kd_audit_insert(store, KD_AUDIT_INSERT_INTO("audit"), values, hash, err);
}

kd_status kd_audit_append(kd_store *store, const kd_audit_entry *const *entries, size_t count, kd_error *err)
{
    int64_t seq;
    char hash[KD_HASH_TEXT_BYTES];
    KD_TRY(kd_audit_lock(store, err));
    KD_TRY(kd_audit_head_read(store, &seq, hash, err));
    for (size_t i = 0; i < count; i++) KD_TRY(append_one(store, entries[i], ++seq, hash, err));
    return kd_store_exec(store, err, NULL, "update audit_head set seq = $1, hash = $2 where id = 1",
                         KD_VALUES(kd_int(seq), kd_text_value(kd_str_of(hash))));
}

kd_status kd_audit_note(kd_access *access, const kd_actor *actor, const char *action, kd_str object, kd_str detail,
                        kd_error *err)
{
    kd_buf names;
    kd_buf_init(&names, KD_AUDIT_TEXT_MAX);
    const kd_account *who = actor->who;
    for (size_t i = 0; who && i < who->role_count; i++) {
        if (i) kd_buf_char(&names, ',');
        kd_buf_str(&names, who->roles[i]);
    }
    const kd_audit_entry entry = {
        .at = kd_access_now(access),
        .account_id = who ? who->id : 0,
        .login = who ? who->login : KD_STR("(command line)"),
        .role = kd_buf_view(&names),
        .action = kd_str_of(action),
        .object = object,
        .request_id = actor->request_id,
        .address = actor->address,
        .is_allowed = true,
        .detail = detail,
    };
    const kd_audit_entry *one = &entry;
    kd_status status = kd_audit_append(access->store, &one, 1, err);
    kd_buf_done(&names);
    return status;
}
