/* Online look-up: how long one record takes against all records of a register. bench_lookup REGISTER [LOOKUPS] */
#include "register/table.h"

#include <stdio.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    kd_register *reg;
    kd_record_table table;
    kd_frame *frame;
    kd_model *model;
    kd_matcher *matcher;
    kd_match_index *index;
} bench;

static kd_status prepare(bench *b, const char *dir, kd_error *err)
{
    kd_match_options options = { .seed = 1 };
    const kd_text *text;
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_str path;
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory");
    KD_TRY(kd_register_open(dir, false, &b->reg, err));
    KD_TRY(kd_register_text(b->reg, &text, err));
    KD_TRY(kd_data_path(arena, "models/person.yaml", &path, err));
    KD_TRY(kd_model_load(path.ptr, text, &b->model, err));
    KD_TRY(kd_record_table_load(b->reg, NULL, &b->table, err));
    KD_TRY(kd_record_table_frame(&b->table, b->reg, b->model, &b->frame, err));
    const kd_frame *frames[] = { b->frame };
    KD_TRY(kd_matcher_new(b->model, frames, 1, &options, &b->matcher, err));
    KD_TRY(kd_matcher_train(b->matcher, b->model, err));
    kd_arena_free(arena);
    return kd_match_index_new(b->matcher, &b->index, err);
}

/* Each lookup asks for a record that is there; the other records of the person come back beside it. */
static kd_status measure(const bench *b, size_t lookups, double *seconds, uint64_t *out_found, kd_error *err)
{
    kd_rng rng;
    kd_rng_init(&rng, 42);
    for (size_t i = 0; i < lookups; i++) {
        kd_candidate candidates[10];
        size_t found;
        int64_t row = (int64_t)kd_rng_below(&rng, (uint64_t)b->table.count);
        double began = kd_seconds();
        KD_TRY(kd_match_lookup(b->index, b->frame, row, 10, candidates, &found, err));
        seconds[i] = kd_seconds() - began;
        *out_found += found;
    }
    return KD_OK;
}

int main(int argc, char **argv)
{
    int64_t lookups = 10000;
    if (argc < 2 || (argc > 2 && !kd_str_int(kd_str_of(argv[2]), &lookups)) || lookups < 1) {
        fputs("usage: bench_lookup REGISTER [LOOKUPS]\n", stderr);
        return 2;
    }
    bench b = { 0 };
    kd_error err;
    uint64_t found = 0;
    double began = kd_seconds(), *seconds = calloc((size_t)lookups, sizeof *seconds);
    kd_status status = seconds ? prepare(&b, argv[1], &err) : kd_fail(&err, KD_LIMIT, "", "no memory");
    double prepared = kd_seconds() - began;
    if (status == KD_OK && b.table.count == 0) status = kd_fail(&err, KD_INVALID, "", "the register holds no records");
    if (status == KD_OK) status = measure(&b, (size_t)lookups, seconds, &found, &err);
    if (status == KD_OK) {
        qsort(seconds, (size_t)lookups, sizeof *seconds, by_value);
        printf(
            "{\"records\":%u,\"lookups\":%lld,\"found\":%llu,\"prepare_seconds\":%.2f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
            "\"max_us\":%.1f,\"peak_memory_bytes\":%llu}\n",
            b.table.count, (long long)lookups, (unsigned long long)found, prepared, 1e6 * seconds[lookups / 2],
            1e6 * seconds[lookups * 99 / 100], 1e6 * seconds[lookups - 1], (unsigned long long)kd_memory_peak_bytes());
    } else {
        char text[1200];
        kd_error_text(&err, text, sizeof text);
        fprintf(stderr, "bench_lookup: %s\n", text);
    }
    kd_match_index_free(b.index);
    kd_matcher_free(b.matcher);
    kd_frame_free(b.frame);
    kd_record_table_done(&b.table);
    kd_model_free(b.model);
    kd_register_close(b.reg);
    free(seconds);
    return status == KD_OK ? 0 : 1;
}
