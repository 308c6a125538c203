#include "base.h"

#include <math.h>

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

void kd_rng_init(kd_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* SplitMix64, as the authors advise for seeding */
        seed += 0x9E3779B97F4A7C15u;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        rng->s[i] = z ^ z >> 31;
    }
}

uint64_t kd_rng_next(kd_rng *rng)
{
    uint64_t *s = rng->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double kd_rng_unit(kd_rng *rng)
{
    return (double)(kd_rng_next(rng) >> 11) * 0x1p-53;
}

uint64_t kd_rng_below(kd_rng *rng, uint64_t bound)
{
    if (bound == 0) return 0;
    __extension__ typedef unsigned __int128 wide; /* Lemire 2019: multiply, reject the short tail */
    wide product = (wide)kd_rng_next(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t floor = -bound % bound;
        while ((uint64_t)product < floor) product = (wide)kd_rng_next(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

double kd_rng_normal(kd_rng *rng)
{
    double u, v, s; /* Marsaglia's polar method */
    do {
        u = 2 * kd_rng_unit(rng) - 1;
        v = 2 * kd_rng_unit(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}
