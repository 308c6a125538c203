/* A person in words, Chinese and English. */
#include "person_words.h"

#include <math.h>
#include <string.h>

static const char *say(const kd_cli_words *words, const char *zh, const char *en)
{
    return words->is_english ? en : zh;
}

static void add_title(const kd_cli_words *words, const kd_attribute_view *a, kd_buf *out)
{
    kd_buf_cstr(out, words->is_english ? a->title_en : a->title_zh);
}

/* ---- show ---- */

static void add_attribute(const kd_cli_words *words, const kd_attribute_view *a, kd_buf *out)
{
    if (!a->count) return;
    for (size_t k = 0; k < a->count; k++) {
        if (k == 0) {
            kd_buf_cstr(out, "  ");
            add_title(words, a, out);
            kd_buf_cstr(out, say(words, "：", ": "));
        } else {
            kd_buf_cstr(out, "      ≠ ");
        }
        kd_cli_value(words, kd_str_of(a->attribute), a->values[k].value, out);
        if (a->values[k].is_decided) kd_buf_cstr(out, say(words, "（经核实）", " (checked by a person)"));
        kd_buf_cstr(out, "    [");
        kd_cli_sources(words, &a->values[k], out);
        kd_buf_cstr(out, "]\n");
    }
}

static const char *relation_word(const kd_cli_words *words, kd_str kind)
{
    if (kd_str_is(kind, "mother")) return say(words, "母亲", "mother");
    if (kd_str_is(kind, "father")) return say(words, "父亲", "father");
    if (kd_str_is(kind, "child")) return say(words, "子女", "child");
    if (kd_str_is(kind, "spouse")) return say(words, "配偶", "spouse");
    return say(words, "家庭户", "household");
}

static void add_relations(const kd_cli_words *words, const kd_person_view *view, kd_buf *out)
{
    if (view->relation_count) kd_buf_cstr(out, say(words, "\n家庭关系\n", "\nfamily\n"));
    for (size_t i = 0; i < view->relation_count; i++) {
        const kd_relation_view *r = &view->relations[i];
        kd_buf_fmt(out, "  %s  %.*s  ", relation_word(words, r->kind), KD_FMT(r->name));
        kd_cli_id_text(r->other_id, out);
        if (r->birth_day != KD_DAY_NONE) {
            kd_buf_cstr(out, "  ");
            kd_cli_day(r->birth_day, out);
        }
        if (r->valid_to != KD_DAY_NONE) {
            kd_buf_cstr(out, say(words, "  止于 ", "  until "));
            kd_cli_day(r->valid_to, out);
        }
        if (!r->is_chosen) kd_buf_cstr(out, say(words, "  （另有说法）", "  (another source says otherwise)"));
        kd_buf_char(out, '\n');
    }
}

static void add_where(const kd_cli_words *words, const kd_link_view *l, kd_buf *out)
{
    kd_buf_str(out, kd_cli_either(words, l->source.title_zh, l->source.title_en));
    kd_buf_fmt(out, "  %.*s:%lld  ", KD_FMT(l->file_name), (long long)l->record.row_no);
    kd_buf_cstr(out, kd_role_name(l->record.role));
}

static void add_head(const kd_cli_words *words, const kd_person_view *view, kd_buf *out)
{
    kd_buf_cstr(out, say(words, "人员 ", "person "));
    kd_cli_id_text(view->id, out);
    if (view->merged_into) {
        kd_buf_cstr(out, say(words, "  已并入 ", "  merged into "));
        kd_cli_id_text(view->merged_into, out);
    } else if (!kd_str_is(view->state, "active")) {
        kd_buf_cstr(out, say(words, "  已停用", "  retired"));
    }
    kd_buf_char(out, '\n');
}

