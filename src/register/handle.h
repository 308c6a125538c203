/**
 * @file handle.h
 * What an open register holds: what its handles share, and what each has of its own. Private to the register.
 */
#ifndef KD_REGISTER_HANDLE_H
#define KD_REGISTER_HANDLE_H

#include "register.h"

#include <pthread.h>

/** Shared by all handles of one opening; counted. `lock` guards what stands below it. */
typedef struct {
    kd_str dir, url, divisions_pack; /* never change; in the arena */
    pthread_mutex_t lock;
    kd_arena *arena;
    unsigned handles;
    kd_text *text; /* loaded on first use, then only read */
    kd_divisions *divisions;
} kd_register_shared;

struct kd_register {
    kd_register_shared *shared;
    kd_store *store;
    kd_id_maker ids;
    int node_file;       /* holds the lock on the node; -1 none */
    const kd_text *text; /* of `shared`, once asked for */
    const kd_divisions *divisions;
};

KD_CHECKED kd_status kd_register_shared_new(size_t bytes_max, kd_register_shared **out_shared, kd_error *err);
/** A handle that only reads, and sees the register as it is when it is first asked. */
KD_CHECKED kd_status kd_register_snapshot(const kd_register *reg, kd_register **out_register, kd_error *err);
/** One handle fewer; with the last one everything is let go. */
void kd_register_shared_leave(kd_register_shared *shared);

/** Read the tree of divisions of a pack: a folder as given, or a shipped one. Paths live in the arena. */
KD_CHECKED kd_status kd_divisions_pack_open(kd_arena *arena, kd_str pack, kd_divisions **out, kd_error *err);

/**
 * A node number that no other open handle of the same folder has, in this process or another, and an id maker that goes on
 * where the last holder of that number ended. A folder that cannot be written gives a number by chance.
 */
KD_CHECKED kd_status kd_node_take(kd_register *reg, kd_error *err);
void kd_node_give_back(kd_register *reg);

#endif
