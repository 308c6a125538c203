#!/usr/bin/env bash
# Run a command beside a private PostgreSQL server: scripts/with_postgres.sh [--fast] COMMAND…
# KINDRED_TEST_POSTGRES is its address. --fast trades safety at a power cut for speed.
set -euo pipefail

fast=0
if [ "${1:-}" = --fast ]; then
    fast=1
    shift
fi
[ $# -gt 0 ] || { echo "usage: $0 [--fast] COMMAND…" >&2; exit 2; }

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1) || true
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
    echo "$0: no PostgreSQL server is installed (Debian: apt-get install postgresql)" >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/kindred-pg.XXXXXX")
as=()
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
    chown postgres "$folder"
    as=(runuser -u postgres --)
fi
stop() {
    "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT INT TERM

cd "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -A trust -U kindred --encoding=UTF8 --locale=C >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; exit 1; }
options="-c listen_addresses='' -c unix_socket_directories=$folder -c max_connections=50 -c shared_buffers=256MB"
[ "$fast" = 0 ] || options="$options -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -o "$options" -l "$folder/server.log" -w start >/dev/null ||
    { cat "$folder/server.log" >&2; exit 1; }
chmod 755 "$folder"
cd - >/dev/null

export KINDRED_TEST_POSTGRES="postgresql://kindred@/postgres?host=${folder//\//%2F}"
status=0
"$@" || status=$?
exit $status
