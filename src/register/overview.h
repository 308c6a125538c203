/**
 * @file overview.h
 * What the overview counts, as packs/cn/overview.yaml says. Private to the register.
 */
#ifndef KD_REGISTER_OVERVIEW_H
#define KD_REGISTER_OVERVIEW_H

#include "link.h"

enum { KD_COVERED_MAX = 64, KD_BIRTH_MONTHS_MAX = 120, KD_BIRTH_MONTHS_SHOWN = 24 };

/** Whom a source should know. */
typedef struct {
    kd_str feed;
    int age_from, age_to; /* completed years, both included */
    int sex;              /* 0: either */
} kd_covered;

typedef struct {
    kd_arena *arena;
    kd_covered sources[KD_COVERED_MAX];
    size_t source_count;
    int birth_months;
    kd_str completeness; /* feed */
} kd_overview_pack;
/** NULL: the shipped one. Wrong packs are KD_INVALID with line and column. */
KD_CHECKED kd_status kd_overview_pack_load(const char *path, kd_overview_pack *out_pack, kd_error *err);
void kd_overview_pack_done(kd_overview_pack *pack);

/* Kinds of area_count; the keys are given in brackets. Division 0 is the whole register. */
#define KD_COUNT_PERSONS "persons"       /* ("") */
#define KD_COUNT_HOUSEHOLDS "households" /* ("") */
#define KD_COUNT_MALE "male"             /* (year of birth) */
#define KD_COUNT_FEMALE "female"         /* (year of birth) */
#define KD_COUNT_BIRTHS "births"         /* (month, 2026-03) */
#define KD_COUNT_KNOWN "known"           /* (feed) of those it should know */
#define KD_COUNT_SHOULD "should"         /* (feed) whom it should know */

#endif
