#include "exchange/pack.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[FEED_TYPES] = { "text",  "name",     "code",    "date",    "identity",
                                                    "phone", "division", "address", "integer", "ignore" };

/* What may fill a field: bits of feed_type. */
#define T(type) (1u << (type))
static const struct {
    const char *name;
    unsigned types;
} fields[FIELDS] = {
    [FIELD_NAME] = { "name", T(FEED_NAME) },
    [FIELD_SEX] = { "sex", T(FEED_CODE) },
    [FIELD_BIRTH_DAY] = { "birth_day", T(FEED_DATE) },
    [FIELD_IDENTITY_NUMBER] = { "identity_number", T(FEED_IDENTITY) },
    [FIELD_PHONE] = { "phone", T(FEED_PHONE) },
    [FIELD_DIVISION] = { "division", T(FEED_DIVISION) | T(FEED_ADDRESS) },
    [FIELD_ADDRESS] = { "address", T(FEED_ADDRESS) },
    [FIELD_HUKOU_DIVISION] = { "hukou_division", T(FEED_DIVISION) | T(FEED_ADDRESS) },
    [FIELD_HOUSEHOLD_NO] = { "household_no", T(FEED_TEXT) },
    [FIELD_HOUSEHOLD_RELATION] = { "household_relation", T(FEED_CODE) },
    [FIELD_ETHNICITY] = { "ethnicity", T(FEED_CODE) },
    [FIELD_MARITAL_STATUS] = { "marital_status", T(FEED_CODE) },
    [FIELD_EDUCATION] = { "education", T(FEED_CODE) },
    [FIELD_CERTIFICATE_NO] = { "certificate_no", T(FEED_TEXT) },
    [FIELD_HANDBOOK_NO] = { "handbook_no", T(FEED_TEXT) },
    [FIELD_BIRTH_ORDER] = { "birth_order", T(FEED_INTEGER) | T(FEED_CODE) },
    [FIELD_STATUS] = { "status", T(FEED_CODE) },
    [FIELD_DEATH_DAY] = { "death_day", T(FEED_DATE) },
    [FIELD_EVENT_DAY] = { "event_day", T(FEED_DATE) },
    [FIELD_RECORDED_DAY] = { "recorded_day", T(FEED_DATE) },
    [FIELD_INSTITUTION] = { "institution", T(FEED_TEXT) },
};
#undef T

const char *feed_type_name(feed_type type)
{
    return type_names[type];
}

const char *feed_field_name(feed_field field)
{
    return fields[field].name;
}

kd_status feed_no_memory(const kd_feed_pack *pack, kd_error *err)
{
    return kd_fail_at(err, KD_LIMIT, pack->info.file.ptr, 0, 0, "the pack is too large");
}

static kd_status need_text(const kd_yaml *map, const char *key, size_t bytes_max, kd_str *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node) return kd_yaml_fail(err, map, "'%s' is missing", key);
    kd_str text = kd_str_trim(kd_yaml_text(map, key, KD_STR("")));
    if (text.len == 0) return kd_yaml_fail(err, node, "%s: a text is expected here", key);
    if (text.len > bytes_max || memchr(text.ptr, 0, text.len))
        return kd_yaml_fail(err, node, "%s: at most %zu bytes of text are taken", key, bytes_max);
    *out = text;
    return KD_OK;
}

/* `key: {zh: …, en: …}`; both empty when absent and not needed. */
static kd_status both_languages(const kd_yaml *map, const char *key, bool is_needed, kd_str *out_zh, kd_str *out_en,
                                kd_error *err)
{
    static const char *const keys[] = { "zh", "en", NULL };
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node && !is_needed) return KD_OK;
    if (!node) return kd_yaml_fail(err, map, "'%s' is missing", key);
    KD_TRY(kd_yaml_only(node, keys, err));
    KD_TRY(need_text(node, "zh", FEED_HEADER_BYTES_MAX, out_zh, err));
    return need_text(node, "en", FEED_HEADER_BYTES_MAX, out_en, err);
}

