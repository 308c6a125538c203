/* The confirmation: one A4 page for the family, drawn with cairo and pango; the code as vectors. */
#include "births.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <string.h>

/* Points. */
#define PAGE_WIDTH 595.28
#define PAGE_HEIGHT 841.89
#define MARGIN 62.0
#define INNER (PAGE_WIDTH - 2 * MARGIN)
#define LABEL_WIDTH 104.0
#define CODE_SIZE 124.0

enum { PDF_BYTES_MAX = 4 << 20, QUIET_MODULES = 4 };

typedef struct {
    double red, green, blue;
} colour;
static const colour ink = { 0.11, 0.12, 0.14 }, soft = { 0.40, 0.42, 0.46 }, accent = { 0.64, 0.15, 0.13 },
                    line = { 0.82, 0.83, 0.85 };

typedef struct {
    kd_register *reg;
    const kd_births_pack *pack;
    const kd_birth *birth;
    const kd_birth_child *child;
    size_t index;
    bool is_english;
    kd_arena *arena;
    cairo_t *cr;
    PangoLayout *layout;
    double y;
    kd_error *err;
} page;

/* ---- drawing ---- */

typedef struct {
    double x, width, size;
    bool is_bold, is_centred;
    colour colour;
    double spacing;    /* between letters, in points */
    double height_max; /* 0: as high as it comes; else the text is made smaller until it fits */
} style;

static void set_colour(cairo_t *cr, colour c)
{
    cairo_set_source_rgb(cr, c.red, c.green, c.blue);
}

