#include "base/base.h"
#include "match/match.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const kd_text *shared_text(void)
{
    static kd_text *text;
    kd_error err;
    if (!text && kd_text_open(&text, &err) != KD_OK) __builtin_trap();
    return text;
}

/* A few people with all the columns that the model asks for, whatever they are called. */
static kd_frame *make_frame(const kd_model *model)
{
    static const char *const values[] = { "张伟", "章玮",       "11010519491231002X", "110105194912310021",
                                          "",     "1949-12-31", "610829100201",       "martha",
                                          "a b",  "marhta",     "欧阳小红",           "1950-01-01" };
    enum { ROWS = 12, VALUES = sizeof values / sizeof values[0] };
    kd_frame_builder *builder = kd_frame_builder_new(1 << 22);
    kd_frame *frame = NULL;
    for (size_t c = 0; c < kd_model_columns(model); c++) {
        char name[256];
        kd_str column = kd_model_column(model, c);
        size_t len = column.len < sizeof name - 1 ? column.len : sizeof name - 1;
        if (len) memcpy(name, column.ptr, len);
        name[len] = '\0';
        size_t at = kd_frame_builder_column(builder, name, c % 2 ? KD_TYPE_TEXT : KD_TYPE_DICT);
        for (size_t row = 0; row < ROWS; row++) {
            kd_str value = kd_str_of(values[(row / 2 + c) % VALUES]);
            kd_frame_builder_text(builder, at, value.len ? value : (kd_str){ NULL, 0 });
        }
    }
    if (kd_frame_builder_finish(builder, &frame, NULL) != KD_OK) frame = NULL; /* two columns of one name */
    kd_frame_builder_free(builder);
    return frame;
}

static void check_pairs(const kd_matcher *matcher, const kd_pairs *pairs, kd_arena *arena)
{
    for (uint64_t i = 0; i < pairs->count; i++) {
        const kd_pair *p = &pairs->pairs[i];
        kd_waterfall w;
        if (p->a >= p->b || p->b >= kd_matcher_records(matcher)) __builtin_trap();
        if (kd_matcher_explain(matcher, p->a, p->b, arena, &w, NULL) != KD_OK) continue;
        if (fabs(w.total_bits - (double)p->weight) > 1e-3 * (1 + fabs(w.total_bits))) __builtin_trap();
    }
}

static void link_rows(kd_model *model, const kd_frame *frame, kd_arena *arena)
{
    kd_matcher *matcher;
    kd_pairs pairs = { 0 };
    kd_clusters clusters = { 0 };
    const kd_frame *const frames[] = { frame, frame };
    kd_match_options options = { .threads = 1, .seed = 1 };
    if (kd_matcher_new(model, frames, 1, &options, &matcher, NULL) != KD_OK &&
        kd_matcher_new(model, frames, 2, &options, &matcher, NULL) != KD_OK)
        return;
    kd_status status = kd_matcher_train(matcher, model, NULL);
    if (status == KD_OK) status = kd_matcher_pairs(matcher, &pairs, NULL);
    if (status == KD_OK) check_pairs(matcher, &pairs, arena);
    if (status == KD_OK && kd_matcher_cluster(matcher, &pairs, NULL, &clusters, NULL) == KD_OK)
        for (uint64_t r = 0; r < kd_matcher_records(matcher); r++)
            if (clusters.cluster[r] >= clusters.clusters) __builtin_trap();
    kd_clusters_done(&clusters);
    kd_pairs_done(&pairs);
    kd_matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kd_model *model, *again;
    kd_error err;
    kd_str yaml = { (const char *)data, size }, written;
    if (kd_model_parse(yaml, "fuzz.yaml", shared_text(), &model, &err) != KD_OK) return 0;
    kd_arena *arena = kd_arena_new(1 << 22);
    kd_frame *frame = make_frame(model);
    if (frame) link_rows(model, frame, arena);
    if (kd_model_write(model, arena, &written, &err) == KD_OK && kd_model_is_trained(model)) {
        if (kd_model_parse(written, "written.yaml", shared_text(), &again, &err) != KD_OK) __builtin_trap();
        kd_model_free(again);
    }
    kd_frame_free(frame);
    kd_arena_free(arena);
    kd_model_free(model);
    return 0;
}
