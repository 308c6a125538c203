#include "rate.h"

#include <pthread.h>
#include <stdlib.h>

/* Sets of WAYS buckets in a cache line or two: a key lives in its set or nowhere. */
enum { SETS = 2048, WAYS = 8 };

typedef struct {
    uint64_t key; /* 0: free */
    double left, at;
} bucket;

struct kd_rates {
    pthread_mutex_t mutex; /* guards sets */
    bucket sets[SETS][WAYS];
};

kd_rates *kd_rates_new(void)
{
    kd_rates *rates = calloc(1, sizeof *rates);
    if (rates) pthread_mutex_init(&rates->mutex, NULL);
    return rates;
}

void kd_rates_free(kd_rates *rates)
{
    if (!rates) return;
    pthread_mutex_destroy(&rates->mutex);
    free(rates);
}

static bucket *find(bucket *set, uint64_t key, double burst, double now)
{
    bucket *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].at < oldest->at)) oldest = &set[i];
    }
    *oldest = (bucket){ key, burst, now };
    return oldest;
}

bool kd_rates_take(kd_rates *rates, uint64_t key, double per_s, double burst, double now, double *out_wait_s)
{
    uint64_t hash = kd_hash_int(key);
    if (key == 0) key = 1;
    pthread_mutex_lock(&rates->mutex);
    bucket *b = find(rates->sets[hash % SETS], key, burst, now);
    b->left += (now - b->at) * per_s;
    if (b->left > burst) b->left = burst;
    b->at = now;
    bool is_there = b->left >= 1;
    if (is_there) b->left -= 1;
    double wait = is_there ? 0 : (1 - b->left) / per_s;
    pthread_mutex_unlock(&rates->mutex);
    if (!is_there) *out_wait_s = wait;
    return is_there;
}
