#!/usr/bin/env bash
# deploy/local.sh [start|stop] [OPTIONS]
#
# Runs marca as a fleet on this machine, from Debian's packages and without containers: nginx, four processes of marca,
# each with a PostgreSQL database of its own, and Redis. All of it listens on this machine only. Ctrl-C stops it.
#
#   --port N      of nginx, 8000 by default; the services take the four after it. 0: any that are free
#   --data DIR    what is kept, ./data/fleet by default: databases, events, keys, secrets, logs
#   --build DIR   a folder with a marca that is built already; by default marca is built in build/
#   --json        for programs: one line of JSON on standard output when all are ready, and nothing else
#
#   stop          stops the fleet that runs over --data DIR, and waits until it has
#
# Settings of marca (.env.example) are taken from the environment; deploy/README.md tells which the fleet sets.
# Exit status: 0 stopped as it was told; 1 something failed, and standard error says what; 2 wrong usage.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "${BASH_SOURCE[0]%/*}/../scripts/lib.sh"
help_if_asked "$@"

# The processes, and the services in each. docs: "the standard fleet".
names=(tenant resource user booking)
declare -A services=([tenant]="tenant,audit" [resource]=resource [user]=user [booking]=booking)

START_SECONDS=60 STOP_SECONDS=40 # the second is more than MARCA_DRAIN_SECONDS

port=8000 data=data/fleet build='' json='' verb=start

usage() {
    say "${red}error:${plain} $1"
    say "  ${bold}fix:${plain} deploy/local.sh --help"
    exit 2
}

number() { [[ $1 =~ ^[0-9]{1,5}$ ]] && (($1 < 65532)); }

[[ ${1:-} != start && ${1:-} != stop ]] || { verb=$1 && shift; }
while (($# > 0)); do
    case $1 in
    --json) json=1 && shift && continue ;;
    --port | --data | --build) (($# > 1)) || usage "$1 wants a value" ;;
    *) usage "unknown: $1" ;;
    esac
    case $1 in
    --port) number "$2" || usage "--port $2: a port, or 0"; port=$((10#$2)) ;;
    --data) data=$2 ;;
    --build) build=$(realpath -- "$2") || usage "--build $2: no such folder" ;;
    esac
    shift 2
done

mkdir -p -- "$data" || die "$data cannot be made" 'another --data DIR'
data=$(realpath -- "$data")
run=$data/run
mkdir -p "$run" "$data/log" "$data/env"

# --- One fleet a folder -------------------------------------------------------------

exec 9>>"$run/lock"

stop_other() {
    if flock -n 9; then
        say "nothing runs over $data"
        return
    fi
    kill -TERM "$(<"$run/pid")"
    flock -w "$STOP_SECONDS" 9 || die "the fleet over $data does not stop" "see $data/log"
    say "stopped the fleet over $data"
}

if [[ $verb == stop ]]; then
    stop_other
    exit 0
fi
flock -n 9 || die "a fleet runs over $data already (process $(<"$run/pid"))" "deploy/local.sh stop --data $data, or another --data DIR"
printf '%d\n' $$ >"$run/pid"

# --- What it takes --------------------------------------------------------------------

if [[ -z $build ]]; then
    (cd "$root" && scripts/setup --fleet && scripts/build marca) || exit 1
    build=$root/build
fi
marca=$build/marca
[[ -x $marca ]] || die "there is no $marca" 'make build, or another --build DIR'
for program in nginx redis-server curl setpriv psql; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || die "$program is not installed" 'scripts/setup --fleet'
done
PATH=$PATH:/usr/sbin

kept=$data/postgres/PG_VERSION
bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
[[ ! -f $kept ]] || bin=/usr/lib/postgresql/$(<"$kept")/bin
[[ -x $bin/postgres ]] || die "there is no $bin/postgres, which the data in $data want" 'scripts/setup --fleet, or another --data DIR'

# PostgreSQL refuses to run as root.
identity=()
if ((EUID == 0)); then
    identity=(--reuid=postgres --regid=postgres --clear-groups)
    setpriv "${identity[@]}" -- test -x "$data" || die "the user postgres cannot get to $data" 'another --data DIR, such as /var/lib/marca-fleet; or do not be root'
fi

# --- Ports ------------------------------------------------------------------------------

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

declare -A ours=()
# Sets `free` to one that nobody listens on, below those that outgoing connections take.
free_port() {
    while :; do
        free=$((RANDOM % 22000 + 10000))
        [[ -z ${ours[$free]:-} ]] && ! taken "$free" && break
    done
    ours[$free]=1
}

declare -A ports=()
if ((port == 0)); then
    free_port && port=$free
    for name in "${names[@]}"; do free_port && ports[$name]=$free; done
else
    next=$port
    for name in "${names[@]}"; do ports[$name]=$((next += 1)); done
    for each in "$port" "${ports[@]}"; do
        ! taken "$each" || die "port $each is taken" '--port N for another, --port 0 for a free one'
    done
fi
free_port && ports[postgres]=$free
free_port && ports[redis]=$free
url=http://localhost:$port

# --- Processes -----------------------------------------------------------------------------

