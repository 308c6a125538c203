#include "rows.h"

#include <assert.h>
#include <kindred/simulate.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETTINGS_BYTES_MAX = 256 << 20, PERSONS_MAX = 100000000 };

/* ---- where how many live ---- */

/* The power of ten that a division's code leaves open: 1 for a village, 10^8 for a prefecture. */
static int64_t span_of(int64_t code)
{
    static const int64_t spans[] = { INT64_C(10000000000), 100000000, 1000000, 1000 };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        if (code % spans[i] == 0) return spans[i];
    return 1;
}

static double village_weight(const sim_settings *s, const sim_village *village)
{
    kd_rng rng; /* by code, so that a village is as large in every simulation */
    kd_rng_init(&rng, (uint64_t)village->code);
    double size = exp(kd_rng_normal(&rng) * s->village_spread);
    return (village->is_urban ? s->urban_weight : s->rural_weight) * size;
}

static void choose_lineages(sim_settings *s, sim_village *village)
{
    kd_rng rng;
    kd_rng_init(&rng, (uint64_t)village->code + 1);
    for (int i = 0; i < SIM_LINEAGES; i++) village->lineages[i] = (uint16_t)sim_weights_draw(&s->surname_weights, &rng);
}

/* Share the residents of `division` out among its villages, counties by their published numbers. */
static kd_status place_residents(sim_settings *s, int64_t division, int64_t persons, int64_t *out_persons,
                                 kd_error *err)
{
    int64_t span = span_of(division);
    double *county_weight = kd_arena_array(s->arena, s->county_count, sizeof *county_weight);
    if (!county_weight) return kd_fail(err, KD_LIMIT, "", "no room for the counties");
    for (size_t i = 0; i < s->village_count; i++) {
        sim_village *village = &s->villages[i];
        village->weight = village_weight(s, village);
        choose_lineages(s, village);
        county_weight[village->county] += village->weight;
    }
    double total = 0;
    for (size_t i = 0; i < s->village_count; i++) {
        sim_village *village = &s->villages[i];
        bool is_within = village->code / span == division / span;
        const sim_county *county = &s->counties[village->county];
        village->weight = is_within ? village->weight / county_weight[village->county] * (double)county->published : 0;
        total += village->weight;
    }
    if (total <= 0) {
        kd_fail(err, KD_NOT_FOUND, "division", "there is no division %lld with people in the shipped tree",
                (long long)division);
        kd_hint(err, "give the code of a prefecture, county, township or village, such as 610829");
        return KD_NOT_FOUND;
    }
    if (persons == 0) persons = (int64_t)(total + 0.5);
    double reached = 0;
    int64_t given = 0;
    for (size_t i = 0; i < s->village_count; i++) {
        sim_village *village = &s->villages[i];
        if (village->weight == 0) continue;
        reached += village->weight;
        int64_t until = (int64_t)(reached / total * (double)persons + 0.5);
        village->residents = (uint32_t)(until - given);
        given = until;
        s->townships[village->township].residents += village->residents;
        s->counties[village->county].is_simulated = true;
    }
    *out_persons = persons;
    return KD_OK;
}

/* ---- names of places ---- */

static kd_str cut_short(const sim_settings *s, kd_str name)
{
    enum { SHORTEST_BYTES = 6 };
    for (size_t i = 0; i < s->suffixes.count; i++)
        if (kd_str_ends(name, s->suffixes.items[i]) && name.len - s->suffixes.items[i].len >= SHORTEST_BYTES)
            return kd_str_sub(name, 0, name.len - s->suffixes.items[i].len);
    return name;
}

static kd_status name_places(const sim_settings *s, sim_world *world, kd_error *err)
{
    world->places = kd_arena_array(s->arena, s->village_count, sizeof *world->places);
    if (!world->places) return kd_fail(err, KD_LIMIT, "", "no room for the places");
    for (size_t i = 0; i < s->village_count; i++) {
        const sim_village *village = &s->villages[i];
        kd_str names[4] = { s->prefecture_name, s->counties[village->county].name, s->townships[village->township].name,
                            village->name };
        for (int level = 0; level < 4; level++) {
            world->places[i].whole[level] = names[level];
            world->places[i].cut[level] = cut_short(s, names[level]);
        }
    }
    return KD_OK;
}

