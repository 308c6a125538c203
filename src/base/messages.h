/**
 * @file messages.h
 * The catalogue of messages, made by scripts/messages.py from messages.csv. Private to base.
 */
#ifndef KD_BASE_MESSAGES_H
#define KD_BASE_MESSAGES_H

#include <stddef.h>

typedef struct {
    const char *english, *chinese;
} kd_message_pair;
extern const kd_message_pair KD_MESSAGES[]; /* by the English, as strcmp orders */
extern const size_t KD_MESSAGE_COUNT;

#endif
