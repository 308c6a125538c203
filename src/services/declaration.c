/* A declaration as JSON and back: api/openapi.yaml's BirthDeclaration. A member that is not listed here is refused. */
#include "births.h"

#include <jansson.h>
#include <string.h>

enum { WHERE_BYTES = 64, CODE_DIGITS = 12 };

/* One object being read and its JSON Pointer. */
typedef struct {
    const json_t *object;
    char where[WHERE_BYTES];
    kd_arena *arena;
    kd_error *err;
} input;

kd_status birth_no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for what is held of a birth");
}

static kd_status refuse(const input *in, const char *name, const char *what)
{
    char field[WHERE_BYTES + 64];
    snprintf(field, sizeof field, "%.60s/%.60s", in->where, name);
    return kd_fail(in->err, KD_INVALID, field, "%s", kd_message(what));
}

static void deeper(const input *in, const json_t *object, const char *name, input *out)
{
    *out = (input){ .object = object, .arena = in->arena, .err = in->err };
    snprintf(out->where, sizeof out->where, "%.38s/%.24s", in->where, name);
}

/* Cut to what a field name can hold; it comes from outside and is only told back. */
static kd_status only(const input *in, const char *const *names)
{
    const char *key;
    json_t *value;
    if (!json_is_object(in->object)) return kd_fail(in->err, KD_INVALID, in->where, "an object is expected here");
    json_object_foreach((json_t *)(uintptr_t)in->object, key, value)
    {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0) i++;
        if (!names[i]) return refuse(in, key, kd_message("a declaration of birth has no such member"));
    }
    return KD_OK;
}

static const json_t *member(const input *in, const char *name)
{
    const json_t *value = json_object_get(in->object, name);
    return json_is_null(value) ? NULL : value;
}

static kd_status read_text(const input *in, const char *name, size_t chars_max, kd_str *out)
{
    const json_t *value = member(in, name);
    if (!value) return KD_OK;
    if (!json_is_string(value)) return refuse(in, name, kd_message("a text is expected"));
    kd_str text = { json_string_value(value), json_string_length(value) };
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
            return refuse(in, name, kd_message("a control character stands in the text"));
        chars += (c & 0xC0) != 0x80;
    }
    if (chars > chars_max) return refuse(in, name, kd_message("the text is too long"));
    *out = kd_arena_str(in->arena, kd_str_trim(text));
    return out->ptr ? KD_OK : birth_no_memory(in->err);
}

static kd_status read_int(const input *in, const char *name, int least, int most, int *out)
{
    const json_t *value = member(in, name);
    if (!value) return KD_OK;
    if (!json_is_integer(value)) return refuse(in, name, kd_message("a whole number is expected"));
    json_int_t number = json_integer_value(value);
    if (number < least || number > most) return refuse(in, name, kd_message("the number is out of range"));
    *out = (int)number;
    return KD_OK;
}

static kd_status read_bool(const input *in, const char *name, bool *out)
{
    const json_t *value = member(in, name);
    if (!value) return KD_OK;
    if (!json_is_boolean(value)) return refuse(in, name, kd_message("true or false is expected"));
    *out = json_is_true(value);
    return KD_OK;
}

static kd_status read_day(const input *in, const char *name, int32_t *out)
{
    kd_str text = { NULL, 0 };
    KD_TRY(read_text(in, name, 10, &text));
    if (member(in, name) && !kd_day_parse(text, out))
        return refuse(in, name, kd_message("a date such as 2026-11-23 is expected"));
    return KD_OK;
}

static kd_status read_id(const input *in, const char *name, int64_t *out)
{
    kd_str text = { NULL, 0 };
    KD_TRY(read_text(in, name, 13, &text));
    if (member(in, name) && (text.len != KD_ID_TEXT_BYTES - 1 || !kd_id_parse(text, out)))
        return refuse(in, name, kd_message("an id of 13 characters is expected"));
    return KD_OK;
}

static kd_status read_division(const input *in, const char *name, int64_t *out)
{
    kd_str text = { NULL, 0 };
    int64_t code;
    KD_TRY(read_text(in, name, CODE_DIGITS, &text));
    if (!member(in, name)) return KD_OK;
    if (text.len != CODE_DIGITS || text.ptr[0] == '-' || !kd_str_int(text, &code))
        return refuse(in, name, kd_message("a division's code of 12 digits is expected"));
    *out = code;
    return KD_OK;
}

