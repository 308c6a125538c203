/* Where connections come from: an address of the options, or sockets that the service manager hands over. */
#include "loop.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

/* "127.0.0.1:80", "[::1]:80", ":80" */
static kd_status read_address(const char *text, struct sockaddr_storage *out, kd_error *err)
{
    kd_str whole = kd_str_of(text), host = { NULL, 0 };
    size_t colon = whole.len;
    while (colon > 0 && whole.ptr[colon - 1] != ':') colon--;
    int64_t port = -1;
    char name[64];
    bool is_port = colon > 0 && kd_str_int(kd_str_sub(whole, colon, whole.len), &port) && port >= 0 && port <= 65535;
    if (is_port) host = kd_str_sub(whole, 0, colon - 1);
    if (host.len == 0) host = KD_STR("0.0.0.0");
    bool is_v6 = host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_v6) host = kd_str_sub(host, 1, host.len - 1);
    if (is_port && host.len < sizeof name) {
        memcpy(name, host.ptr, host.len);
        name[host.len] = '\0';
        if (strcmp(name, "localhost") == 0) memcpy(name, "127.0.0.1", sizeof "127.0.0.1");
        if (is_v6 ? uv_ip6_addr(name, (int)port, (struct sockaddr_in6 *)out) == 0
                  : uv_ip4_addr(name, (int)port, (struct sockaddr_in *)out) == 0)
            return KD_OK;
    }
    kd_fail(err, KD_INVALID, "listen", "'%s' is no address to listen on", text);
    kd_hint(err, "write it as 127.0.0.1:8080 or [::1]:8080");
    return KD_INVALID;
}

static bool is_loopback(const struct sockaddr_storage *own)
{
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)own)->sin6_addr;
    if (own->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(v6)) return true;
    if (own->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6)) return v6->s6_addr[12] == IN_LOOPBACKNET;
    return own->ss_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)own)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void warn_of_plain_http(const kd_loop *loop, const struct sockaddr_storage *own)
{
    if (loop->tls || loop->server->options.behind_proxy || is_loopback(own)) return;
    kd_log(KD_LOG_WARN, "serving plain HTTP on a network: passwords and people's data can be read on the way; give "
                        "--tls-cert and --tls-key, or a proxy in front and --behind-proxy");
}

static void name_address(kd_loop *loop, const uv_tcp_t *tcp)
{
    struct sockaddr_storage own = { 0 };
    int len = sizeof own;
    char name[64] = "localhost";
    int port = 0;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&own, &len) == 0) {
        uv_ip_name((struct sockaddr *)&own, name, sizeof name);
        port = ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                               : ((struct sockaddr_in *)&own)->sin_port);
        warn_of_plain_http(loop, &own);
    }
    snprintf(loop->url, sizeof loop->url, own.ss_family == AF_INET6 ? "%s://[%s]:%d" : "%s://%s:%d",
             loop->tls ? "https" : "http", name, port);
}

static kd_status fail_listen(kd_error *err, const char *what, int code)
{
    kd_fail(err, code == UV_EADDRINUSE ? KD_CONFLICT : KD_IO, "listen", "cannot listen on %s: %s", what,
            uv_strerror(code));
    if (code == UV_EADDRINUSE) kd_hint(err, "another program holds the address: name another with --listen");
    return code == UV_EADDRINUSE ? KD_CONFLICT : KD_IO;
}

static kd_status listen_on_options(kd_loop *loop, uv_connection_cb on_connection, kd_error *err)
{
    struct sockaddr_storage address = { 0 };
    const char *text = loop->server->options.listen;
    KD_TRY(read_address(text, &address, err));
    uv_tcp_t *tcp = &loop->listeners[0].tcp;
    int code = uv_tcp_init(&loop->uv, tcp);
    if (code == 0) {
        tcp->data = loop;
        loop->listener_count = 1;
        code = uv_tcp_bind(tcp, (struct sockaddr *)&address, 0);
    }
    if (code == 0) code = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    if (code != 0) return fail_listen(err, text, code);
    name_address(loop, tcp);
    return KD_OK;
}

static kd_status take_socket(kd_loop *loop, int fd, uv_connection_cb on_connection, kd_error *err)
{
    kd_socket *socket = &loop->listeners[loop->listener_count];
    bool is_unix = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0;
    int code = is_unix ? uv_pipe_init(&loop->uv, &socket->pipe, 0) : uv_tcp_init(&loop->uv, &socket->tcp);
    if (code == 0) {
        socket->handle.data = loop;
        loop->listener_count++;
        code = is_unix ? uv_pipe_open(&socket->pipe, fd) : uv_tcp_open(&socket->tcp, fd);
    }
    if (code == 0) code = uv_listen(&socket->stream, BACKLOG, on_connection);
    if (code != 0) return fail_listen(err, "a socket of the service manager", code);
    if (is_unix)
        snprintf(loop->url, sizeof loop->url, "unix socket");
    else
        name_address(loop, &socket->tcp);
    return KD_OK;
}

/* As many open files as the connections need, if the system lets us. */
static void raise_file_limit(size_t connections_max)
{
    struct rlimit limit;
    rlim_t wanted = connections_max + 512;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        kd_log(KD_LOG_WARN, "only %llu files may be open: fewer connections than configured",
               (unsigned long long)limit.rlim_cur);
}

kd_status kd_listen(kd_loop *loop, uv_connection_cb on_connection, kd_error *err)
{
    raise_file_limit(loop->server->options.connections_max);
    int count = loop->server->options.handles_signals ? sd_listen_fds(1) : 0;
    if (count <= 0) return listen_on_options(loop, on_connection, err);
    for (int i = 0; i < count && i < LISTENERS_MAX; i++)
        KD_TRY(take_socket(loop, SD_LISTEN_FDS_START + i, on_connection, err));
    return KD_OK;
}