declare -A pids=()
started=() # in this order; stopped in the other

# launch NAME COMMAND...: it lives no longer than this script, and hears no Ctrl-C: stop_all() has an order to keep.
launch() {
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM "$@" >"$data/log/$name.log" 2>&1 </dev/null 9>&- &
    pids[$name]=$!
    started+=("$name")
}

# The signal by which each finishes what it has begun.
declare -A farewell=([gateway]=QUIT [postgres]=INT)

stop_all() {
    local status=$? i name deadline=$((SECONDS + STOP_SECONDS))
    trap '' INT TERM
    trap - EXIT
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        name=${started[i]}
        kill "-${farewell[$name]:-TERM}" "${pids[$name]}" 2>/dev/null || continue
        # The services at once, the others one after the other.
        [[ -z ${services[$name]:-} || $name == "${names[0]}" ]] || continue
        for each in "$name" ${services[$name]:+"${names[@]}"}; do await_end "$each"; done
    done
    rm -rf "$run/pid" "$run/nginx" ${socket:+"$socket"}
    exit "$status"
}

await_end() {
    [[ -n ${pids[$1]:-} ]] || return 0
    while kill -0 "${pids[$1]}" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            say "$1 does not stop, and is killed"
            kill -KILL "${pids[$1]}" 2>/dev/null || true
        fi
        sleep 0.02
    done
    wait "${pids[$1]}" 2>/dev/null || true
}

failed() {
    clear_line
    tail -n 20 "$data/log/$1.log" >&2 || true
    die "$1 $2; its words are above" "see $data/log/$1.log"
}

# await NAME COMMAND...: until the command succeeds.
await() {
    local name=$1 deadline=$((SECONDS + START_SECONDS))
    shift
    until "$@" >/dev/null 2>&1; do
        kill -0 "${pids[$name]}" 2>/dev/null || failed "$name" 'has ended'
        ((SECONDS < deadline)) || failed "$name" "is not ready after $START_SECONDS s"
        sleep 0.03
    done
}

trap stop_all EXIT
trap 'exit 0' INT TERM
umask 077

# --- Secrets: made once ---------------------------------------------------------------------

mkdir -p "$data/secrets"
# Prints the secret of that name.
secret() {
    local file=$data/secrets/$1
    [[ -s $file ]] || od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' >"$file"
    printf '%s' "$(<"$file")"
}

# --- PostgreSQL: one cluster with a database and an owner a process, who reach no other's. Four clusters would keep
# them apart no better, at four times the start and the memory ---------------------------------

start_postgres() {
    local log=$data/log/initdb.log
    socket=$(mktemp -d /tmp/marca-fleet-XXXXXX)
    mkdir -p "$data/postgres"
    ((EUID != 0)) || chown postgres "$data/postgres" "$socket"
    if [[ ! -f $kept ]]; then
        show 'making the databases'
        (cd / && setpriv "${identity[@]}" -- "$bin/initdb" -D "$data/postgres" -U postgres --auth-local=trust \
            --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync) >"$log" 2>&1 || {
            tail -n 20 "$log" >&2
            die 'PostgreSQL makes no cluster; its words are above' "see $log"
        }
    fi
    launch postgres "${identity[@]}" -- "$bin/postgres" -D "$data/postgres" -k "$socket" -p "${ports[postgres]}" \
        -c listen_addresses=127.0.0.1 -c max_connections=200 -c logging_collector=off -c log_min_messages=warning
}

sql() { psql -X -q -At -v ON_ERROR_STOP=1 -h "$socket" -p "${ports[postgres]}" -U postgres "$@"; }

make_databases() {
    local name there
    there=$(sql -c 'SELECT datname FROM pg_database')
    for name in "${names[@]}"; do
        ! grep -qx "$name" <<<"$there" || continue
        # Its rows are read and written by a role that owns nothing: docs/security/walls.md
        printf "CREATE ROLE \"%s\" LOGIN PASSWORD '%s'; CREATE ROLE \"%s\" NOLOGIN; GRANT \"%s\" TO \"%s\";\n" \
            "$name" "$(secret "$name")" "${name}_rows" "${name}_rows" "$name"
        printf 'CREATE DATABASE "%s" OWNER "%s";\nREVOKE ALL ON DATABASE "%s" FROM PUBLIC;\n' "$name" "$name" "$name"
    done | sql >>"$data/log/initdb.log" 2>&1 || {
        tail -n 20 "$data/log/initdb.log" >&2
        die 'the databases cannot be made; the words of PostgreSQL are above'
    }
}

# --- Redis -----------------------------------------------------------------------------------

start_redis() {
    mkdir -p "$data/redis"
    printf '%s\n' 'bind 127.0.0.1' "port ${ports[redis]}" "requirepass $(secret redis)" "dir \"$data/redis\"" \
        'appendonly yes' 'save ""' >"$run/redis.conf"
    launch redis -- redis-server "$run/redis.conf"
}

redis_answers() { REDISCLI_AUTH=$(secret redis) redis-cli -p "${ports[redis]}" ping | grep -qx PONG; }