static kd_status read_word(const input *in, const char *name, const char *const *words, int *out)
{
    const json_t *value = member(in, name);
    if (!value) return KD_OK;
    for (int i = 0; words[i]; i++) {
        if (!json_is_string(value) || strcmp(json_string_value(value), words[i]) != 0) continue;
        *out = i;
        return KD_OK;
    }
    return refuse(in, name, kd_message("one of the listed words is expected"));
}

static kd_status read_time(const input *in, int *out_minute)
{
    kd_str text = { NULL, 0 };
    int64_t hour, minute;
    KD_TRY(read_text(in, "birth_time", 5, &text));
    if (!member(in, "birth_time")) return KD_OK;
    if (text.len != 5 || text.ptr[2] != ':' || !kd_str_int(kd_str_sub(text, 0, 2), &hour) ||
        !kd_str_int(kd_str_sub(text, 3, 5), &minute) || hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return refuse(in, "birth_time", kd_message("a time such as 08:30 is expected"));
    *out_minute = (int)(hour * 60 + minute);
    return KD_OK;
}

static kd_status read_child(const input *in, kd_birth_child *child)
{
    static const char *const names[] = { "name",           "sex",        "birth_order", "weight_g", "length_mm",
                                         "certificate_no", "death_date", NULL };
    KD_TRY(only(in, names));
    KD_TRY(read_text(in, "name", 120, &child->name));
    KD_TRY(read_int(in, "sex", 0, 9, &child->sex));
    if (child->sex > 2 && child->sex != 9) return refuse(in, "sex", kd_message("0, 1, 2 or 9 is expected"));
    KD_TRY(read_int(in, "birth_order", 0, KD_BIRTH_CHILDREN_MAX, &child->birth_order));
    KD_TRY(read_int(in, "weight_g", 0, 9999, &child->weight_g));
    KD_TRY(read_int(in, "length_mm", 0, 999, &child->length_mm));
    KD_TRY(read_text(in, "certificate_no", 40, &child->certificate_no));
    return read_day(in, "death_date", &child->death_day);
}

static kd_status read_children(const input *in, kd_birth_declaration *out)
{
    const json_t *list = member(in, "children");
    out->child_count = 1;
    if (!list) return KD_OK;
    if (!json_is_array(list)) return refuse(in, "children", kd_message("a list is expected"));
    size_t count = json_array_size(list);
    if (count > KD_BIRTH_CHILDREN_MAX)
        return refuse(in, "children", kd_message("at most eight children are declared together"));
    for (size_t i = 0; i < count; i++) {
        char name[24];
        input child;
        snprintf(name, sizeof name, "children/%zu", i);
        deeper(in, json_array_get(list, i), name, &child);
        KD_TRY(read_child(&child, &out->children[i]));
    }
    if (count) out->child_count = count;
    return KD_OK;
}

static kd_status read_parent(const input *in, const char *name, bool *out_has, kd_birth_person *out)
{
    static const char *const names[] = { "person_id",   "name",       "identity_number", "phone",          "ethnicity",
                                         "nationality", "birth_date", "division",        "hukou_division", "address",
                                         NULL };
    const json_t *object = member(in, name);
    input parent;
    if (!object) return KD_OK;
    deeper(in, object, name, &parent);
    KD_TRY(only(&parent, names));
    KD_TRY(read_id(&parent, "person_id", &out->person_id));
    KD_TRY(read_text(&parent, "name", 120, &out->name));
    KD_TRY(read_text(&parent, "identity_number", 40, &out->identity_number));
    KD_TRY(read_text(&parent, "phone", 40, &out->phone));
    KD_TRY(read_text(&parent, "ethnicity", 8, &out->ethnicity));
    KD_TRY(read_text(&parent, "nationality", 40, &out->nationality));
    KD_TRY(read_day(&parent, "birth_date", &out->birth_day));
    KD_TRY(read_division(&parent, "division", &out->division));
    KD_TRY(read_division(&parent, "hukou_division", &out->hukou_division));
    KD_TRY(read_text(&parent, "address", 400, &out->address));
    *out_has = true;
    return KD_OK;
}

static kd_status read_place(const input *in, kd_birth_declaration *out)
{
    static const char *const names[] = { "kind", "division", "text", "institution", NULL };
    const json_t *object = member(in, "place");
    input place;
    int kind = KD_BIRTH_IN_HOSPITAL;
    if (!object) return KD_OK;
    deeper(in, object, "place", &place);
    KD_TRY(only(&place, names));
    KD_TRY(read_word(&place, "kind", birth_place_names, &kind));
    out->place_kind = (kd_birth_place_kind)kind;
    KD_TRY(read_division(&place, "division", &out->place_division));
    KD_TRY(read_text(&place, "text", 400, &out->place_text));
    return read_text(&place, "institution", 200, &out->institution);
}

static kd_status read_declarant(const input *in, kd_birth_declaration *out)
{
    static const char *const names[] = { "kind", "name", "phone", "relation", "is_commitment", NULL };
    const json_t *object = member(in, "declarant");
    input declarant;
    int kind = -1;
    if (!object) return KD_OK;
    deeper(in, object, "declarant", &declarant);
    KD_TRY(only(&declarant, names));
    KD_TRY(read_word(&declarant, "kind", birth_declarant_names, &kind));
    KD_TRY(read_text(&declarant, "name", 120, &out->declarant_name));
    KD_TRY(read_text(&declarant, "phone", 40, &out->declarant_phone));
    KD_TRY(read_text(&declarant, "relation", 80, &out->declarant_relation));
    KD_TRY(read_bool(&declarant, "is_commitment", &out->is_commitment));
    if (kind >= 0) out->declarant_kind = (kd_declarant_kind)kind;
    /* A parent who declares need not be named twice. */
    if (!out->declarant_name.len && kind == KD_DECLARANT_MOTHER) out->declarant_name = out->mother.name;
    if (!out->declarant_name.len && kind == KD_DECLARANT_FATHER) out->declarant_name = out->father.name;
    return KD_OK;
}

static kd_status read_declaration(const input *in, kd_birth_declaration *out)
{
    static const char *const names[] = {
        "delivery_id",        "birth_date",        "precision", "birth_time", "place",
        "gestational_days",   "children",          "mother",    "father",     "declarant",
        "residence_division", "residence_address", "note",      NULL
    };
    int precision = KD_BIRTH_DAY_EXACT;
    KD_TRY(only(in, names));
    KD_TRY(read_id(in, "delivery_id", &out->notice_record_id));
    KD_TRY(read_day(in, "birth_date", &out->birth_day));
    KD_TRY(read_word(in, "precision", birth_precision_names, &precision));
    out->precision = (kd_birth_precision)precision;
    KD_TRY(read_time(in, &out->birth_minute));
    KD_TRY(read_place(in, out));
    KD_TRY(read_int(in, "gestational_days", 0, 350, &out->gestational_days));
    KD_TRY(read_children(in, out));
    KD_TRY(read_parent(in, "mother", &out->has_mother, &out->mother));
    KD_TRY(read_parent(in, "father", &out->has_father, &out->father));
    KD_TRY(read_declarant(in, out));
    KD_TRY(read_division(in, "residence_division", &out->residence_division));
    KD_TRY(read_text(in, "residence_address", 400, &out->residence_address));
    return read_text(in, "note", 2000, &out->note);
}

static void clear(kd_birth_declaration *out)
{
    *out = (kd_birth_declaration){ .birth_day = KD_DAY_NONE, .birth_minute = -1, .child_count = 1 };
    out->mother.birth_day = out->father.birth_day = KD_DAY_NONE;
    for (size_t i = 0; i < KD_BIRTH_CHILDREN_MAX; i++) out->children[i].death_day = KD_DAY_NONE;
}

kd_status kd_birth_read_value(const struct json_t *value, const char *where, kd_arena *arena,
                              kd_birth_declaration *out_declaration, kd_error *err)
{
    kd_birth_declaration declaration;
    input in = { .object = value, .arena = arena, .err = err };
    snprintf(in.where, sizeof in.where, "%s", where);
    clear(&declaration);
    KD_TRY(read_declaration(&in, &declaration));
    *out_declaration = declaration;
    return KD_OK;
}

kd_status kd_birth_read_json(kd_str text, kd_arena *arena, kd_birth_declaration *out_declaration, kd_error *err)
{
    json_error_t where;
    if (text.len > BIRTH_FACTS_BYTES_MAX) return kd_fail(err, KD_LIMIT, "", "the declaration is too large");
    json_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &where);
    if (!root) return kd_fail(err, KD_INVALID, "", "the declaration is not JSON (line %d)", where.line);
    kd_status status = kd_birth_read_value(root, "", arena, out_declaration, err);
    json_decref(root);
    return status;
}

