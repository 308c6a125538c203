/*
 * How right the last link run is, as far as can be told without the truth.
 *
 * Pairs of records that hang on joins and partings of a like weight form a stratum. Of each, the share that is one person is taken as
 * beta distributed: the prior from the pairs' match probabilities (the estimator of false and missed matches of Enamorado, Fifield
 * and Imai 2019, "Using a probabilistic model to assist merging of large-scale administrative records", APSR 113), as weak as
 * reviewed pairs in which `prior_mistakes` mistakes were seen; updated by what people said of the stratum's pairs (the stratified
 * Bayesian model of Marchant and Rubinstein 2017, "In search of an entity resolution OASIS", PVLDB 10). Precision is the expected
 * share of found pairs that are right, recall that of right pairs that were found; their variances add over strata, the recall's by
 * the delta method, and the interval is that of the beta distribution with the same mean and variance.
 *
 * What it cannot see: pairs that no blocking rule brought or that weigh less than the model's threshold. Recall is therefore rather
 * too high; precision rather too low, since a join is judged by its strongest pair alone.
 */
#include "review.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SETTING_BYTES_MAX = 16 << 10, FRACTION_STEPS = 300, BISECTIONS = 80 };
static const char SETTING[] = "match_strata";
static const double LOW_SHARE = 0.025, HIGH_SHARE = 0.975;

static const char METHOD_ZH[] =
    "按匹配权重分层：每层以模型给出的匹配概率为先验，用人工复核结果修正，得到真链接的期望比例及95%区间。"
    "未被分块规则带出、或权重低于阈值的记录对看不到，因此查全率偏高；归并只按最强一对记录判断，因此查准率偏低。";
static const char METHOD_EN[] =
    "By strata of match weight: in each, the model's match probabilities are the prior, corrected by the pairs that people reviewed; this "
    "gives the expected share of right links with 95 % intervals. Pairs that no blocking rule brought or that weigh less than the threshold "
    "are not seen, so recall is rather too high; a join is judged by its strongest pair alone, so precision is rather too low.";

/* ---- stored with the run ---- */

/* "at records persons" and, a line each, "standing stratum bound pairs expected units". */
kd_status kd_strata_store(kd_register *reg, const kd_review_pack *pack, const kd_strata *strata, kd_error *err)
{
    kd_buf text;
    kd_buf_init(&text, SETTING_BYTES_MAX);
    kd_buf_fmt(&text, "%lld %lld %lld", (long long)strata->run_at, (long long)strata->records,
               (long long)strata->persons);
    for (size_t s = 0; s < KD_STANDINGS; s++) {
        for (size_t i = 0; i < pack->strata[s]; i++) {
            const kd_stratum *h = &strata->strata[s][i];
            bool has_bound = i + 1 < pack->strata[s];
            kd_buf_fmt(&text, "\n%zu %zu %.17g %.17g %.17g %.17g", s, i, has_bound ? pack->bounds[s][i] : 1e9, h->pairs,
                       h->expected, h->units);
        }
    }
    kd_status status =
        text.status == KD_OK
            ? kd_store_exec(kd_register_store(reg), err, NULL,
                            "insert into setting (name, value) values ($1, $2) "
                            "on conflict (name) do update set value = excluded.value",
                            KD_VALUES(kd_text_value(kd_str_of(SETTING)), kd_text_value(kd_buf_view(&text))))
            : kd_fail(err, KD_LIMIT, "", "no memory for the estimates");
    kd_buf_done(&text);
    return status;
}

/* A stratum as it was stored, with what people said of its pairs. */
typedef struct {
    kd_standing standing;
    double above, pairs, expected; /* above: its pairs weigh less than that */
    double same, different;        /* reviewed */
} stratum;

typedef struct {
    kd_strata run;
    stratum strata[KD_STANDINGS * KD_STRATA_MAX];
    size_t count;
    kd_review_pack pack;
} estimating;

static bool read_numbers(kd_str line, double *numbers, size_t count)
{
    kd_str rest = line, part;
    for (size_t i = 0; i < count; i++)
        if (!kd_str_next(&rest, ' ', &part) || !kd_str_double(part, &numbers[i])) return false;
    return true;
}

static kd_status parse(kd_str text, estimating *e, kd_error *err)
{
    kd_str rest = text, line, part;
    int64_t *const heads[] = { &e->run.run_at, &e->run.records, &e->run.persons };
    double n[6];
    bool is_right = kd_str_next(&rest, '\n', &line);
    for (size_t i = 0; i < 3 && is_right; i++) is_right = kd_str_next(&line, ' ', &part) && kd_str_int(part, heads[i]);
    while (is_right && kd_str_next(&rest, '\n', &line)) {
        is_right =
            read_numbers(line, n, 6) && n[0] >= 0 && n[0] < KD_STANDINGS && e->count < KD_STANDINGS * KD_STRATA_MAX;
        if (is_right)
            e->strata[e->count++] =
                (stratum){ .standing = (kd_standing)n[0], .above = n[2], .pairs = n[3], .expected = n[4] };
    }
    return is_right ? KD_OK : kd_fail(err, KD_INVALID, "", "the estimates stored with the last run cannot be read");
}

static kd_status load_strata(kd_register *reg, estimating *e, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, "select value from setting where name = $1",
                          KD_VALUES(kd_text_value(kd_str_of(SETTING)))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = parse(kd_rows_text(rows, 0), e, err);
    kd_rows_close(rows);
    if (status == KD_OK && !has_row) {
        kd_fail(err, KD_NOT_FOUND, "", "nothing was linked yet");
        kd_hint(err, "run `kindred link`");
        return KD_NOT_FOUND;
    }
    return status;
}