static double lay_out(page *p, kd_str text, const style *s, double size)
{
    PangoFontDescription *font = pango_font_description_from_string(p->pack->fonts.ptr);
    PangoAttrList *list = pango_attr_list_new();
    int height;
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_font_description_set_weight(font, s->is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(p->layout, font);
    pango_font_description_free(font);
    if (s->spacing > 0) pango_attr_list_insert(list, pango_attr_letter_spacing_new((int)(s->spacing * PANGO_SCALE)));
    pango_attr_list_insert(list, pango_attr_language_new(pango_language_from_string(p->is_english ? "en" : "zh-cn")));
    pango_layout_set_attributes(p->layout, list);
    pango_attr_list_unref(list);
    pango_layout_set_text(p->layout, text.ptr ? text.ptr : "", (int)text.len);
    pango_layout_set_width(p->layout, (int)(s->width * PANGO_SCALE));
    pango_layout_set_wrap(p->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(p->layout, s->is_centred ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT);
    pango_layout_set_line_spacing(p->layout, p->is_english ? 1.15F : 1.3F);
    pango_layout_get_size(p->layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

/* Draws at `y` and returns the height used. */
static double draw_text(page *p, double y, kd_str text, const style *s)
{
    enum { SHRINKS_MAX = 12 };
    double size = s->size, height = lay_out(p, text, s, size);
    for (int i = 0; i < SHRINKS_MAX && s->height_max > 0 && height > s->height_max; i++)
        height = lay_out(p, text, s, size *= 0.9);
    set_colour(p->cr, s->colour);
    cairo_move_to(p->cr, s->x, y);
    pango_cairo_show_layout(p->cr, p->layout);
    return height;
}

static void draw_rule(page *p, double y, colour c, double width)
{
    set_colour(p->cr, c);
    cairo_set_line_width(p->cr, width);
    cairo_move_to(p->cr, MARGIN, y);
    cairo_line_to(p->cr, PAGE_WIDTH - MARGIN, y);
    cairo_stroke(p->cr);
}

static kd_status draw_code(page *p, double x, double y, const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!code) return kd_fail(p->err, KD_LIMIT, "", "the code is too long to be drawn");
    double module = CODE_SIZE / (code->width + 2 * QUIET_MODULES);
    set_colour(p->cr, (colour){ 0, 0, 0 });
    for (int row = 0; row < code->width; row++)
        for (int column = 0; column < code->width; column++) {
            if (!(code->data[row * code->width + column] & 1)) continue;
            int end = column;
            while (end + 1 < code->width && code->data[row * code->width + end + 1] & 1) end++;
            cairo_rectangle(p->cr, x + (column + QUIET_MODULES) * module, y + (row + QUIET_MODULES) * module,
                            (end - column + 1) * module, module);
            column = end;
        }
    cairo_fill(p->cr);
    QRcode_free(code);
    return KD_OK;
}

/* ---- words ---- */

static kd_str words_of(const page *p, const birth_words *words)
{
    return p->is_english ? words->en : words->zh;
}

static kd_str say(const page *p, birth_say which)
{
    return words_of(p, &p->pack->says[which]);
}

static const char *const english_months[] = { "January", "February", "March",     "April",   "May",      "June",
                                              "July",    "August",   "September", "October", "November", "December" };

/* 2026年3月5日, 5 March 2026; less when less is known. */
static kd_str date_words(const page *p, int32_t day, kd_birth_precision precision)
{
    kd_ymd d = kd_day_to_ymd(day);
    const char *month = english_months[(d.month - 1) % 12];
    if (precision == KD_BIRTH_DAY_YEAR) return kd_arena_fmt(p->arena, p->is_english ? "%d" : "%d年", d.year);
    if (precision == KD_BIRTH_DAY_MONTH)
        return p->is_english ? kd_arena_fmt(p->arena, "%s %d", month, d.year)
                             : kd_arena_fmt(p->arena, "%d年%d月", d.year, d.month);
    kd_str about = precision == KD_BIRTH_DAY_ABOUT ? say(p, SAY_ABOUT) : KD_STR("");
    return p->is_english ? kd_arena_fmt(p->arena, "%d %s %d%.*s", d.day, month, d.year, KD_FMT(about))
                         : kd_arena_fmt(p->arena, "%d年%d月%d日%.*s", d.year, d.month, d.day, KD_FMT(about));
}

/* A pack's text with numbers in it: each %d in turn. The pack's reader has counted them. */
static kd_str with_numbers(const page *p, kd_str text, const int *numbers)
{
    kd_buf buf;
    kd_buf_init(&buf, 4096);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && i + 1 < text.len) {
            kd_buf_int(&buf, *numbers++);
            i++;
        } else {
            kd_buf_char(&buf, text.ptr[i]);
        }
    }
    kd_str out = kd_arena_str(p->arena, kd_buf_view(&buf));
    kd_buf_done(&buf);
    return out;
}

static kd_str grouped(const page *p, kd_str number)
{
    kd_buf buf;
    kd_buf_init(&buf, 256);
    for (size_t i = 0; i < number.len; i++) {
        if (i && i % (size_t)p->pack->group == 0) kd_buf_char(&buf, ' ');
        kd_buf_char(&buf, number.ptr[i]);
    }
    kd_str out = kd_arena_str(p->arena, kd_buf_view(&buf));
    kd_buf_done(&buf);
    return out;
}

/* ---- the parts of the page, from above ---- */

static void draw_head(page *p)
{
    const style over = { .x = MARGIN, .width = INNER, .size = 10.5, .is_centred = true, .colour = soft, .spacing = 2 };
    const style title = { .x = MARGIN,
                          .width = INNER,
                          .size = p->is_english ? 23 : 27,
                          .is_bold = true,
                          .is_centred = true,
                          .colour = ink,
                          .spacing = p->is_english ? 0.3 : 5,
                          .height_max = 46 };
    p->y = 56;
    p->y += draw_text(p, p->y, say(p, SAY_REGISTER), &over) + 8;
    p->y += draw_text(p, p->y, say(p, SAY_TITLE), &title) + 12;
    draw_rule(p, p->y, accent, 1.6);
    draw_rule(p, p->y + 3.4, accent, 0.5);
    p->y += 22;
}

static void draw_number(page *p)
{
    const style label = { .x = MARGIN, .width = INNER, .size = 10.5, .is_centred = true, .colour = soft };
    const style number = {
        .x = MARGIN, .width = INNER, .size = 27, .is_centred = true, .colour = accent, .spacing = 1.4, .height_max = 40
    };
    const style use = {
        .x = MARGIN, .width = INNER, .size = 9.5, .is_centred = true, .colour = soft, .height_max = 28
    };
    p->y += draw_text(p, p->y, say(p, SAY_NUMBER), &label) + 4;
    p->y += draw_text(p, p->y, grouped(p, p->birth->children[p->index].number), &number) + 4;
    if (p->child->death_day == KD_DAY_NONE) p->y += draw_text(p, p->y, say(p, SAY_NUMBER_USE), &use);
    p->y += 16;
    draw_rule(p, p->y, line, 0.7);
    p->y += 14;
}

static void draw_row(page *p, kd_str label, kd_str value, bool is_large)
{
    const style left = { .x = MARGIN, .width = LABEL_WIDTH, .size = 10.5, .colour = soft, .height_max = 30 };
    const style right = { .x = MARGIN + LABEL_WIDTH,
                          .width = INNER - LABEL_WIDTH,
                          .size = is_large ? 16 : 12,
                          .is_bold = is_large,
                          .colour = ink,
                          .height_max = is_large ? 46 : 34 };
    double offset = is_large ? 4 : 1;
    double low = draw_text(p, p->y + offset, label, &left) + offset, high = draw_text(p, p->y, value, &right);
    p->y += (low > high ? low : high) + 6.5;
}

static void draw_child(page *p)
{
    const kd_birth_declaration *d = &p->birth->declaration;
    birth_say sex = p->child->sex == 1 ? SAY_MALE : p->child->sex == 2 ? SAY_FEMALE : SAY_NO_SEX;
    kd_str sex_words = say(p, sex);
    if (d->child_count > 1) {
        const int numbers[] = { p->child->birth_order ? p->child->birth_order : (int)p->index + 1,
                                (int)d->child_count };
        kd_str together = with_numbers(p, say(p, SAY_TOGETHER), numbers);
        sex_words =
            kd_arena_fmt(p->arena, "%.*s%s%.*s", KD_FMT(sex_words), p->is_english ? ", " : "，", KD_FMT(together));
    }
    draw_row(p, say(p, SAY_CHILD), p->child->name.len ? p->child->name : say(p, SAY_NO_NAME), true);
    draw_row(p, say(p, SAY_SEX), sex_words, false);
    draw_row(p, say(p, SAY_BIRTH_DATE), date_words(p, d->birth_day, d->precision), false);
    if (p->child->death_day != KD_DAY_NONE)
        draw_row(p, say(p, SAY_DEATH_DATE), date_words(p, p->child->death_day, KD_BIRTH_DAY_EXACT), false);
}

static kd_status draw_facts(page *p)
{
    const kd_birth_declaration *d = &p->birth->declaration;
    kd_str place;
    draw_child(p);
    KD_TRY(birth_place_text(p->reg, d, p->arena, &place, p->err));
    draw_row(p, say(p, d->place_kind == KD_BIRTH_FOUND ? SAY_FOUND_PLACE : SAY_PLACE), place, false);
    if (d->has_mother && d->mother.name.len) draw_row(p, say(p, SAY_MOTHER), d->mother.name, false);
    if (d->has_father && d->father.name.len) draw_row(p, say(p, SAY_FATHER), d->father.name, false);
    const kd_births_word *kind = &p->pack->declarants[d->declarant_kind];
    kd_str role = d->declarant_relation.len ? d->declarant_relation : p->is_english ? kind->en : kind->zh;
    draw_row(
        p, say(p, SAY_DECLARANT),
        kd_arena_fmt(p->arena, p->is_english ? "%.*s (%.*s)" : "%.*s（%.*s）", KD_FMT(d->declarant_name), KD_FMT(role)),
        false);
    draw_row(p, say(p, SAY_REGISTERED),
             date_words(p, (int32_t)((p->birth->changed_at + INT64_C(28800000000)) / INT64_C(86400000000)),
                        KD_BIRTH_DAY_EXACT),
             false);
    p->y += 6;
    draw_rule(p, p->y, line, 0.7);
    p->y += 14;
    return KD_OK;
}

static void draw_office(page *p, const birth_office *office, bool is_dead)
{
    const int within[] = { office->within_days };
    const style mark = { .x = MARGIN, .width = 14, .size = 11, .is_bold = true, .colour = accent };
    const style title = {
        .x = MARGIN + 14, .width = LABEL_WIDTH + 18, .size = 11, .is_bold = true, .colour = ink, .height_max = 30
    };
    const style limit = { .x = MARGIN + 14, .width = LABEL_WIDTH + 18, .size = 9, .colour = soft };
    const style text = {
        .x = MARGIN + LABEL_WIDTH + 36, .width = INNER - LABEL_WIDTH - 36, .size = 10.5, .colour = ink, .height_max = 32
    };
    draw_text(p, p->y, KD_STR("·"), &mark);
    double low = draw_text(p, p->y, words_of(p, &office->title), &title);
    if (!is_dead) {
        double high = draw_text(p, p->y, words_of(p, &office->next), &text);
        low += draw_text(p, p->y + low, with_numbers(p, say(p, SAY_WITHIN), within), &limit);
        if (high > low) low = high;
    }
    p->y += low + 6;
}

static void draw_next(page *p)
{
    bool is_dead = p->child->death_day != KD_DAY_NONE;
    const style head = { .x = MARGIN, .width = INNER, .size = 13, .is_bold = true, .colour = ink };
    const style lead = {
        .x = MARGIN, .width = INNER, .size = is_dead ? 11 : 10, .colour = is_dead ? ink : soft, .height_max = 44
    };
    if (is_dead)
        p->y += draw_text(p, p->y, say(p, SAY_CONDOLENCE), &lead) + 8;
    else
        p->y += draw_text(p, p->y, say(p, SAY_NEXT), &head) + 3;
    p->y += draw_text(p, p->y, say(p, is_dead ? SAY_CONDOLENCE_LEAD : SAY_NEXT_LEAD), &lead) + 9;
    for (size_t i = 0; i < p->pack->office_count; i++)
        if (!is_dead || !p->pack->offices[i].is_alive_only) draw_office(p, &p->pack->offices[i], is_dead);
}

static kd_status draw_foot(page *p, kd_buf *code)
{
    double top = PAGE_HEIGHT - 54 - CODE_SIZE, x = MARGIN + CODE_SIZE + 16, width = INNER - CODE_SIZE - 16,
           y = top + 22;
    const style strong = { .x = x, .width = width, .size = 10.5, .colour = ink, .height_max = 30 };
    const style weak = { .x = x, .width = width, .size = 8.8, .colour = soft, .height_max = 26 };
    char now[32];
    int64_t local = kd_now_us() + INT64_C(28800000000); /* China Standard Time */
    kd_instant_format(local, now);
    now[10] = ' ';
    now[16] = '\0';
    draw_rule(p, top - 8, line, 0.7);
    KD_TRY(kd_birth_code(p->reg, p->birth, p->index, (int32_t)(local / INT64_C(86400000000)), code, p->err));
    kd_buf_char(code, '\0');
    if (code->status != KD_OK) return birth_no_memory(p->err);
    KD_TRY(draw_code(p, MARGIN - 4, top, code->ptr));
    y += draw_text(p, y, say(p, SAY_FREE), &strong) + 5;
    y += draw_text(p, y, say(p, SAY_VERIFY), &strong) + 5;
    y += draw_text(p, y, say(p, SAY_CODE_HOLDS), &weak) + 4;
    draw_text(p, y, kd_arena_fmt(p->arena, "%.*s%s%s", KD_FMT(say(p, SAY_PRINTED)), p->is_english ? ": " : "：", now),
              &weak);
    return KD_OK;
}

/* ---- the file ---- */

static cairo_status_t take_bytes(void *ctx, const unsigned char *bytes, unsigned len)
{
    kd_buf_add(ctx, bytes, len);
    return ((kd_buf *)ctx)->status == KD_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static kd_status draw_page(page *p)
{
    kd_buf code;
    kd_buf_init(&code, BIRTH_CODE_BYTES_MAX + 1);
    draw_head(p);
    draw_number(p);
    kd_status status = draw_facts(p);
    if (status == KD_OK) {
        draw_next(p);
        status = draw_foot(p, &code);
    }
    kd_buf_done(&code);
    return status;
}

static kd_status draw_pdf(page *p, kd_buf *out)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(take_bytes, out, PAGE_WIDTH, PAGE_HEIGHT);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, say(p, SAY_TITLE).ptr);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Kindred " KD_VERSION);
    p->cr = cairo_create(surface);
    p->layout = pango_cairo_create_layout(p->cr);
    kd_status status = draw_page(p);
    cairo_show_page(p->cr);
    g_object_unref(p->layout);
    cairo_destroy(p->cr);
    cairo_surface_finish(surface);
    bool is_drawn = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    if (status == KD_OK && !is_drawn) status = kd_fail(p->err, KD_LIMIT, "", "the page cannot be drawn");
    return status;
}

