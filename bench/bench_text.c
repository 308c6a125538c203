/* How long one call of the text engine takes: ns per call, best of five rounds, one thread. */
#include "base/base.h"
#include "text/text.h"

#include <stdio.h>
#include <string.h>

enum { CALLS = 400000, ROUNDS = 5, ADDRESSES = 4096, ADDRESS_BYTES = 200 };

typedef struct {
    const kd_text *text;
    const kd_divisions *divisions;
    char (*addresses)[ADDRESS_BYTES];
    uint8_t *address_lens;
    uint64_t sum; /* keeps the calls from being dropped */
} text_bench;

typedef void (*bench_case)(text_bench *bench, size_t i);

static void read_name(text_bench *bench, size_t i)
{
    static const char *const names[] = { "王小明",  "张伟",   "李秀英", "刘洋",   "欧阳娜娜", "陈建国",
                                         "杨柳青",  "黄河",   "張偉",   "单雄信", "张丽之子", "高 凤 霞",
                                         "艾力·买", "白玉兰", "马超",   "贺小军" };
    kd_name name;
    kd_name_read(bench->text, kd_str_of(names[i & 15]), &name);
    bench->sum += name.syllables[0];
}

static void read_identity(text_bench *bench, size_t i)
{
    static const char *const numbers[] = { "612727197912310024", "610802199001010018", "610881202602281235",
                                           "11010519491231002x" };
    kd_identity identity;
    kd_identity_read((kd_str){ numbers[i & 3], 18 }, &identity);
    bench->sum += (uint64_t)identity.birth_day;
}

static void read_date_of(text_bench *bench, const char *const dates[4], size_t i)
{
    kd_date date;
    kd_date_read(bench->text, kd_str_of(dates[i & 3]), &date);
    bench->sum += (uint64_t)date.day;
}

static void read_date(text_bench *bench, size_t i)
{
    static const char *const dates[] = { "2020-01-05", "19850815", "1999/3/7", "2011-11-30" };
    read_date_of(bench, dates, i);
}

static void read_date_words(text_bench *bench, size_t i)
{
    static const char *const dates[] = { "2020年1月5日", "二〇二〇年一月五日", "农历2020年腊月初八",
                                         "2020-01-05 10:20:30" };
    read_date_of(bench, dates, i);
}

static void read_phone(text_bench *bench, size_t i)
{
    static const char *const phones[] = { "13812345678", "0912-8881234", "+86 138 1234 5678", "13912345678" };
    char buf[KD_PHONE_BYTES_MAX];
    bench->sum += kd_phone_read(kd_str_of(phones[i & 3]), buf);
}

static void read_address(text_bench *bench, size_t i)
{
    size_t at = i % ADDRESSES;
    kd_address address;
    kd_address_read(bench->divisions, (kd_str){ bench->addresses[at], bench->address_lens[at] }, 0, &address);
    bench->sum += (uint64_t)address.code;
}

static void read_code(text_bench *bench, size_t i)
{
    static const char *const codes[] = { "610829", "612727", "610829001", "610881102001" };
    bench->sum += (uint64_t)kd_division_code_read(bench->divisions, kd_str_of(codes[i & 3]), false);
}

static void compare_shapes(text_bench *bench, size_t i)
{
    uint32_t a = 0x4E00 + (uint32_t)(kd_hash_int(i) % 0x5000), b = 0x4E00 + (uint32_t)(kd_hash_int(i + 1) % 0x5000);
    bench->sum += kd_shape_likeness(bench->text, a, b);
}

static void compare_sounds(text_bench *bench, size_t i)
{
    uint64_t hash = kd_hash_int(i);
    bench->sum += kd_syllable_likeness(bench->text, hash & 255, hash >> 8 & 255);
}

/* Full and shortened addresses of villages all over the tree, with a group and a number behind. */
static void make_addresses(text_bench *bench)
{
    kd_rng rng;
    kd_rng_init(&rng, 1);
    for (size_t i = 0; i < ADDRESSES; i++) {
        size_t index = (size_t)kd_rng_below(&rng, kd_divisions_count(bench->divisions));
        const kd_division *place = kd_divisions_at(bench->divisions, index);
        char full[ADDRESS_BYTES - 32];
        size_t len = kd_division_full_name(bench->divisions, place->code, full, sizeof full);
        size_t cut = i % 2 && len > 18 ? 18 : 0; /* every other one without province and prefecture */
        int written = snprintf(bench->addresses[i], ADDRESS_BYTES, "%.*s%d组%d号", (int)(len - cut), full + cut,
                               (int)(i % 9) + 1, (int)(i % 90) + 1);
        bench->address_lens[i] = (uint8_t)written;
    }
}

static void run(text_bench *bench, const char *what, bench_case one)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = kd_seconds();
        for (size_t i = 0; i < CALLS; i++) one(bench, i);
        double seconds = kd_seconds() - start;
        if (seconds < best) best = seconds;
    }
    printf("%-28s %8.1f ns\n", what, best / CALLS * 1e9);
}

int main(void)
{
    static char addresses[ADDRESSES][ADDRESS_BYTES];
    static uint8_t address_lens[ADDRESSES];
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_text *text = NULL;
    kd_divisions *divisions = NULL;
    kd_error err;
    kd_str tree, history;
    double start = kd_seconds();
    kd_status status = arena ? kd_text_open(&text, &err) : KD_LIMIT;
    double opened = kd_seconds();
    if (status == KD_OK) status = kd_data_path(arena, "packs/cn/shaanxi/yulin/divisions.csv", &tree, &err);
    if (status == KD_OK) status = kd_data_path(arena, "packs/cn/shaanxi/yulin/division_history.csv", &history, &err);
    if (status == KD_OK) status = kd_divisions_open(tree.ptr, history.ptr, &divisions, &err);
    double loaded = kd_seconds();
    if (status == KD_OK) {
        printf("%-28s %8.1f ms\n%-28s %8.1f ms\n", "open the text tables", (opened - start) * 1e3, "open the divisions",
               (loaded - opened) * 1e3);
        text_bench bench = { text, divisions, addresses, address_lens, 0 };
        make_addresses(&bench);
        run(&bench, "name", read_name);
        run(&bench, "identity number", read_identity);
        run(&bench, "date, digits", read_date);
        run(&bench, "date, words", read_date_words);
        run(&bench, "phone", read_phone);
        run(&bench, "address", read_address);
        run(&bench, "division code", read_code);
        run(&bench, "shape likeness", compare_shapes);
        run(&bench, "syllable likeness", compare_sounds);
        printf("%-28s %8llx\n", "(sum)", (unsigned long long)bench.sum);
    } else {
        fprintf(stderr, "bench_text: %s\n", err.message);
    }
    kd_divisions_close(divisions);
    kd_text_close(text);
    kd_arena_free(arena);
    return status == KD_OK ? 0 : 1;
}
