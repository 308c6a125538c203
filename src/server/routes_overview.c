/* What needs doing today, and an area at a glance. */
#include "core.h"
#include "exchange/exchange.h"
#include "services/services.h"
#include "show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 512, COUNTED_MAX = 200, SHARE_DECIMALS = 4 };

/* ---- today ---- */

typedef struct {
    const char *kind;
    kd_str key, title;
    int64_t count, overdue;
    int32_t oldest_due;
} item;

typedef struct {
    kd_call *call;
    int64_t division;
    int32_t today;
    item *items;
    size_t count;
    kd_feed_packs *packs;
} gathering;

static void add_item(gathering *g, item found)
{
    if (found.count > 0 && g->count < ITEMS_MAX) g->items[g->count++] = found;
}

/* Tasks are given to a role; whoever has one of these roles is asked for its tasks alone, anybody else sees all of the area. */
static bool is_asked(const kd_account *who, const kd_task_sum *sums, size_t count, kd_str role)
{
    bool has_any = false;
    for (size_t r = 0; r < who->role_count; r++) {
        if (kd_str_eq(who->roles[r], role)) return true;
        for (size_t i = 0; i < count; i++) has_any = has_any || kd_str_eq(who->roles[r], sums[i].role);
    }
    return !has_any;
}

static kd_status add_tasks(gathering *g, kd_error *err)
{
    kd_task_sum *sums;
    size_t count = 0;
    if (!kd_call_may(g->call, "task.read")) return KD_OK;
    KD_TRY(kd_task_summary(g->call->reg, &g->division, 1, g->today, g->call->arena, &sums, &count, err));
    for (size_t i = 0; i < count; i++) {
        kd_task task = { .kind = sums[i].kind, .role = sums[i].role };
        kd_task_words words = { 0 };
        if (!is_asked(g->call->who, sums, count, sums[i].role)) continue;
        KD_TRY(kd_task_describe(g->call->reg, &task, g->call->arena, &words, err));
        kd_str title = kd_call_words(g->call, words.title_zh, words.title_en);
        add_item(g, (item){ "task", sums[i].kind, title.len ? title : sums[i].kind, sums[i].open, sums[i].overdue,
                            sums[i].oldest_due });
    }
    return KD_OK;
}

static kd_status add_births(gathering *g, kd_error *err)
{
    kd_call *call = g->call;
    kd_birth_page drafts;
    kd_delivery_page deliveries;
    kd_birth_filter filter = { .division = g->division, .state = KD_STR("draft"), .limit = COUNTED_MAX };
    if (!kd_call_may(call, "birth.write")) return KD_OK;
    KD_TRY(kd_birth_list(call->reg, &filter, call->arena, &drafts, err));
    add_item(g, (item){ "draft", KD_STR("birth"),
                        kd_call_words(call, KD_STR("未完成的出生登记"), KD_STR("Birth registrations begun")),
                        (int64_t)drafts.count, 0, KD_DAY_NONE });
    KD_TRY(kd_delivery_list(call->reg, call->server->births, g->division, (kd_str){ NULL, 0 }, (kd_str){ NULL, 0 },
                            COUNTED_MAX, call->arena, &deliveries, err));
    add_item(g, (item){ "delivery", KD_STR("delivery"),
                        kd_call_words(call, KD_STR("待登记的分娩通知"), KD_STR("Deliveries to register")),
                        (int64_t)deliveries.count, 0, KD_DAY_NONE });
    return KD_OK;
}

static kd_status add_matches(gathering *g, kd_error *err)
{
    int64_t open = 0;
    if (!kd_call_may(g->call, "match.decide")) return KD_OK;
    KD_TRY(kd_match_count(g->call->reg, g->division, &open, err));
    add_item(g, (item){ "match", KD_STR("match"),
                        kd_call_words(g->call, KD_STR("待复核的匹配"), KD_STR("Doubtful matches")), open, 0,
                        KD_DAY_NONE });
    return KD_OK;
}

/* Feeds that are late. */
static kd_status add_feeds(gathering *g, kd_error *err)
{
    kd_feed_status *feeds;
    size_t count = 0;
    if (!kd_call_may(g->call, "feed.read")) return KD_OK;
    KD_TRY(kd_feed_statuses(g->call->reg, g->call->arena, &feeds, &count, err));
    KD_TRY(kd_feed_packs_of_register(kd_register_dir(g->call->reg), NULL, &g->packs, err));
    for (size_t i = 0; i < count; i++) {
        int64_t late = kd_show_days_late(g->packs, &feeds[i]);
        kd_str title = kd_call_words(g->call, feeds[i].source.title_zh, feeds[i].source.title_en);
        if (late > 0) add_item(g, (item){ "feed", feeds[i].source.feed, title, 1, 1, g->today - (int32_t)late });
    }
    return KD_OK;
}

/* The most overdue first, then the most. */
static int most_pressing_first(const void *x, const void *y)
{
    const item *a = x, *b = y;
    if (a->overdue != b->overdue) return a->overdue > b->overdue ? -1 : 1;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return kd_str_cmp(a->key, b->key);
}

static void put_item(kd_json *json, const item *found)
{
    kd_json_object(json);
    kd_out_text(json, "kind", kd_str_of(found->kind));
    kd_out_text(json, "key", found->key);
    kd_out_text(json, "title", found->title);
    kd_json_kint(json, "count", found->count);
    kd_json_kint(json, "overdue", found->overdue);
    kd_json_kday(json, "oldest_due", found->oldest_due);
    kd_json_object_end(json);
}