kd_status kd_birth_confirmation(kd_register *reg, const kd_births_pack *pack, const kd_birth *birth, size_t child,
                                bool is_english, kd_buf *out_pdf, kd_error *err)
{
    if (kd_str_is(birth->state, "draft") || kd_str_is(birth->state, "cancelled"))
        return kd_fail(err, KD_CONFLICT, "state", "only a registered birth has a confirmation");
    if (child >= birth->declaration.child_count || !birth->children[child].number.len)
        return kd_fail(err, KD_NOT_FOUND, "child", "there is no such child in this registration");
    page p = { .reg = reg,
               .pack = pack,
               .birth = birth,
               .child = &birth->declaration.children[child],
               .index = child,
               .is_english = is_english,
               .arena = kd_arena_new(1 << 20),
               .err = err };
    kd_buf pdf;
    if (!p.arena) return birth_no_memory(err);
    kd_buf_init(&pdf, PDF_BYTES_MAX);
    kd_status status = draw_pdf(&p, &pdf);
    if (status == KD_OK) {
        kd_buf_add(out_pdf, pdf.ptr, pdf.len);
        if (out_pdf->status != KD_OK) status = birth_no_memory(err);
    }
    kd_buf_done(&pdf);
    kd_arena_free(p.arena);
    return status;
}
