/**
 * @file review.h
 * The doubtful joins and partings of a link run: gathered while the pairs stand, stored as the review queue and as the strata of
 * the estimates. Private to the register.
 */
#ifndef KD_REGISTER_REVIEW_H
#define KD_REGISTER_REVIEW_H

#include "link.h"
#include "task.h"

enum { KD_STRATA_MAX = 8, KD_REVIEWS_MAX = 100000 };

/** How a link run left two groups of records. Stored as these numbers: never renumber. */
typedef enum {
    KD_APART,
    KD_TOGETHER,
    KD_HELD_APART, /* by two different valid identity numbers */
    KD_STANDINGS
} kd_standing;

/** packs/cn/match_review.yaml. */
typedef struct {
    size_t most;
    double weak_join_bits, parted_bits, held_apart_bits, held_apart_same, conflict_records, prior_mistakes, prior_doubt;
    double bounds[KD_STANDINGS][KD_STRATA_MAX - 1]; /* rising weights between the strata */
    size_t strata[KD_STANDINGS];                    /* one more than bounds */
} kd_review_pack;
/** NULL: the shipped one. Wrong packs are KD_INVALID with line and column. */
KD_CHECKED kd_status kd_review_pack_load(const char *path, kd_review_pack *out_pack, kd_error *err);

/** Pairs of records of the same standing: in one person or in two, of a like weight. */
typedef struct {
    double pairs;    /* pairs of records that hang on them */
    double expected; /* of them, those of one person as the model says */
    double units;    /* joins or pairs of persons */
} kd_stratum;

typedef struct {
    int64_t run_at, records, persons;
    kd_stratum strata[KD_STANDINGS][KD_STRATA_MAX]; /* by weight */
} kd_strata;
size_t kd_stratum_of(const kd_review_pack *pack, kd_standing standing, double weight);
KD_CHECKED kd_status kd_strata_store(kd_register *reg, const kd_review_pack *pack, const kd_strata *strata,
                                     kd_error *err);

/** 1 / (1 + 2^-bits). */
double kd_match_probability(double bits);
/** How likely it is that they are one person, as the model or, held apart, the pack says. */
double kd_doubt_probability(const kd_review_pack *pack, kd_standing standing, double weight);

/* ---- gathered by a link run ---- */

/** The strongest pair between two groups of records. */
typedef struct {
    uint32_t a, b; /* records, a < b */
    float weight;
    uint32_t left, right; /* records on either side */
    kd_standing standing;
} kd_doubt;

typedef struct {
    kd_doubt *items;
    size_t count, cap;
} kd_doubt_list;

struct kd_doubts {
    kd_review_pack pack;
    kd_strata strata;
    kd_doubt_list kept;
};

/* ---- numbers ---- */

/** The value below which a beta-distributed number lies with probability `share`; a, b > 0. */
double kd_beta_quantile(double a, double b, double share);

#endif
