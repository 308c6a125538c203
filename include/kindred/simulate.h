/**
 * @file simulate.h
 * An invented population of real places, and the files that departments would send about it.
 *
 * Nobody in it exists. The same options give the same bytes, for every number of threads.
 */
#ifndef KINDRED_SIMULATE_H
#define KINDRED_SIMULATE_H

#include <kindred/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to invent. Zero in any field asks for the default. */
typedef struct {
    int64_t division;   /* 12-digit code of a prefecture, county, township or village; one file a feed and county */
    int64_t persons;    /* residents; 0: the published number of that division */
    const char *errors; /* "plain", "hard", or the path of an error model; NULL is "plain" */
    uint64_t seed;
    int32_t as_of;      /* the day on which the departments write their files; 0: the day of the shipped settings */
    const char *folder; /* where the files go; made when absent */
    unsigned threads;   /* 0: kd_threads() */
    const kd_progress *progress; /* may be NULL */
} kd_simulate_options;

/** What came out. */
typedef struct {
    int64_t residents; /* living there on the day */
    int64_t people;    /* with those registered there but away, the dead of recent years, and strangers in the files */
    int64_t rows;      /* of all files */
    int64_t mentions;  /* persons named in rows: the lines of truth.csv */
    int64_t files;
    int64_t bytes;
} kd_simulate_result;

/**
 * Write the feeds, `manifest.yaml` and `truth.csv` (feed,row,person,role,file; row 1 is the first after the header).
 * KD_NOT_FOUND for a division that the shipped tree does not have, KD_INVALID with line and column for a wrong error
 * model, KD_IO when the folder cannot be written. About 140 bytes of memory a person.
 */
KD_CHECKED kd_status kd_simulate(const kd_simulate_options *options, kd_simulate_result *out_result, kd_error *err);

#ifdef __cplusplus
}
#endif
#endif
