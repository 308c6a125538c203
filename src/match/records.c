/* The matcher: records, their values, their groups. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

static kd_status number_tables(kd_matcher *m, const kd_frame *const *frames, size_t frame_count, kd_error *err)
{
    if (frame_count < 2 || frame_count > UINT8_MAX)
        return kd_fail(err, KD_INVALID, "", "the model links tables with each other: 2 to %d are expected, not %zu",
                       UINT8_MAX, frame_count);
    m->table = malloc(m->records + 1);
    if (!m->table) return kd_fail(err, KD_LIMIT, "", "no memory for the records");
    uint64_t at = 0;
    for (size_t i = 0; i < frame_count; i++) {
        memset(m->table + at, (int)i, (size_t)kd_frame_rows(frames[i]));
        at += (uint64_t)kd_frame_rows(frames[i]);
    }
    return KD_OK;
}

static kd_status load(kd_matcher *m, const kd_frame *const *frames, size_t frame_count, kd_error *err)
{
    for (size_t i = 0; i < frame_count; i++) m->records += (uint64_t)kd_frame_rows(frames[i]);
    if (m->records >= UINT32_MAX - 1) return kd_fail(err, KD_LIMIT, "", "more records than one run links");
    if (m->model->is_link_only) KD_TRY(number_tables(m, frames, frame_count, err));
    size_t bytes;
    if (__builtin_mul_overflow(m->records + 1, m->width * sizeof *m->codes, &bytes) ||
        (m->options.bytes_max && bytes > m->options.bytes_max) || !(m->codes = malloc(bytes)))
        return kd_fail(err, KD_LIMIT, "", "no memory for %llu records", (unsigned long long)m->records);
    KD_TRY(kd_load(m, frames, frame_count, err));
    KD_TRY(kd_keys_prepare(m, err));
    return kd_collapse(m, err);
}

kd_status kd_matcher_new(const kd_model *model, const kd_frame *const *frames, size_t frame_count,
                         const kd_match_options *options, kd_matcher **out_matcher, kd_error *err)
{
    kd_matcher *m = calloc(1, sizeof *m);
    if (!m) return kd_fail(err, KD_LIMIT, "", "no memory for the records");
    m->model = model;
    if (options) m->options = *options;
    m->threads = m->options.threads ? m->options.threads : kd_threads();
    m->width = model->field_count;
    kd_status status = load(m, frames, frame_count, err);
    if (status != KD_OK) {
        kd_matcher_free(m);
        return status;
    }
    kd_score_prepare(m);
    *out_matcher = m;
    return KD_OK;
}

void kd_matcher_free(kd_matcher *matcher)
{
    if (!matcher) return;
    for (size_t i = 0; i < KD_MATCH_FIELDS_MAX; i++) {
        kd_dict_free(matcher->domains[i].dict);
        free(matcher->domains[i].entries);
        free(matcher->domains[i].names);
        free(matcher->values[i].frequency);
        free(matcher->values[i].rare_bits);
    }
    for (size_t i = 0; i < KD_MATCH_KEY_TABLES_MAX; i++) free(matcher->key_tables[i]);
    free(matcher->codes);
    free(matcher->node);
    free(matcher->is_told);
    free(matcher->table);
    free(matcher);
}

uint64_t kd_matcher_records(const kd_matcher *matcher)
{
    return matcher->records;
}
