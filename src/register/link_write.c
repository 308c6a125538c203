/* Links and the look-up table of identifiers. */
#include "link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A stored weight is told again when it moved by more than this: every run estimates the model anew. */
static const float WEIGHT_TOLERANCE_BITS = 1.0f;
/* Above this share of changed links the table is loaded afresh. */
enum { RELOAD_ABOVE_PERCENT = 20 };

static const char *const LINK_COLUMNS[] = { "person_id", "source_record_id", "peer_record_id", "weight", "decided" };

static bool is_changed(const kd_link_run *run, uint32_t record)
{
    const kd_old_link *old = &run->old[record];
    return old->person_id != run->person_id[run->clusters.cluster[record]] ||
           old->peer_record_id != run->table.id[run->clusters.peer[record]] ||
           fabsf(old->weight - run->clusters.weight[record]) > WEIGHT_TOLERANCE_BITS ||
           old->is_decided != run->is_decided[record];
}

typedef struct {
    int64_t person_id;
    uint32_t cluster;
} ordered;

static int by_person(const void *a, const void *b)
{
    const ordered *x = a, *y = b;
    return (x->person_id > y->person_id) - (x->person_id < y->person_id);
}

static kd_status put_link(const kd_link_run *run, uint32_t record, kd_bulk *bulk, kd_error *err)
{
    const kd_value values[] = { kd_int(run->person_id[run->clusters.cluster[record]]), kd_int(run->table.id[record]),
                                kd_int(run->table.id[run->clusters.peer[record]]),
                                kd_real((double)run->clusters.weight[record]), kd_int(run->is_decided[record]) };
    return kd_bulk_row(bulk, values, err);
}

/* In the order of the key, so that the tree is appended to. */
static kd_status put_links(const kd_link_run *run, bool only_changed, kd_bulk *bulk, kd_error *err)
{
    uint32_t persons = run->clusters.clusters;
    ordered *order = malloc(((size_t)persons + 1) * sizeof *order);
    if (!order) return kd_fail(err, KD_LIMIT, "", "no memory to order the persons");
    for (uint32_t c = 0; c < persons; c++) order[c] = (ordered){ run->person_id[c], c };
    qsort(order, persons, sizeof *order, by_person);
    kd_status status = KD_OK;
    for (uint32_t i = 0; i < persons && status == KD_OK; i++) {
        uint32_t cluster = order[i].cluster;
        for (uint32_t m = run->starts[cluster]; m < run->starts[cluster + 1] && status == KD_OK; m++)
            if (!only_changed || is_changed(run, run->members[m])) status = put_link(run, run->members[m], bulk, err);
    }
    free(order);
    return status;
}

static kd_status delete_changed(const kd_link_run *run, kd_error *err)
{
    kd_store *store = kd_register_store(run->reg);
    for (uint32_t i = 0; i < run->table.count; i++) {
        if (!run->old[i].person_id || !is_changed(run, i)) continue;
        KD_TRY(kd_store_exec(store, err, NULL, "delete from link where person_id = $1 and source_record_id = $2",
                             KD_VALUES(kd_int(run->old[i].person_id), kd_int(run->table.id[i]))));
    }
    return KD_OK;
}

kd_status kd_link_write_links(kd_link_run *run, kd_error *err)
{
    kd_store *store = kd_register_store(run->reg);
    uint64_t changed = 0;
    for (uint32_t i = 0; i < run->table.count; i++) changed += is_changed(run, i);
    bool is_reload = changed * 100 > (uint64_t)run->table.count * RELOAD_ABOVE_PERCENT;
    if (is_reload) {
        KD_TRY(kd_store_exec(store, err, NULL, "delete from link", KD_NO_VALUES));
    } else {
        KD_TRY(delete_changed(run, err));
    }
    kd_bulk *bulk;
    KD_TRY(kd_bulk_begin(store, "link", LINK_COLUMNS, 5, &bulk, err));
    kd_status status = put_links(run, !is_reload, bulk, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

/* ---- identifiers ---- */

typedef struct {
    const char *kind;
    kd_text_column column;
} identifier_kind;

/* In the order of their names: the table's key begins with the kind. */
static const identifier_kind KINDS[] = { { "certificate_no", KD_TEXT_CERTIFICATE },
                                         { "handbook_no", KD_TEXT_HANDBOOK },
                                         { "identity_number", KD_TEXT_IDENTITY },
                                         { "phone", KD_TEXT_PHONE } };
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

/* A text with its first bytes as a number, so that most comparisons touch no text. */
typedef struct {
    uint64_t prefix;
    uint32_t code;
} text_key;

typedef struct {
    const kd_link_run *run;
    uint32_t *rank_of[KIND_COUNT]; /* of code: place among the sorted texts */
    uint32_t *code_at[KIND_COUNT]; /* the other way */
} ranking;

static int by_text(const void *a, const void *b, void *dict)
{
    const text_key *x = a, *y = b;
    if (x->prefix != y->prefix) return x->prefix < y->prefix ? -1 : 1;
    return kd_str_cmp(kd_dict_text(dict, x->code), kd_dict_text(dict, y->code));
}

static uint64_t prefix_of(kd_str text)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < text.len ? (unsigned char)text.ptr[i] : 0);
    return prefix;
}

