/* Why records were linked: each beside the record it is nearest to, under the model of the last run. */
#include "task.h"

#include <math.h>

enum { NEIGHBOURS = 8, FRAME_BYTES_MAX = 64 << 20 };

/* The records at issue with what the other persons of their rows say. */
typedef struct {
    const kd_source_record *self;
    kd_source_record mother, father, spouse; /* id 0: none in the row */
    int64_t group;                           /* the row's first record */
} in_row;

/* ---- the rest of a row: ids of one row follow one another ---- */

static void relate(in_row *r, const kd_source_record *other)
{
    bool is_child = r->self->role == KD_ROLE_CHILD || r->self->role == KD_ROLE_SUBJECT;
    if (other->id < r->group) r->group = other->id;
    if (is_child && other->role == KD_ROLE_MOTHER) {
        r->mother = *other;
    } else if (is_child && other->role == KD_ROLE_FATHER) {
        r->father = *other;
    } else if (!is_child && other->role != KD_ROLE_CHILD) {
        r->spouse = *other;
    }
}

static kd_status read_side(kd_register *reg, const char *sql, in_row *r, kd_arena *arena, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, sql, KD_VALUES(kd_int(r->self->id), kd_int(NEIGHBOURS))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_source_record found, copy;
        kd_record_read(rows, &found);
        if (found.batch_id != r->self->batch_id || found.row_no != r->self->row_no) break;
        status = kd_record_copy(arena, &found, &copy, err);
        if (status != KD_OK) break;
        relate(r, &copy);
    }
    kd_rows_close(rows);
    return status;
}

static kd_status read_row(kd_register *reg, const kd_source_record *self, kd_arena *arena, in_row *out, kd_error *err)
{
    *out = (in_row){ .self = self, .group = self->id };
    KD_TRY(read_side(reg, "select " KD_RECORD_COLUMNS " from source_record where id < $1 order by id desc limit $2",
                     out, arena, err));
    return read_side(reg, "select " KD_RECORD_COLUMNS " from source_record where id > $1 order by id limit $2", out,
                     arena, err);
}

/* ---- a small frame with the columns of the large one ---- */

typedef struct {
    const char *name;
    kd_type type;
} column;

static const column COLUMNS[] = { { "source", KD_TYPE_DICT },      { "role", KD_TYPE_DICT },
                                  { "group", KD_TYPE_INT64 },      { "name", KD_TYPE_DICT },
                                  { "identity", KD_TYPE_DICT },    { "birth_day", KD_TYPE_DATE },
                                  { "sex", KD_TYPE_INT64 },        { "phone", KD_TYPE_DICT },
                                  { "division", KD_TYPE_INT64 },   { "address", KD_TYPE_DICT },
                                  { "household", KD_TYPE_DICT },   { "certificate_no", KD_TYPE_DICT },
                                  { "handbook_no", KD_TYPE_DICT }, { "birth_order", KD_TYPE_INT64 },
                                  { "mother_name", KD_TYPE_DICT }, { "mother_identity", KD_TYPE_DICT },
                                  { "father_name", KD_TYPE_DICT }, { "father_identity", KD_TYPE_DICT },
                                  { "spouse_name", KD_TYPE_DICT }, { "spouse_identity", KD_TYPE_DICT } };
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };

static void put_text(kd_frame_builder *b, size_t *at, kd_str text)
{
    kd_frame_builder_text(b, (*at)++, text.len ? text : (kd_str){ NULL, 0 });
}

static void put_int(kd_frame_builder *b, size_t *at, int64_t value, bool is_there)
{
    if (is_there) {
        kd_frame_builder_int(b, (*at)++, value);
    } else {
        kd_frame_builder_null(b, (*at)++);
    }
}

/* In the order of COLUMNS. */
static void put_row(kd_frame_builder *b, const in_row *r, kd_str feed)
{
    const kd_source_record *s = r->self;
    size_t at = 0;
    put_text(b, &at, feed);
    put_text(b, &at, kd_str_of(kd_role_name(s->role)));
    put_int(b, &at, r->group, true);
    put_text(b, &at, s->name);
    put_text(b, &at, s->identity_number);
    kd_frame_builder_day(b, at++, s->birth_day);
    put_int(b, &at, s->sex, s->sex == 1 || s->sex == 2);
    put_text(b, &at, s->phone);
    put_int(b, &at, s->division, s->division != 0);
    put_text(b, &at, s->address);
    put_text(b, &at, s->household_no);
    put_text(b, &at, s->certificate_no);
    put_text(b, &at, s->handbook_no);
    put_int(b, &at, s->birth_order, s->birth_order != 0);
    const kd_source_record *const others[] = { &r->mother, &r->father, &r->spouse };
    for (size_t i = 0; i < 3; i++) {
        put_text(b, &at, others[i]->name);
        put_text(b, &at, others[i]->identity_number);
    }
}

