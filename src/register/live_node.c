/* Numbers of those who make ids in one folder, so that no two ever make the same. */
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* One slot a node: the last id that its last holder made, its bytes locked by the present one. */
enum { NODE_COUNT = 1024, SLOT_BYTES = 8 };
static const char NODES_NAME[] = "nodes.lock";

static bool lock_slot(int file, uint32_t node)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    lock.l_start = (off_t)node * SLOT_BYTES;
    lock.l_len = SLOT_BYTES;
    return fcntl(file, F_OFD_SETLK, &lock) == 0;
}

static int64_t read_slot(int file, uint32_t node)
{
    int64_t last = 0;
    ssize_t got = pread(file, &last, sizeof last, (off_t)node * SLOT_BYTES);
    return got == SLOT_BYTES && last > 0 ? last : 0;
}

kd_status kd_node_take(kd_register *reg, kd_error *err)
{
    char path[4096];
    kd_str dir = reg->shared->dir;
    uint32_t first = (uint32_t)getpid();
    reg->node_file = -1;
    reg->ids = (kd_id_maker){ .node = first & (NODE_COUNT - 1) };
    if (dir.len + sizeof NODES_NAME + 1 > sizeof path)
        return kd_fail_at(err, KD_LIMIT, dir.ptr, 0, 0, "the name of the folder is too long");
    memcpy(path, dir.ptr, dir.len);
    path[dir.len] = '/';
    memcpy(path + dir.len + 1, NODES_NAME, sizeof NODES_NAME);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return KD_OK; /* only looked at: whatever ids it makes are not written */
    for (uint32_t i = 0; i < NODE_COUNT; i++) {
        uint32_t node = (first + i) & (NODE_COUNT - 1);
        if (!lock_slot(file, node)) continue;
        reg->node_file = file;
        reg->ids = (kd_id_maker){ .node = node, .last = read_slot(file, node) };
        return KD_OK;
    }
    close(file);
    return kd_fail_at(err, KD_LIMIT, dir.ptr, 0, 0, "%d programs have this register open", NODE_COUNT);
}

void kd_node_give_back(kd_register *reg)
{
    if (reg->node_file < 0) return;
    /* best effort: it only matters to one who takes the number within the same millisecond, or under a fixed clock */
    ssize_t written =
        reg->ids.last ? pwrite(reg->node_file, &reg->ids.last, SLOT_BYTES, (off_t)reg->ids.node * SLOT_BYTES) : 0;
    (void)written;
    close(reg->node_file);
    reg->node_file = -1;
}
