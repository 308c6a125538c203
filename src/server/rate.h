/**
 * @file rate.h
 * Token buckets in memory: how often an address or a token may ask. Thread-safe.
 */
#ifndef KD_SERVER_RATE_H
#define KD_SERVER_RATE_H

#include "base/base.h"

typedef struct kd_rates kd_rates;
kd_rates *kd_rates_new(void); /* 400 kB */
void kd_rates_free(kd_rates *rates);
/**
 * Take one from the bucket of `key`, which fills at `per_s` up to `burst`. False when it is empty: then `out_wait_s` tells when there is
 * one again. Of many keys those unheard of longest are forgotten. 50 ns.
 */
bool kd_rates_take(kd_rates *rates, uint64_t key, double per_s, double burst, double now, double *out_wait_s);

#endif