static kd_status make_frame(kd_register *reg, const kd_person_view *view, kd_arena *arena, kd_frame **out_frame,
                            kd_error *err)
{
    kd_frame_builder *b = kd_frame_builder_new(FRAME_BYTES_MAX);
    if (!b) return kd_fail(err, KD_LIMIT, "", "no memory for the records of a person");
    for (size_t i = 0; i < COLUMN_COUNT; i++) kd_frame_builder_column(b, COLUMNS[i].name, COLUMNS[i].type);
    kd_status status = KD_OK;
    for (size_t i = 0; i < view->link_count && status == KD_OK; i++) {
        in_row row;
        status = read_row(reg, &view->links[i].record, arena, &row, err);
        if (status == KD_OK) put_row(b, &row, view->links[i].source.feed);
    }
    if (status == KD_OK) status = kd_frame_builder_finish(b, out_frame, err);
    kd_frame_builder_free(b);
    return status;
}

/* ---- the model of the last run ---- */

static kd_status read_model(kd_register *reg, kd_arena *arena, kd_str *out_name, kd_str *out_yaml, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select model_name, model from link_run order by id desc limit 1", KD_NO_VALUES));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        *out_name = kd_arena_str(arena, kd_rows_text(rows, 0));
        *out_yaml = kd_arena_str(arena, kd_rows_text(rows, 1));
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "", "nothing was ever linked: run `kindred link`");
    return out_yaml->ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the model");
}

static uint32_t index_of(const kd_person_view *view, int64_t record_id)
{
    for (size_t i = 0; i < view->link_count; i++)
        if (view->links[i].record.id == record_id) return (uint32_t)i;
    return UINT32_MAX;
}

/* How rare a value is can only be told from the whole register, which is not at hand: it is what the stored weight has over. */
static void tell_apart(double weight, kd_link_reason *reason)
{
    kd_waterfall *w = &reason->waterfall;
    double told = w->prior_bits;
    for (size_t i = 0; i < w->count; i++) {
        w->steps[i].tf_bits = 0;
        told += w->steps[i].bits;
    }
    reason->rest_bits = weight - told;
    reason->is_there = true;
    w->total_bits = weight;
    w->probability = 1 / (1 + exp2(-weight));
}

static kd_status explain_with(const kd_matcher *matcher, const kd_person_view *view, kd_arena *arena,
                              kd_link_reason *reasons, kd_error *err)
{
    for (uint32_t i = 0; i < view->link_count; i++) {
        uint32_t peer = index_of(view, view->links[i].peer_id);
        if (peer == UINT32_MAX || peer == i) continue;
        uint32_t first = i < peer ? i : peer, second = i < peer ? peer : i;
        KD_TRY(kd_matcher_explain(matcher, first, second, arena, &reasons[i].waterfall, err));
        tell_apart(view->links[i].weight, &reasons[i]);
    }
    return KD_OK;
}

/* The waterfall's names point into the model, which ends here. */
static kd_status copy_names(const kd_person_view *view, kd_arena *arena, kd_link_reason *reasons, kd_error *err)
{
    for (size_t i = 0; i < view->link_count; i++) {
        kd_waterfall *w = &reasons[i].waterfall;
        for (size_t k = 0; k < w->count; k++) {
            kd_str *const names[] = { &w->steps[k].comparison, &w->steps[k].level, &w->steps[k].title_zh,
                                      &w->steps[k].title_en };
            for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
                *names[n] = kd_arena_str(arena, *names[n]);
                if (!names[n]->ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the explanation");
            }
        }
    }
    return KD_OK;
}

static kd_status explain(kd_register *reg, const kd_person_view *view, kd_str yaml, kd_arena *arena,
                         kd_link_reason *reasons, kd_error *err)
{
    const kd_text *text;
    kd_model *model = NULL;
    kd_matcher *matcher = NULL;
    kd_frame *frame = NULL;
    kd_match_options options = { .threads = 1, .seed = 1 };
    KD_TRY(kd_register_text(reg, &text, err));
    kd_status status = kd_model_parse(yaml, "the model of the last run", text, &model, err);
    if (status == KD_OK) status = make_frame(reg, view, arena, &frame, err);
    if (status == KD_OK) {
        const kd_frame *frames[] = { frame };
        status = kd_matcher_new(model, frames, 1, &options, &matcher, err);
    }
    if (status == KD_OK) status = kd_matcher_train(matcher, model, err); /* trained: only taken over */
    if (status == KD_OK) status = explain_with(matcher, view, arena, reasons, err);
    if (status == KD_OK) status = copy_names(view, arena, reasons, err);
    kd_matcher_free(matcher);
    kd_frame_free(frame);
    kd_model_free(model);
    return status;
}

kd_status kd_person_explain(kd_register *reg, const kd_person_view *view, kd_arena *arena, kd_link_reason **out_reasons,
                            kd_str *out_model, kd_error *err)
{
    kd_str name = { NULL, 0 }, yaml = { NULL, 0 };
    kd_link_reason *reasons = kd_arena_array(arena, view->link_count + 1, sizeof *reasons);
    if (!reasons) return kd_fail(err, KD_LIMIT, "", "no memory for the explanation");
    KD_TRY(read_model(reg, arena, &name, &yaml, err));
    if (view->link_count > 1) KD_TRY(explain(reg, view, yaml, arena, reasons, err));
    *out_reasons = reasons;
    *out_model = name;
    return KD_OK;
}
