/* What the departments' files look like and what goes wrong in them: feeds.yaml and the error models. Private. */
#ifndef KD_SIMULATE_LAYOUT_H
#define KD_SIMULATE_LAYOUT_H

#include "people.h"

enum { SIM_FEEDS_MAX = 32, SIM_COLUMNS_MAX = 40, SIM_CODES_MAX = 40, SIM_RULES_MAX = 16 };

typedef enum {
    SIM_SUBJECT,
    SIM_CHILD,
    SIM_MOTHER,
    SIM_FATHER,
    SIM_HUSBAND,
    SIM_WIFE,
    SIM_GUARDIAN, /* named in a column that no feed reads: not a mention */
    SIM_ROLES,
} sim_role;
extern const char *const sim_role_names[SIM_ROLES];

typedef enum { SIM_LIVING, SIM_MIGRANT, SIM_AWAY, SIM_DEAD, SIM_UNBORN } sim_state;

/** One condition of a list; the first that holds gives the rate. */
typedef struct {
    double rate;
    uint32_t feeds;                                /* bit per feed, 0 is all */
    uint8_t roles, states, places;                 /* bits, 0 is all; places: 1 rural, 2 urban */
    int32_t born_since, born_before, event_before; /* KD_DAY_NONE: any */
} sim_rule;

typedef struct {
    size_t count;
    sim_rule rules[SIM_RULES_MAX];
} sim_rules;

/** What a rule is asked about. */
typedef struct {
    uint32_t feed;
    uint8_t role, state, place;
    int32_t birth_day, event_day;
} sim_case;

typedef enum {
    SLIP_IDENTITY_ABSENT,
    SLIP_IDENTITY_MISTYPED,
    SLIP_IDENTITY_15_DIGITS,
    SLIP_NAME_HOMOPHONE,
    SLIP_NAME_LOOKALIKE,
    SLIP_NAME_CHAR_MISSING,
    SLIP_NAME_CHAR_ADDED,
    SLIP_SURNAME_CHANGED,
    SLIP_NAME_PLACEHOLDER,
    SLIP_BIRTH_DIGIT_OFF,
    SLIP_BIRTH_LUNAR,
    SLIP_BIRTH_JANUARY_FIRST,
    SLIP_BIRTH_ABSENT,
    SLIP_SEX_WRONG,
    SLIP_PARENTS_SWAPPED,
    SLIP_FATHER_ABSENT,
    SLIP_PHONE_SHARED,
    SLIP_PHONE_ABSENT,
    SLIP_PHONE_OLD,
    SLIP_PHONE_MISTYPED,
    SLIP_ADDRESS_SHORT,
    SLIP_ADDRESS_ABSENT,
    SLIP_RESIDENCE_OLD,
    SLIP_CERTIFICATE_ABSENT,
    SLIP_CERTIFICATE_MISTYPED,
    SLIP_HANDBOOK_ABSENT,
    SLIP_HOUSEHOLD_NO_ABSENT,
    SLIP_DEATH_UNKNOWN,
    SLIP_CODE_OLD,
    SLIP_DUPLICATE_EXACT,
    SLIP_DUPLICATE_NEAR,
    SLIP_STRANGER,
    SLIPS,
} sim_slip;

typedef struct {
    sim_rules slips[SLIPS];
    sim_list placeholders[2];
    kd_str name;
} sim_errors;

typedef enum {
    VALUE_NAME,
    VALUE_SEX,
    VALUE_BIRTH_DAY,
    VALUE_BIRTH_TIME,
    VALUE_IDENTITY,
    VALUE_PHONE,
    VALUE_ADDRESS,
    VALUE_DIVISION_CODE,
    VALUE_DIVISION_NAME,
    VALUE_HOME_CODE,
    VALUE_HUKOU_CODE,
    VALUE_HUKOU_NAME,
    VALUE_HOUSEHOLD_NO,
    VALUE_FAMILY_NO,
    VALUE_RELATION,
    VALUE_ETHNICITY,
    VALUE_MARITAL,
    VALUE_EDUCATION,
    VALUE_CERTIFICATE_NO,
    VALUE_HANDBOOK_NO,
    VALUE_BIRTH_ORDER,
    VALUE_STATUS,
    VALUE_DEATH_DAY,
    VALUE_EVENT_DAY,
    VALUE_RECORDED_DAY,
    VALUE_PAST_DAY,
    VALUE_LAST_PERIOD_DAY, /* of the row from here on */
    VALUE_KIND,
    VALUE_SERIAL,
    VALUE_NUMBER,
    VALUE_ANY,
    VALUE_BY_AGE,
    VALUES,
} sim_value;

typedef enum { DATES_COMPACT, DATES_DASHES, DATES_SLASHES, DATES_DOTS, DATES_CHINESE } sim_dates;
typedef enum { ROWS_LIVING, ROWS_REGISTERED, ROWS_BIRTHS, ROWS_PREGNANCIES, ROWS_UNIONS } sim_rows;
typedef enum { FORMAT_GB18030, FORMAT_UTF8_BOM, FORMAT_UTF8, FORMAT_XLSX } sim_format;

/** Texts of a code list by canonical code (a number, or the index of a status word): today's and the old one's. */
typedef struct {
    kd_str name;
    kd_str texts[2][100];
} sim_codes;
enum { STATUS_LIVING, STATUS_MIGRANT, STATUS_AWAY, STATUS_DEAD, KIND_MARRIED, KIND_DIVORCED, KIND_COURT };

typedef struct {
    kd_str header;
    sim_value value;
    sim_role role;
    const sim_codes *codes;
    sim_list texts; /* ANY, BY_AGE */
    int64_t from, to, digits, empty_below_age;
} sim_column;

typedef struct {
    kd_str name, file;
    uint32_t index;
    sim_format format;
    char delimiter;
    sim_rows rows;
    sim_dates dates;
    double delay_days, updated_within_days;
    bool needs_certificate;
    uint8_t roles; /* bit per role that has a column, guardians left out */
    sim_rules cover;
    sim_column columns[SIM_COLUMNS_MAX];
    size_t column_count;
} sim_feed;

typedef struct {
    sim_feed feeds[SIM_FEEDS_MAX];
    size_t feed_count;
    sim_codes codes[SIM_CODES_MAX];
    size_t code_count;
} sim_layout;

KD_CHECKED kd_status sim_layout_load(kd_arena *arena, int32_t as_of, sim_layout *out, kd_error *err);
/** `model` is a shipped name or a path. */
KD_CHECKED kd_status sim_errors_load(kd_arena *arena, const char *model, const sim_layout *layout, int32_t as_of,
                                     sim_errors *out, kd_error *err);
KD_CHECKED kd_status sim_rules_read(const kd_yaml *list, const sim_layout *layout, const kd_yaml *groups, int32_t as_of,
                                    sim_rules *out, kd_error *err);
double sim_rules_rate(const sim_rules *rules, const sim_case *asked);
/** Those of `rules` that can hold for a feed and role, which then need not be looked at again. */
void sim_rules_narrow(const sim_rules *rules, uint32_t feed, uint8_t role, sim_rules *out);

#endif