static kd_status gather(gathering *g, kd_error *err)
{
    g->items = kd_arena_array(g->call->arena, ITEMS_MAX, sizeof *g->items);
    if (!g->items) return kd_fail(err, KD_LIMIT, "", "no memory for what is to be done");
    KD_TRY(add_tasks(g, err));
    KD_TRY(add_births(g, err));
    KD_TRY(add_matches(g, err));
    return add_feeds(g, err);
}

static kd_status today(kd_call *call, kd_error *err)
{
    gathering g = { .call = call, .today = kd_today() };
    int64_t linked_at = 0;
    KD_TRY(kd_call_area(call, &g.division, err));
    KD_TRY(kd_last_link_at(call->reg, &linked_at, err));
    kd_status status = gather(&g, err);
    if (status == KD_OK) {
        kd_json *json = &call->out;
        qsort(g.items, g.count, sizeof *g.items, most_pressing_first);
        kd_json_object(json);
        kd_out_area(call, "division", g.division);
        kd_json_kday(json, "date", g.today);
        kd_json_key(json, "items");
        kd_json_array(json);
        for (size_t i = 0; i < g.count; i++) put_item(json, &g.items[i]);
        kd_json_array_end(json);
        kd_out_instant(json, "last_link_at", linked_at);
        kd_json_object_end(json);
    }
    kd_feed_packs_close(g.packs);
    return status;
}

/* ---- overview ---- */

typedef kd_str (*title_of)(kd_call *call, kd_str key);

static kd_str own_title(kd_call *call, kd_str key)
{
    (void)call;
    return key;
}

static kd_str task_title(kd_call *call, kd_str key)
{
    kd_task task = { .kind = key };
    kd_task_words words = { 0 };
    if (kd_task_describe(call->reg, &task, call->arena, &words, NULL) != KD_OK) return key;
    kd_str title = kd_call_words(call, words.title_zh, words.title_en);
    return title.len ? title : key;
}

static void put_figures(kd_call *call, const char *name, const kd_area_figure *figures, size_t count, title_of title)
{
    kd_json *json = &call->out;
    kd_json_key(json, name);
    kd_json_array(json);
    for (size_t i = 0; i < count; i++) {
        kd_json_object(json);
        kd_out_text(json, "key", figures[i].key);
        kd_out_text(json, "title", title(call, figures[i].key));
        kd_json_kint(json, "count", figures[i].count);
        kd_json_kint(json, "of", figures[i].of);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void put_ages(kd_json *json, const char *name, const int64_t ages[KD_AGES])
{
    kd_json_key(json, name);
    kd_json_array(json);
    for (size_t i = 0; i < KD_AGES; i++) kd_json_int(json, ages[i]);
    kd_json_array_end(json);
}

static void put_part(kd_call *call, const kd_area_part *part)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_area(call, "division", part->division);
    kd_json_kint(json, "persons", part->persons);
    kd_json_kint(json, "births", part->births);
    kd_json_kint(json, "tasks_open", part->tasks_open);
    kd_json_kint(json, "tasks_overdue", part->tasks_overdue);
    kd_json_kdouble(json, "completeness", part->completeness, SHARE_DECIMALS);
    kd_json_object_end(json);
}

/* Sources bear the titles they were imported with. */
static kd_status put_sources(kd_call *call, const kd_area_overview *o, kd_error *err)
{
    kd_json *json = &call->out;
    kd_feed_status *feeds;
    size_t count = 0;
    KD_TRY(kd_feed_statuses(call->reg, call->arena, &feeds, &count, err));
    kd_json_key(json, "sources");
    kd_json_array(json);
    for (size_t i = 0; i < o->source_count; i++) {
        kd_str title = o->sources[i].key;
        for (size_t k = 0; k < count; k++)
            if (kd_str_eq(feeds[k].source.feed, o->sources[i].key))
                title = kd_call_words(call, feeds[k].source.title_zh, feeds[k].source.title_en);
        kd_json_object(json);
        kd_out_text(json, "key", o->sources[i].key);
        kd_out_text(json, "title", title);
        kd_json_kint(json, "count", o->sources[i].count);
        kd_json_kint(json, "of", o->sources[i].of);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    return KD_OK;
}

static kd_status overview(kd_call *call, kd_error *err)
{
    int64_t division = 0;
    kd_area_overview *o = kd_arena_alloc(call->arena, sizeof *o);
    kd_json *json = &call->out;
    if (!o) return kd_fail(err, KD_LIMIT, "", "no memory for the overview");
    KD_TRY(kd_call_area(call, &division, err));
    KD_TRY(kd_area_overview_load(call->reg, division, call->arena, o, err));
    kd_json_object(json);
    kd_out_area(call, "division", o->division);
    kd_json_kint(json, "persons", o->persons);
    kd_json_kint(json, "households", o->households);
    put_ages(json, "male", o->pyramid[0]);
    put_ages(json, "female", o->pyramid[1]);
    put_figures(call, "births", o->births, o->birth_count, own_title);
    KD_TRY(put_sources(call, o, err));
    put_figures(call, "tasks", o->tasks, o->task_count, task_title);
    kd_json_key(json, "parts");
    kd_json_array(json);
    for (size_t i = 0; i < o->part_count; i++) put_part(call, &o->parts[i]);
    kd_json_array_end(json);
    kd_out_instant(json, "made_at", o->made_at);
    kd_json_object_end(json);
    return KD_OK;
}

const kd_route kd_routes_overview[] = {
    { .method = "GET", .path = "/api/today", .permission = "today.read", .run = today },
    { .method = "GET", .path = "/api/overview", .permission = "overview.read", .run = overview },
    { .method = NULL },
};
