/**
 * @file person_words.h
 * What `kindred person` prints of one person, in words and as JSON. Private to cmd_person.
 */
#ifndef KD_CLI_PERSON_WORDS_H
#define KD_CLI_PERSON_WORDS_H

#include "words.h"

void kd_cli_show_words(const kd_cli_words *words, const kd_person_view *view, kd_buf *out);
void kd_cli_show_json(const kd_cli_words *words, const kd_person_view *view, kd_buf *out);
void kd_cli_why_words(const kd_cli_words *words, const kd_person_view *view, const kd_link_reason *reasons,
                      kd_str model, kd_buf *out);
void kd_cli_why_json(const kd_cli_words *words, const kd_person_view *view, const kd_link_reason *reasons, kd_str model,
                     kd_buf *out);
void kd_cli_history_words(const kd_cli_words *words, const kd_person_event *events, size_t count, kd_buf *out);
void kd_cli_history_json(const kd_cli_words *words, const kd_person_event *events, size_t count, kd_buf *out);

#endif