static kd_status rank_texts(void *ctx, size_t item, kd_error *err)
{
    ranking *r = ctx;
    kd_dict *dict = r->run->table.texts[KINDS[item].column];
    uint32_t count = kd_dict_count(dict);
    text_key *keys = malloc((size_t)count * sizeof *keys);
    r->rank_of[item] = malloc((size_t)count * sizeof(uint32_t));
    r->code_at[item] = malloc((size_t)count * sizeof(uint32_t));
    if (!keys || !r->rank_of[item] || !r->code_at[item]) {
        free(keys);
        return kd_fail(err, KD_LIMIT, "", "no memory to order the identifiers");
    }
    for (uint32_t code = 0; code < count; code++) keys[code] = (text_key){ prefix_of(kd_dict_text(dict, code)), code };
    qsort_r(keys, count, sizeof *keys, by_text, dict);
    for (uint32_t rank = 0; rank < count; rank++) {
        r->code_at[item][rank] = keys[rank].code;
        r->rank_of[item][keys[rank].code] = rank;
    }
    free(keys);
    return KD_OK;
}

static const uint32_t *codes_of(const kd_link_run *run, kd_text_column column)
{
    switch (column) {
    case KD_TEXT_CERTIFICATE: return run->table.certificate;
    case KD_TEXT_HANDBOOK: return run->table.handbook;
    case KD_TEXT_IDENTITY: return run->table.identity;
    default: return run->table.phone;
    }
}

static bool counts(const kd_link_run *run, kd_text_column column, uint32_t record)
{
    if (codes_of(run, column)[record] == 0) return false;
    int kind = run->table.identity_kind[record];
    return column != KD_TEXT_IDENTITY || kind == 0 || kind == KD_IDENTITY_OLD || kind == KD_IDENTITY_OTHER;
}

/* Ranks of a person's distinct identifiers of one kind, packed with the person: sorting the numbers sorts the table. */
static size_t collect(const ranking *r, size_t kind, uint64_t *out)
{
    const kd_link_run *run = r->run;
    const uint32_t *codes = codes_of(run, KINDS[kind].column);
    size_t n = 0;
    for (uint32_t c = 0; c < run->clusters.clusters; c++) {
        size_t first = n;
        for (uint32_t m = run->starts[c]; m < run->starts[c + 1]; m++) {
            uint32_t record = run->members[m];
            if (!counts(run, KINDS[kind].column, record)) continue;
            uint64_t packed = (uint64_t)r->rank_of[kind][codes[record]] << 32 | c;
            bool is_known = false;
            for (size_t i = first; i < n && !is_known; i++) is_known = out[i] == packed;
            if (!is_known) out[n++] = packed;
        }
    }
    return n;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static kd_status put_identifiers(const ranking *r, kd_bulk *bulk, kd_error *err)
{
    const kd_link_run *run = r->run;
    uint64_t *packed = malloc(((size_t)run->table.count + 1) * sizeof *packed);
    if (!packed) return kd_fail(err, KD_LIMIT, "", "no memory to order the identifiers");
    kd_status status = KD_OK;
    for (size_t kind = 0; kind < KIND_COUNT && status == KD_OK; kind++) {
        size_t n = collect(r, kind, packed);
        qsort(packed, n, sizeof *packed, by_number);
        for (size_t i = 0; i < n && status == KD_OK; i++) {
            kd_str text = kd_dict_text(run->table.texts[KINDS[kind].column], r->code_at[kind][packed[i] >> 32]);
            const kd_value values[] = { kd_text_value(kd_str_of(KINDS[kind].kind)), kd_text_value(text),
                                        kd_int(run->person_id[(uint32_t)packed[i]]) };
            status = kd_bulk_row(bulk, values, err);
        }
    }
    free(packed);
    return status;
}

static kd_status load_identifiers(const ranking *r, kd_error *err)
{
    static const char *const columns[] = { "kind", "value", "person_id" };
    kd_store *store = kd_register_store(r->run->reg);
    kd_bulk *bulk;
    KD_TRY(kd_store_exec(store, err, NULL, "delete from person_identifier", KD_NO_VALUES));
    KD_TRY(kd_bulk_begin(store, "person_identifier", columns, 3, &bulk, err));
    kd_status status = put_identifiers(r, bulk, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

kd_status kd_link_write_identifiers(kd_link_run *run, kd_error *err)
{
    ranking r = { .run = run };
    kd_status status = kd_parallel(kd_threads(), KIND_COUNT, rank_texts, &r, err);
    if (status == KD_OK) status = load_identifiers(&r, err);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        free(r.rank_of[i]);
        free(r.code_at[i]);
    }
    return status;
}
