# What the benchmarks share: a private PostgreSQL server, whole-process timing, medians. Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pgbin=${PGBIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
work=${BENCH_DIR:-$(mktemp -d /tmp/lifeboat-bench.XXXXXX)}
mkdir -p "$work"; chmod 755 "$work"
runs=${RUNS:-3}
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