void kd_cli_show_words(const kd_cli_words *words, const kd_person_view *view, kd_buf *out)
{
    add_head(words, view, out);
    for (size_t i = 0; i < view->attribute_count; i++) add_attribute(words, &view->attributes[i], out);
    add_relations(words, view, out);
    if (view->link_count) kd_buf_cstr(out, say(words, "\n来源记录\n", "\nsource records\n"));
    for (size_t i = 0; i < view->link_count; i++) {
        kd_buf_cstr(out, "  ");
        add_where(words, &view->links[i], out);
        kd_buf_char(out, '\n');
    }
    if (view->task_count) kd_buf_cstr(out, say(words, "\n待办任务\n", "\nopen tasks\n"));
    for (size_t i = 0; i < view->task_count; i++) {
        kd_buf_cstr(out, "  ");
        kd_cli_id_text(view->tasks[i].id, out);
        kd_buf_cstr(out, "  ");
        kd_cli_task_title(words, &view->tasks[i], out);
        kd_buf_cstr(out, "  ");
        kd_cli_day(view->tasks[i].due_day, out);
        kd_buf_char(out, '\n');
    }
}

/* ---- why: the values ---- */

static void add_rule_zh(const kd_attribute_view *a, const kd_value_view *v, kd_buf *out)
{
    if (v->is_decided) {
        kd_buf_cstr(out, "    由 ");
        kd_buf_str(out, a->decided_by);
        kd_buf_cstr(out, " 于 ");
        kd_cli_instant_day(a->decided_at, out);
        kd_buf_cstr(out, " 核实确定，优先于一切来源。\n");
    } else if (strcmp(a->method, "vote") == 0) {
        kd_buf_fmt(out, "    规则：各来源按可信度投票，得分最高者当选。得 %d 分，%d 个来源、%d 条记录一致。\n",
                   v->score, v->feeds, v->record_count);
    } else {
        kd_buf_cstr(out, "    规则：取最近登记的值（同日取可信度高者）。最近登记于 ");
        kd_cli_day(v->latest_day, out);
        kd_buf_fmt(out, "，可信度 %d，%d 个来源、%d 条记录一致。\n", v->score, v->feeds, v->record_count);
    }
}

static void add_rule_en(const kd_attribute_view *a, const kd_value_view *v, kd_buf *out)
{
    if (v->is_decided) {
        kd_buf_cstr(out, "    Settled by ");
        kd_buf_str(out, a->decided_by);
        kd_buf_cstr(out, " on ");
        kd_cli_instant_day(a->decided_at, out);
        kd_buf_cstr(out, ", which goes before every source.\n");
    } else if (strcmp(a->method, "vote") == 0) {
        kd_buf_fmt(out,
                   "    Rule: every source adds its trust once, the highest sum is chosen. Sum %d; %d sources and %d "
                   "records agree.\n",
                   v->score, v->feeds, v->record_count);
    } else {
        kd_buf_cstr(out, "    Rule: what was recorded last is chosen, trust breaks a tie. Recorded last on ");
        kd_cli_day(v->latest_day, out);
        kd_buf_fmt(out, ", trust %d; %d sources and %d records agree.\n", v->score, v->feeds, v->record_count);
    }
}

static void add_holders_with_trust(const kd_cli_words *words, const kd_value_view *v, kd_buf *out)
{
    for (size_t i = 0; i < v->holder_count; i++) {
        const kd_value_holder *h = &v->holders[i];
        kd_buf_cstr(out, "      · ");
        kd_buf_str(out, kd_cli_either(words, h->source.title_zh, h->source.title_en));
        kd_buf_fmt(out, "%s%d", say(words, "，可信度 ", ", trust "), h->trust);
        if (h->recorded_day != KD_DAY_NONE) {
            kd_buf_cstr(out, say(words, "，登记于 ", ", recorded "));
            kd_cli_day(h->recorded_day, out);
        }
        kd_buf_char(out, '\n');
    }
    if (v->by_identity)
        kd_buf_cstr(out,
                    say(words, "      · 身份证号本身包含这个值\n", "      · the identity number itself says so\n"));
}