/* ---- what people said ---- */

static void count_said(estimating *e, kd_standing standing, double weight, bool is_same)
{
    for (size_t i = 0; i < e->count; i++) {
        if (e->strata[i].standing != standing || weight >= e->strata[i].above) continue;
        *(is_same ? &e->strata[i].same : &e->strata[i].different) += 1;
        return;
    }
}

static kd_status read_reviewed(kd_register *reg, estimating *e, int64_t *out_reviewed, int64_t *out_same, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select r.standing, r.weight, max(case when d.kind = 'same_person' then 1 else 0 end) "
                          "from match_review r join decision d on d.task_id = r.id where d.undone_at is null and "
                          "d.kind in ('same_person', 'different_person') group by r.id, r.standing, r.weight",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        bool is_same = kd_rows_int(rows, 2) != 0;
        count_said(e, (kd_standing)kd_rows_int(rows, 0), kd_rows_real(rows, 1), is_same);
        *out_same += is_same;
        ++*out_reviewed;
    }
    kd_rows_close(rows);
    return status;
}

/* ---- the beta distribution ---- */

/* Regularised incomplete beta function by Lentz's continued fraction. Source: DLMF 8.17.22. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m <= FRACTION_STEPS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int k = 0; k < 2; k++) {
            double term = k ? odd : even;
            d = 1 + term * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term / c;
            if (fabs(c) < tiny) c = tiny;
            f *= c * d;
        }
        if (fabs(c * d - 1) < 1e-14) break;
    }
    return f;
}

static double beta_below(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double kd_beta_quantile(double a, double b, double share)
{
    double low = 0, high = 1;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = low + (high - low) / 2;
        if (beta_below(a, b, middle) < share) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low + (high - low) / 2;
}

/* ---- the estimate ---- */

typedef struct {
    double mean, variance;
} moments;

/* Pairs of a stratum that are one person. */
static moments right_pairs(const estimating *e, const stratum *h)
{
    double doubt = e->pack.prior_doubt, p = h->pairs > 0 ? h->expected / h->pairs : 0;
    p = p < doubt ? doubt : p > 1 - doubt ? 1 - doubt : p;
    double strength = e->pack.prior_mistakes / (p < 0.5 ? p : 1 - p);
    double a = p * strength + h->same, b = (1 - p) * strength + h->different, n = a + b;
    return (moments){ h->pairs * a / n, h->pairs * h->pairs * a * b / (n * n * (n + 1)) };
}

/* The interval of the beta distribution of these moments; the mean itself when nothing is open. */
static void interval(double mean, double variance, double *out_low, double *out_high)
{
    *out_low = *out_high = mean;
    if (!(variance > 0) || mean <= 0 || mean >= 1) return;
    double strength = mean * (1 - mean) / variance - 1;
    if (strength <= 0) {
        *out_low = 0;
        *out_high = 1;
        return;
    }
    *out_low = kd_beta_quantile(mean * strength, (1 - mean) * strength, LOW_SHARE);
    /* by the other tail: near one the distance to it is what is exact */
    *out_high = 1 - kd_beta_quantile((1 - mean) * strength, mean * strength, 1 - HIGH_SHARE);
}

static void estimate(const estimating *e, kd_match_estimate *out)
{
    moments right = { 0 }, missed = { 0 };
    double found = 0;
    for (size_t i = 0; i < e->count; i++) {
        bool is_found = e->strata[i].standing == KD_TOGETHER;
        moments m = right_pairs(e, &e->strata[i]), *sum = is_found ? &right : &missed;
        sum->mean += m.mean;
        sum->variance += m.variance;
        if (is_found) found += e->strata[i].pairs;
    }
    double all = right.mean + missed.mean;
    out->precision = found > 0 ? right.mean / found : NAN;
    out->recall = all > 0 ? right.mean / all : NAN;
    out->precision_low = out->precision_high = out->precision;
    out->recall_low = out->recall_high = out->recall;
    if (found > 0)
        interval(out->precision, right.variance / (found * found), &out->precision_low, &out->precision_high);
    if (!(all > 0)) return;
    double spread = missed.mean * missed.mean * right.variance + right.mean * right.mean * missed.variance;
    interval(out->recall, spread / (all * all * all * all), &out->recall_low, &out->recall_high);
}

kd_status kd_match_estimate_of(kd_register *reg, kd_arena *arena, kd_match_estimate *out_estimate, kd_error *err)
{
    estimating e = { .count = 0 };
    kd_match_estimate result = { 0 };
    KD_TRY(kd_review_pack_load(NULL, &e.pack, err));
    KD_TRY(load_strata(reg, &e, err));
    KD_TRY(read_reviewed(reg, &e, &result.reviewed, &result.reviewed_same, err));
    result.run_at = e.run.run_at;
    result.records = e.run.records;
    result.persons = e.run.persons;
    result.method_zh = kd_arena_str(arena, kd_str_of(METHOD_ZH));
    result.method_en = kd_arena_str(arena, kd_str_of(METHOD_EN));
    if (!result.method_zh.ptr || !result.method_en.ptr)
        return kd_fail(err, KD_LIMIT, "", "no memory for the estimates");
    estimate(&e, &result);
    *out_estimate = result;
    return KD_OK;
}