# --- marca ------------------------------------------------------------------------------------

# NAME.env: with it, the commands of marca work on that process's store: set -a; . data/fleet/env/user.env
write_environment() {
    local name=$1 database other
    database=postgresql://$name:$(secret "$name")@127.0.0.1:${ports[postgres]}/$name
    {
        printf '%s=%q\n' MARCA_SERVICE "${services[$name]}" MARCA_LISTEN "127.0.0.1:${ports[$name]}" \
            MARCA_DATA "$data/$name" "${name^^}_DATABASE_URL" "$database" MARCA_DB_ROLE "${name}_rows" \
            REDIS_URL "redis://:$(secret redis)@127.0.0.1:${ports[redis]}" SERVICE_KEY "$(secret service_key)" \
            PUBLIC_URL "${PUBLIC_URL:-$url}" TRUSTED_PROXIES "${TRUSTED_PROXIES:-127.0.0.1}"
        [[ $name != tenant ]] || printf 'AUDIT_DATABASE_URL=%q\n' "$database"
        for other in "${names[@]}"; do
            [[ $other == "$name" ]] || printf '%s_SERVICE_URL=http://127.0.0.1:%d\n' "${other^^}" "${ports[$other]}"
        done
    } >"$data/env/$name.env"
}

# What another way of running marca left in the environment must not lead a service to a store or a neighbour.
forget_addresses() {
    local name
    for name in '' TENANT_ USER_ RESOURCE_ BOOKING_ AUDIT_; do
        unset "${name}DATABASE_URL" "${name}DATABASE_URL_FILE" "${name}SERVICE_URL"
    done
    unset REDIS_URL_FILE SERVICE_KEY_FILE MARCA_KEYS
}

start_service() {
    local name=$1
    write_environment "$name"
    set -a
    # shellcheck disable=SC1090
    . "$data/env/$name.env"
    set +a
    launch "$name" -- "$marca" serve
    forget_addresses
}

answers() { curl -sf -o "$run/ready" --max-time 5 "$1/ready"; }

# --- nginx --------------------------------------------------------------------------------------

start_gateway() {
    local edits=() name
    rm -rf "$run/nginx"
    cp -r "$root/deploy/nginx" "$run/nginx"
    for name in "${names[@]}"; do edits+=(-e "s/server $name:8000;/server 127.0.0.1:${ports[$name]};/"); done
    sed -i "${edits[@]}" "$run/nginx/upstreams.conf"
    {
        printf 'listen 127.0.0.1:%d default_server;\n' "$port"
        # localhost is ::1 for many programs.
        ! grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null || printf 'listen [::1]:%d default_server;\n' "$port"
        printf 'access_log "%s" json;\n' "$data/log/access.log"
    } >"$run/nginx/site.conf"
    launch gateway -- nginx -p "$run/nginx" -c "$run/nginx/nginx.conf" -e stderr -g 'daemon off;'
}

# --- All of it -----------------------------------------------------------------------------------

text() {
    local value=${1//\\/\\\\}
    printf '"%s"' "${value//\"/\\\"}"
}

tell_programs() {
    local name separator=''
    printf '{"url":%s,"data":%s,"pid":%d,"services":{' "$(text "$url")" "$(text "$data")" $$
    for name in "${names[@]}"; do
        printf '%s%s:{"url":"http://127.0.0.1:%d","pid":%d,"services":"%s","environment":%s,"log":%s}' "$separator" \
            "$(text "$name")" "${ports[$name]}" "${pids[$name]}" "${services[$name]}" "$(text "$data/env/$name.env")" \
            "$(text "$data/log/$name.log")"
        separator=,
    done
    printf '}'
    for name in gateway postgres redis; do
        printf ',"%s":{"port":%d,"pid":%d,"log":%s}' "$name" "${ports[$name]:-$port}" "${pids[$name]}" "$(text "$data/log/$name.log")"
    done
    printf '}\n'
}

tell_people() {
    local name
    "$root/scripts/run" --banner "$url"
    printf '  fleet  '
    for name in "${names[@]}" postgres redis; do printf ' %s :%d' "$name" "${ports[$name]}"; done
    cat <<END

          data, logs and secrets in $data
  token   (set -a; . $data/env/user.env; $marca token)     an operator's, good for an hour
  stop    Ctrl-C, or deploy/local.sh stop --data $data

END
}

forget_addresses
start_postgres
start_redis
await postgres "$bin/pg_isready" -q -h "$socket" -p "${ports[postgres]}" -U postgres
make_databases
await redis redis_answers
show 'starting the services'
for name in "${names[@]}"; do start_service "$name"; done
start_gateway
for name in "${names[@]}"; do await "$name" answers "http://127.0.0.1:${ports[$name]}"; done
await gateway answers "http://127.0.0.1:$port"
clear_line
if [[ -n $json ]]; then tell_programs; else tell_people; fi

# Until one of them ends by itself, or a signal ends this.
wait -n -p ended "${pids[@]}" || true
for name in "${!pids[@]}"; do
    [[ ${pids[$name]} != "${ended:-}" ]] || failed "$name" 'has ended by itself'
done