static bool is_feed_name(kd_str name)
{
    if (name.len == 0 || name.len > 64 || name.ptr[0] < 'a' || name.ptr[0] > 'z') return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
    }
    return true;
}

/* `period_days`: how often the department is expected to send; 0 when it is not said. */
static kd_status parse_period(kd_feed_info *info, const kd_yaml *root, kd_error *err)
{
    int64_t days = 0;
    const kd_yaml *node = kd_yaml_get(root, "period_days");
    if (!node) return KD_OK;
    KD_TRY(kd_yaml_int(root, "period_days", 0, &days, err));
    if (days < 1 || days > FEED_PERIOD_DAYS_MAX)
        return kd_yaml_fail(err, node, "period_days: a number of days up to %d is expected", FEED_PERIOD_DAYS_MAX);
    info->period_days = (int)days;
    return KD_OK;
}

static kd_status parse_records(kd_feed_pack *pack, const kd_yaml *root, kd_error *err)
{
    kd_feed_info *info = &pack->info;
    const kd_yaml *list = kd_yaml_get(root, "records");
    if (!list) return kd_yaml_fail(err, root, "'records' is missing: whom does a row tell of?");
    if (list->kind != KD_YAML_LIST || list->count == 0)
        return kd_yaml_fail(err, list, "records: a list of roles is expected, such as [child, mother, father]");
    for (const kd_yaml *node = list->first; node; node = node->next) {
        kd_role role;
        if (node->kind != KD_YAML_SCALAR || !kd_role_read(node->text, &role)) {
            kd_yaml_fail(err, node, "records: '%.*s' is no role", KD_FMT(node->text));
            kd_hint(err, "roles: subject, child, mother, father, husband, wife");
            return KD_INVALID;
        }
        for (size_t i = 0; i < info->record_count; i++)
            if (info->records[i] == role)
                return kd_yaml_fail(err, node, "records: '%.*s' stands twice", KD_FMT(node->text));
        if (info->record_count == FEED_ROLES_MAX) return kd_yaml_fail(err, node, "records: too many roles");
        info->records[info->record_count++] = role;
    }
    const kd_yaml *one = kd_yaml_get(root, "one_per");
    if (!one) return KD_OK;
    kd_role role;
    if (one->kind == KD_YAML_SCALAR && kd_role_read(one->text, &role))
        for (size_t i = 0; i < info->record_count; i++)
            if (info->records[i] == role) info->one_per = (int)i;
    return info->one_per >= 0 ? KD_OK : kd_yaml_fail(err, one, "one_per: one of the roles in 'records' is expected");
}

kd_status feed_target_parse(const kd_feed_pack *pack, const kd_yaml *node, feed_target *out_target, kd_error *err)
{
    if (node->kind != KD_YAML_SCALAR)
        return kd_yaml_fail(err, node, "a field is expected here, such as child.name or event_day");
    const char *dot = node->text.len ? memchr(node->text.ptr, '.', node->text.len) : NULL;
    feed_target target = { EVERY_RECORD, FIELDS };
    kd_str field = node->text;
    if (dot) {
        kd_str role_name = { node->text.ptr, (size_t)(dot - node->text.ptr) };
        field = kd_str_sub(node->text, role_name.len + 1, node->text.len);
        kd_role role;
        bool is_role = kd_role_read(role_name, &role);
        for (size_t i = 0; is_role && i < pack->info.record_count; i++)
            if (pack->info.records[i] == role) target.record = (int)i;
        if (target.record == EVERY_RECORD)
            return kd_yaml_fail(err, node, "'%.*s' is none of the roles in 'records'", KD_FMT(role_name));
    }
    for (int i = 0; i < FIELDS; i++)
        if (kd_str_is(field, fields[i].name)) target.field = (feed_field)i;
    if (target.field == FIELDS) {
        kd_yaml_fail(err, node, "'%.*s' is no canonical field", KD_FMT(field));
        kd_hint(err, "the fields stand in docs/feeds.md, such as name, sex, birth_day, identity_number, division");
        return KD_INVALID;
    }
    *out_target = target;
    return KD_OK;
}

