#include "turn.h"

#include "base/base.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>

struct kd_turn {
    dev_t device;
    ino_t file;
    int members;
    sem_t free; /* no mutex: a store may go from thread to thread */
    kd_turn *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static kd_turn *turns;

static kd_turn *find(const struct stat *of)
{
    for (kd_turn *turn = turns; turn; turn = turn->next)
        if (turn->device == of->st_dev && turn->file == of->st_ino) return turn;
    kd_turn *turn = calloc(1, sizeof *turn);
    if (!turn) return NULL;
    turn->device = of->st_dev;
    turn->file = of->st_ino;
    sem_init(&turn->free, 0, 1);
    turn->next = turns;
    turns = turn;
    return turn;
}

kd_turn *kd_turn_join(const char *path)
{
    struct stat of;
    if (stat(path, &of) != 0) return NULL;
    pthread_mutex_lock(&lock);
    kd_turn *turn = find(&of);
    if (turn) turn->members++;
    pthread_mutex_unlock(&lock);
    return turn;
}

void kd_turn_leave(kd_turn *turn)
{
    if (!turn) return;
    pthread_mutex_lock(&lock);
    if (--turn->members == 0) {
        kd_turn **at = &turns;
        while (*at != turn) at = &(*at)->next;
        *at = turn->next;
        sem_destroy(&turn->free);
        free(turn);
    }
    pthread_mutex_unlock(&lock);
}

bool kd_turn_take(kd_turn *turn, int wait_ms)
{
    struct timespec until = kd_deadline(wait_ms);
    while (sem_clockwait(&turn->free, CLOCK_MONOTONIC, &until) != 0)
        if (errno != EINTR) return false;
    return true;
}

void kd_turn_give(kd_turn *turn)
{
    sem_post(&turn->free);
}
