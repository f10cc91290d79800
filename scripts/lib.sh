# shellcheck shell=bash disable=SC2034
# What every script here shares: where we are, how we speak, how we fail. Sourced, never run.

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cache=$root/.cache

# Colours and moving lines are for people: only on a terminal.
if [[ -t 2 && ${TERM:-dumb} != dumb ]]; then
    moving=1 red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' bold=$'\e[1m' plain=$'\e[0m' wipe=$'\r\e[K'
else
    moving='' red='' green='' dim='' bold='' plain='' wipe=''
fi

say() { printf '%s\n' "$*" >&2; }

# One line that the next one replaces. Nothing when nobody watches.
show() {
    local width=${COLUMNS:-80}
    [[ -z $moving ]] || printf '%s%s%s%s' "$wipe" "$dim" "${1:0:width-1}" "$plain" >&2
}

clear_line() { printf '%s' "$wipe" >&2; }

# die 'what went wrong' 'what to do about it'
die() {
    clear_line
    say "${red}error:${plain} $1"
    [[ $# -lt 2 ]] || say "  ${bold}fix:${plain} $2"
    exit 1
}

# The comment at the top of a script is its help: one text, which cannot drift.
help_if_asked() {
    [[ ${1:-} == -h || ${1:-} == --help ]] || return 0
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
    exit 0
}

# Seconds since `began`, an EPOCHREALTIME, with one decimal. No fork: this runs on every `make run`.
seconds_since() {
    local began=${1/[.,]/} now=${EPOCHREALTIME/[.,]/} tenths
    tenths=$(((now - began) / 100000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}