static void add_why_attribute(const kd_cli_words *words, const kd_attribute_view *a, kd_buf *out)
{
    if (!a->count) return;
    kd_buf_cstr(out, "  ");
    add_title(words, a, out);
    kd_buf_cstr(out, say(words, "：", ": "));
    kd_cli_value(words, kd_str_of(a->attribute), a->values[0].value, out);
    kd_buf_char(out, '\n');
    if (words->is_english) {
        add_rule_en(a, &a->values[0], out);
    } else {
        add_rule_zh(a, &a->values[0], out);
    }
    add_holders_with_trust(words, &a->values[0], out);
    for (size_t k = 1; k < a->count; k++) {
        kd_buf_cstr(out, say(words, "    未采用：", "    not chosen: "));
        kd_cli_value(words, kd_str_of(a->attribute), a->values[k].value, out);
        kd_buf_fmt(out, "%s%d", say(words, "，得分 ", ", "), a->values[k].score);
        if (a->values[k].is_incomplete) kd_buf_cstr(out, say(words, "（不完整）", " (incomplete)"));
        kd_buf_cstr(out, " [");
        kd_cli_sources(words, &a->values[k], out);
        kd_buf_cstr(out, "]\n");
    }
}

/* ---- why: the links ---- */

static void add_bits(double bits, kd_buf *out)
{
    kd_buf_fmt(out, "%+8.2f", bits);
}

static void add_step(const kd_cli_words *words, const kd_waterfall_step *s, kd_buf *out)
{
    kd_str title = kd_cli_either(words, s->title_zh, s->title_en);
    kd_buf_cstr(out, "      ");
    add_bits(s->bits, out);
    if (title.len) {
        kd_buf_fmt(out, "  %.*s", KD_FMT(title));
    } else {
        kd_buf_fmt(out, "  %.*s: %.*s", KD_FMT(s->comparison), KD_FMT(s->level));
    }
    kd_buf_fmt(out, "  (m %.4f, u %.6f)\n", s->m, s->u);
}

static bool says_something(const kd_waterfall_step *s)
{
    return fabs(s->bits) > 0; /* exactly 0 when a side is missing or another comparison stands for it */
}

static void add_silent(const kd_cli_words *words, const kd_waterfall *w, kd_buf *out)
{
    size_t told = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (says_something(&w->steps[i])) continue;
        kd_buf_cstr(out, told++ ? ", "
                                : say(words, "                没有计入（一方没有填写，或上面已经包含）：",
                                      "                not counted (a side is missing, or it is told above): "));
        kd_buf_str(out, w->steps[i].comparison);
    }
    if (told) kd_buf_char(out, '\n');
}

static void add_total(const kd_cli_words *words, double weight, kd_buf *out)
{
    enum { PERCENT = 100 };
    static const double SURE = 99.9999;
    double percent = PERCENT / (1 + exp2(-weight));
    kd_buf_cstr(out, "      ");
    add_bits(weight, out);
    kd_buf_cstr(out, say(words, "  合计（比特）；是同一人的概率 ", "  in all, in bits; probability of one person "));
    if (percent > SURE) {
        kd_buf_fmt(out, "> %.4f%%\n", SURE);
    } else {
        kd_buf_fmt(out, "%.4f%%\n", percent);
    }
}

static void add_waterfall(const kd_cli_words *words, const kd_link_view *l, const kd_link_reason *reason, kd_buf *out)
{
    static const double REST_SHOWN_BITS = 0.05;
    const kd_waterfall *w = &reason->waterfall;
    kd_buf_cstr(out, "      ");
    add_bits(w->prior_bits, out);
    kd_buf_cstr(out, say(words, "  起点：任意两条记录是同一人的可能\n", "  start: any two records being one person\n"));
    for (size_t i = 0; i < w->count; i++)
        if (says_something(&w->steps[i])) add_step(words, &w->steps[i], out);
    if (fabs(reason->rest_bits) > REST_SHOWN_BITS) {
        kd_buf_cstr(out, "      ");
        add_bits(reason->rest_bits, out);
        kd_buf_cstr(out, say(words, "  这些值在全库中的常见或少见\n",
                             "  how common or rare these values are in the whole register\n"));
    }
    add_total(words, l->weight, out);
    add_silent(words, w, out);
}

