/**
 * @file turn.h
 * Threads of one process that write to one SQLite file stand in line here: SQLite itself has them sleep, for longer and longer, and try
 * again. Writers of other processes are still SQLite's affair.
 */
#ifndef KD_TURN_H
#define KD_TURN_H

#include <stdbool.h>

typedef struct kd_turn kd_turn;

/** The line before a file that exists. NULL: no memory, or no such file. */
kd_turn *kd_turn_join(const char *path);
void kd_turn_leave(kd_turn *turn); /* NULL does nothing */
/** False when it did not come within `wait_ms`. */
bool kd_turn_take(kd_turn *turn, int wait_ms);
void kd_turn_give(kd_turn *turn);

#endif
