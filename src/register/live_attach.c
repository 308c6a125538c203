/* Several handles on one register, a thread each: connections and ids of their own, the loaded tables shared. */
#include "handle.h"

#include <stdlib.h>

kd_status kd_register_shared_new(size_t bytes_max, kd_register_shared **out_shared, kd_error *err)
{
    kd_register_shared *shared = calloc(1, sizeof *shared);
    if (!shared || !(shared->arena = kd_arena_new(bytes_max))) {
        free(shared);
        return kd_fail(err, KD_LIMIT, "", "no memory to open the register");
    }
    pthread_mutex_init(&shared->lock, NULL);
    shared->handles = 1;
    *out_shared = shared;
    return KD_OK;
}

static void join(kd_register_shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    shared->handles++;
    pthread_mutex_unlock(&shared->lock);
}

void kd_register_shared_leave(kd_register_shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    bool is_last = --shared->handles == 0;
    pthread_mutex_unlock(&shared->lock);
    if (!is_last) return;
    pthread_mutex_destroy(&shared->lock);
    kd_divisions_close(shared->divisions);
    kd_text_close(shared->text);
    kd_arena_free(shared->arena);
    free(shared);
}

static kd_status attach(const kd_register *reg, bool is_reader, kd_register **out_register, kd_error *err)
{
    kd_register *attached = calloc(1, sizeof *attached);
    if (!attached) return kd_fail(err, KD_LIMIT, "", "no memory to open the register");
    attached->node_file = -1;
    attached->shared = reg->shared;
    join(reg->shared);
    kd_status status = is_reader ? kd_store_reader(reg->store, &attached->store, err)
                                 : kd_store_open(reg->shared->url.ptr, false, &attached->store, err);
    if (status == KD_OK) status = kd_node_take(attached, err);
    if (status != KD_OK) {
        kd_register_close(attached);
        return status;
    }
    *out_register = attached;
    return KD_OK;
}

kd_status kd_register_attach(const kd_register *reg, kd_register **out_register, kd_error *err)
{
    return attach(reg, false, out_register, err);
}

kd_status kd_register_snapshot(const kd_register *reg, kd_register **out_register, kd_error *err)
{
    return attach(reg, true, out_register, err);
}

/* ---- loaded once ---- */

kd_status kd_register_text(kd_register *reg, const kd_text **out_text, kd_error *err)
{
    kd_register_shared *shared = reg->shared;
    if (!reg->text) {
        pthread_mutex_lock(&shared->lock);
        kd_status status = shared->text ? KD_OK : kd_text_open(&shared->text, err);
        reg->text = shared->text;
        pthread_mutex_unlock(&shared->lock);
        if (status != KD_OK) return status;
    }
    *out_text = reg->text;
    return KD_OK;
}

kd_status kd_register_divisions(kd_register *reg, const kd_divisions **out_divisions, kd_error *err)
{
    kd_register_shared *shared = reg->shared;
    if (!reg->divisions) {
        pthread_mutex_lock(&shared->lock);
        kd_status status = shared->divisions
                               ? KD_OK
                               : kd_divisions_pack_open(shared->arena, shared->divisions_pack, &shared->divisions, err);
        reg->divisions = shared->divisions;
        pthread_mutex_unlock(&shared->lock);
        if (status != KD_OK) return status;
    }
    *out_divisions = reg->divisions;
    return KD_OK;
}
