/* One file of one feed and county: which rows, who is in them, how they are written. Private to simulate/. */
#ifndef KD_SIMULATE_ROWS_H
#define KD_SIMULATE_ROWS_H

#include "sink.h"

/** Names of a village's levels, whole and cut short. */
typedef struct {
    kd_str whole[4], cut[4]; /* prefecture, county, township, village */
} sim_place;

/** Everything that all files share; only read once made. */
typedef struct {
    const sim_settings *s;
    const sim_population *p;
    const sim_layout *layout;
    const sim_errors *errors;
    const kd_text *text;
    sim_sinks *sinks;
    sim_place *places;
    uint32_t *living, *registered, *wed;                 /* people and unions by county */
    size_t *living_start, *registered_start, *wed_start; /* counties + 1 */
    uint64_t seed;
    const char *folder;
    const kd_progress *progress;
} sim_world;

typedef struct {
    const sim_person *person; /* NULL: nobody in this role */
    uint32_t index;           /* SIM_NONE: a stranger */
    int64_t id;
    sim_state state;
    uint32_t village; /* where the row says that they live */
    /* what goes wrong; at most one slip of each kind, SLIPS is none */
    sim_slip name, birth, identity;
    bool sex_wrong, phone_shared, phone_absent, phone_old, phone_mistyped, address_short, address_absent;
    bool certificate_absent, certificate_mistyped, handbook_absent, household_no_absent;
} sim_actor;

typedef struct {
    sim_actor actors[SIM_ROLES];
    uint32_t pregnancy_mother; /* numbers the handbook */
    int32_t pregnancy_day, event_day, recorded_day, past_day;
    int kind;
    uint64_t serial;
    bool has_old_codes, knows_death;
    kd_rng rng;
} sim_row;

typedef struct {
    const sim_world *world;
    const sim_feed *feed;
    uint16_t county;
    uint32_t file_index;
    sim_rules slips[SIM_ROLES][SLIPS];
    sim_sink *sink, *truth;
    char file[128], path[1024], truth_path[1024];
    int64_t rows, mentions, strangers, bytes;
    kd_map *stranger_numbers;
} sim_file;

/** Write one file and its part of the truth beside it. */
KD_CHECKED kd_status sim_file_write(sim_file *file, kd_error *err);

/* slips.c */
void sim_row_slips(sim_file *file, sim_row *row);
/** The name as it is written in this row; UTF-8 in buf. */
enum { SIM_NAME_BYTES = 96 };
kd_str sim_written_name(sim_file *file, sim_row *row, sim_role role, char buf[SIM_NAME_BYTES]);
kd_str sim_written_identity(sim_file *file, sim_row *row, sim_role role, char buf[24]);
/** The day of birth as written: KD_DAY_NONE when left out. */
int32_t sim_written_birth_day(sim_file *file, sim_row *row, sim_role role);
/* fields.c */
KD_CHECKED kd_status sim_row_write(sim_file *file, sim_row *row, kd_error *err);
void sim_mistype(kd_rng *rng, char *digits, size_t *len);

#endif