/* ---- out ---- */

static void write_id(kd_json *json, const char *key, int64_t id)
{
    char buf[KD_ID_TEXT_BYTES] = "";
    if (id) kd_id_format(id, buf);
    for (char *c = buf; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    kd_json_kstr(json, key, kd_str_of(buf));
}

static void write_division(kd_json *json, const char *key, int64_t code)
{
    char buf[24];
    snprintf(buf, sizeof buf, "%012lld", (long long)code);
    kd_json_kstr(json, key, code ? kd_str_of(buf) : KD_STR(""));
}

static void write_known(kd_json *json, const char *key, int value)
{
    kd_json_key(json, key);
    if (value)
        kd_json_int(json, value);
    else
        kd_json_null(json);
}

static void write_parent(kd_json *json, const char *key, bool is_there, const kd_birth_person *person)
{
    kd_json_key(json, key);
    if (!is_there) {
        kd_json_null(json);
        return;
    }
    kd_json_object(json);
    write_id(json, "person_id", person->person_id);
    kd_json_kstr(json, "name", person->name);
    kd_json_kstr(json, "identity_number", person->identity_number);
    kd_json_kstr(json, "phone", person->phone);
    kd_json_kstr(json, "ethnicity", person->ethnicity);
    kd_json_kstr(json, "nationality", person->nationality);
    kd_json_kday(json, "birth_date", person->birth_day);
    write_division(json, "division", person->division);
    write_division(json, "hukou_division", person->hukou_division);
    kd_json_kstr(json, "address", person->address);
    kd_json_object_end(json);
}

static void write_children(kd_json *json, const kd_birth_declaration *d)
{
    kd_json_key(json, "children");
    kd_json_array(json);
    for (size_t i = 0; i < d->child_count && i < KD_BIRTH_CHILDREN_MAX; i++) {
        const kd_birth_child *child = &d->children[i];
        kd_json_object(json);
        kd_json_kstr(json, "name", child->name);
        kd_json_kint(json, "sex", child->sex);
        write_known(json, "birth_order", child->birth_order);
        write_known(json, "weight_g", child->weight_g);
        write_known(json, "length_mm", child->length_mm);
        kd_json_kstr(json, "certificate_no", child->certificate_no);
        kd_json_kday(json, "death_date", child->death_day);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void write_place(kd_json *json, const kd_birth_declaration *d)
{
    kd_json_key(json, "place");
    kd_json_object(json);
    kd_json_kstr(json, "kind", kd_str_of(birth_place_names[d->place_kind]));
    write_division(json, "division", d->place_division);
    kd_json_kstr(json, "text", d->place_text);
    kd_json_kstr(json, "institution", d->institution);
    kd_json_object_end(json);
}

static void write_declarant(kd_json *json, const kd_birth_declaration *d)
{
    kd_json_key(json, "declarant");
    kd_json_object(json);
    kd_json_kstr(json, "kind", kd_str_of(birth_declarant_names[d->declarant_kind]));
    kd_json_kstr(json, "name", d->declarant_name);
    kd_json_kstr(json, "phone", d->declarant_phone);
    kd_json_kstr(json, "relation", d->declarant_relation);
    kd_json_kbool(json, "is_commitment", d->is_commitment);
    kd_json_object_end(json);
}

kd_status kd_birth_write_json(const kd_birth_declaration *d, kd_json *json)
{
    char time[8] = "";
    if (d->birth_minute >= 0) snprintf(time, sizeof time, "%02d:%02d", d->birth_minute / 60 % 24, d->birth_minute % 60);
    kd_json_object(json);
    write_id(json, "delivery_id", d->notice_record_id);
    kd_json_kday(json, "birth_date", d->birth_day);
    kd_json_kstr(json, "precision", kd_str_of(birth_precision_names[d->precision]));
    kd_json_kstr(json, "birth_time", kd_str_of(time));
    write_place(json, d);
    write_known(json, "gestational_days", d->gestational_days);
    write_children(json, d);
    write_parent(json, "mother", d->has_mother, &d->mother);
    write_parent(json, "father", d->has_father, &d->father);
    write_declarant(json, d);
    write_division(json, "residence_division", d->residence_division);
    kd_json_kstr(json, "residence_address", d->residence_address);
    kd_json_kstr(json, "note", d->note);
    kd_json_object_end(json);
    return json->out->status;
}

kd_status birth_copy(const kd_birth_declaration *declaration, kd_arena *arena, kd_birth_declaration *out, kd_error *err)
{
    kd_buf buf;
    kd_json json;
    kd_buf_init(&buf, BIRTH_FACTS_BYTES_MAX);
    kd_json_init(&json, &buf);
    kd_status status = kd_birth_write_json(declaration, &json);
    if (status == KD_OK)
        status = kd_birth_read_json(kd_buf_view(&buf), arena, out, err);
    else
        kd_fail(err, status, "", "the declaration is too large");
    kd_buf_done(&buf);
    return status;
}

/* ---- a case's facts as stored ---- */

kd_status birth_facts_write(const kd_birth *birth, const birth_made *made, kd_buf *out, kd_error *err)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    kd_json_key(&json, "declaration");
    KD_TRY(kd_birth_write_json(&birth->declaration, &json));
    kd_json_key(&json, "children");
    kd_json_array(&json);
    for (size_t i = 0; i < birth->declaration.child_count; i++) {
        kd_json_object(&json);
        write_id(&json, "person_id", birth->children[i].person_id);
        kd_json_kstr(&json, "number", birth->children[i].number);
        kd_json_object_end(&json);
    }
    kd_json_array_end(&json);
    kd_json_key(&json, "records");
    kd_json_array(&json);
    for (size_t i = 0; i < made->record_count; i++) kd_json_int(&json, made->records[i]);
    kd_json_array_end(&json);
    kd_json_object_end(&json);
    return out->status == KD_OK ? KD_OK : kd_fail(err, out->status, "", "the case is too large");
}

static kd_status damaged(kd_error *err)
{
    return kd_fail(err, KD_INVALID, "facts", "a case of the database cannot be read");
}

static kd_status read_facts(const json_t *root, kd_arena *arena, kd_birth *birth, birth_made *made, kd_error *err)
{
    const json_t *children = json_object_get(root, "children"), *records = json_object_get(root, "records");
    KD_TRY(kd_birth_read_value(json_object_get(root, "declaration"), "/declaration", arena, &birth->declaration, err));
    size_t count = json_array_size(children);
    if (count > KD_BIRTH_CHILDREN_MAX || json_array_size(records) > BIRTH_RECORDS_MAX) return damaged(err);
    for (size_t i = 0; i < count; i++) {
        input child = { .object = json_array_get(children, i), .arena = arena, .err = err };
        KD_TRY(read_id(&child, "person_id", &birth->children[i].person_id));
        KD_TRY(read_text(&child, "number", BIRTH_NUMBER_BYTES, &birth->children[i].number));
    }
    made->record_count = json_array_size(records);
    for (size_t i = 0; i < made->record_count; i++) made->records[i] = json_integer_value(json_array_get(records, i));
    return KD_OK;
}

kd_status birth_facts_read(kd_str facts, kd_arena *arena, kd_birth *birth, birth_made *out_made, kd_error *err)
{
    birth_made made = { .record_count = 0 };
    json_t *root = json_loadb(facts.ptr ? facts.ptr : "", facts.len, JSON_REJECT_DUPLICATES, NULL);
    if (!root) return damaged(err);
    kd_status status = read_facts(root, arena, birth, &made, err);
    json_decref(root);
    if (status == KD_OK) *out_made = made;
    return status;
}
