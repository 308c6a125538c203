/* The text of a confirmation's code: whatever is scanned. What is taken apart must be what a code says. */
#include "services/births.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const kd_str text = { (const char *)data, size };
    birth_code code;
    birth_code_says says;
    if (birth_code_split(text, &code)) {
        if (code.signed_text.len >= size || code.payload_len >= sizeof code.payload) abort();
        if (birth_code_read((kd_str){ code.payload, code.payload_len }, &says) &&
            !birth_number_is_valid(kd_str_of(says.number)))
            abort();
    }
    if (birth_code_read(text, &says) && (says.birth_day == KD_DAY_NONE || says.issued_day == KD_DAY_NONE)) abort();
    return 0;
}