static kd_status add_fill(const kd_feed_pack *pack, feed_column *column, const kd_yaml *node, kd_error *err)
{
    feed_target target = { EVERY_RECORD, FIELDS };
    KD_TRY(feed_target_parse(pack, node, &target, err));
    if (!(fields[target.field].types >> column->type & 1)) {
        kd_yaml_fail(err, node, "a column of type '%s' cannot fill '%s'", type_names[column->type],
                     fields[target.field].name);
        for (int type = 0; type < FEED_TYPES; type++)
            if (fields[target.field].types >> type & 1) kd_hint(err, "type: %s is what fills it", type_names[type]);
        return KD_INVALID;
    }
    if (column->fill_count == FEED_TARGETS_MAX) return kd_yaml_fail(err, node, "fills: too many fields");
    if (column->codes >= 0) KD_TRY(feed_codes_check(pack, &pack->codes[column->codes], target.field, node, err));
    column->fills[column->fill_count++] = target;
    return KD_OK;
}

static kd_status parse_fills(const kd_feed_pack *pack, feed_column *column, const kd_yaml *map, kd_error *err)
{
    const kd_yaml *fills = kd_yaml_get(map, "fills");
    if (column->type == FEED_IGNORE)
        return fills ? kd_yaml_fail(err, fills, "an ignored column fills nothing: leave out 'fills'") : KD_OK;
    if (!fills) {
        kd_yaml_fail(err, map, "'fills' is missing: which canonical field does this column fill?");
        kd_hint(err, "type: ignore is for a column that stays in the archived file only");
        return KD_INVALID;
    }
    if (fills->kind != KD_YAML_LIST) return add_fill(pack, column, fills, err);
    if (fills->count == 0) return kd_yaml_fail(err, fills, "fills: a field is expected");
    for (const kd_yaml *node = fills->first; node; node = node->next) KD_TRY(add_fill(pack, column, node, err));
    return KD_OK;
}

static kd_status parse_type(const kd_feed_pack *pack, feed_column *column, const kd_yaml *map, kd_error *err)
{
    kd_str type = { NULL, 0 };
    KD_TRY(need_text(map, "type", 32, &type, err));
    column->type = FEED_TYPES;
    for (int i = 0; i < FEED_TYPES; i++)
        if (kd_str_is(type, type_names[i])) column->type = (feed_type)i;
    if (column->type == FEED_TYPES) {
        kd_yaml_fail(err, kd_yaml_get(map, "type"), "type: '%.*s' is not known", KD_FMT(type));
        kd_hint(err, "types: text name code date identity phone division address integer ignore");
        return KD_INVALID;
    }
    const kd_yaml *codes = kd_yaml_get(map, "codes");
    column->codes = -1;
    if (column->type != FEED_CODE)
        return codes ? kd_yaml_fail(err, codes, "codes: only a column of type code has them") : KD_OK;
    if (!codes) return kd_yaml_fail(err, map, "'codes' is missing: the name of a map under the pack's 'codes'");
    for (size_t i = 0; i < pack->codes_count; i++)
        if (codes->kind == KD_YAML_SCALAR && kd_str_eq(pack->codes[i].name, codes->text)) column->codes = (int)i;
    return column->codes >= 0
               ? KD_OK
               : kd_yaml_fail(err, codes, "codes: no map '%.*s' stands under the pack's 'codes'", KD_FMT(codes->text));
}

