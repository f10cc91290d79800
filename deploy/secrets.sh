#!/usr/bin/env bash
# deploy/secrets.sh [FOLDER]
#
# Makes what compose.yaml wants and git must not have: random passwords and keys, the certificate of Redis, and .env
# with this user's group, which may read them. What is there already stays as it is, so it may be run again.
#   FOLDER  where the secrets go: deploy/compose/secrets by default. With another one, no .env is written.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "${BASH_SOURCE[0]%/*}/../scripts/lib.sh"
help_if_asked "$@"
(($# < 2)) || { say "usage: deploy/secrets.sh [FOLDER]" && exit 2; }
command -v openssl >/dev/null || die 'openssl is not installed' 'apt-get install openssl'

folder=${1:-$root/deploy/compose/secrets}
umask 077
mkdir -p -- "$folder"
cd -- "$folder"

# keep FILE: what comes in, unless the file is there. For the group to read: containers run as it.
keep() {
    if [[ ! -s $1 ]]; then
        cat >"$1.new"
        chmod 440 "$1.new"
        mv -f "$1.new" "$1"
        say "made $1"
    fi
}

random() { openssl rand -hex 32 | tr -d '\n'; }

keep service_key < <(random)
keep metrics_token < <(random)
for name in tenant user resource booking; do
    keep "${name}_password" < <(random)
    keep "${name}_database_url" < <(printf 'postgresql://%s:%s@/%s?host=/run/postgresql' "$name" "$(<"${name}_password")" "$name")
done

# Redis keeps the password's hash only. Its certificate is its own authority.
keep redis_password < <(random)
keep redis_url < <(printf 'rediss://:%s@redis:6379' "$(<redis_password)")
keep redis_users < <(printf 'user default on #%s ~* &* +@all\n' "$(printf '%s' "$(<redis_password)" | sha256sum | cut -d ' ' -f 1)")
if [[ ! -s redis_key || ! -s redis_certificate ]]; then
    rm -f redis_key redis_certificate
    pair=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=redis \
        -addext subjectAltName=DNS:redis,DNS:localhost,IP:127.0.0.1 -keyout - 2>/dev/null) || die 'openssl makes no certificate' 'openssl 1.1.1 or newer'
    keep redis_key < <(openssl pkey <<<"$pair")
    keep redis_certificate < <(openssl x509 <<<"$pair")
fi

(($# == 0)) || exit 0
environment=$root/.env
if ! grep -qs '^MARCA_GID=' "$environment"; then
    {
        [[ -s $environment ]] || cat "$root/deploy/compose/env"
        printf 'MARCA_GID=%d\n' "$(id -g)"
    } >>"$environment"
    say 'wrote .env: settings of the fleet'
fi
say 'next: docker compose up --build --wait'
