/* Likeness of texts, by character and not by byte. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

enum { MAX = KD_MATCH_TEXT_CHARS_MAX };

static int decode(kd_str text, uint32_t out[MAX])
{
    int count = 0;
    for (size_t at = 0; at < text.len && count < MAX;) {
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x80) {
            out[count++] = c;
            at++;
        } else {
            out[count++] = kd_utf8_next(text, &at);
        }
    }
    return count;
}

/* Source: Jaro 1989, Winkler 1990: prefix of up to 4 characters weighs 0.1 each. */
double kd_jaro_winkler(kd_str text_a, kd_str text_b)
{
    uint32_t a[MAX], b[MAX];
    int la = decode(text_a, a), lb = decode(text_b, b);
    if (la == 0 || lb == 0) return la == lb;
    int window = (la > lb ? la : lb) / 2 - 1;
    if (window < 0) window = 0;
    uint64_t taken_a = 0, taken_b = 0;
    int matches = 0;
    for (int i = 0; i < la; i++) {
        int from = i > window ? i - window : 0, to = i + window + 1 < lb ? i + window + 1 : lb;
        for (int j = from; j < to; j++) {
            if (taken_b >> j & 1 || a[i] != b[j]) continue;
            taken_a |= UINT64_C(1) << i;
            taken_b |= UINT64_C(1) << j;
            matches++;
            break;
        }
    }
    if (!matches) return 0;
    int moved = 0, j = 0;
    for (int i = 0; i < la; i++) {
        if (!(taken_a >> i & 1)) continue;
        while (!(taken_b >> j & 1)) j++;
        moved += a[i] != b[j++];
    }
    double m = matches;
    double jaro = (m / la + m / lb + (m - moved / 2) / m) / 3;
    int prefix = 0;
    while (prefix < 4 && prefix < la && prefix < lb && a[prefix] == b[prefix]) prefix++;
    return jaro + prefix * 0.1 * (1 - jaro);
}

static int least(int a, int b, int c)
{
    int x = a < b ? a : b;
    return x < c ? x : c;
}

int kd_edit_distance(kd_str text_a, kd_str text_b, int most, bool with_swaps)
{
    uint32_t a[MAX], b[MAX];
    int la = decode(text_a, a), lb = decode(text_b, b);
    if (abs(la - lb) > most) return most + 1;
    int rows[3][MAX + 1];
    int *before = rows[0], *last = rows[1], *now = rows[2];
    for (int j = 0; j <= lb; j++) last[j] = j;
    for (int i = 1; i <= la; i++) {
        int best = now[0] = i;
        for (int j = 1; j <= lb; j++) {
            int edits = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            bool is_swap = with_swaps && i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap && before[j - 2] + 1 < edits) edits = before[j - 2] + 1;
            now[j] = edits;
            if (edits < best) best = edits;
        }
        if (best > most) return most + 1;
        int *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[lb] > most ? most + 1 : last[lb];
}