/* A header text that another column has already, folded, would make the header ambiguous. */
static kd_status add_header(kd_feed_pack *pack, const feed_column *columns, feed_column *column, kd_str *folded,
                            const kd_yaml *node, kd_error *err)
{
    if (node->kind != KD_YAML_SCALAR || node->text.len == 0 || node->text.len > FEED_HEADER_BYTES_MAX)
        return kd_yaml_fail(err, node, "a header text of at most %d bytes is expected", FEED_HEADER_BYTES_MAX);
    char *buf = kd_arena_alloc(pack->arena, node->text.len);
    if (!buf) return feed_no_memory(pack, err);
    kd_str text = { buf, feed_fold(node->text, false, buf) };
    if (text.len == 0) return kd_yaml_fail(err, node, "a header text is expected, not only marks");
    for (size_t i = 0; i < pack->column_count; i++)
        for (size_t k = 0; k < columns[i].folded_count; k++)
            if (kd_str_eq(columns[i].folded[k], text))
                return kd_yaml_fail(err, node, "'%.*s' is already a header of column '%.*s'", KD_FMT(node->text),
                                    KD_FMT(columns[i].name));
    for (size_t k = 0; k < column->folded_count; k++)
        if (kd_str_eq(folded[k], text)) return KD_OK; /* the same but for marks */
    folded[column->folded_count++] = text;
    return KD_OK;
}

static kd_status parse_column(kd_feed_pack *pack, feed_column *columns, const kd_yaml *map, kd_error *err)
{
    static const char *const keys[] = { "name", "aliases", "type", "required", "codes", "fills", NULL };
    KD_TRY(kd_yaml_only(map, keys, err));
    feed_column *column = &columns[pack->column_count];
    KD_TRY(need_text(map, "name", FEED_HEADER_BYTES_MAX, &column->name, err));
    const kd_yaml *aliases = kd_yaml_get(map, "aliases");
    if (aliases && aliases->kind != KD_YAML_LIST)
        return kd_yaml_fail(err, aliases, "aliases: a list of header texts is expected");
    kd_str *folded = kd_arena_array(pack->arena, 1 + (aliases ? aliases->count : 0), sizeof *folded);
    if (!folded) return feed_no_memory(pack, err);
    column->folded = folded;
    KD_TRY(add_header(pack, columns, column, folded, kd_yaml_get(map, "name"), err));
    for (const kd_yaml *node = aliases ? aliases->first : NULL; node; node = node->next)
        KD_TRY(add_header(pack, columns, column, folded, node, err));
    KD_TRY(kd_yaml_bool(map, "required", false, &column->is_required, err));
    KD_TRY(parse_type(pack, column, map, err));
    KD_TRY(parse_fills(pack, column, map, err));
    pack->column_count++;
    pack->info.required_columns += column->is_required;
    return KD_OK;
}

static kd_status parse_columns(kd_feed_pack *pack, const kd_yaml *root, kd_error *err)
{
    const kd_yaml *list = kd_yaml_get(root, "columns");
    if (!list) return kd_yaml_fail(err, root, "'columns' is missing");
    if (list->kind != KD_YAML_LIST || list->count == 0)
        return kd_yaml_fail(err, list, "columns: a list of columns is expected");
    if (list->count > FEED_COLUMNS_MAX)
        return kd_yaml_fail(err, list, "columns: more than %d columns", FEED_COLUMNS_MAX);
    feed_column *columns = kd_arena_array(pack->arena, list->count, sizeof *columns);
    if (!columns) return feed_no_memory(pack, err);
    pack->columns = columns;
    for (const kd_yaml *node = list->first; node; node = node->next) KD_TRY(parse_column(pack, columns, node, err));
    pack->info.columns = pack->column_count;
    if (pack->info.required_columns == 0) {
        kd_yaml_fail(err, list, "columns: none is required, so that any file would be taken for this feed");
        kd_hint(err, "set required: true on the columns without which a file is not of this feed");
        return KD_INVALID;
    }
    return KD_OK;
}

