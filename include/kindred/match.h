/**
 * @file match.h
 * Probabilistic record linkage: which rows of which tables are the same person.
 *
 * The model of Fellegi and Sunter (1969): blocking rules choose candidate pairs, each comparison puts a pair on a level,
 * a level has an m probability (among matches) and a u probability (among non-matches), its match weight is
 * log2(m / u), adjusted for term frequency; weights add to the prior and give the match probability. m and λ are
 * estimated by expectation maximisation, u from exact counts or sampled pairs. Pairs become clusters by average linkage
 * within connected components under cannot-links.
 *
 * Records are rows of one or more frames, numbered through: row r of frame f is `first_row(f) + r`.
 * Results depend only on the input's content and the model: not on threads, and not on the order of rows save for ids.
 */
#ifndef KINDRED_MATCH_H
#define KINDRED_MATCH_H

#include <kindred/frame.h>
#include <kindred/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the model: a YAML file that a person can read ---- */

typedef struct kd_model kd_model;
/** Parse and check. Unknown keys, columns, levels: KD_INVALID with line and column. `text` must outlive the model. */
KD_CHECKED kd_status kd_model_load(const char *path, const kd_text *text, kd_model **out_model, kd_error *err);
KD_CHECKED kd_status kd_model_parse(kd_str yaml, const char *name, const kd_text *text, kd_model **out_model,
                                    kd_error *err);
void kd_model_free(kd_model *model);
/** The same YAML with the estimated m, u and λ written in, so that a run can be repeated and explained later. Arena text. */
KD_CHECKED kd_status kd_model_write(const kd_model *model, kd_arena *arena, kd_str *out_yaml, kd_error *err);
bool kd_model_is_trained(const kd_model *model);
/** Only rows of different tables can be one. */
bool kd_model_is_link_only(const kd_model *model);
/** Columns that the model reads, for the caller to bring. */
size_t kd_model_columns(const kd_model *model);
kd_str kd_model_column(const kd_model *model, size_t index);
/** What `truth:` says of the tables: the column that names a record, and the one that tells the entity; empty when not said. */
kd_str kd_model_id_column(const kd_model *model);
kd_str kd_model_entity_column(const kd_model *model);
/** The entity in a value of that column: what stands at {N} of the model's pattern, the whole value when it has none. */
kd_str kd_model_entity(const kd_model *model, kd_str value);

/* ---- records ---- */

typedef struct kd_matcher kd_matcher;

typedef struct {
    unsigned threads; /* 0: kd_threads() */
    uint64_t seed;    /* of sampling; the same seed gives the same result */
    size_t bytes_max; /* 0: no limit but the machine's */
    const kd_progress *progress;
} kd_match_options;

/**
 * Read the columns named in the model out of `frames` into packed records. With two frames and `link_only: true` in the
 * model only pairs across frames are made. Frames may be freed afterwards.
 */
KD_CHECKED kd_status kd_matcher_new(const kd_model *model, const kd_frame *const *frames, size_t frame_count,
                                    const kd_match_options *options, kd_matcher **out_matcher, kd_error *err);
void kd_matcher_free(kd_matcher *matcher);
uint64_t kd_matcher_records(const kd_matcher *matcher);

/** Estimate what the model leaves open (m, u, λ) on these records. Trained models pass unchanged. */
KD_CHECKED kd_status kd_matcher_train(kd_matcher *matcher, kd_model *model, kd_error *err);

/* ---- pairs ---- */

typedef struct {
    uint32_t a, b;    /* a < b */
    float weight;     /* total match weight in bits, prior included: probability = 1 / (1 + 2^-weight) */
    uint32_t pattern; /* level of every comparison, mixed radix; read by kd_matcher_explain */
} kd_pair;

typedef struct {
    kd_pair *pairs; /* by a, then b */
    uint64_t count;
    uint64_t compared;                  /* candidate pairs that the blocking rules brought */
    uint64_t full_blocks, full_records; /* blocks above their rule's `max`, passed over, and the records in them */
} kd_pairs;
/** All pairs at or above the model's `threshold`. Free with kd_pairs_done. */
KD_CHECKED kd_status kd_matcher_pairs(kd_matcher *matcher, kd_pairs *out_pairs, kd_error *err);
void kd_pairs_done(kd_pairs *pairs);

/* ---- clusters ---- */

/** Decisions of people, which no weight overrules. */
typedef struct {
    const uint32_t (*must_link)[2];
    size_t must_count;
    const uint32_t (*cannot_link)[2];
    size_t cannot_count;
} kd_constraints;

typedef struct {
    uint32_t *cluster; /* of record: 0 .. clusters-1, numbered by their first record */
    uint32_t *peer; /* of record: the record of its cluster with which it has the strongest pair; itself when alone */
    float *weight;  /* of record: that pair's match weight; 0 when alone */
    uint32_t clusters;
    kd_pair *
        doubtful; /* pairs over the model's `review` weight whose records ended in different clusters: may be one person */
    uint64_t doubtful_count;
} kd_clusters;
/** `constraints` may be NULL. Free with kd_clusters_done. */
KD_CHECKED kd_status kd_matcher_cluster(kd_matcher *matcher, const kd_pairs *pairs, const kd_constraints *constraints,
                                        kd_clusters *out_clusters, kd_error *err);
void kd_clusters_done(kd_clusters *clusters);

/* ---- explaining ---- */

typedef struct {
    kd_str comparison;         /* name in the model */
    kd_str level;              /* name of the level in the model */
    kd_str title_zh, title_en; /* of the level, from the model; may be empty */
    double m, u;               /* probabilities of the level */
    double bits;               /* log2(m / u), 0 when a side is missing */
    double tf_bits;            /* term frequency adjustment, 0 when there is none */
} kd_waterfall_step;

typedef struct {
    double prior_bits;
    kd_waterfall_step *steps; /* in the model's order */
    size_t count;
    double total_bits; /* prior + all steps */
    double probability;
} kd_waterfall;
/** Why the records have the weight they have; any two records, paired or not. Lives in the arena. */
KD_CHECKED kd_status kd_matcher_explain(const kd_matcher *matcher, uint32_t a, uint32_t b, kd_arena *arena,
                                        kd_waterfall *out_waterfall, kd_error *err);

/* ---- online look-up ---- */

/** Blocking keys of all records sorted for look-up; the matcher must be trained and outlive it. */
typedef struct kd_match_index kd_match_index;
KD_CHECKED kd_status kd_match_index_new(const kd_matcher *matcher, kd_match_index **out_index, kd_error *err);
void kd_match_index_free(kd_match_index *index);
typedef struct {
    uint32_t record;
    float weight;
    uint32_t pattern;
} kd_candidate;
/** The best `candidates_max` records for row `row` of a frame with the model's columns, best first. Thread-safe. */
KD_CHECKED kd_status kd_match_lookup(const kd_match_index *index, const kd_frame *frame, int64_t row,
                                     size_t candidates_max, kd_candidate *candidates, size_t *out_count, kd_error *err);

/* ---- measuring against truth ---- */

typedef struct {
    uint64_t true_pairs, found_pairs, shared_pairs; /* unordered pairs of records of one entity */
    double precision, recall, f1;
} kd_quality;
/** Pairs implied by `cluster` against pairs implied by `truth` (any labels; UINT32_MAX: unknown, left out). */
kd_quality kd_match_quality(const uint32_t *cluster, const uint32_t *truth, uint64_t records);

#ifdef __cplusplus
}
#endif
#endif
