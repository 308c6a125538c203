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

/** packs/cn/match_review.yaml. */
typedef struct {
    size_t most;
    double weak_join_bits, parted_bits, vetoed_bits, vetoed_share, conflict_records, prior_pairs, prior_doubt;
    double bounds[2][KD_STRATA_MAX - 1]; /* of apart and together: rising weights between the strata */
    size_t strata[2];                    /* one more than bounds */
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
    kd_stratum strata[2][KD_STRATA_MAX]; /* apart, together; by weight */
} kd_strata;
size_t kd_stratum_of(const kd_review_pack *pack, bool is_together, double weight);
KD_CHECKED kd_status kd_strata_store(kd_register *reg, const kd_strata *strata, kd_error *err);
/** KD_NOT_FOUND when nothing was linked. */
KD_CHECKED kd_status kd_strata_load(kd_register *reg, kd_strata *out_strata, kd_error *err);

/** 1 / (1 + 2^-bits). */
double kd_match_probability(double bits);

#endif