static kd_status parse_null_texts(kd_feed_pack *pack, const kd_yaml *root, kd_error *err)
{
    const kd_yaml *list = kd_yaml_get(root, "null_texts");
    if (!list) return KD_OK;
    if (list->kind != KD_YAML_LIST || list->count > FEED_COLUMNS_MAX)
        return kd_yaml_fail(err, list, "null_texts: a list of texts is expected");
    kd_str *texts = kd_arena_array(pack->arena, list->count, sizeof *texts);
    if (!texts) return feed_no_memory(pack, err);
    for (const kd_yaml *node = list->first; node; node = node->next) {
        if (node->kind != KD_YAML_SCALAR) return kd_yaml_fail(err, node, "null_texts: a text is expected");
        texts[pack->null_count++] = kd_str_trim(node->text);
    }
    pack->null_texts = texts;
    return KD_OK;
}

static kd_status parse_root(kd_feed_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "feed",    "version",    "title",       "supplier", "records",
                                        "one_per", "event",      "recorded",    "columns",  "codes",
                                        "checks",  "null_texts", "period_days", NULL };
    kd_feed_info *info = &pack->info;
    KD_TRY(kd_yaml_only(root, keys, err));
    KD_TRY(need_text(root, "feed", 64, &info->feed, err));
    if (!is_feed_name(info->feed))
        return kd_yaml_fail(err, kd_yaml_get(root, "feed"), "feed: small letters, digits and _ are expected");
    KD_TRY(need_text(root, "version", 64, &info->version, err));
    KD_TRY(both_languages(root, "title", true, &info->title_zh, &info->title_en, err));
    KD_TRY(both_languages(root, "supplier", true, &info->supplier_zh, &info->supplier_en, err));
    KD_TRY(both_languages(root, "event", false, &info->event_zh, &info->event_en, err));
    KD_TRY(both_languages(root, "recorded", false, &info->recorded_zh, &info->recorded_en, err));
    KD_TRY(parse_period(info, root, err));
    KD_TRY(parse_records(pack, root, err));
    KD_TRY(feed_codes_parse(pack, kd_yaml_get(root, "codes"), err));
    KD_TRY(parse_columns(pack, root, err));
    KD_TRY(parse_null_texts(pack, root, err));
    return feed_checks_parse(pack, kd_yaml_get(root, "checks"), err);
}

kd_status kd_feed_pack_parse(kd_str text, const char *name, kd_feed_pack **out_pack, kd_error *err)
{
    if (text.len > FEED_PACK_BYTES_MAX) return kd_fail_at(err, KD_LIMIT, name, 0, 0, "the pack is too large");
    kd_arena *arena = kd_arena_new(FEED_PACK_ARENA_BYTES);
    kd_feed_pack *pack = arena ? kd_arena_alloc(arena, sizeof *pack) : NULL;
    if (!pack) {
        kd_arena_free(arena);
        return kd_fail_at(err, KD_LIMIT, name, 0, 0, "no memory to read the pack");
    }
    pack->arena = arena;
    pack->info.one_per = -1;
    pack->info.file = kd_arena_str(arena, kd_str_of(name));
    const kd_yaml *root = NULL;
    kd_status status = kd_yaml_parse(arena, text, name, &root, err);
    if (status == KD_OK) status = parse_root(pack, root, err);
    if (status != KD_OK) {
        kd_arena_free(arena);
        return status;
    }
    *out_pack = pack;
    return KD_OK;
}

kd_status kd_feed_pack_load(const char *path, kd_feed_pack **out_pack, kd_error *err)
{
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(path, &mapping, err));
    kd_status status = kd_feed_pack_parse(mapping.bytes, path, out_pack, err);
    kd_mapping_close(&mapping);
    return status;
}

void kd_feed_pack_free(kd_feed_pack *pack)
{
    if (pack) kd_arena_free(pack->arena); /* the pack lies in it */
}

kd_feed_info kd_feed_pack_info(const kd_feed_pack *pack)
{
    return pack->info;
}