/* ---- who is in which county's files ---- */

static uint32_t county_of(const sim_settings *s, uint16_t village)
{
    return village == SIM_OUTSIDE || !s->counties[s->villages[village].county].is_simulated
               ? SIM_NONE
               : s->villages[village].county;
}

static uint32_t living_county(const sim_world *world, size_t index)
{
    const sim_person *person = &world->p->people[index];
    uint32_t county = county_of(world->s, person->home);
    return county != SIM_NONE ? county : county_of(world->s, person->hukou);
}

static uint32_t registered_county(const sim_world *world, size_t index)
{
    return county_of(world->s, world->p->people[index].hukou);
}

static uint32_t wedding_county(const sim_world *world, size_t index)
{
    const sim_union *u = &world->p->unions[index];
    uint32_t county = registered_county(world, u->husband);
    if (county == SIM_NONE) county = registered_county(world, u->wife);
    return county != SIM_NONE ? county : living_county(world, u->husband);
}

static kd_status list_by_county(sim_world *world, size_t count, uint32_t (*county_at)(const sim_world *, size_t),
                                uint32_t **out_list, size_t **out_start, kd_error *err)
{
    size_t counties = world->s->county_count;
    uint32_t *list = malloc((count + 1) * sizeof *list);
    size_t *start = calloc(counties + 2, sizeof *start);
    *out_list = list;
    *out_start = start;
    if (!list || !start) return kd_fail(err, KD_LIMIT, "", "no memory for the lists of the counties");
    for (size_t i = 0; i < count; i++) {
        uint32_t county = county_at(world, i);
        if (county != SIM_NONE) start[county + 2]++;
    }
    for (size_t county = 2; county <= counties; county++) start[county] += start[county - 1];
    for (size_t i = 0; i < count; i++) {
        uint32_t county = county_at(world, i);
        if (county != SIM_NONE) list[start[county + 1]++] = (uint32_t)i;
    }
    return KD_OK;
}

/* ---- files ---- */

typedef struct {
    sim_world *world;
    sim_file **files;
    size_t count;
    sim_progress progress;
} file_list;

static kd_status write_one(void *ctx, size_t item, kd_error *err)
{
    file_list *list = ctx;
    KD_TRY(sim_file_write(list->files[item], err));
    sim_progress_step(&list->progress);
    return KD_OK;
}

static kd_status name_file(sim_file *file, kd_error *err)
{
    const sim_world *world = file->world;
    long long code = (long long)world->s->counties[file->county].code / 1000000;
    const char *ending = file->feed->format == FORMAT_XLSX ? "xlsx" : "csv";
    int name = snprintf(file->file, sizeof file->file, "%.*s_%lld.%s", KD_FMT(file->feed->file), code, ending);
    int path = snprintf(file->path, sizeof file->path, "%s/%s", world->folder, file->file);
    int truth = snprintf(file->truth_path, sizeof file->truth_path, "%s/.truth_%u", world->folder, file->file_index);
    bool fits = name > 0 && (size_t)name < sizeof file->file && path > 0 && (size_t)path < sizeof file->path &&
                truth > 0 && (size_t)truth < sizeof file->truth_path;
    return fits ? KD_OK : kd_fail(err, KD_LIMIT, "out", "the path of the folder is too long");
}

/* By feed, then county: the order of the manifest and of the truth. */
static kd_status list_files(sim_world *world, file_list *list, kd_error *err)
{
    const sim_settings *s = world->s;
    list->world = world;
    size_t most = world->layout->feed_count * s->county_count + 1;
    list->files = calloc(most, sizeof *list->files); // NOLINT(bugprone-sizeof-expression): a list of pointers
    if (!list->files) return kd_fail(err, KD_LIMIT, "", "no memory for the files");
    for (size_t feed = 0; feed < world->layout->feed_count; feed++) {
        for (size_t county = 0; county < s->county_count; county++) {
            if (!s->counties[county].is_simulated) continue;
            sim_file *file = calloc(1, sizeof *file);
            if (!file) return kd_fail(err, KD_LIMIT, "", "no memory for a file");
            list->files[list->count] = file;
            file->world = world;
            file->feed = &world->layout->feeds[feed];
            file->county = (uint16_t)county;
            file->file_index = (uint32_t)list->count++;
            KD_TRY(name_file(file, err));
        }
    }
    return KD_OK;
}

