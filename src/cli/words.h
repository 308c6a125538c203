/**
 * @file words.h
 * How the commands that show persons and tasks read ids and write values.
 */
#ifndef KD_CLI_WORDS_H
#define KD_CLI_WORDS_H

#include "cli.h"
#include "register/register.h"

/** `--lang zh|en` when the command has it, else the environment. False with a message for another language. */
bool kd_cli_language(const kd_args *args, bool *out_is_english);
/** An id in either form; false with a message when it is none. */
bool kd_cli_id(const kd_args *args, const char *text, int64_t *out_id);
/** `--division CODE` of 2 to 12 digits, 0 when absent; false with a message for an unknown one. */
bool kd_cli_division(const kd_args *args, kd_register *reg, int64_t *out_code, kd_error *err);

/** How values are shown. */
typedef struct {
    kd_register *reg;
    bool is_english, is_unmasked;
} kd_cli_words;
/** A canonical value as people read it: sex and places in words, identity numbers masked unless asked for. Into the buffer. */
void kd_cli_value(const kd_cli_words *words, kd_str attribute, kd_str value, kd_buf *out);
/** "" when unknown. */
void kd_cli_place(const kd_cli_words *words, int64_t division, kd_buf *out);
void kd_cli_day(int32_t day, kd_buf *out); /* "-" for none */
void kd_cli_instant_day(int64_t us, kd_buf *out);
void kd_cli_id_text(int64_t id, kd_buf *out);
kd_str kd_cli_either(const kd_cli_words *words, kd_str zh, kd_str en);

/** Title of an attribute; its canonical name when it has none. */
void kd_cli_field(const kd_cli_words *words, kd_str field, kd_buf *out);
/** Title of a task's kind. */
void kd_cli_task_title(const kd_cli_words *words, const kd_task *task, kd_buf *out);
/** Names of the sources that hold a value, each once. */
void kd_cli_sources(const kd_cli_words *words, const kd_value_view *value, kd_buf *out);

/** JSON members: id in its 13 characters, null for 0. */
void kd_cli_json_id(kd_json *json, const char *key, int64_t id);
/** A value as JSON text, identity numbers masked unless asked for. */
void kd_cli_json_value(const kd_cli_words *words, kd_json *json, const char *key, kd_str attribute, kd_str value);
/** JSON that stands ready in the register. */
void kd_cli_json_raw(kd_json *json, const char *key, kd_str ready);

#endif
