#include "settings.h"

#include <string.h>

kd_status sim_table_open(kd_arena *arena, kd_str path, size_t columns, sim_table *out, kd_error *err)
{
    kd_str bytes = { NULL, 0 };
    KD_TRY(kd_file_read(arena, path.ptr, SIM_TABLE_BYTES_MAX, &bytes, err));
    sim_table table = { .path = path, .rest = bytes };
    if (!sim_table_next(&table) || table.field_count != columns)
        return kd_fail_at(err, KD_INVALID, path.ptr, 1, 0, "the header should have %zu columns", columns);
    *out = table;
    return KD_OK;
}

bool sim_table_next(sim_table *table)
{
    do {
        if (!kd_str_next(&table->rest, '\n', &table->line)) return false;
        table->line_number++;
        table->line = kd_str_trim(table->line);
    } while (table->line.len == 0);
    enum { FIELDS_MAX = sizeof table->fields / sizeof table->fields[0] };
    memset(table->fields, 0, sizeof table->fields);
    table->field_count = 0;
    kd_str rest = table->line, part;
    while (table->field_count < FIELDS_MAX && kd_str_next(&rest, ',', &part))
        table->fields[table->field_count++] = part;
    return true;
}

kd_status sim_table_int(const sim_table *table, size_t field, int64_t *out, kd_error *err)
{
    if (kd_str_int(table->fields[field], out)) return KD_OK;
    return kd_fail_at(err, KD_INVALID, table->path.ptr, table->line_number, 0, "field %zu is no whole number",
                      field + 1);
}

kd_status sim_table_double(const sim_table *table, size_t field, double *out, kd_error *err)
{
    if (kd_str_double(table->fields[field], out)) return KD_OK;
    return kd_fail_at(err, KD_INVALID, table->path.ptr, table->line_number, 0, "field %zu is no number", field + 1);
}

kd_status sim_need(const kd_yaml *node, const char *key, const kd_yaml **out, kd_error *err)
{
    const kd_yaml *child = kd_yaml_get(node, key);
    if (!child) return kd_yaml_fail(err, node, "the key '%s' is missing", key);
    *out = child;
    return KD_OK;
}

kd_status sim_read_curve(const kd_yaml *node, const char *key, sim_curve *out, kd_error *err)
{
    const kd_yaml *list = NULL;
    KD_TRY(sim_need(node, key, &list, err));
    sim_curve curve = { 0 };
    for (const kd_yaml *point = list->first; point; point = point->next) {
        bool is_pair = point->kind == KD_YAML_LIST && point->count == 2 && curve.count < SIM_CURVE_MAX;
        if (!is_pair || !kd_str_double(point->first->text, &curve.x[curve.count]) ||
            !kd_str_double(point->first->next->text, &curve.y[curve.count]))
            return kd_yaml_fail(err, point, "a curve is a list of at most %d points [x, y]", SIM_CURVE_MAX);
        if (curve.count && curve.x[curve.count] <= curve.x[curve.count - 1])
            return kd_yaml_fail(err, point, "the x of a curve must rise");
        curve.count++;
    }
    if (!curve.count) return kd_yaml_fail(err, list, "a curve needs a point");
    *out = curve;
    return KD_OK;
}

kd_status sim_read_list(const kd_yaml *node, const char *key, sim_list *out, kd_error *err)
{
    sim_list list = { 0 };
    const kd_yaml *found = kd_yaml_get(node, key);
    for (const kd_yaml *item = found ? found->first : NULL; item; item = item->next) {
        if (item->kind != KD_YAML_SCALAR || list.count == SIM_LIST_MAX)
            return kd_yaml_fail(err, item, "'%s' is a list of at most %d texts", key, SIM_LIST_MAX);
        list.items[list.count++] = item->text;
    }
    *out = list;
    return KD_OK;
}

double sim_curve_at(const sim_curve *curve, double x)
{
    if (x <= curve->x[0]) return curve->y[0];
    for (size_t i = 1; i < curve->count; i++) {
        if (x > curve->x[i]) continue;
        double part = (x - curve->x[i - 1]) / (curve->x[i] - curve->x[i - 1]);
        return curve->y[i - 1] + part * (curve->y[i] - curve->y[i - 1]);
    }
    return curve->y[curve->count - 1];
}

kd_status sim_weights_make(kd_arena *arena, size_t count, sim_weights *out, kd_error *err)
{
    double *sums = kd_arena_array(arena, count ? count : 1, sizeof *sums);
    if (!sums) return kd_fail(err, KD_LIMIT, "", "no room for %zu weights", count);
    *out = (sim_weights){ count, sums };
    return KD_OK;
}

size_t sim_weights_draw(const sim_weights *weights, kd_rng *rng)
{
    double wanted = kd_rng_unit(rng) * weights->sums[weights->count - 1];
    size_t low = 0, high = weights->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (weights->sums[middle] > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

kd_status sim_chars(kd_str text, uint16_t *out, size_t count_max, size_t *out_count, kd_error *err)
{
    size_t at = 0, count = 0;
    while (at < text.len) {
        uint32_t code_point = kd_utf8_next(text, &at);
        if (code_point > 0xFFFF || code_point == 0xFFFD || count == count_max)
            return kd_fail(err, KD_INVALID, "", "a text of a name table is too long or has a rare character");
        out[count++] = (uint16_t)code_point;
    }
    *out_count = count;
    return KD_OK;
}