static kd_status append_file(int to, const char *to_path, const char *path, kd_error *err)
{
    kd_mapping mapping = { { NULL, 0 } };
    KD_TRY(kd_mapping_open(path, &mapping, err));
    size_t done = 0;
    while (done < mapping.bytes.len) {
        ssize_t written = write(to, mapping.bytes.ptr + done, mapping.bytes.len - done);
        if (written > 0)
            done += (size_t)written;
        else if (errno != EINTR)
            break;
    }
    bool is_whole = done == mapping.bytes.len;
    kd_status status = is_whole ? KD_OK : kd_fail_errno(err, to_path, "write");
    kd_mapping_close(&mapping);
    return status;
}

static kd_status write_truth(const file_list *list, kd_error *err)
{
    kd_str path = kd_path_join(list->world->s->arena, kd_str_of(list->world->folder), KD_STR("truth.csv"));
    int fd = open(path.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return kd_fail_errno(err, path.ptr, "create");
    static const char header[] = "feed,row,person,role,file\n";
    kd_status status = KD_OK;
    if (write(fd, header, sizeof header - 1) != (ssize_t)sizeof header - 1)
        status = kd_fail_errno(err, path.ptr, "write");
    for (size_t i = 0; i < list->count && status == KD_OK; i++)
        status = append_file(fd, path.ptr, list->files[i]->truth_path, err);
    if (close(fd) != 0 && status == KD_OK) status = kd_fail_errno(err, path.ptr, "close");
    return status;
}

static kd_status write_manifest(const file_list *list, const kd_simulate_options *options, int64_t persons,
                                kd_error *err)
{
    const sim_world *world = list->world;
    char day[16];
    kd_day_format(world->s->as_of, day);
    kd_buf out;
    kd_buf_init(&out, 1 << 22);
    kd_buf_fmt(&out, "division: %012lld\npersons: %lld\nseed: %llu\nerrors: %.*s\nas_of: %s\nfeeds:\n",
               (long long)options->division, (long long)persons, (unsigned long long)options->seed,
               KD_FMT(world->errors->name), day);
    for (size_t i = 0; i < list->count; i++) {
        const sim_file *file = list->files[i];
        kd_buf_fmt(&out, "  - {feed: %.*s, file: %s, division: %012lld, rows: %lld, as_of: %s}\n",
                   KD_FMT(file->feed->name), file->file, (long long)world->s->counties[file->county].code,
                   (long long)file->rows, day);
    }
    kd_buf_cstr(&out, "truth: truth.csv\n");
    kd_str path = kd_path_join(world->s->arena, kd_str_of(world->folder), KD_STR("manifest.yaml"));
    kd_status status = out.status == KD_OK ? kd_file_write(path.ptr, kd_buf_view(&out), err)
                                           : kd_fail(err, KD_LIMIT, "", "the manifest is too large");
    kd_buf_done(&out);
    return status;
}

static void sum_up(const file_list *list, kd_simulate_result *out)
{
    const sim_population *p = list->world->p;
    kd_simulate_result result = { .files = (int64_t)list->count };
    for (size_t i = 0; i < p->count; i++) {
        if (p->people[i].flags & SIM_IS_UNBORN) continue;
        result.people++;
        result.residents += !(p->people[i].flags & (SIM_IS_AWAY | SIM_IS_DEAD));
    }
    for (size_t i = 0; i < list->count; i++) {
        result.rows += list->files[i]->rows;
        result.mentions += list->files[i]->mentions;
        result.bytes += list->files[i]->bytes;
        result.people += list->files[i]->strangers;
    }
    *out = result;
}

static kd_status write_files(file_list *list, const kd_simulate_options *options, int64_t persons, unsigned threads,
                             kd_error *err)
{
    KD_TRY(list_files(list->world, list, err));
    sim_progress_start(&list->progress, list->world->progress, "files", list->count);
    KD_TRY(kd_parallel(threads, list->count, write_one, list, err));
    KD_TRY(write_truth(list, err));
    return write_manifest(list, options, persons, err);
}

static void free_files(file_list *list)
{
    for (size_t i = 0; list->files && i < list->count; i++) {
        const sim_file *file = list->files[i];
        assert(file);
        if (file->truth_path[0])
            unlink(file->truth_path); // NOLINT(clang-analyzer-core.NullDereference): an array of the file
        free(list->files[i]);
    }
    free(list->files);
}

/* What lives for one simulation. */
typedef struct {
    sim_settings settings;
    sim_layout layout;
    sim_errors errors;
    sim_population population;
    sim_sinks sinks;
    bool has_sinks;
    sim_world world;
    kd_text *text;
    file_list files;
} simulation;

static kd_status list_counties(sim_world *w, kd_error *err)
{
    KD_TRY(list_by_county(w, w->p->count, living_county, &w->living, &w->living_start, err));
    KD_TRY(list_by_county(w, w->p->count, registered_county, &w->registered, &w->registered_start, err));
    return list_by_county(w, w->p->union_count, wedding_county, &w->wed, &w->wed_start, err);
}

static kd_status run(simulation *sim, kd_arena *arena, const kd_simulate_options *options, kd_simulate_result *out,
                     kd_error *err)
{
    unsigned threads = options->threads ? options->threads : kd_threads();
    int64_t persons = options->persons;
    sim_settings *s = &sim->settings;
    KD_TRY(sim_settings_load(arena, s, err));
    if (options->as_of) s->as_of = options->as_of;
    KD_TRY(sim_settings_prepare(s, err));
    KD_TRY(sim_layout_load(arena, s->as_of, &sim->layout, err));
    KD_TRY(
        sim_errors_load(arena, options->errors ? options->errors : "plain", &sim->layout, s->as_of, &sim->errors, err));
    KD_TRY(place_residents(s, options->division, persons, &persons, err));
    KD_TRY(sim_sinks_init(&sim->sinks, err));
    sim->has_sinks = true;
    KD_TRY(kd_text_open(&sim->text, err));
    KD_TRY(kd_dir_make(options->folder, err));
    KD_TRY(sim_population_make(s, options->seed, threads, options->progress, &sim->population, err));
    sim_world *world = &sim->world;
    *world = (sim_world){ .s = s,
                          .p = &sim->population,
                          .layout = &sim->layout,
                          .errors = &sim->errors,
                          .text = sim->text,
                          .sinks = &sim->sinks,
                          .seed = options->seed,
                          .folder = options->folder,
                          .progress = options->progress };
    KD_TRY(name_places(s, world, err));
    KD_TRY(list_counties(world, err));
    sim->files.world = world;
    KD_TRY(write_files(&sim->files, options, persons, threads, err));
    sum_up(&sim->files, out);
    return KD_OK;
}

kd_status kd_simulate(const kd_simulate_options *options, kd_simulate_result *out_result, kd_error *err)
{
    if (options->persons < 0 || options->persons > PERSONS_MAX)
        return kd_fail(err, KD_INVALID, "persons", "from 1 to %d people can be invented", PERSONS_MAX);
    kd_arena *arena = kd_arena_new(SETTINGS_BYTES_MAX);
    simulation *sim = arena ? calloc(1, sizeof *sim) : NULL;
    if (!sim) {
        kd_arena_free(arena);
        return kd_fail(err, KD_LIMIT, "", "no memory");
    }
    kd_simulate_result result = { 0 };
    kd_status status = run(sim, arena, options, &result, err);
    free_files(&sim->files);
    free(sim->world.living);
    free(sim->world.living_start);
    free(sim->world.registered);
    free(sim->world.registered_start);
    free(sim->world.wed);
    free(sim->world.wed_start);
    sim_population_done(&sim->population);
    kd_text_close(sim->text);
    if (sim->has_sinks) sim_sinks_done(&sim->sinks);
    free(sim);
    kd_arena_free(arena);
    if (status == KD_OK) *out_result = result;
    return status;
}
