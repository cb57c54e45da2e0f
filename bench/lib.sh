# What the benchmarks share: a private PostgreSQL server, whole-process timing, medians. Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pgbin=${PGBIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
work=${BENCH_DIR:-$(mktemp -d /tmp/lifeboat-bench.XXXXXX)}
mkdir -p "$work"; chmod 755 "$work"
runs=${RUNS:-3}
lifeboat=${LIFEBOAT:-$root/lifeboat}
"$lifeboat" --version >/dev/null
export PGHOST=$work PGPORT=${PGPORT:-28433} PGUSER=postgres
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

start_server() {
  [ "$(id -u)" = 0 ] && chown postgres "$work"
  as_postgres "$pgbin/initdb" -D "$work/pg" -U postgres -A trust --locale=C.UTF-8 -E UTF8 >/dev/null
  as_postgres "$pgbin/pg_ctl" -D "$work/pg" -w -l "$work/pg.log" -o "-k $work -p $PGPORT -c listen_addresses='' -c max_wal_size=4GB" start >/dev/null
}
stop_server() { as_postgres "$pgbin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1 || true; }
finish() { stop_server; [ -n "${KEEP:-}" ] || rm -rf "$work"; }
trap finish EXIT

# time_it LABEL COMMAND…: one run; appends "seconds kilobytes" to $work/times/LABEL
time_it() {
  local label=$1; shift; mkdir -p "$work/times"
  /usr/bin/time -o "$work/time.out" -f '%e %M' "$@" >"$work/$label.log" 2>&1 || { cat "$work/$label.log" >&2; exit 1; }
  tail -n 1 "$work/time.out" >>"$work/times/$label"
}
median() { sort -n "$work/times/$1" | awk -v c="$2" '{v[NR]=$c} END {print v[int((NR+1)/2)]}' ; }
seconds() { median "$1" 1; }
peak() { awk '{if ($2>m) m=$2} END {printf "%d", m/1024}' "$work/times/$1"; }
size() { du -sm "$1" | cut -f1; }

# write_app NAME DATABASE: an app of one database in $work/NAME, its bundles in $work/NAME/bundles
write_app() {
  mkdir -p "$work/$1"; cat >"$work/$1/lifeboat.yaml" <<YAML
app: $1
sources:
  main: {type: postgres, url: "postgresql://postgres@/$2?host=$work&port=$PGPORT"}
stores:
  local: {path: bundles}
encryption: {password: "file:passphrase"}
YAML
  ( umask 077; od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$work/$1/passphrase" )
}

# time_restores NAME DUMP: both restores of an app's latest bundle and of a directory dump, into a database that is not there
time_restores() {
  local i
  for ((i = 0; i < runs; i++)); do
    "$pgbin/createdb" copy
    time_it "$1-pg_restore" "$pgbin/pg_restore" -j2 -d copy "$2"
    "$pgbin/dropdb" copy
    time_it "$1-restore" "$lifeboat" restore latest -q --yes -c "$work/$1/lifeboat.yaml" --target "main=postgresql://postgres@/copy?host=$work&port=$PGPORT"
    "$pgbin/dropdb" copy
  done
}

row() { printf '%-48s %8s s %6s MB peak %8s MB\n' "$1" "$(seconds "$2")" "$(peak "$2")" "${3:-}"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
describe() { echo "$1: $("$pgbin/psql" -XAt -d "$1" -c 'SELECT pg_size_pretty(pg_database_size(current_database()))'); $(nproc) cores; $("$pgbin/postgres" --version)"; }