static void add_why_link(const kd_cli_words *words, const kd_link_view *l, const kd_link_reason *reason, kd_buf *out)
{
    kd_buf_cstr(out, "  ");
    add_where(words, l, out);
    kd_buf_char(out, '\n');
    if (l->is_decided) kd_buf_cstr(out, say(words, "    经人工核实归入。\n", "    Put here by a person.\n"));
    if (!reason->is_there) {
        kd_buf_cstr(out, say(words, "    没有与之相比的记录。\n", "    There is no record to compare it with.\n"));
        return;
    }
    kd_buf_fmt(out, "%s%.*s\n", say(words, "    与之最近的记录：", "    nearest to the record of: "),
               KD_FMT(kd_cli_either(words, l->peer_source_zh, l->peer_source_en)));
    add_waterfall(words, l, reason, out);
}

void kd_cli_why_words(const kd_cli_words *words, const kd_person_view *view, const kd_link_reason *reasons,
                      kd_str model, kd_buf *out)
{
    add_head(words, view, out);
    kd_buf_fmt(out, "\n%s%.*s%s\n", say(words, "为什么是这些值（规则版本 ", "why these values (rules version "),
               KD_FMT(view->rules_version), say(words, "）", ")"));
    for (size_t i = 0; i < view->attribute_count; i++) add_why_attribute(words, &view->attributes[i], out);
    kd_buf_fmt(out, "\n%s%.*s%s\n", say(words, "为什么是同一个人（模型 ", "why one person (model "), KD_FMT(model),
               say(words, "）", ")"));
    for (size_t i = 0; i < view->link_count; i++) add_why_link(words, &view->links[i], &reasons[i], out);
}

/* ---- history ---- */

static const char *event_word(const kd_cli_words *words, kd_str kind)
{
    static const struct {
        const char *kind, *zh, *en;
    } events[] = {
        { "created", "建立", "made" },          { "merged_into", "并入", "merged into" },
        { "merged_from", "并入了", "took in" }, { "split_from", "分自", "split from" },
        { "split_to", "分出", "split off" },    { "retired", "停用：已没有记录", "retired: no record is left" },
        { "restored", "恢复", "restored" }
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (kd_str_is(kind, events[i].kind)) return say(words, events[i].zh, events[i].en);
    return "";
}

static void add_change(const kd_cli_words *words, const kd_person_event *e, kd_buf *out)
{
    kd_cli_field(words, e->attribute, out);
    kd_buf_cstr(out, say(words, "：", ": "));
    if (e->old_value.len) {
        kd_cli_value(words, e->attribute, e->old_value, out);
    } else {
        kd_buf_cstr(out, say(words, "无", "nothing"));
    }
    kd_buf_cstr(out, " → ");
    if (e->new_value.len) {
        kd_cli_value(words, e->attribute, e->new_value, out);
    } else {
        kd_buf_cstr(out, say(words, "无", "nothing"));
    }
}

void kd_cli_history_words(const kd_cli_words *words, const kd_person_event *events, size_t count, kd_buf *out)
{
    if (count == 0)
        kd_buf_cstr(out, say(words, "自建立以来没有变化。\n", "Nothing has changed since this person was made.\n"));
    for (size_t i = 0; i < count; i++) {
        const kd_person_event *e = &events[i];
        kd_cli_instant_day(e->at, out);
        kd_buf_cstr(out, "  ");
        if (kd_str_is(e->kind, "value")) {
            add_change(words, e, out);
        } else {
            kd_buf_cstr(out, event_word(words, e->kind));
        }
        if (e->other_id) {
            kd_buf_char(out, ' ');
            kd_cli_id_text(e->other_id, out);
        }
        if (e->decided_by.len) kd_buf_fmt(out, "%s%.*s", say(words, "  核实人 ", "  by "), KD_FMT(e->decided_by));
        kd_buf_char(out, '\n');
    }
}
