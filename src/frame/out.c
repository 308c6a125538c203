#include "out.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

kd_status out_beside(const char *path, char buf[OUT_PATH_MAX], kd_error *err)
{
    int len = snprintf(buf, OUT_PATH_MAX, "%s.%d.tmp", path, (int)getpid());
    if (len < 0 || len >= OUT_PATH_MAX) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "the path is too long");
    return KD_OK;
}

kd_status out_open(out_file *out, const char *path, kd_encoding encoding, kd_error *err)
{
    static const char *const names[] = {
        [KD_ENCODING_GB18030] = "GB18030", [KD_ENCODING_UTF16LE] = "UTF-16LE", [KD_ENCODING_UTF16BE] = "UTF-16BE"
    };
    out->path = path;
    kd_buf_init(&out->text, SIZE_MAX / 4);
    kd_buf_init(&out->coded, SIZE_MAX / 4);
    out->is_coded = encoding > KD_ENCODING_UTF8;
    if (out->is_coded) {
        out->converter = iconv_open(names[encoding], "UTF-8");
        if ((intptr_t)out->converter == -1)
            return kd_fail(err, KD_UNSUPPORTED, "", "this system cannot write %s", names[encoding]);
    }
    kd_status status = out_beside(path, out->beside, err);
    out->fd = status == KD_OK ? open(out->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (status == KD_OK && out->fd < 0) status = kd_fail_errno(err, path, "create");
    if (status != KD_OK && out->is_coded) iconv_close(out->converter);
    return status;
}

static kd_status write_bytes(out_file *out, kd_str bytes, kd_error *err)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = write(out->fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return kd_fail_errno(err, out->path, "write");
        done += (size_t)n;
    }
    return KD_OK;
}

static kd_status flush(out_file *out, kd_error *err)
{
    if (out->text.status != KD_OK) return kd_fail(err, KD_LIMIT, "", "no memory to write the table");
    kd_str bytes = kd_buf_view(&out->text);
    if (out->is_coded) {
        kd_buf_clear(&out->coded);
        size_t room = bytes.len * 2 + 16, left = room, in_left = bytes.len;
        char *to = kd_buf_room(&out->coded, room), *from = without_const(bytes.ptr);
        if (!to) return kd_fail(err, KD_LIMIT, "", "no memory to write the table");
        if (bytes.len && iconv(out->converter, &from, &in_left, &to, &left) == (size_t)-1)
            return kd_fail_at(err, KD_INVALID, out->path, 0, 0, "a text is not UTF-8, or has no place in the encoding");
        bytes = (kd_str){ out->coded.ptr, room - left };
    }
    KD_TRY(write_bytes(out, bytes, err));
    kd_buf_clear(&out->text);
    return KD_OK;
}

kd_status out_turn(out_file *out, kd_error *err)
{
    return out->text.len < OUT_FLUSH_BYTES && out->text.status == KD_OK ? KD_OK : flush(out, err);
}

kd_status out_close(out_file *out, kd_status status, kd_error *err)
{
    if (status == KD_OK) status = flush(out, err);
    if (status == KD_OK && fsync(out->fd) != 0) status = kd_fail_errno(err, out->path, "write");
    if (close(out->fd) != 0 && status == KD_OK) status = kd_fail_errno(err, out->path, "write");
    if (status == KD_OK && rename(out->beside, out->path) != 0) status = kd_fail_errno(err, out->path, "replace");
    if (status != KD_OK) unlink(out->beside);
    if (out->is_coded) iconv_close(out->converter);
    kd_buf_done(&out->text);
    kd_buf_done(&out->coded);
    return status;
}
