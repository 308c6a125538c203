/**
 * @file codes.h
 * Words for codes, from the packs. Thread-safe.
 */
#ifndef KD_SERVER_CODES_H
#define KD_SERVER_CODES_H

#include "call.h"

typedef struct kd_codes kd_codes;
kd_codes *kd_codes_new(void);
void kd_codes_free(kd_codes *codes);
/** All of them as one JSON object of the schema Codes; lives as long as `codes`. Gathered at the first call (20 ms). */
KD_CHECKED kd_status kd_codes_json(kd_codes *codes, const kd_access_pack *pack, kd_str *out_json, kd_error *err);

#endif
